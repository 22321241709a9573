//! What the model scanner knows: advisories, generation by generation, and the packages of the layers it has read.

use std::collections::{BTreeMap, BTreeSet};

use super::super::locked::Locked;
use crate::vocabulary::{Digest, Generation, ImageId, KnowledgeId, LayerKey, Severity};

/// The kind of package that the model scanner reads.
pub(super) const READ_KIND: &str = "deb";

/// An advisory of the model: it affects every installed version of the package but the one that repairs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelAdvisory {
    /// The CVE.
    pub name: String,
    /// The package.
    pub package: String,
    /// The version that repairs it.
    pub fixed_by: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// A text; editing it alone is no change.
    pub description: String,
}

impl ModelAdvisory {
    /// A high advisory without a fix.
    #[must_use]
    pub fn new(name: &str, package: &str) -> Self {
        Self {
            name: name.to_owned(),
            package: package.to_owned(),
            fixed_by: None,
            severity: Severity::High,
            description: format!("{name} in {package}"),
        }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        Self { description: String::new(), ..self.clone() }
            == Self { description: String::new(), ..other.clone() }
    }
}

/// The bytes of a layer in which these packages are installed: what the model scanner can read. A line is
/// `KIND NAME VERSION`; kinds other than `deb` are present but unread, other lines make the layer unreadable.
#[must_use]
pub fn layer_of(packages: &[(&str, &str)]) -> Vec<u8> {
    let lines: String =
        packages.iter().map(|(name, version)| format!("{READ_KIND} {name} {version}\n")).collect();
    lines.into_bytes()
}

/// The data that a [`ModelScanner`](super::ModelScanner) and a [`ModelFeed`](super::ModelFeed) share.
#[derive(Debug, Default)]
pub struct ModelKnowledge(pub(super) Locked<Facts>);

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Each state of knowledge; the first is generation 1. None until something was learnt.
    generations: Vec<BTreeMap<String, ModelAdvisory>>,
    /// States up to this one are forgotten by the feed.
    forgotten: u64,
    pub(super) layers: BTreeMap<Digest, LayerFacts>,
    pub(super) images: BTreeMap<ImageId, Vec<Digest>>,
}

/// What was read out of a layer.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerFacts {
    pub(super) packages: Vec<(String, String)>,
    pub(super) unread_kinds: BTreeSet<String>,
    pub(super) problem: Option<String>,
}

impl LayerFacts {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut facts = Self::default();
        let Ok(text) = std::str::from_utf8(bytes) else {
            facts.problem = Some("it is not text".to_owned());
            return facts;
        };
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                [READ_KIND, name, version] => facts.packages.push((name.to_owned(), version.to_owned())),
                [kind, _, _] => drop(facts.unread_kinds.insert(kind.to_owned())),
                _ => facts.problem = Some("a line is not KIND NAME VERSION".to_owned()),
            }
        }
        facts
    }
}

impl Facts {
    pub(super) fn latest(&self) -> u64 {
        self.generations.len() as u64
    }

    pub(super) fn advisories(&self, generation: u64) -> Option<&BTreeMap<String, ModelAdvisory>> {
        let index = usize::try_from(generation.checked_sub(1)?).ok()?;
        self.generations.get(index)
    }

    pub(super) fn remembers(&self, generation: u64) -> bool {
        generation > self.forgotten && generation <= self.latest()
    }

    /// The keys of the layers with a package that an advisory speaks about differently in the two states.
    pub(super) fn changed_keys(&self, from: u64, to: u64) -> BTreeSet<LayerKey> {
        let none = BTreeMap::new();
        let old = self.advisories(from).unwrap_or(&none);
        let new = self.advisories(to).unwrap_or(&none);
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let packages: BTreeSet<&str> = names
            .into_iter()
            .filter_map(|name| match (old.get(name), new.get(name)) {
                (Some(one), Some(other)) if one.says_the_same(other) => None,
                (one, other) => Some([one, other]),
            })
            .flatten()
            .flatten()
            .map(|advisory| advisory.package.as_str())
            .collect();
        let affected = self.layers.iter().filter(|(_, layer)| {
            layer.packages.iter().any(|(package, _)| packages.contains(package.as_str()))
        });
        affected.map(|(digest, _)| LayerKey(digest.to_string())).collect()
    }

    /// What identifies a state: two states that say the same have the same id.
    pub(super) fn id(&self, generation: u64) -> Option<KnowledgeId> {
        let advisories = self.advisories(generation)?;
        Some(KnowledgeId(Digest::of(format!("{advisories:?}").as_bytes()).hex()[..32].to_owned()))
    }
}

impl ModelKnowledge {
    /// Nothing learnt yet: the scanner is loading.
    #[must_use]
    pub fn loading() -> Self {
        Self::default()
    }

    /// Loaded, with no advisory: generation 1.
    #[must_use]
    pub fn empty() -> Self {
        let knowledge = Self::default();
        knowledge.publish(vec![]);
        knowledge
    }

    /// The next state: as the last, with these advisories added or replaced.
    pub fn publish(&self, advisories: Vec<ModelAdvisory>) -> Generation {
        self.next(|state| state.extend(advisories.into_iter().map(|a| (a.name.clone(), a))))
    }

    /// The next state: as the last, without this advisory.
    pub fn withdraw(&self, name: &str) -> Generation {
        self.next(|state| drop(state.remove(name)))
    }

    /// The next state: as the last, with another text for an advisory.
    pub fn edit_text(&self, name: &str, description: &str) -> Generation {
        self.next(|state| {
            if let Some(advisory) = state.get_mut(name) {
                description.clone_into(&mut advisory.description);
            }
        })
    }

    /// The latest state; none while loading.
    #[must_use]
    pub fn latest(&self) -> Option<Generation> {
        Some(self.0.lock().latest()).filter(|latest| *latest > 0).map(Generation)
    }

    /// The feed forgets this state and all before it: a cursor there leads to a gap.
    pub fn forget_up_to(&self, generation: Generation) {
        let mut facts = self.0.lock();
        facts.forgotten = facts.forgotten.max(generation.0);
    }

    fn next(&self, change: impl FnOnce(&mut BTreeMap<String, ModelAdvisory>)) -> Generation {
        let mut facts = self.0.lock();
        let mut state = facts.generations.last().cloned().unwrap_or_default();
        change(&mut state);
        facts.generations.push(state);
        Generation(facts.latest())
    }
}
