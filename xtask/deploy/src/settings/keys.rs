//! The keys of the file: terraform's variables by their names, and a few of our own.

use serde_json::{Map, Value};
use toml::Table;

use crate::problem::Problem;

/// Terraform's own default of `service`.
pub(super) const DEFAULT_SERVICE: &str = "ecr-cve-monitor";
/// Terraform's own default of `region`.
pub(super) const DEFAULT_REGION: &str = "us-east-1";

/// How alike a name must be to be suggested, from 0 to 1.
const SUGGEST_FROM: f64 = 0.6;

/// What a key holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    /// A table with these keys.
    Table(&'static [Key]),
    /// Any number of such tables.
    Tables(&'static [Key]),
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    name: &'static str,
    kind: Kind,
    required: bool,
}

#[cfg(test)]
impl Key {
    /// Its name, and those within it.
    pub(super) fn names(&self) -> Vec<String> {
        let within = match self.kind {
            Kind::Table(keys) | Kind::Tables(keys) => keys,
            _ => &[],
        };
        let mut names = vec![self.name.to_owned()];
        names.extend(within.iter().map(|key| format!("{}.{}", self.name, key.name)));
        names
    }
}

const fn required(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: false }
}

/// Those that terraform does not know.
const OWN: &[Key] = &[
    optional("account_id", Kind::Text),
    optional(
        "state",
        Kind::Table(&[
            optional("bucket", Kind::Text),
            optional("key", Kind::Text),
            optional("region", Kind::Text),
            optional("path", Kind::Text),
        ]),
    ),
];

/// Terraform's variables; a test compares them with its files. Secrets are none of them: they come from the environment.
pub(super) const VARIABLES: &[Key] = &[
    required("environment", Kind::Text),
    required("prefix", Kind::Text),
    required("costcenter", Kind::Text),
    required("poc", Kind::Text),
    optional("image", Kind::Text),
    optional("region", Kind::Text),
    optional("service", Kind::Text),
    optional(
        "registries",
        Kind::Tables(&[
            optional("account_id", Kind::Text),
            optional("region", Kind::Text),
            optional("role_arn", Kind::Text),
            optional("external_id", Kind::Text),
        ]),
    ),
    optional("protect_data", Kind::Flag),
    optional("alarm_emails", Kind::Texts),
    optional(
        "alarm_limits",
        Kind::Table(&[
            optional("coverage_percent", Kind::Number),
            optional("knowledge_hours", Kind::Number),
            optional("feed_minutes", Kind::Number),
            optional("round_hours", Kind::Number),
        ]),
    ),
    optional("kms_key_arn", Kind::Text),
    optional("launch_type", Kind::Text),
    optional("existing_cluster", Kind::Text),
    optional("ecs_ami_id", Kind::Text),
    optional("key_name", Kind::Text),
    optional("instance_type", Kind::Text),
    optional("number_of_ecs_instances", Kind::Number),
    optional("number_of_clair_instances", Kind::Number),
    optional("number_of_scanners", Kind::Number),
    optional(
        "scaling",
        Kind::Table(&[
            optional("max_clair", Kind::Number),
            optional("scanners_per_clair", Kind::Number),
            optional("backlog_per_scanner", Kind::Number),
        ]),
    ),
    optional("clair_image", Kind::Text),
    optional("files_image", Kind::Text),
    optional(
        "clair_size",
        Kind::Table(&[
            optional("cpu", Kind::Number),
            optional("memory", Kind::Number),
            optional("disk", Kind::Number),
        ]),
    ),
    optional("worker_size", Kind::Table(&[optional("cpu", Kind::Number), optional("memory", Kind::Number)])),
    optional("reconcile_schedule", Kind::Text),
    optional("log_days", Kind::Number),
    optional("db_instance_class", Kind::Text),
    optional("db_allocated_storage", Kind::Number),
    optional("db_multi_az", Kind::Flag),
    optional("report_days", Kind::Number),
    optional("first_report_year", Kind::Number),
    optional("generate_secrets", Kind::Flag),
    optional("secrets_revision", Kind::Number),
    optional(
        "existing_network",
        Kind::Table(&[
            required("vpc_id", Kind::Text),
            required("private_subnet_ids", Kind::Texts),
            optional("private_route_table_ids", Kind::Texts),
        ]),
    ),
    optional("vpc_cidr", Kind::Text),
    optional("nat", Kind::Text),
    optional("interface_endpoints", Kind::Texts),
];

