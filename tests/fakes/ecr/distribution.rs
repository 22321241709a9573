//! The registry's own protocol, with the password that GetAuthorizationToken gives; blobs are at the store.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use serde_json::json;

use super::operations::available;
use super::server::Shared;
use super::store;
use super::world::{Fault, Place, Status, World};

const CHALLENGE: &str = "Basic realm=\"https://ecr.amazonaws.com/\",service=\"ecr.amazonaws.com\"";

pub(super) async fn serve(
    State(shared): State<Arc<Shared>>,
    Path((account, region, rest)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut world = shared.world();
    match session(&world, &headers) {
        Some(known) if known == account && !world.denied.contains(&account) => {}
        Some(_) => return refused(StatusCode::FORBIDDEN, "DENIED"),
        // An expired token is denied, a missing one is asked for.
        None if headers.contains_key(AUTHORIZATION) => return refused(StatusCode::FORBIDDEN, "DENIED"),
        None => {
            let text = "Not Authorized";
            return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, CHALLENGE)], text).into_response();
        }
    }
    let (name, kind, reference) = if let Some((name, reference)) = rest.rsplit_once("/blobs/") {
        (name, "GetBlob", reference)
    } else if let Some((name, reference)) = rest.rsplit_once("/manifests/") {
        (name, "GetManifest", reference)
    } else {
        return refused(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
    };
    if let Some(Fault::Error(status, code)) = world.note(kind) {
        return refused(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &code);
    }
    let place = Place::new(&account, &region, name);
    if kind == "GetManifest" {
        return manifest(&world, &place, reference);
    }
    if available(&world, &place, reference).is_none() {
        return refused(StatusCode::NOT_FOUND, "BLOB_UNKNOWN");
    }
    let address = store::sign(&world, &shared.store, &place, reference);
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, address)]).into_response()
}

/// The account of a password that is still good.
fn session(world: &World, headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    let text = String::from_utf8(text).ok()?;
    let session = world.tokens.get(text.strip_prefix("AWS:")?)?;
    (session.expires > world.now()).then(|| session.account.clone())
}

fn manifest(world: &World, place: &Place, reference: &str) -> Response {
    let Some(repository) = world.repositories.get(place) else {
        return refused(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
    };
    let digest = repository.tags.get(reference).map_or(reference, String::as_str);
    match repository.images.get(digest).filter(|image| image.status == Status::Active) {
        None => refused(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
        Some(image) => {
            let bytes = world.bytes_as_served(digest, &image.manifest);
            let named = HeaderName::from_static("docker-content-digest");
            ([(CONTENT_TYPE, image.media_type.clone()), (named, digest.to_owned())], bytes).into_response()
        }
    }
}

fn refused(status: StatusCode, code: &str) -> Response {
    let body = json!({ "errors": [{ "code": code, "message": "see the code" }] });
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
