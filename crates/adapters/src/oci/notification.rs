//! What a Distribution server posts when something is pushed or deleted (distribution, "Work with notifications":
//! `application/vnd.docker.distribution.events.v2+json`), read as requests.
//!
//! A notification is a hint: a push asks for a scan, a deletion asks to look whether the image is still there.
//! The server repeats an envelope until it is answered with success, and keeps every later one waiting: so one
//! event that makes no sense is set aside by name, and only an envelope that is none at all is refused.

use cve_monitor_core::vocabulary::{
    Cause, Digest, ImageId, MediaType, RegistryName, RepositoryName, RequestId, ScanRequest, Tag,
};
use serde::Deserialize;

/// The media types of the envelope, the same under both names: distribution before and since its version 3.
pub const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.docker.distribution.events.v1+json",
    "application/vnd.docker.distribution.events.v2+json",
];
/// The longest envelope that is read, in bytes.
pub const MAX_NOTIFICATION_BYTES: usize = 4 * 1024 * 1024;
/// The most events of one envelope; the server sends one at a time unless it was waiting.
pub const MAX_EVENTS: usize = 10_000;
/// How much of a foreign text an error repeats, in characters.
const MAX_QUOTED: usize = 96;

/// What an envelope asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notification {
    /// The requests, in the order of their events. The same envelope again gives the same requests.
    pub requests: Vec<ScanRequest>,
    /// Events about manifests that cannot be read: what is wrong with each.
    pub refused: Vec<String>,
}

/// Why a body is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Longer than [`MAX_NOTIFICATION_BYTES`].
    #[error("the notification is {0} bytes long; at most {MAX_NOTIFICATION_BYTES} are read")]
    TooLong(usize),
    /// More than [`MAX_EVENTS`].
    #[error("the notification carries {0} events; at most {MAX_EVENTS} are read")]
    TooMany(usize),
    /// Not an envelope.
    #[error("the body is no envelope of registry events ({why}); expected {}", MEDIA_TYPES[1])]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Deserialize)]
struct Envelope {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    target: Target,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    media_type: String,
    digest: String,
    repository: String,
    tag: String,
}

/// Reads an envelope that a registry of this name posted.
///
/// # Errors
/// Where the body is too long, carries too many events, or is no envelope.
pub fn parse(body: &[u8], registry: &RegistryName) -> Result<Notification, NotificationError> {
    if body.len() > MAX_NOTIFICATION_BYTES {
        return Err(NotificationError::TooLong(body.len()));
    }
    let envelope: Envelope =
        serde_json::from_slice(body).map_err(|e| NotificationError::Malformed { why: e.to_string() })?;
    if envelope.events.len() > MAX_EVENTS {
        return Err(NotificationError::TooMany(envelope.events.len()));
    }
    let mut notification = Notification::default();
    for event in envelope.events {
        match event.request(registry) {
            Some(Ok(request)) => notification.requests.push(request),
            Some(Err(reason)) => notification.refused.push(reason),
            None => {}
        }
    }
    Ok(notification)
}

impl Event {
    /// The request of this event; none where it is not about a manifest that came or went.
    fn request(&self, registry: &RegistryName) -> Option<Result<ScanRequest, String>> {
        let target = &self.target;
        let is_manifest = MediaType::ACCEPTED.contains(&target.media_type.as_str());
        let push = match self.action.as_str() {
            "push" if is_manifest => true,
            // The server does not say what was deleted: without a media type it may have been a manifest. The
            // deletion of a tag alone carries no digest and deletes no image.
            "delete" if (is_manifest || target.media_type.is_empty()) && !target.digest.is_empty() => false,
            _ => return None,
        };
        Some(self.read(registry, push))
    }

