//! The keys of the images that a change may concern: computed once for a change, handed out in pages. Manifests are asked
//! of Clair's indexer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{Candidates, Clock, Cursor, FeedError};
use cve_monitor_core::vocabulary::{Digest, LayerKey, Page, PageToken};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::super::http::HttpError;
use super::super::client::ClairV4Client;
use super::diff::Changes;
use super::feed_error;
use super::reverse::Question;

/// How many questions a request asks. Clair works on 20 of them at a time, and answers all or none.
const QUESTIONS_AT_ONCE: usize = 100;
/// The most manifests that a change may name. What concerns more concerns everything.
const MAX_MANIFESTS: usize = 200_000;
/// How often a request is made that Clair has no room for.
pub const MAX_ATTEMPTS: u32 = 7;
/// How long it waits after the first refusal; then twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The keys of one change.
#[derive(Debug)]
pub(super) struct Affected {
    from: Cursor,
    to: Cursor,
    keys: Vec<LayerKey>,
}

impl Affected {
    pub(super) fn is_between(&self, from: &Cursor, to: &Cursor) -> bool {
        self.from == *from && self.to == *to
    }

    /// A page in the order of the keys; a token is the last key of the page before.
    pub(super) fn page(&self, after: Option<&PageToken>, limit: usize) -> Candidates {
        let begin = after.map_or(0, |after| self.keys.partition_point(|key| key.0 <= after.0));
        let rest = &self.keys[begin..];
        let page = &rest[..limit.max(1).min(rest.len())];
        let next = page.last().filter(|_| page.len() < rest.len());
        Page { items: page.to_vec(), next: next.map(|last| PageToken(last.0.clone())) }
    }
}

/// A change that has been read, and how far its questions are answered.
#[derive(Debug)]
pub(super) struct Pending {
    /// The updater whose change it is.
    pub(super) updater: String,
    from: Cursor,
    to: Cursor,
    questions: Vec<Question>,
    answered: usize,
    manifests: BTreeSet<LayerKey>,
    /// What needs no question.
    keys: BTreeSet<LayerKey>,
}

impl Pending {
    pub(super) fn new(from: &Cursor, to: &Cursor, updater: String, changes: Changes) -> Self {
        let Changes { questions, keys, .. } = changes;
        let (from, to) = (from.clone(), to.clone());
        Self { updater, from, to, questions, answered: 0, manifests: BTreeSet::new(), keys }
    }

    pub(super) fn is_between(&self, from: &Cursor, to: &Cursor) -> bool {
        self.from == *from && self.to == *to
    }

    /// Takes manifests in; false where they are more than so many now.
    fn take(&mut self, manifests: Vec<LayerKey>, most: usize) -> bool {
        self.manifests.extend(manifests);
        self.manifests.len() <= most
    }

    /// What the change concerns, all questions being answered.
    pub(super) fn affected(mut self) -> Affected {
        self.keys.append(&mut self.manifests);
        Affected { from: self.from, to: self.to, keys: self.keys.into_iter().collect() }
    }
}

/// The part of the indexer's answer that counts.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    vulnerable_manifests: Option<std::collections::HashMap<String, IgnoredAny>>,
}

/// Asks the indexer.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) client: &'a ClairV4Client,
    pub(super) clock: &'a Arc<dyn Clock>,
    /// The updater whose change it is: what is forgotten where there is no answer.
    pub(super) updater: &'a str,
}

