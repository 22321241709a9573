//! Diffs as Clair writes them, and as it never should.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

/// An advisory of Debian 12 as Clair 4.9.0 writes it into a diff.
fn debian(row: u32, name: &str, package: &str, fixed: &str) -> Value {
    json!({
        "id": row.to_string(), "updater": "debian/updater", "name": name, "description": "a flaw",
        "issued": "0001-01-01T00:00:00Z", "links": "https://security-tracker.debian.org/tracker/",
        "severity": "not yet assigned", "normalized_severity": "Unknown",
        "package": {"id": "", "name": package, "version": "", "kind": "source", "normalized_version": "", "cpe": ""},
        "distribution": {
            "id": "", "did": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)",
            "version_code_name": "bookworm", "version_id": "12", "arch": "", "cpe": "",
            "pretty_name": "Debian GNU/Linux 12 (bookworm)"
        },
        "repository": {"cpe": ""}, "fixed_in_version": fixed,
    })
}

fn of_repository(row: u32, name: &str, fixed: &str) -> Value {
    let mut advisory = debian(row, "CVE-2026-1", "a-package", fixed);
    advisory["distribution"] = json!({"id": "", "did": "", "name": "", "cpe": ""});
    advisory["repository"] = json!({"name": name, "uri": "https://pypi.org/", "cpe": ""});
    advisory
}

fn with(mut advisory: Value, member: &str, value: Value) -> Value {
    advisory[member] = value;
    advisory
}

async fn changes(added: &Value, removed: &Value) -> Changes {
    let body = json!({"prev": {"ref": "x"}, "cur": {"ref": "y"}, "added": added, "removed": removed});
    read(stream(body.to_string().as_bytes(), 100)).await.unwrap()
}

fn stream(body: &[u8], chunk: usize) -> BodyStream {
    let chunks: Vec<_> = body.chunks(chunk).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    futures::stream::iter(chunks).boxed()
}

#[tokio::test]
async fn an_edited_text_changes_nothing() {
    let before = debian(1, "CVE-2026-1", "glibc", "");
    for (member, value) in [
        ("description", json!("other words")),
        ("links", json!("")),
        ("issued", json!("2026-02-01T00:00:00Z")),
        ("id", json!("2")),
    ] {
        let after = with(before.clone(), member, value);
        assert_eq!(changes(&json!([after]), &json!([before])).await, Changes::default(), "{member}");
    }
}

#[tokio::test]
async fn whatever_an_assessment_depends_on_changes_something() {
    let before = debian(1, "CVE-2026-1", "glibc", "");
    let package = json!({"name": "glibc", "kind": "source", "arch": "amd64"});
    for (member, value) in [
        ("name", json!("CVE-2026-2")),
        ("severity", json!("high")),
        ("normalized_severity", json!("High")),
        ("fixed_in_version", json!("2.36-9")),
        ("package", package),
        ("arch_op", json!("equals")),
        ("a_member_that_is_not_known_yet", json!(true)),
    ] {
        let after = with(before.clone(), member, value);
        let found = changes(&json!([after]), &json!([before])).await;
        assert!(!found.questions.is_empty() && !found.unknown, "{member}: {found:?}");
    }
}