    fn read(&self, registry: &RegistryName, push: bool) -> Result<ScanRequest, String> {
        let target = &self.target;
        let refuse = |why: String| {
            let id: String = self.id.chars().take(MAX_QUOTED).collect();
            format!("event `{id}`: {why}")
        };
        let repository: RepositoryName = target.repository.parse().map_err(|e| refuse(format!("{e}")))?;
        let digest: Digest = target.digest.parse().map_err(|e| refuse(format!("{e}")))?;
        let cause = if push {
            let tag = match target.tag.as_str() {
                "" => None,
                tag => Some(tag.parse::<Tag>().map_err(|e| refuse(format!("{e}")))?),
            };
            Cause::Push { tag }
        } else {
            Cause::Absence
        };
        // An event without an id is told from others by what it says.
        let told = if self.id.is_empty() { &self.timestamp } else { &self.id };
        let id = RequestId::derived(&[
            "distribution",
            registry.as_str(),
            told,
            &self.action,
            repository.as_str(),
            digest.as_str(),
        ]);
        let image = ImageId { registry: registry.clone(), repository, digest };
        Ok(ScanRequest { id, image, cause, at_least: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> RegistryName {
        "registry.example:5000".parse().unwrap()
    }

    fn event(action: &str, target: &str) -> String {
        format!(
            r#"{{"id":"1","timestamp":"2026-03-01T12:00:00Z","action":"{action}","target":{{{target}}}}}"#
        )
    }

    fn envelope(events: &[String]) -> Vec<u8> {
        format!(r#"{{"events":[{}]}}"#, events.join(",")).into_bytes()
    }

    fn manifest_target(repository: &str, digest: &str, tag: &str) -> String {
        format!(
            r#""mediaType":"{}","repository":"{repository}","digest":"{digest}","tag":"{tag}""#,
            MediaType::OCI_MANIFEST
        )
    }

    #[test]
    fn pulls_blobs_and_deleted_tags_ask_for_nothing() {
        let digest = Digest::of(b"m");
        let blob = format!(r#""mediaType":"application/octet-stream","repository":"a","digest":"{digest}""#);
        let body = envelope(&[
            event("pull", &manifest_target("a", digest.as_str(), "")),
            event("push", &blob),
            event("delete", &blob),
            event("mount", &manifest_target("a", digest.as_str(), "")),
            event("delete", r#""repository":"a","tag":"gone""#),
            "{}".to_owned(),
        ]);
        assert_eq!(parse(&body, &registry()), Ok(Notification::default()));
    }

    #[test]
    fn of_an_id_so_much_is_repeated_and_no_more() {
        for length in [MAX_QUOTED, MAX_QUOTED + 1] {
            let event = event("push", &manifest_target("NO NAME", Digest::of(b"m").as_str(), ""));
            let body =
                envelope(&[event.replace(r#""id":"1""#, &format!(r#""id":"{}""#, "#".repeat(length)))]);
            let refused = parse(&body, &registry()).unwrap().refused.remove(0);
            assert_eq!(refused.matches('#').count(), MAX_QUOTED, "{refused}");
        }
    }

    #[test]
    fn a_deletion_asks_whether_the_image_is_still_there() {
        let target = format!(r#""repository":"a/b","digest":"{}""#, Digest::of(b"m"));
        let read = parse(&envelope(&[event("delete", &target)]), &registry()).unwrap();
        assert_eq!(read.requests.first().map(|r| r.cause.clone()), Some(Cause::Absence));
    }

    #[test]
    fn the_same_event_is_the_same_request_and_another_is_not() {
        let of = |id: &str, digest: &[u8]| {
            let target = manifest_target("a", Digest::of(digest).as_str(), "t");
            let body = envelope(&[event("push", &target).replace(r#""id":"1""#, &format!(r#""id":"{id}""#))]);
            parse(&body, &registry()).unwrap().requests.remove(0).id
        };
        assert_eq!(of("1", b"m"), of("1", b"m"));
        assert_ne!(of("1", b"m"), of("2", b"m"));
        assert_ne!(of("", b"m"), of("", b"n"));
    }

    #[test]
    fn an_event_that_makes_no_sense_is_set_aside_and_the_others_count() {
        let good = Digest::of(b"m");
        let body = envelope(&[
            event("push", &manifest_target("UPPER", good.as_str(), "t")),
            event("push", &manifest_target("a", "sha256:12", "t")),
            event("push", &manifest_target("a", good.as_str(), "no tag")),
            event("push", &manifest_target("a", good.as_str(), "t")),
        ]);
        let read = parse(&body, &registry()).unwrap();
        assert_eq!((read.requests.len(), read.refused.len()), (1, 3));
        assert!(read.refused[0].contains("`UPPER` is not a repository name"), "{:?}", read.refused);
    }

    #[test]
    fn bounds_hold_at_their_edge_and_garbage_is_refused() {
        let events = |n: usize| envelope(&vec!["{}".to_owned(); n]);
        assert!(parse(&events(MAX_EVENTS), &registry()).is_ok());
        assert_eq!(
            parse(&events(MAX_EVENTS + 1), &registry()),
            Err(NotificationError::TooMany(MAX_EVENTS + 1))
        );
        let padded = |len: usize| {
            let mut body = br#"{"events":[]}"#.to_vec();
            body.resize(len, b' ');
            body
        };
        assert!(parse(&padded(MAX_NOTIFICATION_BYTES), &registry()).is_ok());
        assert_eq!(
            parse(&padded(MAX_NOTIFICATION_BYTES + 1), &registry()),
            Err(NotificationError::TooLong(MAX_NOTIFICATION_BYTES + 1))
        );
        for bad in ["", "{}", "[]", r#"{"events":7}"#] {
            assert!(
                matches!(parse(bad.as_bytes(), &registry()), Err(NotificationError::Malformed { .. })),
                "{bad}"
            );
        }
    }
}
