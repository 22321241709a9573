//! What servers answer: Clair's reports, notifications and diffs, and what registries say beside manifests.

use cve_monitor_adapters::clair::v4::testkit::{Entry, assessed, changed, entries, told};
use cve_monitor_adapters::clair::{NOTIFIER_ISSUER, PresharedKey, v2, v4};
use cve_monitor_adapters::oci::{self, Secret, testkit as distribution};
use cve_monitor_core::ports::{MAX_FURTHER_KEYS, RegistryError};
use cve_monitor_core::vocabulary::{Assessment, Level, Timestamp};
use serde_json::Value;

use crate::files::picked;

/// What an error or a text may have of a server's own words, in bytes: some hundred characters, and ours around them.
const MAX_TOLD_BYTES: usize = 4096;

/// A report of Clair 4 on the first line, the operations that it was made from on the second; or the text of an index
/// that failed.
pub(crate) fn clair_v4(bytes: &[u8]) {
    let Some((kind, rest)) = picked(bytes, &["report", "failure"]) else { return };
    if kind == "failure" {
        let told = told(&String::from_utf8_lossy(rest));
        assert!(told.len() <= MAX_TOLD_BYTES && !told.contains(char::is_control), "{told:?}");
        return no_query(&told);
    }
    let mut lines = rest.splitn(2, |&byte| byte == b'\n');
    let (report, operations) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let Some((assessment, keys)) = assessed(report, operations) {
        assert!(keys.len() <= MAX_FURTHER_KEYS);
        holds(&assessment);
        assert_eq!(assessed(report, operations), Some((assessment, keys)), "the same answer says the same");
    }
}

/// Queries of addresses are credentials.
fn no_query(told: &str) {
    for address in told.split("://").skip(1) {
        let end = address.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(address.len());
        if let Some((_, query)) = address[..end].split_once('?') {
            assert!(matches!(query, "" | "…"), "{told:?}");
        }
    }
}

/// Nothing is clean that nobody looked at.
fn holds(assessment: &Assessment) {
    let is_complete = assessment.completeness.level() == Level::Complete;
    assert!(!is_complete || !assessment.looked_at.is_empty(), "{assessment:?}");
}

/// What changed between two operations of Clair 4, as a stream. The first byte says how long its chunks are.
pub(crate) fn clair_diff(bytes: &[u8]) {
    let Some((&chunk_bytes, body)) = bytes.split_first() else { return };
    let whole = changed(body, body.len());
    assert_eq!(changed(body, usize::from(chunk_bytes)), whole, "the chunks make a difference");
    if let Some(diff) = &whole {
        serde_json::from_slice::<Value>(&diff.request).expect("a request is JSON");
    }
    let Some(expected) = entries_by_serde(body) else { return };
    let Some(found) = entries(body) else {
        return assert!(body.contains(&b'\\'), "only a name with an escape is refused");
    };
    let read = |(added, bytes): Entry| (added, serde_json::from_slice(&bytes).expect("an entry is JSON"));
    assert_eq!(found.into_iter().map(read).collect::<Vec<_>>(), expected, "an entry was lost");
}

/// The entries of what is a diff without doubt, the added ones first; none of anything else.
fn entries_by_serde(body: &[u8]) -> Option<Vec<(bool, Value)>> {
    let Ok(Value::Object(diff)) = serde_json::from_slice(body) else { return None };
    // Of two lists of one name serde keeps the second.
    let names = |name: &[u8]| body.windows(name.len()).filter(|part| *part == name).count();
    if names(b"added") > 1 || names(b"removed") > 1 {
        return None;
    }
    let mut found = vec![];
    let mut sides: Vec<&String> =
        diff.keys().filter(|name| ["added", "removed"].contains(&name.as_str())).collect();
    sides.sort_by_key(|name| body.windows(name.len()).position(|part| part == name.as_bytes()));
    for name in sides {
        match &diff[name] {
            Value::Null => {}
            Value::Array(list) if list.iter().all(Value::is_object) => {
                found.extend(list.iter().map(|entry| (name == "added", entry.clone())));
            }
            _ => return None,
        }
    }
    Some(found)
}

/// Clair 2: an image's topmost layer, a page of a notification, or metrics, two samples with an empty line between.
pub(crate) fn clair_v2(bytes: &[u8]) {
    match picked(bytes, &["layer", "notification", "metrics"]) {
        Some(("layer", answer)) => {
            if let Some(assessment) = v2::testkit::assessed(answer) {
                holds(&assessment);
                assert_eq!(v2::testkit::assessed(answer), Some(assessment), "the same answer says the same");
            }
        }
        Some(("notification", page)) => {
            let keys = v2::testkit::notified(page).unwrap_or_default();
            assert!(keys.iter().all(|key| key.0.len() == 48), "{keys:?}");
        }
        Some((_, metrics)) => {
            let metrics = String::from_utf8_lossy(metrics);
            let proven = v2::testkit::proven(metrics.split("\n\n"));
            assert!(!proven || metrics.contains("clair_updater_duration_seconds"), "{metrics:?}");
        }
        None => {}
    }
}

/// A notification of a registry, one of Clair 4, one of Clair 2.
pub(crate) fn notification(bytes: &[u8]) {
    let _ = oci::notification::parse(bytes, &"fuzzed".parse().expect("a name"));
    let _ = v4::parse_bell(bytes);
    if let Ok(name) = v2::notification_name(bytes) {
        assert!(!name.is_empty());
    }
}

/// Who signs webhooks: nobody has the key of this body, so whatever comes proves nothing.
pub(crate) fn bearer(bytes: &[u8]) {
    let key = PresharedKey::from_base64(&Secret::new("bm9ib2R5IGhhcyB0aGlzIGtleQ==".to_owned()));
    let header = String::from_utf8_lossy(bytes);
    let now = Timestamp::from_millis(1_800_000_000_000);
    let proven = key.expect("a key").verify(Some(&header), NOTIFIER_ISSUER, now);
    assert!(proven.is_err(), "{header:?} was believed");
}

/// A registry: a demand for credentials, a link to the next page, or a refusal: its status as two bytes, when to come
/// again on the first line, and the body.
pub(crate) fn registry(bytes: &[u8]) {
    match picked(bytes, &["demand", "link", "refusal"]) {
        Some(("demand", header)) => match distribution::demanded(header) {
            Ok(realm) => assert_ne!(realm.as_deref(), Some("")),
            Err(why) => assert!(!why.is_empty()),
        },
        Some(("link", header)) => {
            let link = String::from_utf8_lossy(header);
            if let Some(next) = distribution::next_page(&link) {
                assert!(link.contains(&format!("<{next}>")), "{link:?} does not lead to {next:?}");
            }
        }
        Some((_, [high, low, rest @ ..])) => refusal(u16::from_be_bytes([*high, *low]) % 600, rest),
        _ => {}
    }
}

/// Only a registry's own word for it, or its silence, is an image that is not there: what is not there is deleted.
fn refusal(status: u16, rest: &[u8]) {
    let mut lines = rest.splitn(2, |&byte| byte == b'\n');
    let (retry_after, body) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Some(error) = distribution::refused(status, retry_after, body) else { return };
    if let RegistryError::NotFound(_) = error {
        assert_eq!(status, 404);
        // What nobody looks at need not be text.
        let said = serde_json::from_str::<Value>(&String::from_utf8_lossy(body));
        let own = said.is_ok_and(|said| said["errors"].is_array());
        assert!(own || body.is_empty(), "{error}");
    }
    let told = error.to_string();
    assert!(told.len() <= MAX_TOLD_BYTES && !told.contains(char::is_control), "{told:?}");
}
