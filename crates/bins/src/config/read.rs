//! Reads typed values out of settings, and notes what is wrong with them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;

use super::Secret;
use super::duration::{parse_duration, write_duration};
use super::settings::{Origin, Setting, Settings};

/// The longest secret in a file, in bytes.
pub(super) const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Reads settings; what cannot be read is a problem, and its value is absent.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    pub(super) problems: Vec<String>,
    /// The keys that were asked for, so that a test can compare them with the table of keys.
    pub(super) asked: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, problems: settings.problems.clone(), asked: BTreeSet::new() }
    }

    pub(super) fn entries(&self, list: &str) -> usize {
        self.settings.entries(list)
    }

    fn setting(&mut self, name: &str) -> Option<&'a Setting> {
        self.asked.insert(super::settings::without_indices(name));
        self.settings.get(name)
    }

    /// Notes what is wrong with a value, and where the value stands.
    pub(super) fn refuse(&mut self, name: &str, problem: &str) {
        let place = self.settings.get(name).map(|setting| format!(" ({})", setting.origin));
        self.problems.push(format!("`{name}`{}: {problem}", place.unwrap_or_default()));
    }

    fn noted<T>(&mut self, name: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|problem| self.refuse(name, &problem)).ok()
    }

    pub(super) fn is_given(&self, name: &str) -> bool {
        self.settings.get(name).is_some()
    }

    /// Refuses keys that somebody has given and that mean nothing beside this other value; defaults are nobody's words.
    pub(super) fn refuse_foreign(&mut self, names: &[&str], beside: &str) {
        for name in names {
            let given = self.settings.get(name).is_some_and(|setting| setting.origin != Origin::Default);
            if given {
                self.refuse(name, &format!("it means nothing beside {beside}: remove it"));
            }
        }
    }

    /// A text that has to be given; `remedy` says what to write.
    pub(super) fn required(&mut self, name: &str, remedy: &str) -> Option<&'a str> {
        if !self.is_given(name) {
            self.refuse(name, &format!("it is missing: {remedy}"));
        }
        self.text(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let setting = self.setting(name)?;
        let text = setting.value.as_str().ok_or_else(|| expected("a text in quotes", &setting.value));
        let text =
            text.and_then(|text| if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text) });
        self.noted(name, text)
    }

    /// Reads a text with a parser of its own.
    pub(super) fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name)?;
        self.noted(name, parse(text))
    }

    /// A path; a relative one in the file is meant from the file's folder.
    pub(super) fn path(&mut self, name: &str) -> Option<PathBuf> {
        let text = self.text(name)?;
        Some(self.base(name).join(text))
    }

    /// The folder that a relative path in a value is meant from.
    pub(super) fn base(&self, name: &str) -> PathBuf {
        match self.settings.get(name).map(|setting| &setting.origin) {
            Some(Origin::File(file)) => file.parent().unwrap_or(Path::new("")).to_owned(),
            _ => PathBuf::new(),
        }
    }

    pub(super) fn address(&mut self, name: &str) -> Option<SocketAddr> {
        self.parsed(name, |text| {
            text.parse().map_err(|_| {
                format!("`{text}` is no address: expected an IP address and a port, as in 127.0.0.1:8080")
            })
        })
    }

    pub(super) fn duration(&mut self, name: &str, within: &RangeInclusive<Duration>) -> Option<Duration> {
        self.parsed(name, |text| {
            let duration = parse_duration(text)?;
            let (least, most) = (write_duration(*within.start()), write_duration(*within.end()));
            let wrong = || format!("{text} is out of bounds: at least {least}, at most {most}");
            if within.contains(&duration) { Ok(duration) } else { Err(wrong()) }
        })
    }

    pub(super) fn count(&mut self, name: &str, within: &RangeInclusive<u32>) -> Option<u32> {
        let setting = self.setting(name)?;
        let number = setting.value.as_integer().ok_or_else(|| expected("a whole number", &setting.value));
        let number = number.and_then(|number| {
            let fits = u32::try_from(number).ok().filter(|number| within.contains(number));
            let (least, most) = (within.start(), within.end());
            fits.ok_or_else(|| format!("{number} is out of bounds: at least {least}, at most {most}"))
        });
        self.noted(name, number)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        let Some(setting) = self.setting(name) else { return false };
        let flag = setting.value.as_bool().ok_or_else(|| expected("true or false", &setting.value));
        self.noted(name, flag).unwrap_or(false)
    }

    /// A list of texts; none where it was not given.
    pub(super) fn list(&mut self, name: &str) -> Option<Vec<&'a str>> {
        let setting = self.setting(name)?;
        let wrong = || expected("a list of texts, as in [\"a\", \"b\"]", &setting.value);
        let items = setting.value.as_array().ok_or_else(wrong);
        let items = items.and_then(|items| {
            items.iter().map(|item| item.as_str().filter(|text| !text.is_empty()).ok_or_else(wrong)).collect()
        });
        self.noted(name, items)
    }

    /// The content of a file that holds a secret, without the end of its line.
    pub(super) fn secret_file(&mut self, name: &str) -> Option<Secret> {
        let path = self.path(name)?;
        self.noted(name, read_secret(&path))
    }
}

fn expected(what: &str, found: &Value) -> String {
    format!("expected {what}, found a value of type {}", found.type_str())
}

fn read_secret(path: &Path) -> Result<Secret, String> {
    use std::io::Read as _;
    let fail = |reason: &str| format!("the file {} {reason}", path.display());
    let file = std::fs::File::open(path).map_err(|e| fail(&format!("cannot be opened: {e}")))?;
    let mut text = String::new();
    let read = file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text);
    let read = read.map_err(|e| fail(&format!("cannot be read: {e}")))?;
    if read as u64 > MAX_SECRET_BYTES {
        return Err(fail(&format!("is longer than {MAX_SECRET_BYTES} bytes: it holds no secret")));
    }
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(fail("is empty: write the secret into it")),
        secret => Ok(Secret::new(secret.to_owned())),
    }
}
