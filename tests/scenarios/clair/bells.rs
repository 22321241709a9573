//! Receives what Clair posts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

/// Between two looks at what has come.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

type Received = Arc<Mutex<Vec<Value>>>;

/// A receiver on a free loopback port, which answers 200 to everything.
pub(crate) struct Bells {
    address: SocketAddr,
    received: Received,
}

impl Bells {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Received::default();
        let app = Router::new().route("/", post(record)).with_state(Arc::clone(&received));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// All that has come, in order.
    pub(crate) fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All that has come, once there are this many.
    pub(crate) async fn wait_for(&self, count: usize, limit: Duration) -> Vec<Value> {
        let looks = async {
            while self.received().len() < count {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        tokio::time::timeout(limit, looks).await.expect("Clair posts what it was to post");
        self.received()
    }
}

/// Any body that is JSON, whatever its type is said to be.
async fn record(State(received): State<Received>, body: String) -> StatusCode {
    match serde_json::from_str(&body) {
        Ok(bell) => {
            received.lock().unwrap_or_else(PoisonError::into_inner).push(bell);
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
