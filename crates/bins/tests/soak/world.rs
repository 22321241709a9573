//! A registry that people push to and delete from, with announcements that may get lost, and advisories that change.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::{Value, json};
use xtask::registry::Registry;

use crate::bench::chance::Chance;
use crate::bench::{Bench, ask, examples, try_ask};
use crate::ledger::Fate;

pub(crate) const REPOSITORY: &str = "team/app";
const TAGS: [&str; 3] = ["debian-base", "distroless", "debian-node"];
/// How many images live at once, at most.
const MAX_LIVE: usize = 24;

/// What happened, counted.
#[derive(Debug, Default)]
pub(crate) struct Happened {
    pub(crate) pushes: u64,
    pub(crate) deletions: u64,
    pub(crate) changes: u64,
    pub(crate) announced: u64,
    pub(crate) unannounced: u64,
}

pub(crate) struct World {
    registry: Registry,
    /// Manifests by digest, of those that are there and of those that were.
    live: BTreeMap<String, Vec<u8>>,
    deleted: BTreeMap<String, Vec<u8>>,
    /// Those that the registry has been without.
    were_deleted: BTreeSet<String>,
    state: &'static str,
    pub(crate) happened: Happened,
}

impl World {
    /// A registry that has the layers of the examples already.
    pub(crate) fn raise(bench: &Bench) -> Self {
        let registry = Registry::start(&bench.path("registry")).unwrap();
        for tag in TAGS {
            registry.push(&examples().join("images"), tag, &format!("{REPOSITORY}:{tag}")).unwrap();
        }
        let mut live = BTreeMap::new();
        for tag in TAGS {
            let digest = Bench::example(tag)["digest"].as_str().unwrap().to_owned();
            let hex = digest.trim_start_matches("sha256:");
            let bytes = std::fs::read(examples().join("images/blobs/sha256").join(hex)).unwrap();
            live.insert(digest, bytes);
        }
        let happened = Happened::default();
        let (deleted, were_deleted) = (BTreeMap::new(), BTreeSet::new());
        Self { registry, live, deleted, were_deleted, state: "first", happened }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.registry.address
    }

    /// The digests of the images that are there.
    pub(crate) fn live(&self) -> Vec<String> {
        self.live.keys().cloned().collect()
    }

    /// Every image that ever was there, and what was done to it.
    pub(crate) fn fates(&self) -> impl Iterator<Item = (&str, Fate)> {
        self.live.keys().chain(self.deleted.keys()).map(|digest| {
            let (is_there, was_deleted) =
                (self.live.contains_key(digest), self.were_deleted.contains(digest));
            (digest.as_str(), Fate { is_there, was_deleted })
        })
    }

    /// The next thing that people do.
    pub(crate) fn go_on(&mut self, bench: &Bench, chance: &mut Chance, announce_at: SocketAddr) {
        match chance.below(20) {
            0..=8 if self.live.len() < MAX_LIVE => self.push(bench, chance, announce_at),
            0..=12 if self.live.len() > 1 => self.delete(chance, announce_at),
            13 => self.change(bench),
            _ => {}
        }
    }

    /// A new image, or one that was deleted, again.
    fn push(&mut self, bench: &Bench, chance: &mut Chance, announce_at: SocketAddr) {
        let again = chance.below(4) == 0 && !self.deleted.is_empty();
        let (digest, manifest) = if again {
            let digest = self.deleted.keys().nth(chance.index(self.deleted.len())).unwrap().clone();
            self.deleted.remove_entry(&digest).unwrap()
        } else {
            let entry = bench.variant(TAGS[chance.index(TAGS.len())], self.happened.pushes);
            let digest = entry["digest"].as_str().unwrap().to_owned();
            let path = bench.path("layout/blobs/sha256").join(digest.trim_start_matches("sha256:"));
            (digest, std::fs::read(path).unwrap())
        };
        let text = String::from_utf8(manifest.clone()).unwrap();
        let kind = serde_json::from_str::<Value>(&text).unwrap()["mediaType"].as_str().unwrap().to_owned();
        let path = format!("/v2/{REPOSITORY}/manifests/{}", &digest[7..19]);
        let answer =
            ask(&self.address().to_string(), "PUT", &path, &format!("Content-Type: {kind}\r\n"), &text);
        assert_eq!(answer.0, 201, "{}", answer.1);
        self.happened.pushes += 1;
        self.announce(chance, announce_at, "push", &digest, &kind);
        self.live.insert(digest, manifest);
    }

    fn delete(&mut self, chance: &mut Chance, announce_at: SocketAddr) {
        let digest = self.live.keys().nth(chance.index(self.live.len())).unwrap().clone();
        let path = format!("/v2/{REPOSITORY}/manifests/{digest}");
        let answer = ask(&self.address().to_string(), "DELETE", &path, "", "");
        assert_eq!(answer.0, 202, "{}", answer.1);
        self.happened.deletions += 1;
        self.announce(chance, announce_at, "delete", &digest, "");
        let manifest = self.live.remove(&digest).unwrap();
        self.were_deleted.insert(digest.clone());
        self.deleted.insert(digest, manifest);
    }

    /// One in four is never announced; others twice, or to a notifier that is not there.
    fn announce(&mut self, chance: &mut Chance, at: SocketAddr, action: &str, digest: &str, kind: &str) {
        let id = format!("{}-{action}-{digest}", self.happened.pushes + self.happened.deletions);
        let target = json!({ "mediaType": kind, "repository": REPOSITORY, "digest": digest });
        let body = json!({ "events": [{ "id": id, "action": action, "target": target }] }).to_string();
        for _ in 0..[0, 1, 1, 2][chance.index(4)] {
            let answer = try_ask(&at.to_string(), "POST", "/webhooks/distribution", "", &body);
            if answer.is_ok_and(|(status, _)| status == 202) {
                self.happened.announced += 1;
            } else {
                self.happened.unannounced += 1;
            }
        }
    }

    /// The other state of the advisories. Who brings it in may fail: the disk is full, say.
    fn change(&mut self, bench: &Bench) {
        self.state = if self.state == "first" { "second" } else { "first" };
        bench.advisories(self.state);
        self.happened.changes += 1;
    }
}
