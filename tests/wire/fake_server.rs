//! A server on a free loopback port whose answers a test gives as a function of the request.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use futures::stream;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query, or the whole address where it was asked for as a proxy.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut_after: Option<usize>,
    chunked: bool,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], cut_after: None, chunked: false }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }
    }

    /// An error as the distribution specification writes it.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":"a test"}}]}}"#);
        Self::ok(body).with_status(status).header("content-type", "application/json")
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Announces the whole body and breaks the connection after so many bytes of it.
    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        Self { cut_after: Some(bytes), ..self }
    }

    /// Does not announce how long the body is.
    pub(crate) fn chunked(self) -> Self {
        Self { chunked: true, ..self }
    }

    fn into_response(self) -> Response {
        let mut response = Response::builder().status(StatusCode::from_u16(self.status).expect("a status"));
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if self.chunked {
            let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(self.body))]);
            return response.body(Body::from_stream(body)).expect("a response");
        }
        let Some(cut) = self.cut_after else {
            return response.body(Body::from(self.body)).expect("a response");
        };
        let sent = Bytes::copy_from_slice(&self.body[..cut]);
        let parts = stream::unfold(0, move |step| {
            let sent = sent.clone();
            async move {
                match step {
                    0 => Some((Ok(sent), 1)),
                    _ => {
                        // Lets what was sent leave before the connection goes.
                        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
                        Some((Err(std::io::Error::other("cut")), 2))
                    }
                }
            }
        });
        let response = response.header("content-length", self.body.len().to_string());
        response.body(Body::from_stream(parts)).expect("a response")
    }
}

/// A running server; it ends when dropped.
pub(crate) struct FakeServer {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeServer {
    /// Starts a server that answers by this function.
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = listener.local_addr().expect("an address").to_string();
        let seen = Arc::new(Mutex::new(vec![]));
        let (answer, kept) = (Arc::new(answer), Arc::clone(&seen));
        let app = axum::Router::new().fallback(move |request: Request| {
            let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.expect("a small body");
                let target = parts.uri.to_string();
                let seen = Seen { method: parts.method, target, headers: parts.headers, body };
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(seen.clone());
                answer(&seen).into_response()
            }
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { host, seen, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those for paths that end so.
    pub(crate) fn seen_at(&self, end: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path().ends_with(end)).collect()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
