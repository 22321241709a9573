//! What stands in the file of an environment: read, checked as a whole, and written as terraform's variables.

mod bounds;
mod keys;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::problem::Problem;

/// Where terraform keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// A file of this machine.
    Local(PathBuf),
    /// An object in a bucket, with a lock beside it.
    S3 { bucket: String, key: String, region: String },
}

/// An environment.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What it is called.
    pub(crate) environment: String,
    /// The first part of the names of everything.
    pub(crate) service: String,
    /// Where everything is put.
    pub(crate) region: String,
    /// The only account that may be touched, where one is named.
    pub(crate) account_id: Option<String>,
    /// The image to deploy, where it is not built here.
    pub(crate) image: Option<String>,
    /// Whether what holds data refuses to be destroyed.
    pub(crate) protect_data: bool,
    /// Whether Secrets Manager makes the secrets; else they come from the environment of this process.
    pub(crate) generate_secrets: bool,
    /// Where the state is.
    pub(crate) state: State,
    /// The file that it is in where nobody says.
    pub(crate) local_state: PathBuf,
    /// Terraform's variables, but for the image.
    variables: Map<String, Value>,
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with what would be right.
    pub(crate) fn read(file: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let what = format!("{} cannot be read: {error}", file.display());
            vec![Problem::new(what, "begin with a copy of terraform/examples/environment.toml")]
        })?;
        // Relative to nothing that changes: terraform runs in another folder.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        Self::parse(&text, &file)
    }

    /// Reads the text of a file; what it names lies beside the file.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, Vec<Problem>> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            vec![Problem::new(format!("{name}, line {line}: {}", error.message()), "mend the TOML there")]
        })?;
        let mut problems = keys::check(&table);
        let mut all = keys::to_json(&table);
        problems.extend(bounds::check(&all));
        if !problems.is_empty() {
            return Err(problems);
        }
        let account_id = text_of(&mut all, "account_id");
        let image = text_of(&mut all, "image");
        let own = all.remove("state").unwrap_or_default();
        let look = |key: &str| all.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| all.get(key).and_then(Value::as_bool).unwrap_or(true);
        let environment = look("environment").unwrap_or_default();
        let service = look("service").unwrap_or_else(|| keys::DEFAULT_SERVICE.to_owned());
        let region = look("region").unwrap_or_else(|| keys::DEFAULT_REGION.to_owned());
        // Files of two services may lie in one folder.
        let beside = file.parent().unwrap_or(Path::new("."));
        let local_state = beside.join(format!("{service}-{environment}.tfstate"));
        Ok(Self {
            state: state(&own, &local_state, &environment, &service, &region),
            local_state,
            protect_data: flag("protect_data"),
            generate_secrets: flag("generate_secrets"),
            environment,
            service,
            region,
            account_id,
            image,
            variables: all,
        })
    }

    /// What names of the stack begin with.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.service, self.environment)
    }

    /// The variables that terraform is given.
    pub(crate) fn variables(&self, image: &str) -> Value {
        let mut variables = self.variables.clone();
        variables.insert("image".to_owned(), json!(image));
        Value::Object(variables)
    }

    /// A whole number of a table, or its default.
    pub(crate) fn number(&self, table: &str, key: &str, default: u64) -> u64 {
        self.variables.get(table).and_then(|table| table.get(key)).and_then(Value::as_u64).unwrap_or(default)
    }

    /// A whole number at the top.
    pub(crate) fn top_number(&self, key: &str) -> Option<u64> {
        self.variables.get(key).and_then(Value::as_u64)
    }

    /// How many addresses get the alarms.
    pub(crate) fn emails(&self) -> usize {
        self.variables.get("alarm_emails").and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// The registries that are watched: as in the file, or this account's in this region.
    pub(crate) fn registries(&self) -> Vec<Value> {
        let given = self.variables.get("registries").and_then(Value::as_array).cloned();
        given.unwrap_or_else(|| vec![json!({})])
    }
}

fn text_of(all: &mut Map<String, Value>, key: &str) -> Option<String> {
    all.remove(key).and_then(|value| value.as_str().map(str::to_owned))
}

fn state(own: &Value, local: &Path, environment: &str, service: &str, region: &str) -> State {
    let text = |key: &str| own.get(key).and_then(Value::as_str).map(str::to_owned);
    match text("bucket") {
        Some(bucket) => State::S3 {
            bucket,
            key: text("key").unwrap_or_else(|| format!("{service}/{environment}.tfstate")),
            region: text("region").unwrap_or_else(|| region.to_owned()),
        },
        None => {
            State::Local(text("path").map_or_else(|| local.to_owned(), |path| local.with_file_name(path)))
        }
    }
}

#[cfg(test)]
mod tests;
