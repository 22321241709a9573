//! What a store is to hold.

use std::collections::BTreeSet;

use cve_monitor_scanner::advisory::ShrinkPolicy;

use crate::embedded::advisories::{AdvisorySource, Progress};

/// What a store is to hold.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Where advisories come from. Folders and archives are taken whole.
    pub sources: Vec<AdvisorySource>,
    /// What mirrors are asked for.
    pub ecosystems: Ecosystems,
    /// When a source that has shrunk is refused.
    pub policy: ShrinkPolicy,
    /// No mirror will ever be asked: what is not kept counts as not offered, instead of as not yet there.
    pub is_cut_off: bool,
}

/// Which ecosystems mirrors are asked for, by the names of their exports, such as `Debian`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ecosystems {
    /// These. All of them have to be there.
    Listed(BTreeSet<String>),
    /// These besides those that were asked for before. One that a mirror does not have is remembered as such.
    AsNeeded(BTreeSet<String>),
}

impl Default for Ecosystems {
    fn default() -> Self {
        Self::AsNeeded(BTreeSet::new())
    }
}

/// For which ecosystems a mirror is asked whether it has anything newer than what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// For all.
    All,
    /// For these; of the others what is kept is used as it is, and only what is not kept is fetched.
    Only(BTreeSet<String>),
}

/// What an update is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Another process is at it: that one is waited for.
    Busy,
    /// A mirror is asked.
    Asking {
        /// The mirror.
        source: &'a AdvisorySource,
        /// For what.
        ecosystem: &'a str,
    },
    /// An archive is transferred.
    Transferring(Progress<'a>),
    /// Everything is compiled.
    Compiling,
}

impl Order {
    /// Whether there is anything to wait for: without a mirror everything that can be had is there.
    pub(super) fn is_as_needed(&self) -> bool {
        let mut sources = self.sources.iter();
        matches!(self.ecosystems, Ecosystems::AsNeeded(_))
            && sources.any(|source| matches!(source, AdvisorySource::Mirror(_)))
    }

    /// Whoever accepts that an ecosystem shrinks accepts it of each mirror.
    pub(super) fn policy(&self) -> ShrinkPolicy {
        let mut policy = self.policy.clone();
        let mirrors = self.sources.iter().filter(|source| matches!(source, AdvisorySource::Mirror(_)));
        for mirror in mirrors {
            let of_mirror = self.policy.accepted.iter().map(|name| format!("{mirror}/{name}"));
            policy.accepted.extend(of_mirror);
        }
        policy
    }
}

impl Ask {
    pub(super) fn is_for(&self, ecosystem: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.contains(ecosystem),
        }
    }
}
