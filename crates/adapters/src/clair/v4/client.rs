//! What is asked of Clair v4, one method per request.

use super::super::http::{BodyStream, Endpoint, HttpClient, HttpError, InvalidSettings, Request};
use super::operations::{OperationRef, Operations};
use serde::Deserialize;

/// The longest list of update operations, in bytes: some hundred updaters with ten operations each need 300 KB.
const MAX_OPERATIONS_BYTES: usize = 8 * 1024 * 1024;
/// The longest index state, in bytes: it is a hash in a small object.
const MAX_STATE_BYTES: usize = 16 * 1024;

/// Where Clair's services are. In combo mode, and behind one gateway, all are at one address.
#[derive(Debug, Clone)]
pub struct ClairV4Settings {
    /// The service that reads images.
    pub indexer: Endpoint,
    /// The service that holds the advisories.
    pub matcher: Endpoint,
}

/// A Clair v4. Shared by the scanner and the feed.
#[derive(Debug)]
pub struct ClairV4Client {
    indexer: HttpClient,
    matcher: HttpClient,
}

#[derive(Deserialize)]
struct IndexState {
    state: String,
}

impl ClairV4Client {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the settings cannot be used.
    pub fn new(settings: &ClairV4Settings) -> Result<Self, InvalidSettings> {
        Ok(Self {
            indexer: HttpClient::new(&settings.indexer)?,
            matcher: HttpClient::new(&settings.matcher)?,
        })
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
        self.matcher.json(Request::get(path).max_bytes(MAX_OPERATIONS_BYTES)).await
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
        self.matcher.stream(Request::get(&path)).await
    }

    /// The version of what the indexer extracts: it changes when one of its scanners does.
    pub(super) async fn index_state(&self) -> Result<String, HttpError> {
        let path = "/indexer/api/v1/index_state";
        let answer: IndexState = self.indexer.json(Request::get(path).max_bytes(MAX_STATE_BYTES)).await?;
        Ok(answer.state)
    }

    /// The manifests that hold a package which one of these vulnerabilities is about. `vulnerabilities` is the JSON
    /// of the whole request.
    pub(super) async fn affected_manifests(&self, vulnerabilities: Vec<u8>) -> Result<Vec<u8>, HttpError> {
        let path = "/indexer/api/v1/internal/affected_manifest";
        Ok(self.indexer.send(Request::post(path, vulnerabilities)).await?.body)
    }
}
