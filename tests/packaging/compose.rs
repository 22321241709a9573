//! `packaging/compose.yaml`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Completion, Failed};
use yaml_rust2::{Yaml, YamlLoader};

use crate::{refusal, root, stays_within};

/// Keys of a service, of those that the Compose specification has.
const KEYS: [&str; 12] = [
    "cap_drop",
    "command",
    "environment",
    "image",
    "ports",
    "profiles",
    "read_only",
    "restart",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "volumes",
];
/// What `xtask/deploy` gives the image of the all-in-one program.
const IMAGE_VARIABLES: [(&str, &str); 2] =
    [("XDG_DATA_HOME", "/var/lib"), ("XDG_CACHE_HOME", "/var/lib/cve-monitor/cache")];

fn file() -> PathBuf {
    root().join("packaging/compose.yaml")
}

fn parsed() -> Yaml {
    let text = fs::read_to_string(file()).unwrap();
    let mut documents = YamlLoader::load_from_str(&text).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn texts<'a>(service: &'a Yaml, key: &str) -> Vec<&'a str> {
    let list = service[key].as_vec().unwrap_or_else(|| panic!("{key} is no list"));
    list.iter().map(|text| text.as_str().unwrap_or_else(|| panic!("{text:?} is no text"))).collect()
}

pub(crate) fn fits() -> Result<Completion, Failed> {
    let file = parsed();
    let top: Vec<_> = file.as_hash().unwrap().keys().filter_map(Yaml::as_str).collect();
    assert_eq!(top, ["services", "volumes"]);
    let volumes: Vec<_> = file["volumes"].as_hash().unwrap().keys().filter_map(Yaml::as_str).collect();
    for (name, service) in file["services"].as_hash().unwrap() {
        for key in service.as_hash().unwrap().keys().filter_map(Yaml::as_str) {
            assert!(KEYS.contains(&key), "{name:?}: {key}");
        }
        for volume in texts(service, "volumes") {
            let from = volume.split(':').next().unwrap_or_default();
            assert!(from.starts_with("./") || volumes.contains(&from), "{volume} is not declared");
        }
        // From this machine alone.
        assert!(texts(service, "ports").iter().all(|port| port.starts_with("127.0.0.1:")), "{name:?}");
    }
    let monitor = &file["services"]["cve-monitor"];
    assert_eq!(refusal(&texts(monitor, "command")), None);
    let mounted: Vec<&str> =
        texts(monitor, "volumes").iter().filter_map(|volume| volume.split(':').nth(1)).collect();
    assert_eq!(mounted, ["/etc/cve-monitor/config.toml", "/var/lib/cve-monitor"]);
    assert_eq!(texts(&file["services"]["registry"], "profiles"), ["registry"]);
    Ok(Completion::Completed)
}

/// The configuration stands in the comment, and the registry's notifications name the registry as it does.
pub(crate) fn is_configured() -> Result<Completion, Failed> {
    let text = fs::read_to_string(file())?;
    let comment = text.lines().take_while(|line| line.starts_with('#'));
    let config: String = comment
        .filter_map(|line| line.strip_prefix("#   "))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .fold(String::new(), |config, line| config + line + "\n");
    stays_within(&["/var/lib/cve-monitor"], &IMAGE_VARIABLES, &config);
    let table: toml::Table = config.parse()?;
    assert_eq!(table["watch"]["listen"].as_str(), Some("0.0.0.0:8080"));
    let file = parsed();
    let endpoints = &file["services"]["registry"]["environment"]["REGISTRY_NOTIFICATIONS_ENDPOINTS"];
    let endpoints = YamlLoader::load_from_str(endpoints.as_str().unwrap_or_default())?;
    let name = table["registry"][0]["name"].as_str().unwrap_or_default();
    assert_eq!(
        endpoints[0][0]["url"].as_str(),
        Some(format!("http://cve-monitor:8080/webhooks/distribution?registry={name}").as_str())
    );
    Ok(Completion::Completed)
}

/// By docker itself.
pub(crate) fn verifies() -> Result<Completion, Failed> {
    let compose = |arguments: &[&str]| Command::new("docker").arg("compose").args(arguments).output();
    if !compose(&["version"]).is_ok_and(|answer| answer.status.success()) {
        return Ok(Completion::ignored_with("needs `docker compose`"));
    }
    let file = file().display().to_string();
    let answer = compose(&["--file", &file, "--profile", "registry", "config", "--quiet"])?;
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    Ok(Completion::Completed)
}
