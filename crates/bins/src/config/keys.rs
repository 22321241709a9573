//! Every key of the configuration, in the order in which they are explained; `docs/config.md` lists exactly these.

mod knowledge;
mod places;
mod services;
mod storage;

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A file or folder.
    Path,
    /// A duration: a whole number and `ms`, `s`, `m`, `h` or `d`.
    Duration,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
    /// A list of texts; in a variable they are divided by commas.
    List,
    /// An IP address and a port.
    Address,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its dotted name; `[]` stands for each entry of a list of tables.
    pub key: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// Its value where nobody gives one, as it would stand in the file; none where it has none or follows from others.
    pub initial: Option<&'static str>,
    /// What it is for.
    pub description: &'static str,
}

impl Key {
    /// The variable that overrides it: `CVE_MONITOR_<SECTION>_<KEY>`; entries of lists of tables have none.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        (!self.key.contains('['))
            .then(|| format!("CVE_MONITOR_{}", self.key.replace('.', "_").to_uppercase()))
    }
}

const fn key(key: &'static str, kind: Kind, initial: Option<&'static str>, description: &'static str) -> Key {
    Key { key, kind, initial, description }
}

/// `false`, as the file has it.
const NO: Option<&str> = Some(stringify!(false));

/// All keys.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    [storage::STORAGE, places::PLACES, knowledge::KNOWLEDGE, services::SERVICES].into_iter().flatten()
}
