//! Which packages a vulnerability is about, and which of them reports and the reverse lookup name.

use serde_json::{Map, Value, json};

use super::contents::{Contents, Package, repository};
use super::state::{Manifest, State};

/// The report on a manifest.
pub(super) fn report(state: &State, hash: &str, manifest: &Manifest) -> Value {
    let mut report = inventory(hash, manifest);
    let (mut vulnerabilities, mut of_packages) = (Map::new(), Map::new());
    for (at, (package, _)) in manifest.contents.packages.iter().enumerate() {
        let found = state.current().into_iter().filter(|known| affects(known, package, &manifest.contents));
        let mut numbers = vec![];
        for vulnerability in found {
            let number = vulnerability["id"].as_str().unwrap_or_default();
            vulnerabilities.insert(number.to_owned(), vulnerability.clone());
            numbers.push(json!(number));
        }
        if !numbers.is_empty() {
            of_packages.insert(number(at), Value::Array(numbers));
        }
    }
    report["vulnerabilities"] = Value::Object(vulnerabilities);
    report["package_vulnerabilities"] = Value::Object(of_packages);
    report["enrichments"] = json!({});
    report
}

/// What is in a manifest.
pub(super) fn inventory(hash: &str, manifest: &Manifest) -> Value {
    let (mut packages, mut environments, mut repositories) = (Map::new(), Map::new(), Map::new());
    for (at, (package, layer)) in manifest.contents.packages.iter().enumerate() {
        packages.insert(number(at), package_json(at, package));
        let of_language = !package.repository.is_empty();
        if of_language {
            repositories.insert(package.repository.to_owned(), repository(package.repository));
        }
        let place = json!({
            "package_db": package.package_db, "introduced_in": manifest.layers[*layer],
            "distribution_id": if of_language || manifest.contents.distribution.is_none() { "" } else { "1" },
            "repository_ids": if of_language { json!([package.repository]) } else { Value::Null },
        });
        environments.insert(number(at), json!([place]));
    }
    let distributions = manifest.contents.distribution.as_ref().map(|known| json!({"1": known}));
    json!({
        "manifest_hash": hash, "packages": packages, "distributions": distributions.unwrap_or_else(|| json!({})),
        "repository": repositories, "environments": environments,
    })
}

fn number(at: usize) -> String {
    (at + 1).to_string()
}

fn package_json(at: usize, package: &Package) -> Value {
    let source =
        json!({"id": "1", "name": package.source, "version": "", "normalized_version": "", "cpe": ""});
    json!({
        "id": number(at), "name": package.name, "version": package.version, "kind": "binary", "source": source,
        "normalized_version": "", "arch": package.arch, "cpe": "",
    })
}

fn affects(vulnerability: &Value, package: &Package, contents: &Contents) -> bool {
    let name = vulnerability["package"]["name"].as_str().unwrap_or_default();
    let of_repository = vulnerability["repository"]["name"].as_str().unwrap_or_default();
    let at_home = if of_repository.is_empty() {
        let (told, own) = (&vulnerability["distribution"], contents.distribution.as_ref());
        package.repository.is_empty()
            && own.is_some_and(|own| own["did"] == told["did"] && own["version_id"] == told["version_id"])
    } else {
        package.repository == of_repository
    };
    let fixed = vulnerability["fixed_in_version"].as_str().unwrap_or_default();
    at_home
        && (package.name == name || package.source == name)
        && (fixed.is_empty() || package.version != fixed)
}

/// The answer to `affected_manifest`. Clair looks up what it is asked about in its own tables, by every field of the
/// distribution or of the repository, and it has a matcher for few ecosystems there: Go, say, is not among them.
pub(super) fn affected(state: &State, vulnerabilities: &[Value]) -> Value {
    let (mut found, mut manifests) = (Map::new(), Map::new());
    for vulnerability in vulnerabilities {
        let number = vulnerability["id"].as_str().unwrap_or_default().to_owned();
        for (hash, manifest) in &state.manifests {
            let contents = &manifest.contents;
            let hits = |(package, _): &(Package, usize)| {
                is_looked_up(vulnerability, contents) && affects(vulnerability, package, contents)
            };
            if manifest.error.is_none() && contents.packages.iter().any(hits) {
                found.insert(number.clone(), vulnerability.clone());
                let list = manifests.entry(hash.clone()).or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(json!(number)));
            }
        }
    }
    json!({"vulnerabilities": found, "vulnerable_manifests": manifests})
}

fn is_looked_up(vulnerability: &Value, contents: &Contents) -> bool {
    let told = &vulnerability["repository"];
    if told["name"] == "pypi" {
        return told["uri"] == repository("pypi")["uri"];
    }
    let fields = ["did", "name", "version", "version_code_name", "version_id", "arch", "cpe", "pretty_name"];
    let distribution = &vulnerability["distribution"];
    let same = |own: &Value| fields.iter().all(|field| own[field] == distribution[field]);
    told["name"].as_str().is_none_or(str::is_empty) && contents.distribution.as_ref().is_some_and(same)
}
