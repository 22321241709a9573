//! Every stored form of every event and head, for ever: files of a version are added, never changed.
//!
//! An event's file is `golden/events/v1/NAME.json`, or `NAME.CASE.json`, a head's `golden/heads/v1/…`.

#[path = "golden/examples.rs"]
mod examples;
#[path = "golden/heads.rs"]
mod heads;
#[path = "golden/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cve_monitor_core::scan::{
    CodecError, Event, EventId, RecordedEvent, decode_event, decode_head, encode_event, encode_head,
};
use serde_json::{Value, json};

fn golden(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(kind)
}

/// The file, or the text that it should have.
fn read(folder: &Path, name: &str, encoded: &[u8]) -> Value {
    let path = folder.join(format!("{name}.json"));
    let bytes = fs::read(&path).unwrap_or_else(|_| {
        panic!("{} is missing; commit it with\n{}", path.display(), String::from_utf8_lossy(encoded))
    });
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    names.map(|name| name.strip_suffix(".json").expect("a .json file").to_owned()).collect()
}

fn recorded(event: Event) -> RecordedEvent {
    let id = EventId("0123456789abcdef0123456789abcdef".to_owned());
    RecordedEvent { id, at: examples::at(), event }
}

/// Objects whose one key is the choice of a variant, not a field.
const CHOICES: [&str; 4] = ["at", "artifact", "image", "index"];

/// Puts a field that this program does not know into every object that has fields, at every depth.
fn with_unknown_fields(value: &Value) -> Value {
    match value {
        Value::Object(choice) if choice.len() == 1 && choice.keys().all(|key| CHOICES.contains(&&**key)) => {
            choice.iter().map(|(key, value)| (key.clone(), with_unknown_fields(value))).collect()
        }
        Value::Object(fields) => {
            let mut fields: serde_json::Map<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), with_unknown_fields(value))).collect();
            fields.insert("field_of_a_later_program".to_owned(), json!({ "any": [1, null, "thing"] }));
            Value::Object(fields)
        }
        Value::Array(items) => Value::Array(items.iter().map(with_unknown_fields).collect()),
        other => other.clone(),
    }
}

#[test]
fn every_event_reads_and_writes_as_its_golden_file() {
    for (name, event) in examples::events() {
        let event = recorded(event);
        let written = encode_event(&event).expect("an event of our own");
        let file = read(&golden("events/v1"), &name, &written);
        let read = decode_event(file.to_string().as_bytes());
        assert_eq!(read.as_ref(), Ok(&event), "{name}.json reads as another event");
        let written: Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!(written, file, "{name}.json is not what is written today");
    }
}

#[test]
fn every_golden_file_has_its_expected_value() {
    let events: BTreeSet<String> = examples::events().into_iter().map(|(name, _)| name).collect();
    assert_eq!(files(&golden("events/v1")), events);
    let heads: BTreeSet<String> = heads::heads().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(files(&golden("heads/v1")), heads);
}

#[test]
fn events_with_fields_of_a_later_program_read_as_if_they_had_none() {
    for (name, event) in examples::events() {
        let event = recorded(event);
        let written = encode_event(&event).expect("an event of our own");
        let file = read(&golden("events/v1"), &name, &written);
        let extended = with_unknown_fields(&file).to_string();
        assert_eq!(decode_event(extended.as_bytes()), Ok(event), "{name}");
    }
}

#[test]
fn every_head_reads_and_writes_as_its_golden_file() {
    for (name, head) in heads::heads() {
        let written = encode_head(&head).expect("a head within its bound");
        let file = read(&golden("heads/v1"), name, &written);
        assert_eq!(decode_head(file.to_string().as_bytes()).as_ref(), Ok(&head), "{name}.json");
        let extended = with_unknown_fields(&file).to_string();
        assert_eq!(decode_head(extended.as_bytes()), Ok(head), "{name} with fields of a later program");
        let written: Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!(written, file, "{name}.json is not what is written today");
    }
}

#[test]
fn a_later_version_is_refused_by_name() {
    let later = br#"{"v":2,"anything":"else"}"#;
    assert_eq!(decode_event(later), Err(CodecError::Newer { what: "event", found: 2, known: 1 }));
    assert_eq!(decode_head(later), Err(CodecError::Newer { what: "head", found: 2, known: 1 }));
}

#[test]
fn what_is_damaged_is_malformed() {
    let (_, event) = examples::events().remove(0);
    let written = encode_event(&recorded(event)).expect("an event of our own");
    for damaged in [&b""[..], b"null", b"{}", b"{\"v\":1}", &written[..written.len() - 1]] {
        let event = decode_event(damaged);
        assert!(matches!(event, Err(CodecError::Malformed { what: "event", .. })), "{event:?}");
        let head = decode_head(damaged);
        assert!(matches!(head, Err(CodecError::Malformed { what: "head", .. })), "{head:?}");
    }
    let unknown = String::from_utf8(written).expect("JSON").replace("ScanRequested", "ScanDreamt");
    assert!(matches!(decode_event(unknown.as_bytes()), Err(CodecError::Malformed { .. })));
}
