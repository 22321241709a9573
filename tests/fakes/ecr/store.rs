//! The store behind pre-signed addresses: an origin of its own, as S3 is.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use url::form_urlencoded;

use super::operations::available;
use super::server::Shared;
use super::world::{Fault, Place, World, digest_of};

/// How long a pre-signed address works, in seconds, as ECR's do.
const EXPIRES: i64 = 3600;

/// Between the last byte of a transfer and its break: long enough for the server to write what it was given.
const FLUSHED: std::time::Duration = std::time::Duration::from_millis(20);

/// An address for a layer.
pub(super) fn sign(world: &World, store: &str, place: &Place, digest: &str) -> String {
    let now = world.now();
    let path = format!("/layers/{}/{}/{}", place.account, place.region, place.repository);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
        .append_pair("X-Amz-Date", &date(now))
        .append_pair("X-Amz-Expires", &EXPIRES.to_string())
        .append_pair("digest", digest)
        .append_pair("issued", &now.to_string())
        .append_pair("X-Amz-SignedHeaders", "host")
        .append_pair("X-Amz-Signature", &signature(world, &path, digest, now))
        .finish();
    format!("{store}{path}?{query}")
}

/// `20130524T000000Z`, as signatures of version 4 write it.
fn date(seconds: i64) -> String {
    let date = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let form = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    date.format(form).unwrap_or_default()
}

fn signature(world: &World, path: &str, digest: &str, issued: i64) -> String {
    let signed = format!("{path} {digest} {issued} {}", world.url_generation);
    digest_of(signed.as_bytes())["sha256:".len()..].to_owned()
}

/// The routes of the store.
pub(super) fn router(shared: Arc<Shared>) -> axum::Router {
    axum::Router::new().fallback(serve).with_state(shared)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if request.headers().contains_key(AUTHORIZATION) {
        return xml(StatusCode::BAD_REQUEST, "InvalidArgument", "Only one auth mechanism allowed");
    }
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let asked =
        |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let (digest, path) = (asked("digest"), request.uri().path());
    let issued: i64 = asked("issued").parse().unwrap_or_default();
    let mut world = shared.world();
    let fault = world.note("GetLayer");
    if let Some(Fault::Error(status, code)) = &fault {
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // As S3 words some refusals: the address of the request in the answer.
        return xml(status, code, &request.uri().to_string());
    }
    let signed = signature(&world, path, digest, issued) == asked("X-Amz-Signature");
    if !signed || world.now() >= issued + EXPIRES {
        return xml(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
    }
    let parts: Vec<&str> = path.splitn(5, '/').collect();
    let ["", "layers", account, region, repository] = parts.as_slice() else {
        return xml(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
    };
    match available(&world, &Place::new(account, region, repository), digest) {
        None => xml(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
        Some(bytes) => {
            world.served(bytes.len());
            drop(world);
            bytes_answer(request.headers(), &bytes, fault.as_ref())
        }
    }
}

/// Bytes, or those from a place on; cut off where that was planned.
fn bytes_answer(headers: &HeaderMap, bytes: &Bytes, fault: Option<&Fault>) -> Response {
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let from = range.and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse::<usize>().ok());
    let rest = bytes.slice(from.unwrap_or(0).min(bytes.len())..);
    let mut response = if let Some(Fault::CutAfter(kept)) = fault {
        let kept = rest.slice(..rest.len().min(*kept));
        let cut = futures::stream::once(async {
            // What was given so far is written when the body has nothing for a moment; an error drops the rest.
            tokio::time::sleep(FLUSHED).await;
            Err(std::io::Error::other("cut off, as planned"))
        });
        Body::from_stream(futures::stream::iter([Ok(kept)]).chain(cut).boxed()).into_response()
    } else {
        rest.into_response()
    };
    if let Some(from) = from {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {from}-{}/{}", bytes.len().saturating_sub(1), bytes.len());
        response.headers_mut().extend(range.parse().ok().map(|value| (CONTENT_RANGE, value)));
    }
    response
}

fn xml(status: StatusCode, code: &str, message: &str) -> Response {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}
