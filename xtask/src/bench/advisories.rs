//! The advisory database: compiled, opened and matched, each in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use super::child::measure;

/// What is measured with.
pub(super) struct Bench<'a> {
    /// The example `advisory_speed`.
    pub(super) program: &'a Path,
    /// Where files may be written.
    pub(super) scratch: &'a Path,
}

impl Bench<'_> {
    /// A folder of that many made-up records; kept from one run to the next.
    pub(super) fn made_up(&self, records: u64) -> Result<PathBuf, String> {
        let folder = self.scratch.join(format!("records-{records}"));
        if !folder.is_dir() {
            let unfinished = folder.with_extension("unfinished");
            let _ = fs::remove_dir_all(&unfinished);
            self.run("write", &[&unfinished, Path::new(&records.to_string())])?;
            fs::rename(&unfinished, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(folder)
    }

    /// Compiles these advisories, and matches the layers of an image with them.
    pub(super) fn figures(&self, source: &Path, layers: &[PathBuf]) -> Result<Value, String> {
        let out = self.scratch.join("database");
        let _ = fs::remove_dir_all(&out);
        let mut figures = self.run("compile", &[source, &out])?;
        let database = PathBuf::from(figures["database"].as_str().unwrap_or_default());
        let mut arguments = vec![database.as_path()];
        arguments.extend(layers.iter().map(PathBuf::as_path));
        let matched = self.run("match", &arguments)?;
        figures.remove("database");
        figures.insert("matched".to_owned(), Value::Object(matched));
        let _ = fs::remove_dir_all(&out);
        Ok(Value::Object(figures))
    }

    /// What the program printed, with what the process cost.
    fn run(&self, what: &str, arguments: &[&Path]) -> Result<Map<String, Value>, String> {
        let printed = self.scratch.join("printed.json");
        let cost = measure(Command::new(self.program).arg(what).args(arguments), &printed)?;
        let bytes = fs::read(&printed).map_err(|error| format!("{}: {error}", printed.display()))?;
        let mut figures: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", printed.display()))?;
        figures.insert("cpu_s".to_owned(), cost.cpu_s.into());
        Ok(figures)
    }
}
