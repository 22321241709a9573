//! What Clair says in its errors, fit to be repeated.

use std::borrow::Cow;

use serde::Deserialize;

/// How much of a foreign text is repeated, in characters.
const MAX_QUOTED: usize = 600;

/// Both versions' envelopes: `{"code","message"}` of v4, `{"Error":{"Message"}}` of v2.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "Error")]
    error: Option<Inner<'a>>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow, default, rename = "Message")]
    message: Option<Cow<'a, str>>,
}

/// The message in an error's body, else its beginning; bounded, without control characters and without queries.
pub(super) fn message(body: &[u8]) -> String {
    let envelope = serde_json::from_slice::<Envelope<'_>>(body).ok();
    let said = envelope.and_then(|all| all.message.or_else(|| all.error.and_then(|inner| inner.message)));
    quoted(&said.unwrap_or_else(|| String::from_utf8_lossy(body)))
}

/// A foreign text; bounded, without control characters and without queries.
pub(in crate::clair) fn quoted(text: &str) -> String {
    let text: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    without_queries(&text).chars().take(MAX_QUOTED).collect()
}

/// Clair quotes the addresses that it fetches layers from, and the query of a pre-signed one is a credential. An address
/// ends at a space or a quotation mark: whatever else seems to end it may stand in its query, also as JSON escapes it
/// (`\u0026`) in a body that was cut.
fn without_queries(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at);
        kept.push_str(before);
        let end = address.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(address.len());
        let (address, after) = address.split_at(end);
        match address.split_once('?') {
            Some((bare, _)) => kept.extend([bare, "?…"]),
            None => kept.push_str(address),
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_envelopes_and_plain_texts_are_read() {
        for (body, expected) in [
            (r#"{"code":"not-found","message":"no such thing"}"#, "no such thing"),
            (r#"{"Error":{"Message":"could not find layer"}}"#, "could not find layer"),
            ("404 page not found\n", "404 page not found"),
            (r#"{"code":"internal-error"}"#, r#"{"code":"internal-error"}"#),
            ("", ""),
        ] {
            assert_eq!(message(body.as_bytes()), expected);
        }
        assert_eq!(message("x".repeat(10_000).as_bytes()).len(), MAX_QUOTED);
        assert_eq!(message(b"one\ntwo"), "one two");
    }

    #[test]
    fn signatures_in_addresses_are_not_repeated() {
        let said = r#"{"message":"Get \"https://b.example/l?X-Sig=s3cret&e=1\": EOF, http://c/?s3cret"}"#;
        assert_eq!(message(said.as_bytes()), r#"Get "https://b.example/l?…": EOF, http://c/?…"#);
        assert_eq!(message(b"what? https://a/b ok?"), "what? https://a/b ok?");
    }

    #[test]
    fn no_part_of_a_query_is_repeated_of_a_body_that_was_cut() {
        let whole =
            r#"{"code":"x","message":"Get \"https://b.example/l?a=1\u0026X-Amz-Signature=s3cret\": EOF"}"#;
        for end in 0..=whole.len() {
            let said = message(&whole.as_bytes()[..end]);
            assert!(!said.contains("Signature") && !said.contains("s3cret"), "{said}");
        }
        for text in [
            "Get https://b/l?a=1&X-Amz-Signature=s3cret: EOF",
            "https://b/l?a='x'&sig=s3cret",
            r"body starts: https://b/a\u0026b?a=1\\u0026sig=s3cret",
            "http://c/?<`>s3cret",
        ] {
            assert!(!quoted(text).contains("s3cret"), "{}", quoted(text));
            assert_eq!(quoted(&quoted(text)), quoted(text));
        }
    }
}
