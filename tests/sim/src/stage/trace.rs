//! What happened, in order: always as a hash, and as a story where one is asked for.

use cve_monitor_core::vocabulary::Timestamp;

/// The hash of a run, and its story.
#[derive(Debug)]
pub(crate) struct Trace {
    began: Timestamp,
    hash: u64,
    story: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(began: Timestamp, keeps_story: bool) -> Self {
        Self { began, hash: 0xCBF2_9CE4_8422_2325, story: keeps_story.then(Vec::new) }
    }

    pub(crate) fn note(&mut self, now: Timestamp, who: u64, code: u64, tell: impl FnOnce() -> String) {
        let millis = u64::try_from(now.since(self.began).as_millis()).unwrap_or(u64::MAX);
        for part in [millis, who, code] {
            self.hash = fold(self.hash, part);
        }
        if let Some(story) = &mut self.story {
            let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
            let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
            let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
            story.push(format!("{days}d {hours:02}:{minutes:02}:{seconds:02}.{millis:03}  {}", tell()));
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn take_story(&mut self) -> Vec<String> {
        self.story.take().unwrap_or_default()
    }
}

/// FNV-1a, eight bytes at a time.
fn fold(hash: u64, part: u64) -> u64 {
    (hash ^ part).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23)
}

/// The code of a name in the hash.
pub(crate) fn code_of(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| fold(hash, u64::from(byte)))
}