/// Unknown keys, missing ones, and values of another kind.
pub(super) fn check(table: &Table) -> Vec<Problem> {
    let all: Vec<Key> = OWN.iter().chain(VARIABLES).copied().collect();
    let mut problems = Vec::new();
    check_table(table, &all, "", &mut problems);
    problems
}

fn check_table(table: &Table, keys: &[Key], within: &str, problems: &mut Vec<Problem>) {
    for (name, value) in table {
        let path = format!("{within}{name}");
        match keys.iter().find(|key| key.name == name) {
            Some(key) => check_value(value, key.kind, &path, problems),
            None => problems.push(Problem::new(format!("there is no key `{path}`"), suggestion(name, keys))),
        }
    }
    for key in keys.iter().filter(|key| key.required && !table.contains_key(key.name)) {
        let remedy = format!("add {} = {}", key.name, example(key));
        problems.push(Problem::new(format!("`{within}{}` is missing", key.name), remedy));
    }
}

fn check_value(value: &toml::Value, kind: Kind, path: &str, problems: &mut Vec<Problem>) {
    let wanted = match (kind, value) {
        (Kind::Text, toml::Value::String(_))
        | (Kind::Number, toml::Value::Integer(_))
        | (Kind::Flag, toml::Value::Boolean(_)) => return,
        (Kind::Texts, toml::Value::Array(values)) if values.iter().all(toml::Value::is_str) => return,
        (Kind::Table(keys), toml::Value::Table(table)) => {
            return check_table(table, keys, &format!("{path}."), problems);
        }
        (Kind::Tables(keys), toml::Value::Array(tables)) if tables.iter().all(toml::Value::is_table) => {
            for (number, table) in tables.iter().filter_map(toml::Value::as_table).enumerate() {
                check_table(table, keys, &format!("{path}[{number}]."), problems);
            }
            return;
        }
        (Kind::Text, _) => "a text in quotes",
        (Kind::Number, _) => "a whole number, without quotes",
        (Kind::Flag, _) => "true or false, without quotes",
        (Kind::Texts, _) => "a list of texts: [\"…\", \"…\"]",
        (Kind::Table(_), _) => "a table",
        (Kind::Tables(_), _) => "tables: one [[…]] for each",
    };
    problems
        .push(Problem::new(format!("`{path}` is {}", value.type_str()), format!("it has to be {wanted}")));
}

fn suggestion(unknown: &str, keys: &[Key]) -> String {
    if matches!(unknown, "db_password" | "clair_psk") {
        return format!("secrets stand in no file: give it in the environment, as TF_VAR_{unknown}");
    }
    let alike = |key: &&Key| strsim::normalized_damerau_levenshtein(unknown, key.name);
    let best = keys.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match best.filter(|best| alike(best) >= SUGGEST_FROM) {
        Some(best) => format!("did you mean `{}`?", best.name),
        None => "the keys are the variables of terraform/variables*.tf; see docs/deploy.md".to_owned(),
    }
}

fn example(key: &Key) -> &'static str {
    match key.name {
        "environment" => "\"dev\"",
        "prefix" => "\"acme\", your organisation: names of buckets begin with it",
        "costcenter" => "\"1234\", who pays: a tag on everything",
        "poc" => "\"security@example.com\", whom to ask: a tag on everything",
        "vpc_id" => "\"vpc-…\"",
        _ => "[\"subnet-…\", \"subnet-…\"]",
    }
}

/// As JSON; of a kind that JSON does not have there is nothing left after `check`.
pub(super) fn to_json(table: &Table) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.clone(), json_of(value))).collect()
}

fn json_of(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Datetime(date) => Value::from(date.to_string()),
        toml::Value::Array(values) => Value::Array(values.iter().map(json_of).collect()),
        toml::Value::Table(table) => Value::Object(to_json(table)),
    }
}
