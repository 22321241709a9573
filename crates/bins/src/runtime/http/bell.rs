//! The scanner's notifications: what they are worth is durable before they are answered; the work comes after.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use tokio::sync::Notify;

use super::Pages;
use crate::runtime::Tally;
use crate::wiring::{BellError, Bells};

/// Receives notifications.
#[derive(Debug)]
pub struct Bell {
    /// On which path.
    pub path: String,
    /// What is done with them.
    pub bells: Arc<Bells>,
    /// Rung for each one that was taken. However many come while the feed is read, it is read once more.
    pub rung: Arc<Notify>,
}

/// Answers 200, since Clair counts nothing else as success.
pub(super) async fn receive(
    State(pages): State<Pages>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let Some(bell) = pages.bell else {
        return (StatusCode::NOT_FOUND, "this process receives no notifications\n".to_owned());
    };
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (status, why) = match bell.bells.ring(authorization, &body).await {
        Ok(()) => {
            Tally::add(&pages.tally.bells, 1);
            bell.rung.notify_one();
            return (StatusCode::OK, String::new());
        }
        Err(BellError::Unproven(why)) => (StatusCode::UNAUTHORIZED, why),
        Err(BellError::Malformed(why)) => (StatusCode::BAD_REQUEST, why),
        // It is sent again.
        Err(BellError::NotRecorded(why)) => (StatusCode::SERVICE_UNAVAILABLE, why),
    };
    tracing::warn!(%status, why, "a notification of the scanner was not taken");
    (status, format!("{why}\n"))
}
