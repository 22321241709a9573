//! Values of flags.

use std::collections::BTreeSet;
use std::str::FromStr;

use clap::ValueEnum;
use cve_monitor_core::vocabulary::{Platform, Severity};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Which severities are shown: a list (`critical,high`), or the least (`high+`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityFilter(BTreeSet<Severity>);

impl SeverityFilter {
    /// Whether it is shown.
    #[must_use]
    pub fn admits(&self, severity: Severity) -> bool {
        self.0.contains(&severity)
    }
}

impl FromStr for SeverityFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(least) = text.strip_suffix('+') {
            let least: Severity = least.trim().parse()?;
            return Ok(Self(Severity::ALL.into_iter().filter(|severity| *severity >= least).collect()));
        }
        text.split(',').map(|word| word.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

/// `OS/ARCH[/VARIANT]`.
pub(super) fn platform(text: &str) -> Result<Platform, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (os, architecture, variant) = match parts.as_slice() {
        [os, architecture] => (*os, *architecture, None),
        [os, architecture, variant] if !variant.is_empty() => (*os, *architecture, Some(*variant)),
        _ => ("", "", None),
    };
    if os.is_empty() || architecture.is_empty() {
        return Err(format!("`{text}` is no platform: expected OS/ARCH[/VARIANT], as in linux/arm64/v8"));
    }
    Ok(Platform { os: os.into(), architecture: architecture.into(), variant: variant.map(str::to_owned) })
}

/// `KEY=VALUE`.
pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, as in ingest.concurrency=8")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
