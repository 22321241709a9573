//! An AWS of a few answers, with a registry beside it: what `deploy` asks for itself.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// What was asked, and how to answer.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Operations of AWS, and requests to the registry, in order.
    pub(crate) calls: Vec<String>,
    /// What the reconciler was started with.
    pub(crate) task: Value,
    /// The manifest that was pushed, by its tag.
    pub(crate) pushed: Option<(String, Bytes)>,
    /// Whether a service does not come up.
    pub(crate) fails: bool,
    /// Whether ECS has gone back to what ran before.
    pub(crate) rolled_back: bool,
    /// Whether repositories may not be listed.
    pub(crate) unlisted: bool,
}

/// A running one; it ends with its runtime.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Seen>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone)]
struct Context {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let context = Context { url: url.clone(), seen: Arc::clone(&seen) };
        let router = axum::Router::new().fallback(answer).layer(axum::extract::DefaultBodyLimit::disable());
        runtime.spawn(axum::serve(listener, router.with_state(context)).into_future());
        Self { url, seen, _runtime: runtime }
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.seen.lock().unwrap().calls.clone()
    }
}

async fn answer(State(context): State<Context>, headers: HeaderMap, request: Request) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let mut seen = context.seen.lock().unwrap();
    if path.starts_with("/v2/") {
        return registry(&mut seen, &method, &path, body);
    }
    // Every call is signed.
    assert!(headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=test"));
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some(operation) = target.and_then(|target| target.rsplit('.').next()) else {
        seen.calls.push("GetCallerIdentity".to_owned());
        let body = "<R><Arn>arn:aws:iam::123456789012:user/me</Arn><Account>123456789012</Account></R>";
        return (StatusCode::OK, body).into_response();
    };
    seen.calls.push(operation.to_owned());
    let input: Value = serde_json::from_slice(&body).unwrap();
    if seen.unlisted && operation == "DescribeRepositories" {
        let refusal = json!({"__type": "AccessDeniedException", "message": "not for you"});
        return (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response();
    }
    let answer = operations(&mut seen, operation, &input, &context.url);
    (StatusCode::OK, axum::Json(answer)).into_response()
}

fn operations(seen: &mut Seen, operation: &str, input: &Value, url: &str) -> Value {
    match operation {
        "CreateRepository" => json!({"repository": {}}),
        // `AWS:secret`.
        "GetAuthorizationToken" => {
            json!({"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA==", "proxyEndpoint": url}]})
        }
        "DescribeRepositories" => {
            json!({"repositories": [{"repositoryName": "team/app"}, {"repositoryName": "team/db"}]})
        }
        // Two pages, and an image with two tags.
        "ListImages" if input["nextToken"].is_null() => {
            json!({"imageIds": [{"imageDigest": "sha256:1", "imageTag": "a"}, {"imageDigest": "sha256:1", "imageTag": "b"}],
                   "nextToken": "more"})
        }
        "ListImages" => json!({"imageIds": [{"imageDigest": "sha256:2"}]}),
        "DescribeServices" => {
            let state = if seen.fails { "FAILED" } else { "COMPLETED" };
            let revision = if seen.rolled_back { 0 } else { 1 };
            let service = |name: &Value| {
                let name = name.as_str().unwrap();
                let task = format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{name}:{revision}");
                json!({"serviceName": name, "runningCount": 1, "desiredCount": 1,
                       "events": [{"message": "a task could not be placed"}],
                       "deployments": [{"status": "PRIMARY", "rolloutState": state, "taskDefinition": task}]})
            };
            json!({"services": input["services"].as_array().unwrap().iter().map(service).collect::<Vec<_>>()})
        }
        "RunTask" => {
            seen.task = input.clone();
            json!({"tasks": [{"taskArn": "arn:aws:ecs:us-east-1:123456789012:task/x/1"}], "failures": []})
        }
        other => panic!("{other} is not expected"),
    }
}

fn registry(seen: &mut Seen, method: &str, path: &str, body: Bytes) -> Response {
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    seen.calls.push(format!("{method} {}", path.split('/').nth(3).unwrap_or_default()));
    let place = [("location", format!("{path}1"))];
    match method {
        "HEAD" => StatusCode::NOT_FOUND.into_response(),
        "POST" | "PATCH" => (StatusCode::ACCEPTED, place).into_response(),
        _ => {
            if path.contains("/manifests/") {
                seen.pushed = Some((name, body));
            }
            StatusCode::CREATED.into_response()
        }
    }
}
