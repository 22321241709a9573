//! A plan as a person reads it: what happens to which resource, by part, and what of it holds data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The kinds of resource whose loss is a loss of data, and the attribute that names one.
const HOLDS_DATA: [(&str, &str); 4] = [
    ("aws_db_instance", "identifier"),
    ("aws_dynamodb_table", "name"),
    ("aws_s3_bucket", "bucket"),
    ("aws_secretsmanager_secret", "name"),
];
/// The kind of resource by which objects of a bucket expire.
const EXPIRY: &str = "aws_s3_bucket_lifecycle_configuration";
/// Keys of a map or numbers of a list that are listed, at most; what is more is counted.
const MAX_INSTANCES: usize = 6;
/// Attributes of a change that are listed, at most.
const MAX_ATTRIBUTES: usize = 6;

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Create,
    Update,
    Replace,
    Destroy,
}

impl Action {
    fn of(actions: &Value) -> Option<Self> {
        let has =
            |name: &str| actions.as_array().is_some_and(|list| list.iter().any(|action| action == name));
        match (has("create"), has("delete"), has("update")) {
            (true, true, _) => Some(Self::Replace),
            (true, false, _) => Some(Self::Create),
            (false, true, _) => Some(Self::Destroy),
            (false, false, true) => Some(Self::Update),
            (false, false, false) => None,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Create => "+  ",
            Self::Update => "~  ",
            Self::Replace => "-/+",
            Self::Destroy => "-  ",
        }
    }
}

/// A change to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) action: Action,
    /// The part of the system: the outermost module.
    part: String,
    /// The address within that part, without the key of an instance.
    block: String,
    /// The key of the instance, where there are several.
    instance: Option<String>,
    /// What differs, or what forces the replacement.
    attributes: Vec<String>,
    /// Its name, where it holds data that this change destroys.
    pub(crate) data: Option<String>,
    /// Whether it refuses to be destroyed.
    protected: bool,
    address: String,
}

/// A plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
}

