//! The bytes of a blob, out of the registry or the store that it redirects to.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobStream, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, RepositoryName};
use reqwest::header::{ACCEPT_ENCODING, HeaderValue, RANGE};
use reqwest::{Method, Response};

use super::authorization::Scope;
use super::transport::{Ask, Transport};
use crate::http::{Blob, expect_success, read};

/// What to ask for to get a blob.
pub(super) fn ask(method: Method, repository: &RepositoryName, blob: &Descriptor) -> Ask {
    Ask {
        method,
        path: format!("/v2/{repository}/blobs/{}", blob.digest),
        scope: Scope::Pull(repository.clone()),
        // A proxy that compresses would change the bytes and lose the places in them.
        headers: vec![(ACCEPT_ENCODING, HeaderValue::from_static("identity"))],
        what: format!("blob {} of {repository}", blob.digest),
    }
}

/// Opens a blob. It does not stand among the requests under way while it is read.
pub(super) async fn open(
    transport: Arc<Transport>,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<BlobStream, RegistryError> {
    read(OfRegistry { transport, ask: ask(Method::GET, repository, blob) }, blob).await
}

struct OfRegistry {
    transport: Arc<Transport>,
    ask: Ask,
}

#[async_trait]
impl Blob for OfRegistry {
    fn what(&self) -> &str {
        &self.ask.what
    }

    async fn open(&self, range: Option<HeaderValue>) -> Result<Response, RegistryError> {
        let mut ask = self.ask.clone();
        ask.headers.extend(range.map(|range| (RANGE, range)));
        let answer = self.transport.send(&ask).await?;
        expect_success(answer.response, &ask.what).await
    }
}
