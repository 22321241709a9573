//! Rights: that actions exist and are named in full, and that the policies are what the adapters call, both ways.

mod call_sites;
mod documented;
mod ledger;
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

pub use self::ledger::{Program, Right, rights_of};
use self::statements::{Document, Policies, Statement};
use crate::Problem;
use crate::code::Code;
use crate::module::{Module, Modules, attribute};

/// Every action of the services that are used.
const ACTIONS: &str = include_str!("../actions.json");
/// Documents of these say that everything under their resource is meant: "in a key policy, the value of the Resource element
/// is `*`, which means this KMS key" (KMS developer guide, "Key policies").
const OF_ONE_KEY: [&str; 1] = ["terraform/modules/monitoring.key"];
/// The documents that our programs get their rights from; all others are listed.
const OF_PROGRAMS: &str = "terraform.worker";
/// The role that reads the registry of another account.
const OF_READERS: &str = "terraform/modules/source-account.reader";
/// What grants rights apart from documents, and may not be used here.
const OTHER_WAYS: [&str; 6] = [
    "aws_iam_group_policy",
    "aws_iam_policy",
    "aws_iam_policy_attachment",
    "aws_iam_user",
    "aws_iam_user_policy",
    "aws_iam_user_policy_attachment",
];

/// What AWS knows.
#[derive(Debug, Deserialize)]
struct Known {
    services: BTreeMap<String, Service>,
    /// Services that may stand as principals.
    principals: BTreeSet<String>,
    condition_tests: BTreeSet<String>,
    condition_keys: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Service {
    actions: BTreeSet<String>,
    /// Those of them that know no resources: `*` is all that can be said.
    without_resources: BTreeSet<String>,
}

/// That every action exists and is named in full, that resources are named wherever AWS lets them be, and that principals and
/// conditions are words that AWS knows.
///
/// # Errors
/// Where a list beside this code cannot be read.
pub fn actions(modules: &Modules) -> Result<Vec<Problem>, String> {
    let known: Known = serde_json::from_str(ACTIONS).map_err(|error| format!("actions.json: {error}"))?;
    let ledger = ledger::Ledger::read()?;
    let Policies { documents, grants, mut wrong } = Policies::of(&modules.0);
    let documents = documents.iter().map(|document| (document.name.as_str(), &document.statements));
    let grants = grants.iter().map(|(program, statements)| (program.as_str(), statements));
    for (place, statements) in documents.chain(grants) {
        for statement in statements {
            let problems = known.wrong_actions(place, statement).chain(known.wrong_words(statement));
            let place = format!("{place}, {}", statement.sid);
            wrong.extend(problems.map(|problem| Problem::new(&place, problem)));
        }
    }
    wrong.extend(other_ways(&modules.0, &ledger));
    Ok(wrong)
}

impl Known {
    fn wrong_actions<'a>(&'a self, place: &'a str, of: &'a Statement) -> impl Iterator<Item = String> + 'a {
        let everywhere = of.allows && of.resources.iter().any(|resource| resource == "\"*\"");
        of.actions.iter().filter_map(move |action| {
            let (service, name) = action.split_once(':').unwrap_or(("", action));
            let problem = match self.services.get(service) {
                None => "is of no service on the list of actions.json",
                // What is taken away may be taken away as a whole.
                Some(_) if name == "*" && !of.allows => return None,
                Some(_) if name.contains(['*', '?']) => "is a wildcard: name what is called",
                Some(service) if !service.actions.contains(name) => "does not exist",
                Some(service) if everywhere && !service.without_resources.contains(name) => {
                    if OF_ONE_KEY.contains(&place) {
                        return None;
                    }
                    "knows resources: name them instead of `*`"
                }
                Some(_) => return None,
            };
            Some(format!("`{action}` {problem}"))
        })
    }

    fn wrong_words<'a>(&'a self, of: &'a Statement) -> impl Iterator<Item = String> + 'a {
        let principals = of.principals.iter().map(|name| name.trim_matches('"'));
        let principals = principals.filter(|name| !self.principals.contains(*name));
        let tests =
            of.conditions.iter().map(|(test, _)| test).filter(|test| !self.condition_tests.contains(*test));
        let keys = of.conditions.iter().map(|(_, key)| key).filter(|key| !self.condition_keys.contains(*key));
        let unlisted = |what: &str, name: &str| format!("{what} `{name}` is not on the list of actions.json");
        let principals = principals.map(move |name| unlisted("the service", name));
        principals
            .chain(tests.map(move |name| unlisted("the test", name)))
            .chain(keys.map(move |name| unlisted("the condition", name)))
    }
}

