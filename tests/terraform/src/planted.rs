//! Mistakes that are planted, to see which check notices them.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::code::Code;
use crate::module::Modules;
use crate::schema::Schema;
use crate::{Problem, names, rights};

const LIST: &str = include_str!("../planted.toml");
/// The file of tests that is about the stack as a whole.
const WHOLE: &str = "stack";
/// The checks, in the order in which they are run.
pub const CHECKS: [&str; 7] = ["form", "names 5", "names 6", "actions", "rights", "validate", "test"];

/// A mistake.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// What is wrong.
    pub name: String,
    /// The file that it is planted in.
    pub file: String,
    /// What stands there once, without a line end at its end.
    pub from: String,
    /// What is put in its place.
    pub to: String,
    /// The checks that notice it.
    pub caught: BTreeSet<String>,
    /// The file of terraform's tests that is run for it.
    #[serde(default = "whole")]
    pub tests: String,
}

fn whole() -> String {
    WHOLE.to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mistake: Vec<Mistake>,
}

/// All of them.
///
/// # Errors
/// Where the list cannot be read.
pub fn mistakes() -> Result<Vec<Mistake>, String> {
    let list: List = toml::from_str(LIST).map_err(|error| format!("planted.toml: {error}"))?;
    Ok(list.mistake)
}

impl Mistake {
    /// The code with it.
    ///
    /// # Errors
    /// Where it does not fit into the code any more.
    pub fn planted(&self, code: &Code) -> Result<Code, String> {
        code.changed(&self.file, &self.from, &self.to).map_err(|problem| format!("{}: {problem}", self.name))
    }
}

/// What our own checks say, each by its name.
///
/// # Errors
/// Where a list beside this code cannot be read.
pub fn own_checks(code: &Code) -> Result<Vec<(String, Vec<Problem>)>, String> {
    let mut said = vec![];
    let modules = match Modules::read(code) {
        Ok(modules) => modules,
        Err(problems) => return Ok(vec![("form".to_owned(), problems)]),
    };
    for schema in Schema::kept()? {
        let major = schema.version.split('.').next().unwrap_or_default();
        said.push((format!("names {major}"), names::check(&modules, &schema)));
    }
    said.push(("actions".to_owned(), rights::actions(&modules)?));
    said.push(("rights".to_owned(), rights::compared(code, &modules)?));
    Ok(said)
}

/// The list as a table: a row for each mistake, a column for each check.
///
/// # Errors
/// Where the list cannot be read.
pub fn table() -> Result<String, String> {
    let mut text = format!("| mistake | {} |\n|---|{}\n", CHECKS.join(" | "), "---|".repeat(CHECKS.len()));
    for mistake in mistakes()? {
        let marks = CHECKS.map(|check| if mistake.caught.contains(check) { "x" } else { "" });
        text += &format!("| {} | {} |\n", mistake.name, marks.join(" | "));
    }
    Ok(text)
}
