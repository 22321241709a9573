//! Pushing to a registry in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response as Answer};

use super::super::programs::Program;
use super::super::{Variant, digest};
use super::*;

/// `AWS:secret`.
const BASIC: &str = "Basic QVdTOnNlY3JldA==";

#[derive(Default)]
struct Held {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<String, Bytes>,
    upload: Bytes,
    uploads: usize,
    elsewhere: Option<String>,
}

type Shared = Arc<Mutex<Held>>;

async fn serve(State(held): State<Shared>, headers: HeaderMap, request: Request) -> Answer {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let mut held = held.lock().unwrap();
    if headers.get("authorization").is_none_or(|value| value != BASIC) {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    let path = uri.path().strip_prefix("/v2/team/app/").unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let there = |there: bool| if there { StatusCode::OK } else { StatusCode::NOT_FOUND };
    match (method.as_str(), path.split('/').next()) {
        ("HEAD", Some("blobs")) => there(held.blobs.contains_key(&name)).into_response(),
        ("HEAD", Some("manifests")) => there(held.manifests.contains_key(&name)).into_response(),
        ("POST", Some("blobs")) => {
            held.uploads += 1;
            let place =
                held.elsewhere.clone().unwrap_or_else(|| "/v2/team/app/blobs/uploads/1?state=a".to_owned());
            (StatusCode::ACCEPTED, [("location", place)]).into_response()
        }
        ("PATCH", Some("blobs")) => {
            held.upload = body;
            (StatusCode::ACCEPTED, [("location", "/v2/team/app/blobs/uploads/1?state=b")]).into_response()
        }
        ("PUT", Some("blobs")) => {
            let query = uri.query().unwrap_or_default().replace("%3A", ":");
            let named = query.strip_prefix("state=b&digest=").unwrap_or_default().to_owned();
            if digest(&held.upload) != named {
                return (StatusCode::BAD_REQUEST, "DIGEST_INVALID").into_response();
            }
            let bytes = std::mem::take(&mut held.upload);
            held.blobs.insert(named, bytes);
            StatusCode::CREATED.into_response()
        }
        ("PUT", Some("manifests")) => {
            let named = digest(&body);
            held.manifests.insert(name, body.clone());
            held.manifests.insert(named.clone(), body);
            (StatusCode::CREATED, [("docker-content-digest", named)]).into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn registry() -> (Shared, Repository) {
    let held = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(serve).layer(axum::extract::DefaultBodyLimit::disable());
    tokio::spawn(axum::serve(listener, router.with_state(Arc::clone(&held))).into_future());
    let repository = Repository {
        endpoint: endpoint.parse().unwrap(),
        name: "team/app".to_owned(),
        user: "AWS".to_owned(),
        password: "secret".to_owned(),
    };
    (held, repository)
}

fn image(byte: u8) -> Image {
    let program = |name: &&str| Program { name: (*name).to_owned(), bytes: vec![byte; 1000] };
    let programs = Variant::Workers.programs().iter().map(program).collect();
    Image::assemble(Variant::Workers, "amd64", programs, b"a".to_vec()).unwrap()
}

#[tokio::test]
async fn an_image_is_pushed_whole_and_once() {
    let (held, repository) = registry().await;
    let image = image(b'x');
    let sent = repository.push(&image, "0.1.0-abc").await.unwrap();
    assert_eq!(sent, Sent { bytes: image.size(), there: 0 });
    {
        let held = held.lock().unwrap();
        assert_eq!(held.manifests["0.1.0-abc"], image.manifest.bytes);
        assert!(image.blobs.iter().all(|blob| held.blobs[&blob.digest] == blob.bytes));
    }
    let again = repository.push(&image, "0.1.0-abc").await.unwrap();
    assert_eq!(again, Sent { bytes: 0, there: image.blobs.len() + 1 });
    assert_eq!(held.lock().unwrap().uploads, image.blobs.len());
}

#[tokio::test]
async fn layers_that_are_there_are_not_sent_again() {
    let (held, repository) = registry().await;
    repository.push(&image(b'x'), "a").await.unwrap();
    let before = held.lock().unwrap().uploads;
    // The base and the certificate authorities stay the same.
    let sent = repository.push(&image(b'y'), "b").await.unwrap();
    assert_eq!(sent.there, 1);
    assert_eq!(held.lock().unwrap().uploads - before, image(b'y').blobs.len() - 1);
}

#[tokio::test]
async fn a_refusal_says_who_what_and_why_and_not_the_password() {
    let (_, mut repository) = registry().await;
    repository.password = "hunter2".to_owned();
    let told = repository.push(&image(b'x'), "a").await.unwrap_err();
    assert!(told.contains("127.0.0.1 refuses") && told.contains("401"), "{told}");
    assert!(!told.contains("hunter2") && !format!("{repository:?}").contains("hunter2"), "{told}");
}

#[tokio::test]
async fn the_password_goes_to_the_registry_alone() {
    let (held, mut repository) = registry().await;
    held.lock().unwrap().elsewhere = Some("http://127.0.0.1:9/upload".to_owned());
    let told = repository.push(&image(b'x'), "a").await.unwrap_err();
    assert!(told.contains("elsewhere"), "{told}");
    repository.endpoint = "http://registry.example".parse().unwrap();
    let told = repository.push(&image(b'x'), "a").await.unwrap_err();
    assert!(told.contains("not https"), "{told}");
}
