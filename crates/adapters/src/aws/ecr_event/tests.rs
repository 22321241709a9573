//! Events as ECR emits them, and as it does not.

use serde_json::{Value, json};

use super::*;

const DIGEST: &str = "sha256:778645862e8bba7ad64eabc8f6b51158e47124c12864ed42d7baf744b6329542";

/// Seen in a queue in 2025: pushed by digest, which is how the children of an index are pushed.
const PUSHED_BY_DIGEST: &str = r#"{"version":"0","id":"fcf0ea66-968f-3eda-ca24-40dcd217003b","detail-type":"ECR Image Action","source":"aws.ecr",
 "account":"123456789012","time":"2025-06-11T06:43:44Z","region":"us-east-1","resources":[],
 "detail":{"result":"SUCCESS","repository-name":"nudgebee_runbook_sidecar_agent",
  "image-digest":"sha256:778645862e8bba7ad64eabc8f6b51158e47124c12864ed42d7baf744b6329542","action-type":"PUSH",
  "artifact-media-type":"application/vnd.oci.image.config.v1+json","image-tag":"",
  "manifest-media-type":"application/vnd.oci.image.manifest.v1+json"}}"#;

fn event(detail_type: &str, detail: &Value) -> Value {
    let mut detail = detail.clone();
    let fields = detail.as_object_mut().unwrap();
    fields.entry("repository-name").or_insert(json!("team/app"));
    fields.entry("image-digest").or_insert(json!(DIGEST));
    json!({"version": "0", "id": "13cde686-328b-6117-af20-0e5566167482", "detail-type": detail_type,
        "source": "aws.ecr", "account": "123456789012", "time": "2019-11-16T01:54:34Z",
        "region": "us-west-2", "resources": [], "detail": detail})
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

fn without(mut event: Value, field: &str) -> Value {
    match field.strip_prefix("detail.") {
        Some(field) => event["detail"].as_object_mut().unwrap().remove(field),
        None => event.as_object_mut().unwrap().remove(field),
    };
    event
}

fn push() -> Value {
    event("ECR Image Action", &json!({"result": "SUCCESS", "action-type": "PUSH", "image-tag": "latest"}))
}

fn asked(event: &Value) -> Option<ScanRequest> {
    assert!(is_event(&event.to_string()));
    read(&event.to_string()).unwrap()
}

fn cause(detail_type: &str, detail: &Value) -> Option<Cause> {
    asked(&event(detail_type, detail)).map(|request| request.cause)
}

fn came(tag: Option<&str>) -> Option<Cause> {
    Some(Cause::Push { tag: tag.map(|tag| tag.parse().unwrap()) })
}

#[test]
fn a_push_names_registry_repository_digest_and_tag() {
    let request = asked(&push()).unwrap();
    let image = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/team/app@{DIGEST}");
    assert_eq!(request.image.to_string(), image);
    assert_eq!((Some(request.cause), request.at_least), (came(Some("latest")), None));
}

#[test]
fn an_empty_or_absent_tag_is_none() {
    let request = read(PUSHED_BY_DIGEST).unwrap().unwrap();
    let image =
        format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/nudgebee_runbook_sidecar_agent@{DIGEST}");
    assert_eq!((request.image.to_string(), Some(request.cause)), (image, came(None)));
    for bare in [without(push(), "detail.image-tag"), with(push(), "/detail/image-tag", Value::Null)] {
        assert_eq!(asked(&bare).unwrap().cause, Cause::Push { tag: None });
    }
}

#[test]
fn each_kind_of_event_asks_for_what_it_tells() {
    let image = "ECR Image Action";
    let class = |class| json!({"result": "SUCCESS", "action-type": "UPDATE_STORAGE_CLASS", "target-storage-class": class});
    let went = Some(Cause::Absence);
    let deleted = json!({"result": "SUCCESS", "action-type": "DELETE", "image-tag": "latest"});
    assert_eq!(cause(image, &deleted), went);
    assert_eq!(cause(image, &class("ARCHIVE")), went);
    assert_eq!(cause(image, &class("STANDARD")), came(None));
    let replicated = |result| {
        json!({"result": result, "action-type": "REPLICATE", "source-account": "123456789012",
        "source-region": "us-east-1", "image-tag": "3.17.2"})
    };
    assert_eq!(cause("ECR Replication Action", &replicated("SUCCESS")), came(Some("3.17.2")));
    assert_eq!(cause("ECR Replication Action", &replicated("FAILED")), None);
    let cached = |status| {
        json!({"rule-version": "1", "sync-status": status, "ecr-repository-prefix": "docker-hub",
        "upstream-registry-url": "public.ecr.aws", "image-tag": "3.17.2"})
    };
    assert_eq!(cause("ECR Pull Through Cache Action", &cached("SUCCESS")), came(Some("3.17.2")));
    assert_eq!(cause("ECR Pull Through Cache Action", &cached("FAILED")), None);
    let failed = json!({"result": "FAILURE", "action-type": "PUSH"});
    assert_eq!(cause(image, &failed), None);
}

#[test]
fn an_event_of_another_kind_asks_for_nothing_whatever_it_lacks() {
    let scan =
        json!({"scan-status": "COMPLETE", "finding-severity-counts": {"CRITICAL": 10}, "image-tags": []});
    let other = [
        event("ECR Image Scan", &scan),
        event("ECR Referrer Action", &json!({"action-type": "UPDATE_STORAGE_CLASS"})),
        event("ECR Image Action", &json!({"action-type": "UNHEARD_OF"})),
        event("ECR Image Action", &json!({})),
        with(push(), "/source", json!("aws.inspector2")),
        json!({"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2"}),
        json!({"detail-type": "ECR Pull Through Cache Action", "source": "aws.ecr", "detail": {"failure-code": "x"}}),
    ];
    for event in other {
        assert_eq!(asked(&event), None, "{event}");
    }
}

#[test]
fn the_same_event_is_the_same_request_and_another_is_not() {
    let id = |event: &Value| asked(event).unwrap().id;
    assert_eq!(id(&push()), id(&with(push(), "/version", json!("9"))));
    let others = [
        with(push(), "/id", json!("another")),
        with(push(), "/account", json!("210987654321")),
        with(push(), "/region", json!("eu-west-1")),
        with(push(), "/detail/repository-name", json!("team/other")),
        with(push(), "/detail/action-type", json!("DELETE")),
        without(push(), "id"),
    ];
    let mut ids: Vec<_> = others.iter().map(id).collect();
    ids.push(id(&push()));
    // Without an id, the time tells.
    ids.push(id(&with(without(push(), "id"), "/time", json!("2020-01-01T00:00:00Z"))));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), others.len() + 2);
}

