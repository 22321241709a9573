//! The engines that queries are run on: what they are asked is a file of SQL, as it is shipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::expected::Row;
use super::stage::{TODAY, root};

/// What came of a query.
pub(crate) struct Answer {
    /// The query as the engine ran it.
    pub(crate) translated: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// DuckDB, on what sqlglot makes of the query; or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct DuckDb {
    python: PathBuf,
}

impl DuckDb {
    pub(crate) fn find() -> Result<Self, String> {
        xtask::lake::python(root()).map(|python| Self { python })
    }

    /// Asks a query of a folder of reports; `more` are other arguments of `ask.py`.
    pub(crate) fn ask(&self, reports: &Path, query: &Path, more: &[&str]) -> Result<Answer, String> {
        let mut command = Command::new(&self.python);
        command.arg(root().join("tests/scenarios/lake/ask.py")).arg(root().join("terraform/modules/lake"));
        command.arg(reports).arg(TODAY).arg(query).args(more);
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        if let Some(error) = answer["error"].as_str() {
            return Err(error.to_owned());
        }
        let of = |name: &str| answer[name].clone();
        Ok(Answer {
            translated: serde_json::from_value(of("translated")).map_err(|error| error.to_string())?,
            columns: serde_json::from_value(of("columns")).map_err(|error| error.to_string())?,
            rows: serde_json::from_value(of("rows")).map_err(|error| error.to_string())?,
        })
    }
}