impl Plan {
    /// Reads `terraform show -json PLAN`.
    pub(crate) fn read(shown: &Value) -> Result<Self, String> {
        let format = shown["format_version"].as_str().unwrap_or_default();
        if !format.starts_with("1.") {
            return Err(format!("the plan has format `{format}`; this program reads format 1"));
        }
        let listed = shown["resource_changes"].as_array().into_iter().flatten();
        let mut changes: Vec<Change> = listed.filter_map(change).collect();
        changes.sort_by(|a, b| {
            (&a.part, a.action, &a.block, &a.instance).cmp(&(&b.part, b.action, &b.block, &b.instance))
        });
        Ok(Self { changes })
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The names of what holds data and would be lost.
    pub(crate) fn data(&self) -> Vec<&str> {
        self.changes.iter().filter_map(|change| change.data.as_deref()).collect()
    }

    /// The names of what would be lost, and refuses to be: as it is deployed, whatever the file says by now.
    pub(crate) fn protected(&self) -> Vec<&str> {
        let protected = self.changes.iter().filter(|change| change.protected);
        protected.filter_map(|change| change.data.as_deref()).collect()
    }

    /// How many steps applying it takes: a replacement is two.
    pub(crate) fn steps(&self) -> usize {
        self.changes.len() + self.count(Action::Replace)
    }

    /// Whether this resource is made, and was not there.
    pub(crate) fn creates(&self, address: &str) -> bool {
        self.changes.iter().any(|change| change.action == Action::Create && change.address == address)
    }

    fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// The table, and the sums below it.
    pub(crate) fn table(&self) -> String {
        let mut parts: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in &self.changes {
            parts.entry(&change.part).or_default().push(change);
        }
        let mut text = String::new();
        for (part, changes) in parts {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{part} ({})", changes.len());
            let mut rows: Vec<(String, Vec<&Change>)> = Vec::new();
            for change in changes {
                // What changes in the same way is one line.
                let row = format!("  {} {}", change.action.sign(), change.block);
                match rows.last_mut().filter(|(last, same)| {
                    *last == row && same[0].attributes == change.attributes && change.data.is_none()
                }) {
                    Some((_, same)) => same.push(change),
                    None => rows.push((row, vec![change])),
                }
            }
            for (row, same) in rows {
                let _ = writeln!(text, "{row}{}", remarks(&same));
            }
        }
        let _ = write!(
            text,
            "{} to create, {} to update, {} to replace, {} to destroy",
            self.count(Action::Create),
            self.count(Action::Update),
            self.count(Action::Replace),
            self.count(Action::Destroy)
        );
        text
    }
}

fn remarks(same: &[&Change]) -> String {
    let instances: Vec<&str> = same.iter().filter_map(|change| change.instance.as_deref()).collect();
    let mut text = match instances.as_slice() {
        // Of a `count` that is 0 or 1.
        [] | ["0"] => String::new(),
        few if few.len() <= MAX_INSTANCES => format!(" [{}]", few.join(", ")),
        many => {
            format!(" [{}, … {} in all]", many[..MAX_INSTANCES].join(", "), many.len())
        }
    };
    let attributes = &same[0].attributes;
    if !attributes.is_empty() {
        let shown = attributes[..attributes.len().min(MAX_ATTRIBUTES)].join(", ");
        let more = attributes.len().saturating_sub(MAX_ATTRIBUTES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let _ = write!(text, ": {shown}{more}");
    }
    if let Some(name) = &same[0].data {
        let _ = write!(text, "   DATA IS LOST: {name}");
    }
    text
}

fn change(listed: &Value) -> Option<Change> {
    // What is only looked up while applying is no change.
    if listed["mode"] != "managed" {
        return None;
    }
    let change = &listed["change"];
    let action = Action::of(&change["actions"])?;
    let address = listed["address"].as_str()?.to_owned();
    let (part, inside) = part_of(&address);
    let instance = match &listed["index"] {
        Value::String(key) => Some(key.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let block = if listed["index"].is_null() {
        inside
    } else {
        inside.rsplit_once('[').map_or(inside, |(block, _)| block)
    };
    let attributes = match action {
        Action::Create | Action::Destroy => vec![],
        Action::Update => differing(&change["before"], &change["after"], &change["after_unknown"]),
        Action::Replace => forcing(&change["replace_paths"]),
    };
    let lost = matches!(action, Action::Replace | Action::Destroy);
    // What is older than the new bound goes within days.
    let sooner = !change["before"].is_null() && expiry(&change["after"]) < expiry(&change["before"]);
    let expires = listed["type"] == EXPIRY && sooner;
    let kinds = HOLDS_DATA.iter().find(|(kind, _)| lost && listed["type"] == *kind);
    let kind = kinds.or(expires.then_some(&(EXPIRY, "bucket")));
    let data =
        kind.map(|(_, name)| change["before"][*name].as_str().map_or_else(|| address.clone(), str::to_owned));
    let is = |flag: &str, value: bool| change["before"][flag].as_bool() == Some(value);
    let protected = is("deletion_protection", true)
        || is("deletion_protection_enabled", true)
        || (listed["type"] == "aws_s3_bucket" && is("force_destroy", false));
    Some(Change {
        action,
        part: part.to_owned(),
        block: block.to_owned(),
        instance,
        attributes,
        data,
        protected,
        address,
    })
}

/// The days after which the first objects of a bucket expire; as good as none where they do not.
fn expiry(lifecycle: &Value) -> u64 {
    let rules = lifecycle["rule"].as_array().into_iter().flatten();
    let days = rules.filter_map(|rule| rule["expiration"][0]["days"].as_u64()).filter(|days| *days > 0);
    days.min().unwrap_or(u64::MAX)
}

/// The outermost module, and the address within it.
fn part_of(address: &str) -> (&str, &str) {
    match address.strip_prefix("module.").and_then(|rest| rest.split_once('.')) {
        Some((module, inside)) => (module, inside),
        None => ("stack", address),
    }
}

/// The attributes that are not as before. Values are not shown: a person looks them up where they matter.
fn differing(before: &Value, after: &Value, unknown: &Value) -> Vec<String> {
    let empty = Map::new();
    let of = |value: &'_ Value| value.as_object().cloned().unwrap_or_else(|| empty.clone());
    let (before, after, unknown) = (of(before), of(after), of(unknown));
    let mut names: Vec<String> = Vec::new();
    for name in before.keys().chain(after.keys()).chain(unknown.keys()) {
        let open = unknown.get(name).is_some_and(|value| *value == Value::Bool(true));
        let differs = before.get(name).unwrap_or(&Value::Null) != after.get(name).unwrap_or(&Value::Null);
        if (open || differs) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names.sort();
    names
}

/// The attributes that cannot be changed in place.
fn forcing(paths: &Value) -> Vec<String> {
    let path = |path: &Value| {
        let parts = path.as_array()?.iter();
        let parts: Vec<String> =
            parts.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
        Some(format!("because of {}", parts.join(".")))
    };
    paths.as_array().into_iter().flatten().filter_map(path).collect()
}

#[cfg(test)]
mod tests;
