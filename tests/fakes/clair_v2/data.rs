//! What a Clair 2.0.9 keeps, and how its answers follow from it: layers as differences to their parents, vulnerabilities
//! matched when they are asked for, notifications whose layers are looked up when they are read.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::{Value, json};

/// The version of what it reads.
const ENGINE: u32 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
    namespace: String,
    added_by: String,
}

#[derive(Debug)]
struct Layer {
    parent: Option<String>,
    namespace: Option<String>,
    packages: Vec<Package>,
}

/// A vulnerability: every version of the package is affected.
#[derive(Debug, Clone)]
pub(crate) struct Flaw {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) package: String,
    pub(crate) text: String,
}

impl Flaw {
    fn json(&self, on_package: bool) -> Value {
        let mut told = json!({"Name": self.name, "NamespaceName": self.namespace, "Description": self.text,
            "Link": format!("https://example.invalid/{}", self.name), "Severity": "High"});
        if !on_package {
            told["FixedIn"] = json!([{"Name": self.package, "NamespaceName": self.namespace,
                "VersionFormat": "dpkg", "Version": "None"}]);
        }
        told
    }
}

#[derive(Debug)]
struct Notification {
    old: Option<Flaw>,
    new: Option<Flaw>,
}

/// The database.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// In the order of their ids.
    layers: Vec<(String, Layer)>,
    flaws: BTreeMap<String, Flaw>,
    notifications: BTreeMap<String, Notification>,
    notified: u32,
    /// How long the last round of the updater took; 0 before the first.
    pub(crate) round_seconds: u32,
}

/// A status and a body.
pub(crate) type Answer = (u16, Value);

pub(crate) fn error(status: u16, message: &str) -> Answer {
    (status, json!({"Error": {"Message": message}}))
}

impl Data {
    /// Everything but the count of notifications, whose names are random in truth.
    pub(crate) fn empty(&mut self) {
        *self = Self { notified: self.notified, ..Self::default() };
    }

    /// Publishes, edits or withdraws; the name of the notification.
    pub(crate) fn learn(&mut self, name: &str, new: Option<Flaw>) -> String {
        let old = match &new {
            Some(flaw) => self.flaws.insert(name.to_owned(), flaw.clone()),
            None => self.flaws.remove(name),
        };
        self.notified += 1;
        let name = format!("00000000-0000-4000-8000-{:012}", self.notified);
        self.notifications.insert(name.clone(), Notification { old, new });
        name
    }

