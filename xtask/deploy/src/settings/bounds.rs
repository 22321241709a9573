//! What would be refused only later, by terraform or by AWS, after minutes of building.

use serde_json::{Map, Value};

use super::keys::{DEFAULT_REGION, DEFAULT_SERVICE};
use crate::problem::Problem;

/// Letters of `environment`, at most: as in terraform/variables.tf.
const MAX_ENVIRONMENT: usize = 16;
/// Letters of `prefix`, at most.
const MAX_PREFIX: usize = 20;
/// Letters of `service`, at most.
const MAX_SERVICE: usize = 24;
/// Letters of SERVICE-ENVIRONMENT, at most: roles, buckets and the database are named by it.
const MAX_NAME: usize = 32;
/// Digits of an account.
const ACCOUNT_DIGITS: usize = 12;
/// The pairs of CPU units and MiB that Fargate has: CPU, least, most, step.
const FARGATE: [(u64, u64, u64, u64); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// Everything that is out of bounds.
pub(super) fn check(all: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    names(all, &mut problems);
    places(all, &mut problems);
    sizes(all, &mut problems);
    let emails = all.get("alarm_emails").and_then(Value::as_array).into_iter().flatten();
    for email in emails.filter_map(Value::as_str).filter(|email| !is_email(email)) {
        problems.push(Problem::new(
            format!("`alarm_emails` has `{email}`"),
            "an address has the form name@example.com",
        ));
    }
    if let Some(image) = text(all, "image").filter(|image| !is_digest(image)) {
        let remedy = "name it by digest, HOST/NAME@sha256:…, or leave `image` out to have it built here";
        problems.push(Problem::new(format!("`image` is `{image}`"), remedy));
    }
    problems
}

fn text<'a>(all: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    all.get(key).and_then(Value::as_str)
}

fn names(all: &Map<String, Value>, problems: &mut Vec<Problem>) {
    let rules = [("environment", MAX_ENVIRONMENT), ("prefix", MAX_PREFIX), ("service", MAX_SERVICE)];
    for (key, most) in rules {
        let Some(name) = text(all, key).filter(|name| !is_name(name, most)) else { continue };
        let remedy = format!("1 to {most} of a-z, 0-9 and single '-', with a letter or a digit at both ends");
        problems.push(Problem::new(format!("`{key}` is `{name}`"), remedy));
    }
    let service = text(all, "service").unwrap_or(DEFAULT_SERVICE);
    let environment = text(all, "environment").unwrap_or_default();
    let together = format!("{service}-{environment}");
    if together.len() > MAX_NAME && environment.len() <= MAX_ENVIRONMENT && service.len() <= MAX_SERVICE {
        let what = format!("`{together}`, which is service-environment, has {} letters", together.len());
        problems.push(Problem::new(
            what,
            format!("{MAX_NAME} at most: choose a shorter `service` or `environment`"),
        ));
    }
}

fn places(all: &Map<String, Value>, problems: &mut Vec<Problem>) {
    let registries = all.get("registries").and_then(Value::as_array);
    let tables = registries.into_iter().flatten().enumerate();
    let tables =
        tables.filter_map(|(number, table)| Some((format!("registries[{number}]."), table.as_object()?)));
    let state = all.get("state").and_then(Value::as_object).map(|state| ("state.".to_owned(), state));
    for (within, table) in std::iter::once((String::new(), all)).chain(state).chain(tables) {
        if let Some(region) = text(table, "region").filter(|region| !is_region(region)) {
            let what = format!("`{within}region` is `{region}`");
            problems.push(Problem::new(what, format!("a region looks like {DEFAULT_REGION}")));
        }
        let account = text(table, "account_id");
        if let Some(account) = account.filter(|id| id.len() != ACCOUNT_DIGITS || !digits(id)) {
            let what = format!("`{within}account_id` is `{account}`");
            problems.push(Problem::new(what, "an account is 12 digits, in quotes"));
        }
    }
    if all.get("state").is_some_and(|state| state.get("bucket").is_some() && state.get("path").is_some()) {
        let remedy = "a bucket for a team, or a path for a trial of one person";
        problems.push(Problem::new("`state` has a bucket and a path", remedy));
    }
}

fn sizes(all: &Map<String, Value>, problems: &mut Vec<Problem>) {
    let instances = ["ecs_ami_id", "key_name", "number_of_ecs_instances"];
    let fargate = match text(all, "launch_type") {
        Some(kind) => kind == "FARGATE",
        None => !instances.iter().any(|key| all.contains_key(*key)),
    };
    for (key, cpu, memory) in [("clair_size", 2048, 8192), ("worker_size", 256, 512)] {
        let Some(size) = all.get(key).filter(|_| fargate) else { continue };
        let number = |name: &str, default| size.get(name).map_or(Some(default), Value::as_u64);
        let (Some(cpu), Some(memory)) = (number("cpu", cpu), number("memory", memory)) else { continue };
        if !fits_fargate(cpu, memory) {
            let what =
                format!("`{key}` is {cpu} CPU units and {memory} MiB, a pair that Fargate does not have");
            problems.push(Problem::new(what, remedy_for(cpu)));
        }
    }
}

fn fits_fargate(cpu: u64, memory: u64) -> bool {
    // The smallest has 512, 1024 and 2048: no 1536.
    let odd = cpu == 256 && memory == 1536;
    FARGATE.iter().any(|(units, least, most, step)| {
        *units == cpu && (*least..=*most).contains(&memory) && (memory - least).is_multiple_of(*step) && !odd
    })
}

fn remedy_for(cpu: u64) -> String {
    match FARGATE.iter().find(|row| row.0 == cpu) {
        Some((_, least, most, step)) => {
            format!("with {cpu} CPU units it has {least} to {most} MiB in steps of {step}")
        }
        None => "it has 256, 512, 1024, 2048, 4096, 8192 and 16384 CPU units".to_owned(),
    }
}

fn is_name(name: &str, most: usize) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=most).contains(&name.len())
        && name.chars().all(letters)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

fn is_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    matches!(parts.as_slice(), [first, middle @ .., last]
        if first.len() == 2 && word(first) && !middle.is_empty() && middle.iter().all(word)
            && last.len() == 1 && digits(last))
}

fn is_email(email: &str) -> bool {
    let (name, host) = email.split_once('@').unwrap_or_default();
    !name.is_empty() && host.contains('.') && !host.starts_with('.') && !email.contains(char::is_whitespace)
}

fn is_digest(image: &str) -> bool {
    image.split_once("@sha256:").is_some_and(|(name, hex)| {
        !name.is_empty() && hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    })
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
