//! Secrets that are planted wherever a whole scenario has one, and the look for them afterwards.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use cve_monitor_core::vocabulary::Digest;
use serde_json::json;

use crate::bench::{Bench, examples};

pub(crate) const PASSWORD: &str = "planted-registry-password";
/// `scanner:planted-registry-password`, as Basic has it.
const PASSWORD_SENT: &str = "c2Nhbm5lcjpwbGFudGVkLXJlZ2lzdHJ5LXBhc3N3b3Jk";
const TOKEN: &str = "planted-registry-token";
const SIGNATURE: &str = "planted-signature-of-an-address";
pub(crate) const WEBHOOK: &str = "planted-webhook-token";
const PROXY: &str = "planted-proxy-password";
const AWS_KEY: &str = "planted-aws-secret-access-key";
const AWS_SESSION: &str = "planted-aws-session-token";
pub(crate) const PSK: &str = "cGxhbnRlZC1wcmVzaGFyZWQta2V5LW9mLWNsYWly";
pub(crate) const PLANTED: [&str; 9] =
    [PASSWORD, PASSWORD_SENT, TOKEN, SIGNATURE, WEBHOOK, PROXY, AWS_KEY, AWS_SESSION, PSK];
/// The files that hold secrets because somebody put them there.
const VAULTS: [&str; 3] = ["registry-password", "webhook-token", "psk"];

/// What a registry that wants a token and keeps its layers elsewhere answers; each layer breaks off once.
fn answer(here: SocketAddr, request: &Request, broken: &Mutex<Vec<String>>) -> Response {
    let path = request.uri().path().to_owned();
    let shown = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("");
    if path == "/token" {
        let good = shown == format!("Basic {PASSWORD_SENT}");
        return match good {
            true => axum::Json(json!({ "token": TOKEN })).into_response(),
            false => StatusCode::UNAUTHORIZED.into_response(),
        };
    }
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let blob = || {
        let digest = name.parse::<Digest>().ok()?;
        std::fs::read(examples().join("images/blobs/sha256").join(digest.hex())).ok()
    };
    if path.starts_with("/store/") {
        assert_eq!(request.uri().query(), Some(&*format!("X-Amz-Signature={SIGNATURE}")));
        let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
        if !broken.contains(&name) {
            broken.push(name);
            // As S3 words it: the address of the request in the answer.
            return (StatusCode::INTERNAL_SERVER_ERROR, request.uri().to_string()).into_response();
        }
        return blob().unwrap().into_response();
    }
    if shown != format!("Bearer {TOKEN}") {
        let demand = format!("Bearer realm=\"http://{here}/token\",service=\"planted\"");
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", demand)]).into_response();
    }
    if path.ends_with("/tags/list") {
        return axum::Json(json!({ "name": "app", "tags": [] })).into_response();
    }
    if path.contains("/blobs/") {
        let place = format!("http://{here}/store/{name}?X-Amz-Signature={SIGNATURE}");
        return (StatusCode::TEMPORARY_REDIRECT, [("location", place)]).into_response();
    }
    match blob() {
        Some(bytes) => {
            ([("content-type", "application/vnd.oci.image.manifest.v1+json")], bytes).into_response()
        }
        None => (StatusCode::NOT_FOUND, axum::Json(json!({ "errors": [{ "code": "MANIFEST_UNKNOWN" }] })))
            .into_response(),
    }
}

/// Starts it.
pub(crate) fn registry() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let broken = Arc::new(Mutex::new(vec![]));
            let router = axum::Router::new().fallback(move |request: Request| {
                let answer = answer(address, &request, &broken);
                async { answer }
            });
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// None of them is in what was said, nor in any file of the bench.
pub(crate) fn assert_nowhere(bench: &Bench, said: &[(String, String)], planted: &[&str], least: usize) {
    let told = said.iter().map(|(what, text)| (what.clone(), text.clone().into_bytes()));
    let written = files(&bench.path("")).into_iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !VAULTS.contains(&&*name)
    });
    let written = written.map(|path| (path.display().to_string(), std::fs::read(path).unwrap_or_default()));
    let mut looked_at = 0;
    for (what, bytes) in told.chain(written) {
        looked_at += bytes.len();
        for secret in planted {
            let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
            let around = found.map(|at| {
                let (from, to) = (at.saturating_sub(200), (at + 100).min(bytes.len()));
                String::from_utf8_lossy(&bytes[from..to]).into_owned()
            });
            assert_eq!(around, None, "{secret} is in {what}");
        }
    }
    assert!(looked_at >= least, "{looked_at} bytes are no whole scenario");
}

/// Settings with the proxy and the AWS key in the environment, where they come from.
pub(crate) fn environment() -> [(&'static str, String); 4] {
    [
        ("HTTPS_PROXY", format!("http://user:{PROXY}@127.0.0.1:9")),
        ("AWS_SECRET_ACCESS_KEY", AWS_KEY.to_owned()),
        ("AWS_SESSION_TOKEN", AWS_SESSION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIA111111111111".to_owned()),
    ]
}

/// A Clair that is busy, and refuses whoever comes back; what it was shown.
pub(crate) fn refusing_clair(shown: &Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, shown) = (listener.local_addr().unwrap(), Arc::clone(shown));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut bytes) = (stream.unwrap(), [0; 8192]);
            let length = stream.read(&mut bytes).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let bearer = text.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
            let mut shown = shown.lock().unwrap();
            let status = if shown.is_empty() { "503 Service Unavailable" } else { "401 Unauthorized" };
            shown.extend(bearer.map(str::to_owned));
            let head = "Content-Length: 0\r\nConnection: close";
            let _ = write!(stream, "HTTP/1.1 {status}\r\n{head}\r\n\r\n");
        }
    });
    address
}
