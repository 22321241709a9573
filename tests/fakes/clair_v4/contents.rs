//! What is in layers, and what of it is left in an image.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::{Value, json};

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: String,
    pub(super) source: String,
    /// The language's repository, or nothing.
    pub(super) repository: &'static str,
    pub(super) package_db: String,
}

/// What one layer holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    os_release: Option<BTreeMap<String, String>>,
    /// The packages of the distribution; a layer with a database replaces those below it.
    system: Option<Vec<Package>>,
    language: Vec<Package>,
}

/// What an image holds: its distribution as JSON, and its packages with the number of the layer that brought them.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) distribution: Option<Value>,
    pub(super) packages: Vec<(Package, usize)>,
}

impl Layer {
    /// Reads a tar; none where it is not one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut layer = Self::default();
        let mut archive = tar::Archive::new(bytes);
        let mut members = 0;
        for entry in archive.entries().ok()? {
            let mut entry = entry.ok()?;
            members += 1;
            let path = entry.path().ok()?.to_string_lossy().into_owned();
            let mut text = String::new();
            if entry.read_to_string(&mut text).is_ok() {
                layer.take(&path, &text);
            }
        }
        (members > 0).then_some(layer)
    }

    fn take(&mut self, path: &str, text: &str) {
        if path == "etc/os-release" {
            self.os_release = Some(pairs(text, '='));
        } else if path == "var/lib/dpkg/status" {
            self.system = Some(text.split("\n\n").filter_map(debian_package).collect());
        } else if path.ends_with(".dist-info/METADATA") {
            let fields = pairs(text, ':');
            let folder = path.rsplitn(3, '/').last().unwrap_or_default();
            self.language.extend(language_package(&fields, "pypi", format!("python:{folder}")));
        } else if let Some(rest) = text.strip_prefix("go program\n") {
            let words = rest.lines().map(|line| line.split(' ').collect::<Vec<_>>());
            self.language.extend(words.filter(|words| words.len() == 3).map(|words| Package {
                name: words[1].to_owned(),
                version: words[2].to_owned(),
                arch: String::new(),
                source: String::new(),
                repository: "go",
                package_db: format!("go:{path}"),
            }));
        }
    }
}

impl Contents {
    /// What is left of layers, base first.
    pub(super) fn of(layers: &[Layer]) -> Self {
        let os_release = layers.iter().rev().find_map(|layer| layer.os_release.as_ref());
        let database = layers.iter().rposition(|layer| layer.system.is_some());
        let installed = database.and_then(|at| layers[at].system.clone()).unwrap_or_default();
        let brought = |package: &Package| {
            let has = |layer: &Layer| layer.system.as_ref().is_some_and(|list| list.contains(package));
            layers.iter().position(has).unwrap_or_default()
        };
        let mut packages: Vec<(Package, usize)> =
            installed.into_iter().map(|package| (package.clone(), brought(&package))).collect();
        for (at, layer) in layers.iter().enumerate() {
            packages.extend(layer.language.iter().map(|package| (package.clone(), at)));
        }
        Self { distribution: os_release.and_then(distribution), packages }
    }
}

fn pairs(text: &str, separator: char) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(separator));
    pairs.map(|(key, value)| (key.to_owned(), value.trim().trim_matches('"').to_owned())).collect()
}

fn debian_package(paragraph: &str) -> Option<Package> {
    let fields = pairs(paragraph, ':');
    let name = fields.get("Package")?.clone();
    Some(Package {
        source: fields.get("Source").unwrap_or(&name).clone(),
        name,
        version: fields.get("Version")?.clone(),
        arch: fields.get("Architecture").cloned().unwrap_or_default(),
        repository: "",
        package_db: "var/lib/dpkg/status".to_owned(),
    })
}

fn language_package(
    fields: &BTreeMap<String, String>,
    repository: &'static str,
    package_db: String,
) -> Option<Package> {
    Some(Package {
        name: fields.get("Name")?.clone(),
        version: fields.get("Version")?.clone(),
        arch: String::new(),
        source: String::new(),
        repository,
        package_db,
    })
}

/// A distribution that Clair has a scanner for.
fn distribution(os_release: &BTreeMap<String, String>) -> Option<Value> {
    let field = |name: &str| os_release.get(name).cloned().unwrap_or_default();
    match field("ID").as_str() {
        "debian" if field("VERSION_ID") == "12" => Some(debian_12("1")),
        "debian" | "ubuntu" => Some(json!({
            "id": "1", "did": field("ID"), "name": field("NAME"), "version": field("VERSION"),
            "version_code_name": field("VERSION_CODENAME"), "version_id": field("VERSION_ID"), "arch": "", "cpe": "",
            "pretty_name": field("PRETTY_NAME"),
        })),
        _ => None,
    }
}

/// Debian 12 as Clair writes it.
pub(super) fn debian_12(id: &str) -> Value {
    json!({
        "id": id, "did": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)",
        "version_code_name": "bookworm", "version_id": "12", "arch": "", "cpe": "",
        "pretty_name": "Debian GNU/Linux 12 (bookworm)",
    })
}

/// A language's repository as Clair's indexer writes it.
pub(super) fn repository(name: &str) -> Value {
    let uri = match name {
        "pypi" => "https://pypi.org/simple",
        "go" => "https://pkg.go.dev/",
        _ => "",
    };
    json!({"id": name, "name": name, "uri": uri, "cpe": ""})
}
