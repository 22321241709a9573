//! Clair's webhook as a doorbell. It says that there may be something to read, never what: so one that is repeated,
//! replayed or made up costs a read of the feed, and one that is lost costs the time to the next poll.

use serde::Deserialize;

/// The longest body of a webhook, in bytes. Clair's has some 200.
const MAX_BELL_BYTES: usize = 16 * 1024;
/// The longest name of a notification that is passed on, in bytes: a UUID has 36.
const MAX_NAME_BYTES: usize = 64;

/// A webhook that may wake the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bell {
    /// The notification's name, for logs: hexadecimal digits and hyphens. Nothing is read by it.
    pub notification: String,
}

/// The body is something else. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the body is not that of a webhook of Clair v4: expected {{\"callback\": …, \"notification_id\": …}}"
)]
pub struct InvalidBell;

/// Reads the body of a webhook of Clair v4 (clair, notifier/webhook: `{"callback": …, "notification_id": …}`).
///
/// # Errors
/// Where it is something else.
pub fn parse_bell(body: &[u8]) -> Result<Bell, InvalidBell> {
    #[derive(Deserialize)]
    struct Body {
        notification_id: String,
    }
    if body.len() > MAX_BELL_BYTES {
        return Err(InvalidBell);
    }
    let Body { notification_id: notification } = serde_json::from_slice(body).map_err(|_| InvalidBell)?;
    let is_of_uuid = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let fits = !notification.is_empty() && notification.len() <= MAX_NAME_BYTES;
    if fits && notification.bytes().all(is_of_uuid) { Ok(Bell { notification }) } else { Err(InvalidBell) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a Clair 4.9.0 sent it.
    const BODY: &str = r#"{"callback":"http://127.0.0.1:16060/notifier/api/v1/notification/17772e96-73d3-4329-b4b9-c971a4c27ce6","notification_id":"17772e96-73d3-4329-b4b9-c971a4c27ce6"}"#;

    #[test]
    fn clairs_webhook_is_read() {
        let bell = parse_bell(BODY.as_bytes()).map(|bell| bell.notification);
        assert_eq!(bell.as_deref(), Ok("17772e96-73d3-4329-b4b9-c971a4c27ce6"));
    }

    #[test]
    fn what_is_no_webhook_is_refused() {
        for body in ["", "null", "{}", r#"{"Notification":{"Name":"v2"}}"#, r#"{"notification_id":7}"#] {
            assert_eq!(parse_bell(body.as_bytes()), Err(InvalidBell), "{body}");
        }
        let long = |bytes: usize| {
            let (before, after) = (r#"{"notification_id":"a","x":""#, r#""}"#);
            format!("{before}{}{after}", "x".repeat(bytes - before.len() - after.len()))
        };
        let named = |name: &str| format!(r#"{{"notification_id":"{name}"}}"#);
        for (body, is_read) in [
            (long(MAX_BELL_BYTES), true),
            (long(MAX_BELL_BYTES + 1), false),
            (named(&"a".repeat(MAX_NAME_BYTES)), true),
            (named(&"a".repeat(MAX_NAME_BYTES + 1)), false),
            (named(""), false),
            (named("../x"), false),
        ] {
            assert_eq!(parse_bell(body.as_bytes()).is_ok(), is_read, "{} bytes", body.len());
        }
    }
}