impl Asking<'_> {
    /// Asks what is not answered yet. What was answered stays, also where the rest fails.
    pub(super) async fn manifests(&self, pending: &mut Pending) -> Result<(), FeedError> {
        let mut size = QUESTIONS_AT_ONCE;
        while pending.answered < pending.questions.len() {
            let rest = &pending.questions[pending.answered..];
            let batch = &rest[..size.min(rest.len())];
            let manifests = match self.ask(batch).await {
                Ok(manifests) => manifests,
                Err(error) if is_too_much(&error) && batch.len() > 1 => {
                    size = batch.len() / 2;
                    continue;
                }
                Err(error) if is_too_much(&error) => return Err(self.forgotten("too many manifests")),
                Err(error) if is_refused(&error) => self.ask_wider(batch).await?,
                Err(error) => return Err(feed_error(&error)),
            };
            pending.answered += batch.len();
            size = (size * 2).min(QUESTIONS_AT_ONCE);
            if !pending.take(manifests, MAX_MANIFESTS) {
                return Err(self.forgotten("too many manifests"));
            }
        }
        Ok(())
    }

    /// One version that the indexer cannot compare, in a question or in an image, spoils the answer to all questions:
    /// they are asked about any version. Where that does not help, and the indexer is not in trouble, it cannot say.
    async fn ask_wider(&self, batch: &[Question]) -> Result<Vec<LayerKey>, FeedError> {
        let wider: Vec<Question> = batch.iter().map(Question::of_any_version).collect();
        match self.ask(&wider).await {
            Ok(manifests) => Ok(manifests),
            Err(error) if is_refused(&error) => {
                self.ask(&[Question::control()]).await.map_err(|error| feed_error(&error))?;
                Err(self.forgotten(&error.to_string()))
            }
            Err(error) => Err(feed_error(&error)),
        }
    }

    /// One request, made again while Clair has no room for it.
    async fn ask(&self, questions: &[Question]) -> Result<Vec<LayerKey>, HttpError> {
        let (mut wait, mut attempt) = (FIRST_WAIT, 1);
        let body = loop {
            match self.client.affected_manifests(Question::request(questions)).await {
                Err(HttpError::Status { status: 429, .. }) if attempt < MAX_ATTEMPTS => {
                    self.clock.sleep_until(self.clock.now().plus(wait)).await;
                    (wait, attempt) = (wait * 2, attempt + 1);
                }
                answer => break answer?,
            }
        };
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| HttpError::Unreadable {
            request: "affected_manifest".to_owned(),
            detail: format!("{:?} in column {}", error.classify(), error.column()),
        })?;
        let digests = answer.vulnerable_manifests.unwrap_or_default().into_keys();
        // Images are known here by SHA-256 alone: another digest is nobody's.
        let known = digests.filter(|digest| digest.parse::<Digest>().is_ok());
        Ok(known.map(LayerKey).collect())
    }

    fn forgotten(&self, why: &str) -> FeedError {
        tracing::warn!(
            updater = self.updater,
            why,
            "Clair cannot say which images a change concerns: all are assessed again"
        );
        FeedError::Forgotten(self.updater.to_owned())
    }
}

/// Fewer questions at a time may help: the answer is too long, or a proxy finds that the request is.
fn is_too_much(error: &HttpError) -> bool {
    matches!(error, HttpError::TooLong { .. } | HttpError::Status { status: 413, .. })
}

/// Clair's own words for a question that it cannot answer are those for a database that is away.
fn is_refused(error: &HttpError) -> bool {
    matches!(error, HttpError::Status { status: 400 | 500, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_may_name_so_many_manifests_and_no_more() {
        let cursor = Cursor("a".to_owned());
        let mut pending = Pending::new(&cursor, &cursor, "u".to_owned(), Changes::default());
        let named = |numbers: std::ops::RangeInclusive<usize>| {
            numbers.map(|number| LayerKey(number.to_string())).collect::<Vec<_>>()
        };
        assert!(pending.take(named(1..=MAX_MANIFESTS), MAX_MANIFESTS));
        assert!(pending.take(named(1..=1), MAX_MANIFESTS), "named before");
        assert!(!pending.take(named(0..=0), MAX_MANIFESTS));
    }

    #[test]
    fn pages_are_in_the_order_of_the_keys_and_resume_after_a_token() {
        let cursor = |name: &str| Cursor(name.to_owned());
        let keys: BTreeSet<LayerKey> = (0..5).map(|number| LayerKey(format!("key {number}"))).collect();
        let changes = Changes { keys: keys.clone(), ..Changes::default() };
        let affected = Pending::new(&cursor("a"), &cursor("b"), "u".to_owned(), changes).affected();
        for limit in [0, 1, 2, 5, 100] {
            let (mut found, mut after) = (BTreeSet::new(), None);
            loop {
                let page = affected.page(after.as_ref(), limit);
                assert!(page.items.len() <= limit.max(1));
                found.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, keys, "pages of {limit}");
        }
        assert_eq!(affected.page(Some(&PageToken("key 4".to_owned())), 10), Page::last(vec![]));
        assert!(affected.is_between(&cursor("a"), &cursor("b")));
        assert!(!affected.is_between(&cursor("b"), &cursor("a")));
    }
}