#[test]
fn china_has_a_domain_of_its_own() {
    let request = asked(&with(push(), "/region", json!("cn-north-1"))).unwrap();
    assert_eq!(request.image.registry.as_str(), "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
}

#[test]
fn what_cannot_be_read_is_named() {
    let wrong = [
        (without(push(), "account"), "`account` is ``; expected 12 digits"),
        (with(push(), "/account", json!("12345678901")), "`account` is `12345678901`"),
        (with(push(), "/account", json!("12345678901x")), "`account` is `12345678901x`"),
        (without(push(), "region"), "`region` is ``"),
        (with(push(), "/region", json!("us-east-1.evil.example/")), "`region` is `us-east-1.evil.example/`"),
        (without(push(), "detail.repository-name"), "`detail.repository-name` is missing"),
        (with(push(), "/detail/repository-name", json!("UPPER")), "`UPPER` is not a repository name"),
        (without(push(), "detail.image-digest"), "`detail.image-digest` is missing"),
        (with(push(), "/detail/image-digest", json!("sha256:12")), "`detail.image-digest`"),
        (with(push(), "/detail/image-tag", json!("no tag")), "`detail.image-tag`"),
        (with(push(), "/detail", json!(7)), "not an event of EventBridge"),
        (with(push(), "/detail-type", json!(7)), "not an event of EventBridge"),
    ];
    for (event, expected) in wrong {
        let problem = read(&event.to_string()).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
    for garbage in ["", "{", "[]", "null", "\u{0}\"detail-type\""] {
        assert!(read(garbage).unwrap_err().starts_with("not an event of EventBridge"), "{garbage}");
    }
}

#[test]
fn an_error_repeats_little_of_what_came() {
    let long = read(&with(push(), "/account", json!("9".repeat(5000))).to_string()).unwrap_err();
    assert!(long.len() < 2 * MAX_QUOTED, "{long}");
}

#[test]
fn an_event_is_read_up_to_its_bound() {
    let mut body = push().to_string();
    body.extend(std::iter::repeat_n(' ', MAX_EVENT_BYTES - body.len()));
    assert!(read(&body).unwrap().is_some());
    body.push(' ');
    assert!(read(&body).unwrap_err().contains("1048577 bytes long; at most 1048576"));
}

#[test]
fn requests_of_ours_are_no_events() {
    let request = asked(&push()).unwrap();
    assert!(!is_event(&serde_json::to_string(&request).unwrap()));
}
