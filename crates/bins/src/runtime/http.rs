//! The HTTP server: liveness, readiness, the numbers, and the webhook of Distribution registries.

mod bell;
mod serve;
mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE as CONTENT_TYPE_HEADER;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Tally;
use super::health::Health;
use super::metrics::{CONTENT_TYPE, Meter, exposition};

pub use bell::Bell;
pub use serve::{MAX_CONNECTIONS, MAX_REQUEST_BYTES};
pub use webhook::Webhook;

/// What the server answers from.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Whether the process can do its work.
    pub health: Health,
    /// Its numbers.
    pub meter: Arc<Meter>,
    /// Who receives pushes; none where this process receives none.
    pub webhook: Option<Arc<Webhook>>,
    /// Who receives the scanner's notifications; none where this process receives none.
    pub bell: Option<Arc<Bell>>,
    /// Where pushes and bells are counted.
    pub tally: Arc<Tally>,
}

/// A server that listens already: its address is known before the first answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    pages: Pages,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// Where the address cannot be had, by name.
    pub async fn bind(address: SocketAddr, pages: Pages) -> Result<Self, String> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            format!("cannot listen on {address}: {error}; another address or port 0 can be set in the configuration")
        })?;
        Ok(Self { listener, pages })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until told to stop; requests that have come whole are answered first. Nobody else is waited for.
    pub async fn run(self, stop: CancellationToken) {
        serve::serve(self.listener, router(self.pages), serve::Bounds::default(), stop).await;
    }
}

fn router(pages: Pages) -> Router {
    let mut router = Router::new();
    if let Some(bell) = &pages.bell {
        router = router.route(&bell.path, post(bell::receive));
    }
    router
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics))
        .route("/webhooks/distribution", post(webhook::receive))
        .with_state(pages)
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    missing: Vec<String>,
}

async fn readiness(State(pages): State<Pages>) -> impl IntoResponse {
    let missing = pages.health.missing().await;
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, missing }))
}

async fn metrics(State(pages): State<Pages>) -> impl IntoResponse {
    ([(CONTENT_TYPE_HEADER, CONTENT_TYPE)], exposition(&pages.meter.samples().await))
}
