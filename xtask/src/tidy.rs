//! The house rules, each in a module of its own: what it asks is its first line.

mod budgets;
mod docs;
mod exceptions;
mod golden;
pub(crate) mod lake;
mod laws;
mod layers;
pub(crate) mod limits;
mod packages;
mod words;

use std::fmt;
use std::path::Path;

use crate::metadata::Metadata;
use crate::notices;
use crate::tree::Tree;

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    /// The rule, as exceptions name it.
    rule: &'static str,
    /// The file or folder.
    path: String,
    /// The line; 0 for the whole of it.
    line: usize,
    /// What breaks it, where one path can break a rule in several ways.
    subject: String,
    /// How much, where the rule is a bound.
    measure: usize,
    /// What is wrong, and what to do.
    message: String,
}

impl Violation {
    fn new(rule: &'static str, path: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { rule, path: path.to_owned(), line: 0, subject: String::new(), measure: 0, message }
    }

    fn line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    fn subject(self, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), ..self }
    }

    fn measure(self, measure: usize) -> Self {
        Self { measure, ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, message, .. } = self;
        if *line > 0 {
            write!(f, "{path}:{line}: [{rule}] {message}")
        } else {
            write!(f, "{path}: [{rule}] {message}")
        }
    }
}

/// Checks every rule; true where all hold.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let tree = Tree::read(root)?;
    let settings = exceptions::Settings::read(&tree)?;
    let metadata = Metadata::read(root)?;
    let mut found = Vec::new();
    for (path, problem) in tree.unparsed() {
        found.push(Violation::new("rust", path, problem.clone()));
    }
    found.extend(budgets::check(&tree));
    found.extend(words::check(&tree, &settings.forbidden_words));
    found.extend(layers::check(&tree));
    found.extend(limits::check(&tree));
    found.extend(laws::check(&tree));
    found.extend(golden::check(&tree));
    found.extend(lake::check(&tree));
    found.extend(docs::check(&tree));
    found.extend(packages::check(&tree, &metadata));
    found.extend(
        notices::stale(&tree, &metadata).map(|problem| Violation::new("notices", notices::FILE, problem)),
    );
    let excused = found.len();
    let mut left = settings.excuse(found);
    let excused = excused - left.iter().filter(|violation| violation.rule != exceptions::STALE).count();
    left.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for violation in &left {
        println!("{violation}");
    }
    println!("tidy: {} to mend, {excused} excused in {}", left.len(), exceptions::FILE);
    Ok(left.is_empty())
}
