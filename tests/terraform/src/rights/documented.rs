//! What `docs/aws.md` says that each program needs.

use std::collections::BTreeSet;

use super::ledger::{Ledger, Program};
use crate::Problem;
use crate::code::Code;

const PAGE: &str = "docs/aws.md";
/// The heading over the table, with a column for each of these after the first.
const HEADING: &str = "## What each program may do";
const COLUMNS: [Program; 4] = [Program::Ingest, Program::Notifier, Program::Reconciler, Program::Commands];
/// What a cell says that repeats the one before it.
const SAME: &str = "the same";
/// What a cell says that repeats the one of ingest.
const AS_INGEST: &str = "`ingest`";
/// The sentence about `aws init` begins and ends so.
const INIT: (&str, &str) = ("`aws init` needs", ";");

pub(super) fn compare(code: &Code, ledger: &Ledger) -> Vec<Problem> {
    let page = code.text(PAGE).unwrap_or_default();
    let mut said = table(page);
    let init = page.split(INIT.0).nth(1).and_then(|rest| rest.split(INIT.1).next()).unwrap_or_default();
    said.push((Program::Init, actions(init, &mut String::new()).into_iter().collect()));
    let mut found = vec![];
    for (program, said) in said {
        let needed: BTreeSet<String> = ledger.documented(program).into_iter().map(str::to_owned).collect();
        let place = format!("{PAGE}: {}", program.name());
        let missing = needed.difference(&said).map(|action| format!("{action} is called and not documented"));
        let surplus =
            said.difference(&needed).map(|action| format!("{action} is documented and no call needs it"));
        found.extend(missing.chain(surplus).map(|problem| Problem::new(&place, problem)));
    }
    found
}

/// The actions in each column.
fn table(page: &str) -> Vec<(Program, BTreeSet<String>)> {
    let mut columns: Vec<(Program, BTreeSet<String>)> =
        COLUMNS.iter().map(|program| (*program, BTreeSet::new())).collect();
    let section = page.split(HEADING).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let mut service = String::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let mut before: Vec<String> = vec![];
        let mut first: Vec<String> = vec![];
        for (at, cell) in cells.iter().skip(1).enumerate().take(columns.len()) {
            let mut named = actions(cell, &mut service);
            if cell.contains(SAME) {
                named.extend(before.iter().cloned());
            }
            if cell.contains(AS_INGEST) {
                named.extend(first.iter().cloned());
            }
            if at == 0 {
                first.clone_from(&named);
            }
            columns[at].1.extend(named.iter().cloned());
            before = named;
        }
    }
    columns
}

/// The actions in a text, `sqs:SendMessage` or, after that, `SendMessage` alone.
fn actions(text: &str, service: &mut String) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let mut found = vec![];
    for word in quoted {
        let (named, action) =
            word.split_once(':').map_or((None, word), |(named, action)| (Some(named), action));
        let is_action = action.starts_with(|first: char| first.is_ascii_uppercase())
            && action.chars().all(|letter| letter.is_ascii_alphanumeric())
            && action.chars().any(|letter| letter.is_ascii_lowercase());
        if is_action {
            if let Some(named) = named {
                named.clone_into(service);
            }
            found.push(format!("{service}:{action}"));
        }
    }
    found
}