    fn find(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|(known, _)| known == name).map(|(_, layer)| layer)
    }

    /// Whether a layer must be fetched; else what to answer without.
    pub(crate) fn is_new(&self, asked: &Value) -> Result<(), Answer> {
        let name = asked["Name"].as_str().unwrap_or_default();
        if self.find(name).is_some() {
            return Err((201, echo(asked)));
        }
        match asked["ParentName"].as_str() {
            Some(parent) if self.find(parent).is_none() => {
                Err(error(400, "worker: parent layer is unknown, it must be processed first"))
            }
            _ => Ok(()),
        }
    }

    /// Reads a fetched layer and stores it.
    pub(crate) fn store(&mut self, asked: &Value, bytes: &[u8]) -> Answer {
        let Some(files) = files(bytes) else {
            return error(422, "tarutil: could not extract the archive");
        };
        let name = asked["Name"].as_str().unwrap_or_default();
        let parent = asked["ParentName"].as_str();
        let below = parent.and_then(|parent| self.find(parent));
        let namespace = match files.get("etc/os-release").map(|text| os_release(text)) {
            Some(namespace) => Some(namespace),
            None => below.and_then(|below| below.namespace.clone()),
        };
        let inherited: Vec<Package> = below.map(|below| below.packages.clone()).unwrap_or_default();
        let packages = match files.get("var/lib/dpkg/status") {
            None => inherited,
            Some(status) => {
                let Some(namespace) = &namespace else {
                    return error(422, "worker: OS and/or package manager are not supported");
                };
                installed(status, namespace, name, &inherited)
            }
        };
        let layer = Layer { parent: parent.map(str::to_owned), namespace, packages };
        self.layers.push((name.to_owned(), layer));
        (201, echo(asked))
    }

    pub(crate) fn layer(&self, name: &str, with_packages: bool) -> Answer {
        let Some(layer) = self.find(name) else { return not_there() };
        let mut told = json!({"Name": name, "IndexedByVersion": ENGINE});
        if let Some(namespace) = &layer.namespace {
            told["NamespaceName"] = json!(namespace);
        }
        if let Some(parent) = &layer.parent {
            told["ParentName"] = json!(parent);
        }
        if with_packages && !layer.packages.is_empty() {
            told["Features"] = layer.packages.iter().map(|package| self.package(package)).collect();
        }
        (200, json!({"Layer": told}))
    }

    fn package(&self, package: &Package) -> Value {
        let flaws: Vec<Value> =
            self.flaws.values().filter(|flaw| affects(flaw, package)).map(|flaw| flaw.json(true)).collect();
        let mut told = json!({"Name": package.name, "NamespaceName": package.namespace, "VersionFormat": "dpkg",
            "Version": package.version, "AddedBy": package.added_by});
        if !flaws.is_empty() {
            told["Vulnerabilities"] = json!(flaws);
        }
        told
    }

    pub(crate) fn namespaces(&self) -> Answer {
        let of_layers = self.layers.iter().filter_map(|(_, layer)| layer.namespace.as_ref());
        let of_flaws = self.flaws.values().map(|flaw| &flaw.namespace);
        let all: std::collections::BTreeSet<&String> = of_layers.chain(of_flaws).collect();
        if all.is_empty() {
            return (200, json!({"Namespaces": null}));
        }
        let told: Vec<Value> =
            all.iter().map(|name| json!({"Name": name, "VersionFormat": "dpkg"})).collect();
        (200, json!({"Namespaces": told}))
    }

    pub(crate) fn flaws_of(&self, namespace: &str) -> Answer {
        let flaws: Vec<Value> =
            self.flaws.values().filter(|f| f.namespace == namespace).map(|f| f.json(true)).collect();
        if flaws.is_empty() {
            return (200, json!({"Vulnerabilities": null}));
        }
        (200, json!({"Vulnerabilities": flaws}))
    }

    /// A page of layers, by the number of the first layer on it.
    pub(crate) fn notification(&self, name: &str, limit: usize, from: usize) -> Answer {
        let Some(known) = self.notifications.get(name) else { return not_there() };
        let mut told = json!({"Name": name, "Limit": limit});
        let mut last = true;
        for (side, flaw) in [("Old", &known.old), ("New", &known.new)] {
            let Some(flaw) = flaw else { continue };
            let introducing: Vec<&String> = self
                .layers
                .iter()
                .filter(|(name, layer)| {
                    layer.packages.iter().any(|p| p.added_by == *name && affects(flaw, p))
                })
                .map(|(name, _)| name)
                .collect();
            let rest = introducing.get(from..).unwrap_or_default();
            last &= rest.len() <= limit;
            let page = &rest[..limit.min(rest.len())];
            told[side] = json!({"Vulnerability": flaw.json(false)});
            if !page.is_empty() {
                let ordered: Vec<Value> = (from..)
                    .zip(page)
                    .map(|(index, name)| json!({"Index": index, "LayerName": name}))
                    .collect();
                told[side]["OrderedLayersIntroducingVulnerability"] = json!(ordered);
                told[side]["LayersIntroducingVulnerability"] = json!(page);
            }
        }
        if !last {
            told["NextPage"] = json!((from + limit).to_string());
        }
        (200, json!({"Notification": told}))
    }

    pub(crate) fn metrics(&self) -> Answer {
        let seconds = self.round_seconds;
        (200, json!(format!("clair_updater_duration_seconds {seconds}\nclair_updater_errors_total 0\n")))
    }

    pub(crate) fn delete_notification(&mut self, name: &str) -> Answer {
        if self.notifications.contains_key(name) { (200, Value::Null) } else { not_there() }
    }
}

fn not_there() -> Answer {
    error(404, "the resource cannot be found")
}

fn echo(asked: &Value) -> Value {
    let mut told = asked.clone();
    told["IndexedByVersion"] = json!(ENGINE);
    json!({"Layer": told})
}

fn affects(flaw: &Flaw, package: &Package) -> bool {
    flaw.package == package.name && flaw.namespace == package.namespace
}

/// The text files of a plain tar archive; an empty one has none.
fn files(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(bytes).entries().ok()? {
        let mut entry = entry.ok()?;
        let path = entry.path().ok()?.to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_ok() {
            files.insert(path, text);
        }
    }
    Some(files)
}

fn os_release(text: &str) -> String {
    let value = |key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_default().trim_matches('"').to_owned()
    };
    format!("{}:{}", value("ID"), value("VERSION_ID"))
}

/// A package database replaces the whole list; what was there before keeps its layer.
fn installed(status: &str, namespace: &str, layer: &str, inherited: &[Package]) -> Vec<Package> {
    let value = |paragraph: &str, key: &str| {
        paragraph.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ").map(str::to_owned))
    };
    let read = status.split("\n\n").filter_map(|paragraph| {
        let (name, version) = (value(paragraph, "Package")?, value(paragraph, "Version")?);
        let before = inherited.iter().find(|known| known.name == name && known.version == version);
        Some(before.cloned().unwrap_or(Package {
            name,
            version,
            namespace: namespace.to_owned(),
            added_by: layer.to_owned(),
        }))
    });
    read.collect()
}
