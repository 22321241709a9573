//! The tags of images as they are now. Who asks while a call is under way shares the next one with the others: ECR takes few
//! calls of this kind, and each names up to a hundred images.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::{Digest, RepositoryName, Tag};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::api::{Api, MAX_IDS, by_digest};
use super::read_tags;

/// How many repositories are kept track of at once; past that, those that nobody asks about are let go.
const MAX_QUEUES: usize = 256;

type Answer = Result<Vec<Tag>, RegistryError>;

#[derive(Debug, Default)]
pub(super) struct Tags {
    queues: Mutex<HashMap<RepositoryName, Arc<Queue>>>,
}

/// Those who ask about one repository.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<(Digest, oneshot::Sender<Answer>)>>,
    /// Held by who makes a call for all.
    turn: tokio::sync::Mutex<()>,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Vec<(Digest, oneshot::Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tags {
    pub(super) async fn of(&self, api: &Api, repository: &RepositoryName, digest: &Digest) -> Answer {
        let queue = self.queue(repository);
        loop {
            let (sender, mut answered) = oneshot::channel();
            queue.waiting().push((digest.clone(), sender));
            let _turn = tokio::select! {
                biased;
                answer = &mut answered => match answer {
                    Ok(answer) => return answer,
                    // Whoever asked for all has given up.
                    Err(_) => continue,
                },
                turn = queue.turn.lock() => turn,
            };
            loop {
                match answered.try_recv() {
                    Ok(answer) => return answer,
                    Err(TryRecvError::Closed) => break,
                    // Not even begun; more than a hundred may stand before this one.
                    Err(TryRecvError::Empty) => ask_for_all(api, repository, &queue).await,
                }
            }
        }
    }

    fn queue(&self, repository: &RepositoryName) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.len() >= MAX_QUEUES && !queues.contains_key(repository) {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        Arc::clone(queues.entry(repository.clone()).or_default())
    }
}

/// Answers those who wait, the first hundred at most. One image that is not there fails the whole call: then halves are
/// asked for.
async fn ask_for_all(api: &Api, repository: &RepositoryName, queue: &Queue) {
    let first = {
        let mut waiting = queue.waiting();
        waiting.retain(|(_, sender)| !sender.is_closed());
        let count = waiting.len().min(MAX_IDS);
        waiting.drain(..count).collect::<Vec<_>>()
    };
    let mut left = vec![first];
    while let Some(mut batch) = left.pop() {
        let mut digests: Vec<Digest> = batch.iter().map(|(digest, _)| digest.clone()).collect();
        digests.sort();
        digests.dedup();
        if digests.is_empty() {
            continue;
        }
        let what = match digests.as_slice() {
            [one] => format!("image {one} of {repository}"),
            _ => format!("the tags of {} images of {repository}", digests.len()),
        };
        match api.describe(repository, digests.iter().map(by_digest).collect(), &what).await {
            Ok(details) => {
                let tags: HashMap<&str, Vec<Tag>> =
                    details.iter().filter_map(|d| Some((d.image_digest()?, read_tags(d)))).collect();
                for (digest, sender) in batch {
                    let missing = || RegistryError::NotFound(format!("image {digest} of {repository}"));
                    let _ = sender.send(tags.get(digest.as_str()).cloned().ok_or_else(missing));
                }
            }
            Err(RegistryError::NotFound(_)) if digests.len() > 1 => {
                let middle = digests.swap_remove(digests.len() / 2);
                let (upper, lower) = batch.drain(..).partition(|(digest, _)| *digest >= middle);
                left.extend([upper, lower]);
            }
            Err(error) => {
                for (_, sender) in batch {
                    let _ = sender.send(Err(error.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_repositories_are_kept_track_of_and_of_more_only_those_that_somebody_asks_about() {
        let (tags, repository) = (Tags::default(), |number: usize| format!("app-{number}").parse().unwrap());
        let asked_about = tags.queue(&repository(0));
        for number in 1..MAX_QUEUES {
            tags.queue(&repository(number));
        }
        tags.queue(&repository(1));
        assert_eq!(tags.queues.lock().unwrap().len(), MAX_QUEUES);
        tags.queue(&repository(MAX_QUEUES));
        assert_eq!(tags.queues.lock().unwrap().len(), 2);
        assert!(Arc::ptr_eq(&asked_about, &tags.queue(&repository(0))));
    }
}
