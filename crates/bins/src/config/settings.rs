//! Values with their origins: defaults, then the file, then variables, then flags; each wins over those before it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::{suggest_key, suggest_variable};
use super::keys::{Key, Kind, keys};
use super::{Override, Variables};

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "env {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The values by their dotted names, `registry[0].url`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, Setting>,
    pub(super) problems: Vec<String>,
}

impl Settings {
    /// The defaults that stand in the table of keys.
    pub(super) fn defaults() -> Self {
        let mut settings = Self::default();
        for key in keys().filter(|key| !key.key.contains('[')) {
            // Each is TOML: a test reads them all.
            let value = key.initial.and_then(|text| format!("v = {text}").parse::<Table>().ok()?.remove("v"));
            if let Some(value) = value {
                settings.set(key.key, value, Origin::Default);
            }
        }
        settings
    }

    pub(super) fn set(&mut self, name: &str, value: Value, origin: Origin) {
        self.values.insert(name.to_owned(), Setting { value, origin });
    }

    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        self.values.get(name)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.values.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    /// How many entries a list of tables has.
    pub(super) fn entries(&self, list: &str) -> usize {
        let prefix = format!("{list}[");
        let index = |name: &str| name.strip_prefix(&prefix)?.split(']').next()?.parse::<usize>().ok();
        self.values.keys().filter_map(|name| index(name)).max().map_or(0, |last| last + 1)
    }

    /// Adds a file's values.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) {
        match text.parse::<Table>() {
            Ok(table) => self.add_table("", table, path),
            Err(error) => {
                // Not the error's own text: it repeats the line, which may hold what nobody should read.
                let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
                self.problems.push(format!(
                    "{} is not TOML at line {line}: {}",
                    path.display(),
                    error.message()
                ));
            }
        }
    }

    fn add_table(&mut self, prefix: &str, table: Table, path: &Path) {
        if table.is_empty() && prefix.ends_with(']') {
            self.problems
                .push(format!("`{prefix}` in {} is empty: give it keys or remove it", path.display()));
        }
        for (name, value) in table {
            let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            let plain = without_indices(&name);
            let begins = |more: &str| keys().any(|key| key.key.starts_with(&format!("{plain}{more}")));
            if keys().any(|key| key.key == plain) {
                self.set(&name, value, Origin::File(path.to_owned()));
            } else if begins("[].") {
                self.add_list(&name, value, path);
            } else if begins(".") {
                match value {
                    Value::Table(inner) => self.add_table(&name, inner, path),
                    _ => self
                        .problems
                        .push(format!("`{name}` in {} is a section: write [{name}]", path.display())),
                }
            } else {
                let place = path.display();
                self.problems.push(format!("unknown key `{name}` in {place}{}", suggest_key(&plain)));
            }
        }
    }

    fn add_list(&mut self, name: &str, value: Value, path: &Path) {
        let wrong = format!("`{name}` in {} is a list of tables: write [[{name}]]", path.display());
        let Value::Array(entries) = value else { return self.problems.push(wrong) };
        for (at, entry) in entries.into_iter().enumerate() {
            match entry {
                Value::Table(inner) => self.add_table(&format!("{name}[{at}]"), inner, path),
                _ => return self.problems.push(wrong),
            }
        }
    }

    /// Adds the variables' values.
    pub(super) fn add_variables(&mut self, variables: &Variables) {
        if let Some((name, level)) = variables.log_level() {
            self.set("log.level", Value::String(level.to_owned()), Origin::Variable(name.to_owned()));
        }
        for (name, text) in variables.settings() {
            match keys().find(|key| key.variable().as_deref() == Some(name)) {
                // An empty variable is how people unset one.
                Some(_) if text.is_empty() => {}
                Some(key) => self.add_text(key, text, Origin::Variable(name.to_owned())),
                None => {
                    self.problems.push(format!("unknown variable `{name}`{}", suggest_variable(name)));
                }
            }
        }
    }

    /// Adds the flags' values.
    pub(super) fn add_flags(&mut self, overrides: &[Override]) {
        for Override { key: name, value, flag } in overrides {
            match keys().find(|key| key.key == name) {
                Some(key) if key.variable().is_some() => {
                    self.add_text(key, value, Origin::Flag(flag.clone()))
                }
                Some(_) => {
                    self.problems.push(format!("`{name}` cannot be set by {flag}: write it into the file"));
                }
                None => {
                    self.problems.push(format!("unknown key `{name}` in {flag}{}", suggest_key(name)));
                }
            }
        }
    }

    fn add_text(&mut self, key: &Key, text: &str, origin: Origin) {
        let value = match key.kind {
            Kind::Count => text.parse().map(Value::Integer).map_err(|_| "expected a whole number"),
            Kind::Flag => text.parse().map(Value::Boolean).map_err(|_| "expected true or false"),
            Kind::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
            }
            Kind::Text | Kind::Path | Kind::Duration | Kind::Address => Ok(Value::String(text.to_owned())),
        };
        match value {
            Ok(value) => self.set(key.key, value, origin),
            Err(expected) => self.problems.push(format!("`{}` is `{text}` in {origin}: {expected}", key.key)),
        }
    }
}

/// `registry[0].url` is an instance of `registry[].url`.
pub(super) fn without_indices(name: &str) -> String {
    let mut digits = false;
    let kept = name.chars().filter(|c| {
        digits = (*c == '[') || (digits && c.is_ascii_digit());
        *c == '[' || !digits
    });
    kept.collect()
}
