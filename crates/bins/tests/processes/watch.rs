//! `cve-monitor watch`: images that appear, pushes that are announced, advisories that change, and its end.

use std::io::Read as _;
use std::net::SocketAddr;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use cve_monitor_core::vocabulary::Digest;
use serde_json::json;

use crate::bench::{Bench, ask, examples, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");

fn address(bench: &Bench) -> String {
    let mut found = None;
    until("the address is told", || {
        let log = bench.log("watch.log");
        found = log.split("http://").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned);
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn an_image_that_appears_is_reported_and_a_signal_ends_it_well() {
    let bench = Bench::new(&format!("[watch]\nlisten = \"127.0.0.1:0\"\npoll = \"1s\"\n{}", Bench::LAYOUT));
    let watch = bench.start(PROGRAM, &["watch"], "watch.log");
    let address = address(&bench);
    assert_eq!(ask(&address, "GET", "/healthz", "", "").0, 200);
    until("it is ready", || ask(&address, "GET", "/readyz", "", "").0 == 200);
    assert!(bench.reports().is_empty());
    bench.write_index(&[Bench::example("debian-base")]);
    until("the first image is reported", || bench.reports().len() == 1);
    bench.write_index(&[Bench::example("debian-base"), Bench::example("distroless")]);
    until("the second image is reported", || bench.reports().len() == 2);
    until("it is counted", || {
        ask(&address, "GET", "/metrics", "", "").1.contains("cve_monitor_reported_total 2")
    });
    assert_eq!(watch.stop(), Some(0));
    let log = bench.log("watch.log");
    assert!(log.contains("stopped: 2 new reports"), "{log}");
}

/// A Distribution registry that has the example images: enough of the protocol to pull them.
fn registry() -> SocketAddr {
    async fn serve(path: String) -> impl IntoResponse {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let digest = name.parse::<Digest>().map(|digest| digest.hex().to_owned()).unwrap_or_default();
        match std::fs::read(examples().join("images/blobs/sha256").join(&digest)) {
            Ok(bytes) if !digest.is_empty() => {
                let kind = "application/vnd.oci.image.manifest.v1+json";
                (StatusCode::OK, [(header::CONTENT_TYPE, kind)], bytes).into_response()
            }
            _ if path.ends_with("tags/list") => {
                axum::Json(json!({ "name": "app", "tags": [] })).into_response()
            }
            _ if path.ends_with("v2/") => StatusCode::OK.into_response(),
            _ => (StatusCode::NOT_FOUND, axum::Json(json!({ "errors": [{ "code": "NOT_FOUND" }] })))
                .into_response(),
        }
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let router = axum::Router::new()
                .route("/v2/", get(|| serve("/v2/".to_owned())))
                .route("/v2/{*path}", get(|Path(path): Path<String>| serve(path)));
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

#[test]
fn an_announced_push_is_reported_once_however_often_it_is_announced_and_only_with_the_token() {
    let at = registry();
    let config = format!(
        "[watch]\nlisten = \"127.0.0.1:0\"\npoll = \"1d\"\nwebhook_token_file = \"token\"\n\
         [[registry]]\nname = \"{at}\"\ninsecure = true\nrepositories = [\"app\"]\n"
    );
    let bench = Bench::new(&config);
    std::fs::write(bench.path("token"), "s3cret\n").unwrap();
    let watch = bench.start(PROGRAM, &["watch"], "watch.log");
    let address = address(&bench);
    let entry = Bench::example("distroless");
    let body = json!({ "events": [{
        "id": "1",
        "timestamp": "2026-03-01T12:00:00Z",
        "action": "push",
        "target": { "mediaType": entry["mediaType"], "repository": "app", "digest": entry["digest"], "tag": "v1" },
    }] })
    .to_string();
    let post = |token: &str, body: &str| {
        let header = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        ask(&address, "POST", "/webhooks/distribution", &header, body).0
    };
    assert_eq!(post("wrong", &body), 401);
    assert_eq!(post("s3cret", "nonsense"), 400);
    assert_eq!(post("s3cret", &body), 202);
    until("the push is reported", || bench.reports().len() == 1);
    assert_eq!(post("s3cret", &body), 202, "the same announcement again");
    until("the queue is empty", || {
        let metrics = ask(&address, "GET", "/metrics", "", "").1;
        metrics.contains("messages{lane=\"push\",state=\"ready\"} 0")
            && metrics.contains("messages{lane=\"push\",state=\"leased\"} 0")
    });
    assert_eq!(bench.reports().len(), 1);
    assert_eq!(watch.stop(), Some(0));
    assert!(!bench.log("watch.log").contains("s3cret"));
}

#[test]
fn a_body_over_the_bound_is_refused_and_one_at_the_bound_is_read() {
    let bench = Bench::new(
        "[watch]\nlisten = \"127.0.0.1:0\"\n[[registry]]\nname = \"127.0.0.1:9\"\ninsecure = true\n",
    );
    let watch = bench.start(PROGRAM, &["watch"], "watch.log");
    let address = address(&bench);
    let padded = |length: usize| {
        let body = r#"{"events":[]}"#;
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    let bound = cve_monitor_bins::runtime::MAX_REQUEST_BYTES;
    assert_eq!(ask(&address, "POST", "/webhooks/distribution", "", &padded(bound)).0, 202);
    assert_eq!(ask(&address, "POST", "/webhooks/distribution", "", &padded(bound + 1)).0, 413);
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn health_is_answered_at_its_own_address_while_the_webhook_has_all_the_connections_it_may_have() {
    let config = "[watch]\nlisten = \"127.0.0.1:0\"\n[health]\nlisten = \"127.0.0.1:0\"\n";
    let bench = Bench::new(&format!("{config}{}", Bench::LAYOUT));
    let notifier = bench.start(env!("CARGO_BIN_EXE_notifier"), &[], "notifier.log");
    let [webhook, health] = [0, 1].map(|place| bench.address_at("notifier.log", place));
    let held: Vec<_> = (0..cve_monitor_bins::runtime::MAX_CONNECTIONS)
        .map(|_| std::net::TcpStream::connect(&webhook).unwrap())
        .collect();
    let mut refused = String::new();
    std::net::TcpStream::connect(&webhook).unwrap().read_to_string(&mut refused).unwrap();
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    for path in ["/healthz", "/metrics"] {
        assert_eq!(ask(&health, "GET", path, "", "").0, 200, "{path}");
    }
    // Who holds a connection and asks nothing is not waited for.
    assert_eq!(notifier.stop(), Some(0), "{}", bench.log("notifier.log"));
    assert!(bench.log("notifier.log").contains("there are too many"));
    drop(held);
}

#[test]
fn while_a_clair_is_away_health_is_answered_and_its_notifications_are_kept() {
    // A port that was free a moment ago: nobody answers there.
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = format!(
        "[watch]\nlisten = \"127.0.0.1:0\"\n[scanner]\nkind = \"clair-v2\"\n[clair]\nurl = \"http://{away}\"\n\
         webhook_path = \"/bell\"\n{}",
        Bench::LAYOUT
    );
    let bench = Bench::new(&config);
    let notifier = bench.start(env!("CARGO_BIN_EXE_notifier"), &[], "notifier.log");
    let address = bench.address("notifier.log");
    assert_eq!(ask(&address, "GET", "/healthz", "", "").0, 200);
    let (status, answer) = ask(&address, "GET", "/readyz", "", "");
    assert!(status == 503 && answer.contains("scanner"), "{answer}");
    let body = json!({ "Notification": { "Name": "7a1cf5a4-6d20-4f0b-9b43-3b3b3e2f7f5c" } }).to_string();
    for _ in 0..3 {
        assert_eq!(ask(&address, "POST", "/bell", "", &body).0, 200);
    }
    assert_eq!(ask(&address, "POST", "/bell", "", "{}").0, 400);
    assert_eq!(notifier.stop(), Some(0), "{}", bench.log("notifier.log"));
    let output = bench.run(PROGRAM, &["db", "stats", "--format", "json"]);
    let stats: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stats["events"], 1, "{stats}");
}
