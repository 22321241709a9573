//! Tells who asks for what, and hands it to who knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use serde_json::Value;
use url::form_urlencoded;

use super::operations::{self, Caller};
use super::world::{World, refusal};
use super::{control, distribution, sts};

/// The account of access keys that name none, as emulators have it.
const DEFAULT_ACCOUNT: &str = "123456789012";
const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.";
const JSON: &str = "application/x-amz-json-1.1";

/// What the servers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    /// The address of the layer store.
    pub(super) store: String,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of the API, of the registry and of the controls.
pub(super) fn router(shared: Arc<Shared>) -> axum::Router {
    axum::Router::new()
        .route("/", post(api))
        .route("/_control/{what}", any(control::serve))
        .route("/{account}/{region}/v2/{*rest}", any(distribution::serve))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

async fn api(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = shared.world();
    let caller = caller(&world, &headers);
    let Some(target) = headers.get("x-amz-target").and_then(|value| value.to_str().ok()) else {
        let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
        let (status, text) = match &caller {
            Ok(caller) => sts::answer(&mut world, caller, &form),
            Err(code) => (403, format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, [(CONTENT_TYPE, "text/xml")], text).into_response();
    };
    let (status, answer) = match (&caller, target.strip_prefix(TARGET)) {
        (Err(code), _) => (400, refusal(code, "The security token included in the request is invalid.")),
        (_, None) => (400, refusal("UnknownOperationException", target)),
        (Ok(caller), Some(operation)) => {
            let input: Value = serde_json::from_slice(&body).unwrap_or_default();
            operations::answer(&mut world, caller, operation, &input, &shared.store)
        }
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, JSON)], answer.to_string()).into_response()
}

/// Who signed: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`. A key `AKIA` and twelve digits is of that account;
/// one of a session, of its role's. What was signed is not looked at.
fn caller(world: &World, headers: &HeaderMap) -> Result<Caller, &'static str> {
    let signed = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scope = signed.and_then(|text| text.split_once("Credential=")).map(|(_, rest)| rest);
    let mut scope = scope.ok_or("MissingAuthenticationTokenException")?.split('/');
    let (key, _date, region) = (scope.next().unwrap_or_default(), scope.next(), scope.next());
    let region = region.ok_or("IncompleteSignature")?.to_owned();
    if key.starts_with("ASIA") {
        let session = world.sessions.get(key).ok_or("UnrecognizedClientException")?;
        if session.expires <= world.now() {
            return Err("ExpiredTokenException");
        }
        return Ok(Caller { account: session.account.clone(), region });
    }
    let digits = key.strip_prefix("AKIA").and_then(|rest| rest.get(..DEFAULT_ACCOUNT.len()));
    let account = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    Ok(Caller { account: account.unwrap_or(DEFAULT_ACCOUNT).to_owned(), region })
}
