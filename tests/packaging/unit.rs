//! `packaging/cve-monitor.service`.

use std::fs;
use std::process::Command;

use cve_monitor_bins::cli::EXIT_USAGE;
use libtest_mimic::{Completion, Failed};

use crate::{refusal, root, stays_within};

const PROGRAM: &str = "/usr/local/bin/cve-monitor";

fn text() -> String {
    fs::read_to_string(root().join("packaging/cve-monitor.service")).unwrap()
}

/// The value of a setting that stands there once.
fn setting<'a>(text: &'a str, name: &str) -> &'a str {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(values.next(), None, "{name} stands there twice");
    value
}

pub(crate) fn runs() -> Result<Completion, Failed> {
    let text = text();
    let line: Vec<&str> = setting(&text, "ExecStart").split(' ').collect();
    assert_eq!((line[0], refusal(&line[1..])), (PROGRAM, None));
    // A wrong configuration stays wrong.
    assert_eq!(setting(&text, "RestartPreventExitStatus"), EXIT_USAGE.to_string());
    let [state, cache] = ["StateDirectory", "CacheDirectory"].map(|name| setting(&text, name));
    let folders = [format!("/var/lib/{state}"), format!("/var/cache/{cache}")];
    let variables: Vec<(&str, &str)> =
        setting(&text, "Environment").split(' ').filter_map(|pair| pair.split_once('=')).collect();
    stays_within(&folders.each_ref().map(String::as_str), &variables, "");
    Ok(Completion::Completed)
}

/// By systemd itself, with a program that is there.
pub(crate) fn verifies() -> Result<Completion, Failed> {
    if xtask::process::find(&["systemd-analyze"]).is_none() {
        return Ok(Completion::ignored_with("needs `systemd-analyze`"));
    }
    let folder = tempfile::tempdir()?;
    let unit = folder.path().join("cve-monitor.service");
    fs::write(&unit, text().replace(PROGRAM, "/bin/true"))?;
    let verified = Command::new("systemd-analyze").arg("verify").arg(&unit).output()?;
    let said = String::from_utf8_lossy(&[verified.stdout, verified.stderr].concat()).into_owned();
    // What it does not know it warns of, and goes on.
    let about: Vec<&str> = said.lines().filter(|line| line.contains("cve-monitor")).collect();
    assert!(verified.status.success() && about.is_empty(), "{said}");
    Ok(Completion::Completed)
}
