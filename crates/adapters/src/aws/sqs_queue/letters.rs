//! Dead letters as messages: the body as it is, what happened as attributes.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use cve_monitor_core::ports::DeadLetter;
use cve_monitor_core::vocabulary::{DeadLetterReason, Lane, RequestId, Timestamp};

use super::receiving::read;
use super::sending::MAX_BYTES;

/// The longest detail that is kept, in bytes.
pub(super) const MAX_DETAIL_BYTES: usize = 8 * 1024;
/// The type of every attribute: its bytes count as well.
const TYPE: &str = "String";
/// What is said of a message that SQS moved itself.
const MOVED: &str = "received as often as the queue allows, and never finished";
/// Every reason, to read its word back.
const REASONS: [DeadLetterReason; 7] = [
    DeadLetterReason::Unreadable,
    DeadLetterReason::UnknownRegistry,
    DeadLetterReason::Denied,
    DeadLetterReason::Corrupt,
    DeadLetterReason::Failed,
    DeadLetterReason::AttemptsExhausted,
    DeadLetterReason::KillsWorkers,
];

/// A letter as it is sent.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) body: String,
    pub(super) attributes: HashMap<String, MessageAttributeValue>,
}

/// Writes a letter.
pub(super) fn written(letter: &DeadLetter) -> Written {
    let detail = kept(&letter.detail);
    let at = letter.at.to_string();
    let fields = [
        ("id", letter.id.0.as_str()),
        ("reason", letter.reason.as_str()),
        ("detail", detail.as_str()),
        ("lane", letter.lane.as_str()),
        ("at", at.as_str()),
    ];
    // An empty value is refused.
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let bytes: usize = fields.clone().map(|(name, value)| name.len() + value.len() + TYPE.len()).sum();
    // A body that leaves no room for them is kept alone: it is none of ours, and reading it says again what is wrong.
    let fields = fields.filter(|_| letter.body.len() + bytes <= MAX_BYTES);
    let attributes = fields.filter_map(|(name, value)| {
        let value = MessageAttributeValue::builder().data_type(TYPE).string_value(value).build().ok()?;
        Some((name.to_owned(), value))
    });
    Written { attributes: attributes.collect(), body: letter.body.clone() }
}

/// What SQS takes as text: no control characters but tabs and ends of lines. Cut to its bound.
fn kept(detail: &str) -> String {
    let taken = |c: char| match c {
        '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => c,
        _ => char::REPLACEMENT_CHARACTER,
    };
    let mut kept: String = detail.chars().map(taken).collect();
    kept.truncate(kept.floor_char_boundary(MAX_DETAIL_BYTES));
    kept
}

/// Reads a message of the lane's queue of dead letters. One without our attributes was put there by SQS, or by
/// EventBridge where it could not deliver (EventBridge user guide, "Using dead-letter queues").
pub(super) fn letter(lane: Lane, message: &Message) -> DeadLetter {
    let body = message.body.clone().unwrap_or_default();
    let said = |name: &str| {
        let value = message.message_attributes.as_ref().and_then(|all| all.get(name));
        value.and_then(|value| value.string_value.as_deref())
    };
    let reason = said("reason").and_then(|word| REASONS.into_iter().find(|reason| reason.as_str() == word));
    let Some(reason) = reason else {
        let undelivered = said("ERROR_CODE").map(|code| {
            let why = said("ERROR_MESSAGE").unwrap_or_default();
            format!("EventBridge could not deliver it: {code}: {why}")
        });
        return foreign(lane, undelivered, body, sent_at(message));
    };
    let lane_of = |word: &str| Lane::ALL.into_iter().find(|lane| lane.as_str() == word);
    DeadLetter {
        id: RequestId(said("id").unwrap_or_default().to_owned()),
        lane: said("lane").and_then(lane_of).unwrap_or(lane),
        reason,
        detail: said("detail").unwrap_or_default().to_owned(),
        at: said("at").and_then(|at| at.parse().ok()).unwrap_or_else(|| sent_at(message)),
        body,
    }
}

fn foreign(lane: Lane, undelivered: Option<String>, body: String, at: Timestamp) -> DeadLetter {
    let read = read(&body);
    let id = match &read {
        Ok(Some(request)) => request.id.clone(),
        _ => unnamed(&body),
    };
    let (reason, detail) = match (undelivered, read) {
        (Some(detail), _) => (DeadLetterReason::Failed, detail),
        (None, Err(problem)) => (DeadLetterReason::Unreadable, problem),
        (None, Ok(_)) => (DeadLetterReason::KillsWorkers, MOVED.to_owned()),
    };
    DeadLetter { id, lane, reason, detail, body, at }
}

/// The id that a message gets which has none.
fn unnamed(body: &str) -> RequestId {
    RequestId::derived(&["unreadable", body])
}

