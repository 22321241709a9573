//! The calls of Clair v2's API (version 1 in its paths) that are used here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::wire::{
    Layer, LayerEnvelope, LayerPosted, Namespaces, NewLayer, Notification, NotificationEnvelope,
    Vulnerabilities,
};
use crate::clair::http::{Endpoint, HttpClient, HttpError, InvalidSettings, Request};

/// The longest body that Clair reads, in bytes; it silently cuts what is longer.
pub(super) const MAX_POST_BYTES: usize = 1024 * 1024;
/// The longest answer about one layer, in bytes: some thousand packages with some ten thousand vulnerabilities.
const MAX_LAYER_BYTES: usize = 128 * 1024 * 1024;
/// The longest answer that tells no more than whether something is there, in bytes.
const MAX_SMALL_BYTES: usize = 4 * 1024 * 1024;
/// How many layers a page of a notification names on each side.
pub(super) const LAYERS_A_PAGE: usize = 500;
/// What Clair says of what it does not have. Another 404 comes from something before it, or it is no Clair v2.
const NOT_THERE: &str = "the resource cannot be found";
/// A layer of nothing: a path that is no address is opened as a file on Clair's own machine.
const NOTHING: &str = "/dev/null";

/// Where a layer is fetched from.
pub(super) struct Source<'a> {
    pub(super) address: &'a str,
    pub(super) headers: BTreeMap<&'a str, &'a str>,
}

impl Source<'_> {
    /// An empty layer.
    pub(super) fn nothing() -> Self {
        Self { address: NOTHING, headers: BTreeMap::new() }
    }
}

/// One server.
#[derive(Debug, Clone)]
pub(super) struct ClairV2Client {
    http: HttpClient,
    index_timeout: Duration,
}

impl ClairV2Client {
    pub(super) fn new(endpoint: &Endpoint, index_timeout: Duration) -> Result<Self, InvalidSettings> {
        if endpoint.signer.is_some() {
            return Err(InvalidSettings("Clair v2 has no keys: its requests cannot be signed".to_owned()));
        }
        Ok(Self { http: HttpClient::new(endpoint)?, index_timeout })
    }

    pub(super) fn index_timeout(&self) -> Duration {
        self.index_timeout
    }

    /// Has a layer read, or finds that its name is known. Answers the version of the server's engine, whichever version
    /// the layer is stored under.
    pub(super) async fn post_layer(
        &self,
        name: &str,
        parent: Option<&str>,
        source: &Source<'_>,
    ) -> Result<u32, HttpError> {
        let layer = NewLayer {
            name,
            path: source.address,
            parent_name: parent,
            format: "Docker",
            headers: source.headers.clone(),
        };
        // Texts alone: they always have a JSON form.
        let json = serde_json::to_vec(&LayerPosted { layer }).unwrap_or_default();
        if json.len() > MAX_POST_BYTES {
            return Err(HttpError::TooLong { request: "POST /v1/layers".to_owned(), max: MAX_POST_BYTES });
        }
        let request =
            Request::post("/v1/layers", json).silence(self.index_timeout).max_bytes(MAX_SMALL_BYTES);
        let envelope: LayerEnvelope = self.http.json(request).await?;
        Ok(envelope.layer.indexed_by_version)
    }

    /// A layer without what is in it; none where Clair does not have it.
    pub(super) async fn layer(&self, name: &str) -> Result<Option<Layer>, HttpError> {
        let path = format!("/v1/layers/{name}");
        let found: Option<LayerEnvelope> = self.found(Request::get(&path).max_bytes(MAX_SMALL_BYTES)).await?;
        Ok(found.map(|envelope| envelope.layer))
    }

    /// A layer with the packages of its whole chain and what is known of them now.
    pub(super) async fn layer_with_vulnerabilities(&self, name: &str) -> Result<Option<Layer>, HttpError> {
        let path = format!("/v1/layers/{name}?features&vulnerabilities");
        let found: Option<LayerEnvelope> = self.found(Request::get(&path).max_bytes(MAX_LAYER_BYTES)).await?;
        Ok(found.map(|envelope| envelope.layer))
    }

