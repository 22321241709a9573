//! Requests and answers.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures::stream;
use serde_json::{Value, json};

use super::contents::{Contents, Layer};
use super::matching::{affected, inventory, report};
use super::state::Manifest;
use super::{Fault, Shared};

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Status, validator and body.
type Answer = (u16, Option<String>, Vec<u8>);

pub(super) fn router(shared: Arc<Shared>) -> axum::Router {
    axum::Router::new().fallback(move |request: Request| {
        let shared = Arc::clone(&shared);
        async move {
            let target = request.uri().to_string();
            let entry = format!("{} {target}", request.method());
            shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            let cut = match shared.planned(&target) {
                Some(Fault::Status(status)) => {
                    let (status, _, body) = error(status, "this was planned");
                    let most = body.len() - 1;
                    return response((status, None, body), Some(most));
                }
                Some(Fault::CutAfter(bytes)) => Some(bytes),
                None => None,
            };
            response(answer(&shared, request).await, cut)
        }
    })
}

fn response((status, etag, body): Answer, cut: Option<usize>) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).expect("a status"))
        .header("content-type", "text/plain; charset=utf-8");
    if let Some(etag) = etag {
        response = response.header("etag", format!("\"{etag}\""));
    }
    let Some(cut) = cut else { return response.body(Body::from(body)).expect("a response") };
    let sent = Bytes::copy_from_slice(&body[..cut.min(body.len())]);
    let parts = stream::unfold(Some(sent), |sent| async move {
        match sent {
            Some(sent) if sent.is_empty() => None,
            Some(sent) => Some((Ok(sent), Some(Bytes::new()))),
            None => None,
        }
    });
    let ending = stream::once(async {
        // Lets what was sent leave before the connection goes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("cut"))
    });
    response.body(Body::from_stream(futures::StreamExt::chain(parts, ending))).expect("a response")
}

fn json_answer(status: u16, body: &Value) -> Answer {
    (status, None, body.to_string().into_bytes())
}

fn error(status: u16, message: &str) -> Answer {
    let code = match status {
        400 => "bad-request",
        404 => "not-found",
        405 => "method-not-allowed",
        429 => "too-many-requests",
        _ => "internal-error",
    };
    json_answer(status, &json!({"code": code, "message": message}))
}