fn sent_at(message: &Message) -> Timestamp {
    let sent = message.attributes.as_ref();
    let sent = sent.and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    Timestamp::from_millis(sent.and_then(|millis| millis.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use cve_monitor_core::vocabulary::{Cause, Digest, ScanRequest};

    use super::*;

    fn buried(detail: &str, body: &str) -> DeadLetter {
        DeadLetter {
            id: RequestId("id".to_owned()),
            lane: Lane::Change,
            reason: DeadLetterReason::AttemptsExhausted,
            detail: detail.to_owned(),
            body: body.to_owned(),
            at: Timestamp::from_millis(1_772_366_400_123),
        }
    }

    fn message(written: Written) -> Message {
        let attributes = (!written.attributes.is_empty()).then_some(written.attributes);
        Message::builder()
            .body(written.body)
            .set_message_attributes(attributes)
            .attributes(MessageSystemAttributeName::SentTimestamp, "1772366400000")
            .build()
    }

    fn alone(body: &str) -> Message {
        message(Written { body: body.to_owned(), attributes: HashMap::new() })
    }

    fn request() -> ScanRequest {
        let image = format!("r.example/a@{}", Digest::of(b"m")).parse().unwrap();
        ScanRequest { id: RequestId("q".to_owned()), image, cause: Cause::Reconcile, at_least: None }
    }

    #[test]
    fn a_letter_is_read_as_it_was_written() {
        for reason in REASONS {
            let sent = DeadLetter { reason, ..buried("it failed \"20\" times:\n\tä 🦀", "body") };
            assert_eq!(letter(Lane::Change, &message(written(&sent))), sent);
        }
        let bare = DeadLetter { id: RequestId(String::new()), ..buried("", "body") };
        assert_eq!(letter(Lane::Change, &message(written(&bare))), bare);
    }

    #[test]
    fn a_detail_is_kept_as_far_as_sqs_takes_it() {
        let kept = |detail: &str| letter(Lane::Push, &message(written(&buried(detail, "body")))).detail;
        assert_eq!(kept("a\0b\u{1b}[31m\u{ffff}c"), "a\u{fffd}b\u{fffd}[31m\u{fffd}c");
        assert_eq!(kept(&"x".repeat(MAX_DETAIL_BYTES)).len(), MAX_DETAIL_BYTES);
        assert_eq!(kept(&"x".repeat(MAX_DETAIL_BYTES + 1)).len(), MAX_DETAIL_BYTES);
        assert_eq!(kept(&"ä".repeat(MAX_DETAIL_BYTES)).len(), MAX_DETAIL_BYTES);
        assert_eq!(kept(&format!("x{}", "ä".repeat(MAX_DETAIL_BYTES))).len(), MAX_DETAIL_BYTES - 1);
    }

    #[test]
    fn a_body_that_leaves_no_room_is_kept_alone() {
        let room = |body: usize| written(&buried("d", &"x".repeat(body)));
        let bytes: usize = room(1)
            .attributes
            .iter()
            .map(|(name, value)| name.len() + TYPE.len() + value.string_value().map_or(0, str::len))
            .sum();
        assert_eq!(room(MAX_BYTES - bytes).attributes.len(), 5);
        let alone = room(MAX_BYTES - bytes + 1);
        assert_eq!((alone.attributes.len(), alone.body.len()), (0, MAX_BYTES - bytes + 1));
        assert_eq!(letter(Lane::Change, &message(alone)).reason, DeadLetterReason::Unreadable);
    }

    #[test]
    fn what_sqs_moved_says_so() {
        let request = request();
        let moved = letter(Lane::Push, &alone(&serde_json::to_string(&request).unwrap()));
        assert_eq!((moved.id, moved.reason), (request.id, DeadLetterReason::KillsWorkers));
        assert_eq!((moved.lane, moved.at), (Lane::Push, Timestamp::from_millis(1_772_366_400_000)));
        assert_eq!(moved.detail, MOVED);
        let unreadable = letter(Lane::Push, &alone("{}"));
        assert_eq!(unreadable.reason, DeadLetterReason::Unreadable);
        assert!(unreadable.detail.contains("missing field"), "{unreadable:?}");
        assert_ne!(unreadable.id, letter(Lane::Push, &alone("{ }")).id);
    }

    #[test]
    fn what_eventbridge_could_not_deliver_says_why() {
        let said =
            [("ERROR_CODE", "NO_PERMISSIONS"), ("ERROR_MESSAGE", "not authorized"), ("RULE_ARN", "arn:x")];
        let attributes = said.into_iter().map(|(name, value)| {
            let value = MessageAttributeValue::builder().data_type(TYPE).string_value(value).build().unwrap();
            (name.to_owned(), value)
        });
        let body = serde_json::to_string(&request()).unwrap();
        let letter = letter(Lane::Push, &message(Written { body, attributes: attributes.collect() }));
        assert_eq!((letter.id, letter.reason), (request().id, DeadLetterReason::Failed));
        assert_eq!(letter.detail, "EventBridge could not deliver it: NO_PERMISSIONS: not authorized");
    }
}
