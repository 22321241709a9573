//! What is asked of Clair v4, one method per request.

use std::time::Duration;

use cve_monitor_core::vocabulary::Digest;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::http::{BodyStream, Endpoint, HttpClient, HttpError, InvalidSettings, Request};
use super::assess::Report;
use super::operations::{OperationRef, Operations};

/// The longest list of update operations, in bytes: some hundred updaters with ten operations each need 300 KB, and with
/// an operation every six hours for a year 40 MB.
const MAX_OPERATIONS_BYTES: usize = 64 * 1024 * 1024;
/// The longest index state, in bytes: it is a hash in a small object.
const MAX_STATE_BYTES: usize = 16 * 1024;
/// The longest list of affected manifests, in bytes; whoever asks for less gets less.
const MAX_AFFECTED_BYTES: usize = 32 * 1024 * 1024;
/// How long Clair may think about a report, a diff, or affected manifests: it computes all of the answer before it
/// begins with it.
const COMPUTING_SILENCE: Duration = Duration::from_secs(10 * 60);
/// How many requests about affected manifests are made at once, besides those that hand images over.
const AFFECTED_AT_ONCE: usize = 1;

/// Where Clair's services are, and how much is asked of them. In combo mode, and behind one gateway, all are at one
/// address.
#[derive(Debug, Clone)]
pub struct ClairV4Settings {
    /// The service that reads images.
    pub indexer: Endpoint,
    /// The service that holds the advisories.
    pub matcher: Endpoint,
    /// How long the index of one image may take: Clair is silent meanwhile.
    pub index_timeout: Duration,
    /// How many images are handed over at once, at most. Clair answers 429 above its own
    /// `index_report_request_concurrency`, which is four for each of its cores unless set; one more request is made for
    /// what a change concerns, which counts there too and must find room.
    pub indexing_at_once: usize,
}

/// How long an index may take if nobody says.
const DEFAULT_INDEX_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// What a Clair on one core takes at once (its `index_report_request_concurrency`, unless set).
const ROOM_OF_ONE_CORE: usize = 4;
/// How many images are handed over at once if nobody says: what a Clair on one core takes, without what is kept for
/// changes.
const DEFAULT_INDEXING_AT_ONCE: usize = ROOM_OF_ONE_CORE - AFFECTED_AT_ONCE;

impl ClairV4Settings {
    /// All services at one address.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            indexer: endpoint.clone(),
            matcher: endpoint,
            index_timeout: DEFAULT_INDEX_TIMEOUT,
            indexing_at_once: DEFAULT_INDEXING_AT_ONCE,
        }
    }
}

/// A Clair v4. Shared by the scanner and the feed.
#[derive(Debug)]
pub struct ClairV4Client {
    indexer: HttpClient,
    matcher: HttpClient,
    index_timeout: Duration,
    indexing: Semaphore,
    asking: Semaphore,
}

#[derive(Deserialize)]
struct State {
    state: String,
}

impl ClairV4Client {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the settings cannot be used.
    pub fn new(settings: &ClairV4Settings) -> Result<Self, InvalidSettings> {
        if settings.indexing_at_once == 0 {
            return Err(InvalidSettings("`indexing_at_once` is at least 1".to_owned()));
        }
        Ok(Self {
            indexer: HttpClient::new(&settings.indexer)?,
            matcher: HttpClient::new(&settings.matcher)?,
            index_timeout: settings.index_timeout,
            indexing: Semaphore::new(settings.indexing_at_once),
            asking: Semaphore::new(AFFECTED_AT_ONCE),
        })
    }