/// Rights by another way than a document that is looked at here.
fn other_ways(modules: &BTreeMap<String, Module>, ledger: &ledger::Ledger) -> Vec<Problem> {
    let mut found = vec![];
    for module in modules.values() {
        for ((kind, name), body) in &module.resources {
            let place = format!("{}: {kind}.{name}", body.file);
            if OTHER_WAYS.contains(&kind.as_str()) {
                found.push(Problem::new(place, "rights are given by aws_iam_role_policy alone"));
            } else if kind == "aws_iam_role_policy_attachment" {
                let named = statements::managed(&body.it);
                let unknown = named.iter().filter(|policy| !ledger.managed().any(|known| known == *policy));
                found.extend(unknown.map(|policy| {
                    Problem::new(
                        &place,
                        format!("`{policy}` is not on the list of policies of AWS (calls.toml)"),
                    )
                }));
                if named.is_empty() {
                    found.push(Problem::new(place, "the policy is not written out"));
                }
            }
        }
    }
    let clair = modules.get("terraform").and_then(|root| root.calls.get("clair"));
    if clair.is_none_or(|clair| attribute(&clair.it, "policy").is_some()) {
        found.push(Problem::new(
            "terraform/clair.tf: module.clair",
            "Clair, which reads what others have built, has no rights",
        ));
    }
    found
}

/// That the calls in the code, the ledger of what they need, the policies and the documentation say the same.
///
/// # Errors
/// Where a list beside this code cannot be read.
pub fn compared(code: &Code, modules: &Modules) -> Result<Vec<Problem>, String> {
    let ledger = ledger::Ledger::read()?;
    let Policies { documents, grants, .. } = Policies::of(&modules.0);
    let mut found = ledger.against_calls(&call_sites::find(code)?);
    for program in Program::WITH_ROLES {
        let granted =
            grants.get(program.name()).map(|statements| ledger.named(statements)).unwrap_or_default();
        let needed = ledger.needed(program);
        let place = format!("terraform/iam.tf: {}", program.name());
        found.extend(difference(&place, &needed, &granted));
    }
    let unknown = grants.keys().filter(|name| !Program::WITH_ROLES.iter().any(|known| known.name() == *name));
    found.extend(unknown.map(|name| Problem::new("terraform/iam.tf", format!("`{name}` is no program"))));
    found.extend(others(&documents, &ledger));
    found.extend(documented::compare(code, &ledger));
    Ok(found)
}

/// What is needed and not granted, and the other way round.
fn difference(place: &str, needed: &BTreeSet<Right>, granted: &BTreeSet<Right>) -> Vec<Problem> {
    let missing = needed
        .difference(granted)
        .map(|right| Problem::new(place, format!("{right} is called and not granted")));
    let surplus = granted
        .difference(needed)
        .map(|right| Problem::new(place, format!("{right} is granted and no call needs it")));
    missing.chain(surplus).collect()
}

/// The policies of others than our programs.
fn others(documents: &[Document], ledger: &ledger::Ledger) -> Vec<Problem> {
    let mut found = vec![];
    let mut unseen: BTreeSet<&str> = ledger.policies().collect();
    for document in documents.iter().filter(|document| document.name != OF_PROGRAMS) {
        let allowed = document.statements.iter().filter(|statement| statement.allows);
        let allowed: BTreeSet<&str> =
            allowed.flat_map(|statement| &statement.actions).map(String::as_str).collect();
        // Who may take on a role is told by its trust, which grants nothing on its own.
        if allowed.iter().all(|action| *action == "sts:AssumeRole") {
            continue;
        }
        unseen.remove(document.name.as_str());
        let expected = if document.name == OF_READERS {
            Some(ledger.read_elsewhere())
        } else {
            ledger.policy(&document.name)
        };
        match expected {
            None => found.push(Problem::new(&document.name, "this policy is not on the list of calls.toml")),
            Some(expected) => {
                let as_rights = |actions: &BTreeSet<&str>| -> BTreeSet<Right> {
                    actions.iter().map(|action| Right::anywhere(action)).collect()
                };
                found.extend(difference(&document.name, &as_rights(&expected), &as_rights(&allowed)));
            }
        }
    }
    found.extend(
        unseen.into_iter().map(|name| Problem::new(name, "is on the list of calls.toml and not there")),
    );
    found
}
