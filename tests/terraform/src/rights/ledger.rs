//! The ledger of rights, `calls.toml`: which call needs which right, on what, for which program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use super::call_sites::{CallSites, FOLDER};
use super::statements::Statement;
use crate::Problem;

const TEXT: &str = include_str!("../../calls.toml");

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// Works through the queue.
    Ingest,
    /// Follows what the scanner has learnt, and wakes what waits.
    Notifier,
    /// Compares registries with what is known.
    Reconciler,
    /// What a person runs.
    Commands,
    /// `cve-monitor aws init`.
    Init,
}

impl Program {
    /// Those that terraform makes a role for.
    pub const WITH_ROLES: [Self; 3] = [Self::Ingest, Self::Notifier, Self::Reconciler];

    /// As terraform and the documentation name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Notifier => "notifier",
            Self::Reconciler => "reconciler",
            Self::Commands => "commands",
            Self::Init => "init",
        }
    }
}

/// An action on something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// As in `sqs:SendMessage`.
    pub action: String,
    /// In the words of the ledger, as in `lanes`; empty where it does not matter.
    pub on: String,
}

impl Right {
    pub(super) fn anywhere(action: &str) -> Self {
        Self { action: action.to_owned(), on: String::new() }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, on } = self;
        if on.is_empty() { write!(f, "{action}") } else { write!(f, "{action} on {on}") }
    }
}

/// The rights that terraform is to grant a program.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn rights_of(program: Program) -> Result<BTreeSet<Right>, String> {
    Ok(Ledger::read()?.needed(program))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    resources: BTreeMap<String, String>,
    call: Vec<Call>,
    besides: Vec<Needed>,
    policy: Vec<Policy>,
    managed: Vec<Managed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    file: String,
    call: String,
    #[serde(default = "once")]
    times: usize,
    rights: Vec<Needed>,
}

const fn once() -> usize {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Needed {
    action: String,
    #[serde(default)]
    on: Vec<String>,
    #[serde(default)]
    by: Vec<Program>,
    /// Who needs it under a configuration that terraform does not write.
    #[serde(default)]
    documented: Vec<Program>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    document: String,
    actions: BTreeSet<String>,
    #[expect(dead_code, reason = "for those who read the list")]
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Managed {
    policy: String,
    #[expect(dead_code, reason = "for those who read the list")]
    why: String,
}

impl Ledger {
    pub(super) fn read() -> Result<Self, String> {
        let ledger: Self = toml::from_str(TEXT).map_err(|error| format!("calls.toml: {error}"))?;
        let named = ledger.all().flat_map(|needed| &needed.on);
        match named.filter(|on| !ledger.resources.contains_key(*on)).min() {
            Some(unknown) => Err(format!("calls.toml: [resources] does not say what `{unknown}` is")),
            None => Ok(ledger),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Needed> {
        self.call.iter().flat_map(|call| &call.rights).chain(&self.besides)
    }

    /// What terraform is to grant a program.
    pub(super) fn needed(&self, program: Program) -> BTreeSet<Right> {
        let needed = self.all().filter(|needed| needed.by.contains(&program));
        let right = |action: &str, on: &String| Right { action: action.to_owned(), on: on.clone() };
        needed.flat_map(|needed| needed.on.iter().map(|on| right(&needed.action, on))).collect()
    }

    /// The actions that a program is documented to need.
    pub(super) fn documented(&self, program: Program) -> BTreeSet<&str> {
        let needed =
            self.all().filter(|needed| needed.by.contains(&program) || needed.documented.contains(&program));
        needed.map(|needed| needed.action.as_str()).collect()
    }

    /// What is granted, in the ledger's words.
    pub(super) fn named(&self, statements: &[Statement]) -> BTreeSet<Right> {
        let name = |written: &String| {
            let known = self.resources.iter().find(|(_, text)| *text == written);
            known.map_or_else(|| written.clone(), |(name, _)| name.clone())
        };
        let rights = |statement: &Statement| -> Vec<Right> {
            let on = statement.resources.iter().map(name);
            on.flat_map(|on| {
                statement.actions.iter().map(move |action| Right { action: action.clone(), on: on.clone() })
            })
            .collect()
        };
        statements.iter().flat_map(rights).collect()
    }

    /// Every call is in the ledger as often as in the code, and the other way round.
    pub(super) fn against_calls(&self, sites: &CallSites) -> Vec<Problem> {
        let mut listed = CallSites::new();
        for Call { file, call, times, .. } in &self.call {
            *listed.entry((file.clone(), call.clone())).or_default() += times;
        }
        let mut found = vec![];
        let keys: BTreeSet<_> = listed.keys().chain(sites.keys()).collect();
        for key in keys {
            let [expected, there] = [&listed, sites].map(|all| all.get(key).copied().unwrap_or(0));
            let (file, call) = key;
            let place = format!("{FOLDER}/{file}");
            if there != expected {
                found.push(Problem::new(
                    place,
                    format!(
                        "`{call}` is called {there} times, and calls.toml has {expected}: say there which rights it needs \
                         and which program calls it"
                    ),
                ));
            }
        }
        found
    }

    /// What is done in registries of other accounts.
    pub(super) fn read_elsewhere(&self) -> BTreeSet<&str> {
        let of_images = self.all().filter(|needed| needed.on.iter().any(|on| on == "images"));
        of_images.map(|needed| needed.action.as_str()).collect()
    }

    /// What the policy of somebody else is to allow.
    pub(super) fn policy(&self, document: &str) -> Option<BTreeSet<&str>> {
        let policy = self.policy.iter().find(|policy| policy.document == document)?;
        Some(policy.actions.iter().map(String::as_str).collect())
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = &str> {
        self.policy.iter().map(|policy| policy.document.as_str())
    }

    pub(super) fn managed(&self) -> impl Iterator<Item = &str> {
        self.managed.iter().map(|managed| managed.policy.as_str())
    }
}