async fn answer(shared: &Shared, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let (path, method) = (parts.uri.path().to_owned(), parts.method);
    let query: BTreeMap<String, String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(owned)
        .collect();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let after = |prefix: &str| path.strip_prefix(prefix).map(str::to_owned);
    match (&method, path.as_str()) {
        (&Method::GET, "/indexer/api/v1/index_state") => {
            let state = shared.state().index_state.clone();
            (200, Some(state.clone()), json!({"state": state}).to_string().into_bytes())
        }
        (&Method::POST, "/indexer/api/v1/index_report") => index(shared, &body).await,
        (&Method::POST, "/indexer/api/v1/internal/affected_manifest") => (307, None, vec![]),
        (&Method::POST, "/indexer/api/v1/internal/affected_manifest/") => {
            let Ok(Value::Object(asked)) = serde_json::from_slice(&body) else {
                return error(400, "failed to deserialize vulnerabilities: EOF");
            };
            let vulnerabilities = asked.get("vulnerabilities").and_then(Value::as_array).cloned();
            json_answer(200, &affected(&shared.state(), &vulnerabilities.unwrap_or_default()))
        }
        (&Method::GET, "/matcher/api/v1/internal/update_operation") => operations(shared, &query),
        (&Method::GET, "/matcher/api/v1/internal/update_diff") => diff(shared, &query),
        (&Method::GET, _) => {
            match (after("/matcher/api/v1/vulnerability_report/"), after("/indexer/api/v1/index_report/")) {
                (Some(hash), _) => vulnerability_report(shared, &hash),
                (_, Some(hash)) => index_report(shared, &hash),
                _ => (404, None, b"404 page not found\n".to_vec()),
            }
        }
        _ => error(405, "endpoint only allows GET"),
    }
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn operations(shared: &Shared, query: &BTreeMap<String, String>) -> Answer {
    let state = shared.state();
    if query.get("kind").is_some_and(|kind| kind == "enrichment") {
        return json_answer(200, &json!({}));
    }
    let list = state.list(query.get("latest").is_some_and(|latest| latest == "true"));
    (200, state.newest().map(str::to_owned), list.to_string().into_bytes())
}

fn diff(shared: &Shared, query: &BTreeMap<String, String>) -> Answer {
    let state = shared.state();
    let gone =
        |name: &str| error(500, &format!("could not get update operations: operation {name} does not exist"));
    let Some(cur) = query.get("cur") else { return error(400, "\"cur\" query param is required") };
    let Some(to) = state.operation(cur) else { return gone(cur) };
    let none = json!({"ref": "00000000-0000-0000-0000-000000000000", "updater": "", "fingerprint": "",
                      "date": "0001-01-01T00:00:00Z", "kind": ""});
    let (from, before) = match query.get("prev") {
        None => (none, vec![]),
        Some(prev) => match state.operation(prev) {
            None => return gone(prev),
            Some(operation) => (operation.json(), operation.vulnerabilities.clone()),
        },
    };
    let without = |all: &[Value], those: &[Value]| {
        let left: Vec<Value> = all.iter().filter(|one| !those.contains(one)).cloned().collect();
        if left.is_empty() { Value::Null } else { Value::Array(left) }
    };
    let (added, removed) = (without(&to.vulnerabilities, &before), without(&before, &to.vulnerabilities));
    json_answer(200, &json!({"prev": from, "cur": to.json(), "added": added, "removed": removed}))
}

fn vulnerability_report(shared: &Shared, hash: &str) -> Answer {
    let state = shared.state();
    if !state.is_initialised() {
        return (202, None, vec![]);
    }
    match state.manifests.get(hash).filter(|manifest| manifest.error.is_none()) {
        Some(manifest) => json_answer(200, &report(&state, hash, manifest)),
        None => error(404, &format!("index report for manifest {hash:?} not found")),
    }
}

fn index_report(shared: &Shared, hash: &str) -> Answer {
    let state = shared.state();
    match state.manifests.get(hash) {
        Some(manifest) => json_answer(200, &of_index(hash, manifest)),
        None => error(404, "index report not found"),
    }
}

fn of_index(hash: &str, manifest: &Manifest) -> Value {
    let mut report = inventory(hash, manifest);
    report["state"] = json!(if manifest.error.is_some() { "IndexError" } else { "IndexFinished" });
    report["success"] = json!(manifest.error.is_none());
    report["err"] = json!(manifest.error.clone().unwrap_or_default());
    report
}

async fn index(shared: &Shared, body: &[u8]) -> Answer {
    let Ok(asked) = serde_json::from_slice::<Value>(body) else {
        return error(400, "failed to deserialize manifest: EOF");
    };
    let hash = asked["hash"].as_str().unwrap_or_default().to_owned();
    let layers = asked["layers"].as_array().cloned().unwrap_or_default();
    if hash.is_empty() || layers.is_empty() {
        return error(400, "bogus manifest");
    }
    let index_state = shared.state().index_state.clone();
    let stored = shared.state().manifests.get(&hash).cloned();
    let stored = stored.filter(|manifest| manifest.error.is_none() && manifest.index_state == index_state);
    let manifest = match stored {
        Some(manifest) => manifest,
        None => read(shared, &layers, &index_state).await,
    };
    let answer = match &manifest.error {
        None => (201, Some(index_state), of_index(&hash, &manifest).to_string().into_bytes()),
        Some(text) => {
            let status = if text.contains("tarfs") { 400 } else { 500 };
            error(status, &format!("failed to start scan: {text}"))
        }
    };
    shared.state().manifests.insert(hash, manifest);
    answer
}

async fn read(shared: &Shared, layers: &[Value], index_state: &str) -> Manifest {
    let names: Vec<String> =
        layers.iter().map(|layer| layer["hash"].as_str().unwrap_or_default().to_owned()).collect();
    let (mut contents, mut error) = (vec![], None);
    for (layer, name) in layers.iter().zip(&names) {
        match layer_of(shared, layer, &format!("{name} {index_state}")).await {
            Ok(read) => contents.push(read),
            Err(text) => error = Some(format!("failed to fetch layers: fetcher: encountered errors: {text}")),
        }
    }
    let contents = if error.is_some() { Contents::default() } else { Contents::of(&contents) };
    Manifest { layers: names, error, contents, index_state: index_state.to_owned() }
}

/// A layer that has been read before by the same scanners is not fetched again.
async fn layer_of(shared: &Shared, layer: &Value, key: &str) -> Result<Layer, String> {
    if let Some(known) = shared.state().layers.get(key).cloned() {
        return Ok(known);
    }
    let headers = layer["headers"].as_object().cloned().unwrap_or_default();
    let values = |(name, list): (String, Value)| {
        let list = list.as_array().cloned().unwrap_or_default();
        list.into_iter().map(move |value| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
    };
    let headers = headers.into_iter().flat_map(values).collect();
    let uri = layer["uri"].as_str().unwrap_or_default().to_owned();
    let bytes = (shared.fetch)(uri, headers)
        .await
        .map_err(|status| format!("unexpected status code: {status} (body starts: \"\")"))?;
    let read = Layer::read(&bytes);
    let mut state = shared.state();
    state.layer_bytes += bytes.len() as u64;
    let read = read
        .ok_or("claircore: layer: unable to create fs.FS: tarfs: error finding segments: unexpected EOF")?;
    state.layers.insert(key.to_owned(), read.clone());
    Ok(read)
}