#[tokio::test]
async fn only_what_is_left_over_is_asked_and_each_question_once() {
    let added = json!([
        debian(10, "CVE-2026-1", "glibc", ""),
        debian(11, "CVE-2026-2", "openssl", ""),
        debian(12, "CVE-2026-3", "openssl", ""),
        debian(13, "CVE-2026-4", "zlib", "1"),
    ]);
    let removed = json!([
        with(debian(1, "CVE-2026-1", "glibc", ""), "description", json!("old words")),
        debian(2, "CVE-2026-4", "zlib", ""),
    ]);
    let found = changes(&added, &removed).await;
    let asked: Value = serde_json::from_slice(&Question::request(&found.questions)).unwrap();
    let asked: Vec<_> = asked["vulnerabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asked| (asked["package"]["name"].clone(), asked["fixed_in_version"].clone()))
        .collect();
    // A version that repairs it makes no other question: the indexer compares that of the source.
    let expected = [("openssl", ""), ("zlib", "")];
    assert_eq!(asked, expected.map(|(package, fixed)| (json!(package), json!(fixed))));
}

#[tokio::test]
async fn rows_are_counted_not_only_seen() {
    let row = |number| debian(number, "CVE-2026-1", "glibc", "");
    let found = changes(&json!([row(1), row(2)]), &json!([row(3)])).await;
    assert_eq!(found.questions.len(), 1);
}

#[tokio::test]
async fn null_lists_change_nothing() {
    assert_eq!(changes(&Value::Null, &Value::Null).await, Changes::default());
}

#[tokio::test]
async fn a_text_where_the_range_is_hidden_may_be_a_range() {
    for (repository, is_changed) in [("go", true), ("npm", true), ("maven", false), ("pypi", false)] {
        let before = of_repository(1, repository, "");
        let after = with(of_repository(2, repository, ""), "description", json!("other words"));
        let found = changes(&json!([after]), &json!([before])).await;
        assert_eq!(!found.keys.is_empty(), is_changed, "{repository}");
        assert_eq!((found.questions, found.unknown), (vec![], false), "{repository}");
    }
}

#[tokio::test]
async fn what_the_indexer_cannot_look_up_is_named_by_package_and_by_ecosystem() {
    for repository in ["go", "npm", "maven", "rubygems"] {
        let found = changes(&json!([of_repository(1, repository, "1")]), &Value::Null).await;
        let keys: Vec<_> = found.keys.iter().map(|key| key.0.as_str()).collect();
        assert_eq!(keys, [format!("package:{repository}:*"), format!("package:{repository}:a-package")]);
        assert_eq!((found.questions, found.unknown), (vec![], false));
    }
    let found = changes(&json!([of_repository(1, "pypi", "fixed=1")]), &Value::Null).await;
    assert_eq!((found.keys.len(), found.questions.len(), found.unknown), (0, 1, false));
}

#[tokio::test]
async fn a_change_of_no_known_ecosystem_is_told() {
    let lost = of_repository(1, "", "");
    assert!(changes(&json!([lost]), &Value::Null).await.unknown);
    assert!(!changes(&json!([of_repository(1, "", "")]), &json!([lost])).await.unknown);
}

#[tokio::test]
async fn what_is_broken_off_or_no_diff_is_not_followed() {
    let whole = json!({"added": [debian(1, "CVE-2026-1", "glibc", "")], "removed": null}).to_string();
    let cut = whole.as_bytes()[..whole.len() - 1].to_vec();
    let page = b"<html>Bad Gateway</html>".to_vec();
    let no_advisory = br#"{"added":[{"id": nonsense}]}"#.to_vec();
    for body in [cut, page, no_advisory] {
        let error = read(stream(&body, 64)).await.unwrap_err();
        assert!(matches!(error, DiffError::Unreadable(_)), "{error}");
        assert!(!error.to_string().contains("nonsense"), "{error}");
    }
    let broken = HttpError::Broken { request: "GET".to_owned(), detail: "reset".to_owned() };
    let body = [Ok(Bytes::copy_from_slice(&whole.as_bytes()[..50])), Err(broken)];
    let error = read(futures::stream::iter(body).boxed()).await.unwrap_err();
    assert!(matches!(error, DiffError::Http(_)), "{error}");
}

/// A diff of so many entries, made while it is read.
fn endless(entries: usize, entry: impl Fn(usize) -> String + Send + 'static) -> BodyStream {
    let begin = futures::stream::iter([Ok(Bytes::from_static(b"{\"added\":["))]);
    let entries = futures::stream::iter((0..entries).map(move |number| {
        let comma = if number == 0 { "" } else { "," };
        Ok(Bytes::from(format!("{comma}{}", entry(number))))
    }));
    let end = futures::stream::iter([Ok(Bytes::from_static(b"],\"removed\":null}"))]);
    begin.chain(entries).chain(end).boxed()
}

#[tokio::test]
async fn a_diff_may_have_so_many_entries_and_no_more() {
    let body = |entries| endless(entries, |_| "{}".to_owned());
    assert!(read(body(MAX_ENTRIES)).await.is_ok());
    let error = read(body(MAX_ENTRIES + 1)).await.unwrap_err();
    assert!(matches!(error, DiffError::TooLarge(_)), "{error}");
}

#[tokio::test]
async fn what_a_diff_concerns_may_have_so_many_bytes_and_no_more() {
    let entry = |number| debian(1, "CVE-2026-1", &format!("package-{number}"), "").to_string();
    let Lookup::Ask(question) = Lookup::of(&Advisory::read(entry(0).as_bytes()).unwrap()) else {
        panic!("no question")
    };
    assert_eq!(LIMITS.lookup_bytes, MAX_LOOKUP_BYTES);
    let limits = Limits { lookup_bytes: 3 * Lookup::Ask(question).bytes(), ..LIMITS };
    assert_eq!(read_within(endless(3, entry), limits).await.unwrap().questions.len(), 3);
    let error = read_within(endless(4, entry), limits).await.unwrap_err();
    assert!(matches!(error, DiffError::TooLarge(_)), "{error}");
}

#[tokio::test]
async fn a_diff_may_have_so_many_bytes_and_no_more_whatever_stands_in_it() {
    assert_eq!(LIMITS.bytes, MAX_DIFF_BYTES);
    let body = r#"{"more":"no entry at all","added":[],"removed":null}"#;
    for (bytes, good) in [(body.len() as u64, true), (body.len() as u64 - 1, false)] {
        let read = read_within(stream(body.as_bytes(), 7), Limits { bytes, ..LIMITS }).await;
        assert_eq!(read.is_ok(), good, "{read:?}");
        assert!(good || matches!(read, Err(DiffError::TooLarge(_))), "{read:?}");
    }
}

#[tokio::test]
async fn an_entry_that_is_too_long_makes_the_diff_too_large() {
    let entry = format!(r#"{{"x":"{}"}}"#, "x".repeat(splitter::MAX_ENTRY_BYTES));
    let error = read(endless(1, move |_| entry.clone())).await.unwrap_err();
    assert!(matches!(error, DiffError::TooLarge(_)), "{error}");
}
