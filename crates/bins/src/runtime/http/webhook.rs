//! Pushes that Distribution registries announce. They are durable in the queue before they are answered.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::Pages;
use crate::config::Secret;
use crate::runtime::Tally;
use crate::wiring::{PushError, Pushes};

/// Receives pushes.
#[derive(Debug)]
pub struct Webhook {
    /// What is done with them.
    pub pushes: Arc<Pushes>,
    /// The token that a registry has to show; none where anybody who reaches the listening address may ring.
    pub token: Option<Secret>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    registry: Option<String>,
}

type Answer = (StatusCode, String);

pub(super) async fn receive(
    State(pages): State<Pages>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let Some(webhook) = pages.webhook else {
        return refuse(StatusCode::NOT_FOUND, "this process receives no pushes");
    };
    if webhook.token.as_ref().is_some_and(|token| !shows(&headers, token)) {
        return refuse(StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong");
    }
    match webhook.pushes.announce(asked.registry.as_deref(), &body).await {
        Ok(queued) => {
            Tally::add(&pages.tally.pushes, queued as u64);
            (StatusCode::ACCEPTED, format!("{queued} queued\n"))
        }
        Err(PushError::UnknownRegistry(problem)) => refuse(StatusCode::NOT_FOUND, &problem),
        Err(PushError::Malformed(problem)) => refuse(StatusCode::BAD_REQUEST, &problem),
        // The registry keeps the notification and sends it again.
        Err(PushError::NotQueued(problem)) => refuse(StatusCode::SERVICE_UNAVAILABLE, &problem),
    }
}

/// Whether the headers show this token. Takes the same time wherever the first difference is.
fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let shown = headers.get(AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    let expected = format!("Bearer {}", token.expose());
    bool::from(shown.ct_eq(expected.as_bytes()))
}

fn refuse(status: StatusCode, why: &str) -> Answer {
    (status, format!("{why}\n"))
}