    /// The distributions that Clair has met: in a layer, or in its data.
    pub(super) async fn namespaces(&self) -> Result<Vec<String>, HttpError> {
        let request = Request::get("/v1/namespaces").max_bytes(MAX_SMALL_BYTES);
        let answer: Namespaces = self.http.json(request).await?;
        Ok(answer.namespaces.into_iter().map(|namespace| namespace.name).collect())
    }

    /// Whether Clair's data says anything about a distribution.
    pub(super) async fn has_advisories(&self, namespace: &str) -> Result<bool, HttpError> {
        let path = format!("/v1/namespaces/{}/vulnerabilities?limit=1", escaped(namespace));
        let found: Option<Vulnerabilities> =
            self.found(Request::get(&path).max_bytes(MAX_SMALL_BYTES)).await?;
        Ok(found.is_some_and(|answer| !answer.vulnerabilities.is_empty()))
    }

    /// A page of a notification, the first without a token; none where Clair does not know its name.
    pub(super) async fn notification(
        &self,
        name: &str,
        page: Option<&str>,
    ) -> Result<Option<Notification>, HttpError> {
        let mut path = format!("/v1/notifications/{}?limit={LAYERS_A_PAGE}", escaped(name));
        if let Some(page) = page {
            path.extend(["&page=", &escaped(page)]);
        }
        let found: Option<NotificationEnvelope> =
            self.found(Request::get(&path).max_bytes(MAX_SMALL_BYTES)).await?;
        Ok(found.map(|envelope| envelope.notification))
    }

    /// Ends the sending of a notification; one that is not there is as good as ended.
    pub(super) async fn delete_notification(&self, name: &str) -> Result<(), HttpError> {
        let path = format!("/v1/notifications/{}", escaped(name));
        match self.http.send(Request::delete(&path).max_bytes(MAX_SMALL_BYTES)).await {
            Err(error) if !is_not_there(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The metrics of the process that answers, as Prometheus reads them.
    pub(super) async fn metrics(&self) -> Result<String, HttpError> {
        let answer = self.http.send(Request::get("/v1/metrics").max_bytes(MAX_SMALL_BYTES)).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    async fn found<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<Option<T>, HttpError> {
        match self.http.json(request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_not_there(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_not_there(error: &HttpError) -> bool {
    matches!(error, HttpError::Status { status: 404, message, .. } if message == NOT_THERE)
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clair::http::announcing::announcing;

    fn client(endpoint: &Endpoint) -> ClairV2Client {
        ClairV2Client::new(endpoint, Duration::from_secs(1)).expect("settings")
    }

    #[tokio::test]
    async fn no_answer_is_longer_than_what_it_tells_may_be() {
        for (over, is_refused) in [(0, false), (1, true)] {
            let small = client(&announcing(MAX_SMALL_BYTES + over).await);
            let layer = client(&announcing(MAX_LAYER_BYTES + over).await);
            for error in [
                small.post_layer("n", None, &Source::nothing()).await.err(),
                small.layer("n").await.err(),
                small.namespaces().await.err(),
                small.has_advisories("debian:12").await.err(),
                small.notification("n", None).await.err(),
                small.delete_notification("n").await.err(),
                small.metrics().await.err(),
                layer.layer_with_vulnerabilities("n").await.err(),
            ] {
                assert_eq!(matches!(error, Some(HttpError::TooLong { .. })), is_refused, "{error:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_clair_would_cut_is_not_sent() {
        // Nobody listens there: what is sent fails in another way.
        let url = "http://127.0.0.1:1".parse().expect("an address");
        let endpoint = Endpoint { url, ca_file: None, signer: None };
        let client = client(&endpoint);
        let frame =
            r#"{"Layer":{"name":"n","Name":"","Path":"","Format":"Docker"}}"#.len() - r#""name":"n","#.len();
        for (over, is_refused) in [(0, false), (1, true)] {
            let address = "a".repeat(MAX_POST_BYTES - frame + over);
            let source = Source { address: &address, headers: BTreeMap::new() };
            let posted = client.post_layer("", None, &source).await;
            assert_eq!(matches!(posted, Err(HttpError::TooLong { .. })), is_refused, "{over}: {posted:?}");
        }
    }
}
