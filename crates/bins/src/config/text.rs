//! The configuration as text: shown with the origin of each value, or written as a file to start from.

mod notes;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use toml::Value;

use super::keys::{Key, Kind, keys};
use super::{Config, ConfigError, LOCAL_FILE, Loaded};

/// Every value that is in force, with its origin; secrets are masked.
#[must_use]
pub fn show(loaded: &Loaded) -> String {
    let mut text = match &loaded.file {
        Some(path) => format!("# file: {}\n", path.display()),
        None => "# no configuration file was found\n".to_owned(),
    };
    let mut names: Vec<&str> = Vec::new();
    for key in keys() {
        let instances = loaded.settings.all().map(|(name, _)| name);
        names.extend(instances.filter(|name| super::settings::without_indices(name) == key.key));
    }
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
    for name in names {
        if let Some(setting) = loaded.settings.get(name) {
            let value = masked(&setting.value);
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{name:width$} = {value}  # {}", setting.origin);
        }
    }
    text
}

/// What `config check` says of a configuration that holds.
#[must_use]
pub fn checked(loaded: &Loaded) -> String {
    let Config { store, queue, reports, registries, .. } = &loaded.config;
    let file = loaded.file.as_ref().map(|path| path.display().to_string());
    let mut text = format!("{}: valid\n", file.as_deref().unwrap_or("no configuration file, all defaults"));
    let _ = writeln!(text, "store {store}, queue {queue}, reports {reports}");
    let names: Vec<&str> = registries.iter().map(|registry| registry.name.as_str()).collect();
    if !names.is_empty() {
        let _ = writeln!(text, "registries: {}", names.join(", "));
    }
    for note in notes::notes(&loaded.config) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// A value without what an address may carry of a user and a password.
fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_user(text)),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        other => other.clone(),
    }
}

fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => text.to_owned(),
    }
}

/// Where `config init` writes if nobody says: the working folder.
#[must_use]
pub fn default_init_path() -> PathBuf {
    PathBuf::from(LOCAL_FILE)
}

/// Writes a commented file in which every key stands with its default.
///
/// # Errors
/// Where there is a file already, or it cannot be written.
pub fn init(path: &Path) -> Result<(), ConfigError> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(template().as_bytes()));
    written.map_err(|error| {
        let place = path.display();
        let problem = match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{place} is there already: remove it first, or name another file")
            }
            _ => format!("{place} cannot be written: {error}"),
        };
        problem.into()
    })
}

/// The file of `config init`: all of it is a comment but the sections' names.
pub(super) fn template() -> String {
    let mut text =
        "# The configuration of cve-monitor. What is commented out shows the default, or an example.\n\
                    # Relative paths are meant from this file's folder. Durations: 500ms, 90s, 5m, 1h, 7d.\n"
            .to_owned();
    let mut section = "";
    for key in keys() {
        let (own, name) = key.key.rsplit_once('.').unwrap_or(("", key.key));
        if own != section {
            section = own;
            let header = match own.strip_suffix("[]") {
                Some(list) => format!("# [[{list}]]"),
                None => format!("[{own}]"),
            };
            // Keys after a list of tables would belong to its entry: a section's own come first in its table.
            let _ = writeln!(text, "\n{header}");
        }
        let _ = writeln!(text, "# {}\n# {name} = {}", key.description, key.initial.unwrap_or(example(key)));
    }
    text
}

/// The row of `docs/config.md` for a key.
#[cfg(test)]
pub(super) fn page_row(key: &Key) -> String {
    let initial = key.initial.map_or_else(|| "—".to_owned(), |text| format!("`{text}`"));
    let variable = key.variable().map_or_else(|| "—".to_owned(), |name| format!("`{name}`"));
    format!("| `{}` | {initial} | {variable} | {} |", key.key, key.description)
}

fn example(key: &Key) -> &'static str {
    match key.kind {
        Kind::Text => "\"…\"",
        Kind::Path => "\"/path/to/it\"",
        Kind::Duration => "\"90d\"",
        Kind::Count => "1",
        Kind::Flag => "true",
        Kind::List => "[\"…\"]",
        Kind::Address => "\"127.0.0.1:8081\"",
    }
}
