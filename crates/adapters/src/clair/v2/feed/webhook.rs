//! The body of Clair v2's webhook: `{"Notification":{"Name":"…"}}`, 64 bytes, unsigned. It is answered with 200 or 201
//! once the name is durable; Clair sends it again after any other answer, and for as long as the notification is not
//! deleted.

use serde::Deserialize;

/// The longest body that is read, in bytes.
pub const MAX_WEBHOOK_BYTES: usize = 4 * 1024;
/// The longest name, in bytes: Clair's are UUIDs.
const MAX_NAME_BYTES: usize = 64;

/// Why a body is no notification of Clair v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no notification of Clair v2: expected {{\"Notification\":{{\"Name\":\"…\"}}}}, {MAX_WEBHOOK_BYTES} bytes at the most"
)]
pub struct NoNotification;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "Notification", borrow)]
    notification: Named<'a>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(rename = "Name")]
    name: &'a str,
}

/// The name of the notification that a webhook's body tells of.
///
/// # Errors
/// Where it tells of none, or is too long.
pub fn notification_name(body: &[u8]) -> Result<&str, NoNotification> {
    if body.len() > MAX_WEBHOOK_BYTES {
        return Err(NoNotification);
    }
    let body: Body<'_> = serde_json::from_slice(body).map_err(|_| NoNotification)?;
    let name = body.notification.name;
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let valid = !name.is_empty() && name.len() <= MAX_NAME_BYTES && plain;
    if valid { Ok(name) } else { Err(NoNotification) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clair_sends_is_read() {
        let captured = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/clair/v2/webhook-requests.jsonl"
        ));
        let mut names = std::collections::BTreeSet::new();
        for line in captured.lines() {
            let request: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let body = request["body"].as_str().expect("a body").as_bytes();
            // A redirect is followed as a GET without a body.
            if request["raw_request_line"].as_str().is_some_and(|line| line.starts_with("GET")) {
                assert_eq!(notification_name(body), Err(NoNotification));
            } else {
                names.insert(notification_name(body).expect("a name").to_owned());
            }
        }
        assert!(names.contains("3c9888ae-6b74-4745-b82d-2776547356dc"), "{names:?}");
    }

    #[test]
    fn what_is_no_notification_is_refused() {
        for body in [
            "",
            "{}",
            "{nope",
            r#"{"Notification":{}}"#,
            r#"{"Notification":{"Name":""}}"#,
            r#"{"Notification":{"Name":17}}"#,
            r#"{"Notification":{"Name":"../layers/x"}}"#,
            r#"{"notification_id":"3c9888ae-6b74-4745-b82d-2776547356dc","callback":"http://a"}"#,
        ] {
            assert_eq!(notification_name(body.as_bytes()), Err(NoNotification), "{body}");
        }
    }

    #[test]
    fn bounds_hold_at_their_edges() {
        let named = |bytes: usize| format!(r#"{{"Notification":{{"Name":"{}"}}}}"#, "a".repeat(bytes));
        assert!(notification_name(named(MAX_NAME_BYTES).as_bytes()).is_ok());
        assert!(notification_name(named(MAX_NAME_BYTES + 1).as_bytes()).is_err());
        let body = named(1);
        let padded = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
        assert!(notification_name(padded(MAX_WEBHOOK_BYTES).as_bytes()).is_ok());
        assert!(notification_name(padded(MAX_WEBHOOK_BYTES + 1).as_bytes()).is_err());
    }
}