    /// Waits until one more image may be handed over; until then no address is asked for that could expire.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.indexing.acquire().await.ok()
    }

    /// Hands a manifest over and waits until Clair has read it: the report, and the indexer's state at the time.
    pub(super) async fn index(&self, manifest: Vec<u8>) -> Result<(Report, Option<String>), HttpError> {
        let request = Request::post("/indexer/api/v1/index_report", manifest).silence(self.index_timeout);
        let answer = self.indexer.send(request).await?;
        Ok((answer.json()?, answer.etag))
    }

    /// How the index of a manifest ended, or where it is; 404 where there never was one.
    pub(super) async fn index_report(&self, manifest: &Digest) -> Result<Report, HttpError> {
        self.indexer.json(Request::get(&format!("/indexer/api/v1/index_report/{manifest}"))).await
    }

    /// The version of what the indexer extracts: it changes when one of its scanners does.
    pub(super) async fn index_state(&self) -> Result<String, HttpError> {
        let path = "/indexer/api/v1/index_state";
        let answer: State = self.indexer.json(Request::get(path).max_bytes(MAX_STATE_BYTES)).await?;
        Ok(answer.state)
    }

    /// What is known about a manifest; none while Clair has no vulnerability at all (202).
    pub(super) async fn vulnerability_report(&self, manifest: &Digest) -> Result<Option<Report>, HttpError> {
        let path = format!("/matcher/api/v1/vulnerability_report/{manifest}");
        let answer = self.matcher.send(Request::get(&path).silence(COMPUTING_SILENCE)).await?;
        if answer.status == 202 { Ok(None) } else { answer.json().map(Some) }
    }

    /// All vulnerability operations that are retained. Without a validator: the ETag here is that of the operation
    /// that *began* last, so a long one that ends later would hide behind it.
    pub(super) async fn operations(&self) -> Result<Operations, HttpError> {
        self.list("/matcher/api/v1/internal/update_operation?kind=vulnerability").await
    }

    /// The latest vulnerability operation of each updater.
    pub(super) async fn latest_operations(&self) -> Result<Operations, HttpError> {
        self.list("/matcher/api/v1/internal/update_operation?latest=true&kind=vulnerability").await
    }

    async fn list(&self, path: &str) -> Result<Operations, HttpError> {
        let answer = self.matcher.json(Request::get(path).max_bytes(MAX_OPERATIONS_BYTES)).await;
        answer.map_err(|error| match error {
            // Nothing is wrong with what is asked for the sake of: it waits until this is mended.
            HttpError::TooLong { request, max } => HttpError::Unreadable {
                request,
                detail: format!(
                    "it is longer than {max} bytes: lower `matcher.update_retention` in Clair's configuration"
                ),
            },
            error => error,
        })
    }

    /// What one operation changed against an earlier one of its updater; against nothing where there is none.
    /// Of any length: a first operation is a whole database.
    pub(super) async fn update_diff(
        &self,
        from: Option<&OperationRef>,
        to: &OperationRef,
    ) -> Result<BodyStream, HttpError> {
        let mut path = format!("/matcher/api/v1/internal/update_diff?cur={}", to.as_str());
        if let Some(from) = from {
            path.extend(["&prev=", from.as_str()]);
        }
        self.matcher.stream(Request::get(&path).silence(COMPUTING_SILENCE)).await
    }

    /// The manifests that hold a package which one of these vulnerabilities is about. `vulnerabilities` is the JSON
    /// of the whole request. Clair counts it among the requests to its indexer: 429 above its own limit.
    pub(super) async fn affected_manifests(&self, vulnerabilities: Vec<u8>) -> Result<Vec<u8>, HttpError> {
        // The semaphore is never closed.
        let _turn = self.asking.acquire().await.ok();
        // Without the slash at the end Clair answers with a redirect.
        let path = "/indexer/api/v1/internal/affected_manifest/";
        let request =
            Request::post(path, vulnerabilities).silence(COMPUTING_SILENCE).max_bytes(MAX_AFFECTED_BYTES);
        Ok(self.indexer.send(request).await?.body)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::super::super::http::announcing::announcing;
    use super::*;

    fn settings() -> ClairV4Settings {
        let url = "http://clair.example:6060/clair/".parse().unwrap();
        ClairV4Settings::new(Endpoint { url, ca_file: None, signer: None })
    }

    #[tokio::test]
    async fn no_answer_is_longer_than_what_it_tells_may_be() {
        for (over, is_refused) in [(0, false), (1, true)] {
            let announcing = async |bytes| {
                ClairV4Client::new(&ClairV4Settings::new(announcing(bytes + over).await)).unwrap()
            };
            let state = announcing(MAX_STATE_BYTES).await.index_state().await.err();
            let affected = announcing(MAX_AFFECTED_BYTES).await.affected_manifests(vec![]).await.err();
            for error in [state, affected] {
                assert_eq!(matches!(error, Some(HttpError::TooLong { .. })), is_refused, "{error:?}");
            }
            let listing = announcing(MAX_OPERATIONS_BYTES).await;
            for error in [listing.operations().await.err(), listing.latest_operations().await.err()] {
                let told = error.map(|error| error.to_string()).unwrap_or_default();
                assert_eq!(told.contains("lower `matcher.update_retention`"), is_refused, "{told}");
            }
        }
    }

    #[test]
    fn no_more_images_are_handed_over_at_once_than_allowed() {
        let client = ClairV4Client::new(&ClairV4Settings { indexing_at_once: 2, ..settings() }).unwrap();
        let first = client.turn().now_or_never();
        let _second = client.turn().now_or_never().unwrap();
        assert!(client.turn().now_or_never().is_none());
        drop(first);
        assert!(client.turn().now_or_never().is_some());
        let none = ClairV4Client::new(&ClairV4Settings { indexing_at_once: 0, ..settings() });
        assert!(none.unwrap_err().to_string().contains("indexing_at_once"));
    }

    #[test]
    fn a_clair_on_one_core_has_room_for_a_change_while_images_are_handed_over() {
        let client = ClairV4Client::new(&settings()).unwrap();
        let held: Vec<_> = std::iter::from_fn(|| client.turn().now_or_never()).collect();
        assert_eq!(held.len(), 3, "one less than the four that it takes");
        let first = client.asking.try_acquire();
        assert!(first.is_ok() && client.asking.try_acquire().is_err(), "one at a time");
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_repeating_its_password() {
        for (url, expected) in [
            ("ftp://clair.example", "http:// or https://"),
            ("http://user:s3cret@clair.example", "carries credentials"),
            ("http://clair.example/?key=s3cret", "carries credentials or a query"),
        ] {
            let mut settings = settings();
            settings.matcher.url = url.parse().unwrap();
            let error = ClairV4Client::new(&settings).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
        }
        let mut settings = settings();
        settings.indexer.ca_file = Some("/nowhere/ca.pem".into());
        let error = ClairV4Client::new(&settings).unwrap_err().to_string();
        assert!(error.contains("ca_file") && error.contains("/nowhere/ca.pem"), "{error}");
    }
}
