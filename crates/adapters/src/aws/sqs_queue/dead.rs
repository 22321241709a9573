//! The queues of dead letters, looked at without taking anything out.

use std::collections::HashMap;
use std::time::Duration;

use cve_monitor_core::ports::{DeadLetter, QueueError};
use cve_monitor_core::vocabulary::{Lane, Page, PageToken, RequestId};
use tokio::time::Instant;

use super::SqsQueue;
use super::calls::{Asked, BATCH};
use super::{letters, sending};

/// The most messages of each queue of dead letters that are looked at. What lies behind them comes to sight as they
/// are sent again.
pub const MAX_LETTERS: usize = 1000;
/// No queue is looked at further once its letters have this many bytes.
const MAX_LETTER_BYTES: usize = 64 * 1024 * 1024;
/// How long a letter is hidden while the others are looked at; and how long what was seen serves the pages that
/// follow, and those who send one after the other again.
const LOOK: Duration = Duration::from_secs(60);
/// How long a look waits: one that does not wait asks only some of the servers that keep a queue.
const WAIT: Duration = Duration::from_secs(1);

/// What was seen, and when.
#[derive(Debug)]
pub(super) struct Looked {
    at: Instant,
    found: Vec<Found>,
}

/// A letter, and what names its message: until somebody else looks at it.
#[derive(Debug)]
struct Found {
    lane: Lane,
    handle: String,
    letter: DeadLetter,
}

pub(super) async fn page(
    queue: &SqsQueue,
    after: Option<&PageToken>,
    limit: usize,
) -> Result<Page<DeadLetter>, QueueError> {
    let mut looked = queue.looked.lock().await;
    let fresh = looked.take().filter(|looked| after.is_some() && looked.at.elapsed() < LOOK);
    let seen = match fresh {
        Some(seen) => seen,
        None => look(queue).await?,
    };
    let page = page_of(&seen.found, after, limit.max(1));
    *looked = Some(seen);
    Ok(page)
}

fn page_of(found: &[Found], after: Option<&PageToken>, limit: usize) -> Page<DeadLetter> {
    // Buried twice under one id: one letter, the latest.
    let mut latest: HashMap<&RequestId, &DeadLetter> = HashMap::new();
    for Found { letter, .. } in found {
        let known = latest.entry(&letter.id).or_insert(letter);
        if letter.at > known.at {
            *known = letter;
        }
    }
    let mut letters: Vec<_> = latest.into_values().map(|letter| (place(letter), letter)).collect();
    letters.retain(|(place, _)| after.is_none_or(|after| *place > after.0));
    letters.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = letters.len() > limit;
    letters.truncate(limit);
    let next = letters.last().filter(|_| more).map(|(place, _)| PageToken(place.clone()));
    Page { items: letters.into_iter().map(|(_, letter)| letter.clone()).collect(), next }
}

/// Where a letter stands in the list: by its age, then by its id.
fn place(letter: &DeadLetter) -> String {
    // So wide that times sort as numbers do.
    format!("{:020} {}", letter.at.as_millis().max(0), letter.id)
}

pub(super) async fn redrive(queue: &SqsQueue, id: &RequestId) -> Result<bool, QueueError> {
    let mut looked = queue.looked.lock().await;
    let has_it = |seen: &Looked| seen.found.iter().any(|found| found.letter.id == *id);
    let fresh = looked.take().filter(|looked| looked.at.elapsed() < LOOK && has_it(looked));
    let Looked { at, found } = match fresh {
        Some(seen) => seen,
        None => look(queue).await?,
    };
    let (mine, others): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| found.letter.id == *id);
    *looked = Some(Looked { at, found: others });
    let Some(latest) = mine.iter().map(|found| &found.letter).max_by_key(|letter| letter.at) else {
        return Ok(false);
    };
    // Sent before it is forgotten: what comes in between sends it twice, which is harmless.
    sending::send(&queue.calls, &queue.queues.of(latest.lane).live, std::slice::from_ref(&latest.body))
        .await?;
    for found in &mine {
        queue.calls.delete(&queue.queues.of(found.lane).dead, &found.handle).await?;
    }
    Ok(true)
}

/// All letters, each hidden from other looks for a moment.
async fn look(queue: &SqsQueue) -> Result<Looked, QueueError> {
    let [push, change, backfill] = Lane::ALL.map(|lane| look_at(queue, lane));
    let (push, change, backfill) = futures::future::try_join3(push, change, backfill).await?;
    let found = push.into_iter().chain(change).chain(backfill).collect();
    Ok(Looked { at: Instant::now(), found })
}

fn is_enough(letters: usize, bytes: usize) -> bool {
    letters >= MAX_LETTERS || bytes >= MAX_LETTER_BYTES
}

async fn look_at(queue: &SqsQueue, lane: Lane) -> Result<Vec<Found>, QueueError> {
    let dead = &queue.queues.of(lane).dead;
    let asked = Asked { max: BATCH, lease: LOOK, wait: WAIT };
    let mut found: Vec<Found> = vec![];
    loop {
        let messages = queue.calls.receive(dead, asked).await?;
        if messages.is_empty() {
            break;
        }
        found.extend(messages.into_iter().map(|message| Found {
            lane,
            letter: letters::letter(lane, &message),
            handle: message.receipt_handle.unwrap_or_default(),
        }));
        if is_enough(found.len(), found.iter().map(|found| found.letter.body.len()).sum()) {
            tracing::warn!(
                queue = dead.name,
                seen = found.len(),
                "there may be more dead letters than are shown"
            );
            break;
        }
    }
    // Others may see them again; where that fails they show themselves a little later.
    let handles: Vec<&str> = found.iter().map(|found| found.handle.as_str()).collect();
    if let Err(error) = queue.calls.release(dead, &handles).await {
        tracing::debug!(%lane, %error, "dead letters stay hidden for a moment");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_ends_at_so_many_letters_or_bytes_and_not_before() {
        for (letters, bytes, expected) in [
            (MAX_LETTERS - 1, MAX_LETTER_BYTES - 1, false),
            (MAX_LETTERS, 0, true),
            (1, MAX_LETTER_BYTES, true),
        ] {
            assert_eq!(is_enough(letters, bytes), expected, "{letters} letters of {bytes} bytes");
        }
    }
}
