//! The folder that terraform works in: a copy of the code, where the state is, and the variables.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Terraform;
use crate::settings::{Settings, State};

/// What the code reads, by path from the root of the repository.
const SOURCES: [&str; 2] = ["terraform", "docs/report-schema"];
/// The folder of the copy; `terraform.rs` names plan and variables from within it.
const COPY: &str = "code";
/// What terraform writes into the copy and has to find again.
const LOCK: &str = ".terraform.lock.hcl";

/// Prepares the folder, so that nothing of a run ends up in the repository.
pub(crate) fn prepare(root: &Path, folder: &Path, settings: &Settings) -> Result<Terraform, String> {
    let told = |what: &Path, error: std::io::Error| format!("{} cannot be written: {error}", what.display());
    std::fs::create_dir_all(folder).map_err(|error| told(folder, error))?;
    let folder = std::path::absolute(folder).map_err(|error| told(folder, error))?;
    let (copy, lock) = (folder.join(COPY), folder.join(COPY).join("terraform").join(LOCK));
    let kept = std::fs::read(&lock).ok();
    if copy.exists() {
        // What is not there any more must not be applied.
        std::fs::remove_dir_all(&copy).map_err(|error| told(&copy, error))?;
    }
    for source in SOURCES {
        copy_folder(&root.join(source), &copy.join(source))
            .map_err(|error| format!("{source} cannot be copied to {}: {error}", copy.display()))?;
    }
    if let Some(kept) = kept {
        std::fs::write(&lock, kept).map_err(|error| told(&lock, error))?;
    }
    let code = copy.join("terraform");
    let backend = code.join("backend.tf.json");
    write_json(&backend, &json!({"terraform": {"backend": backend_of(&settings.state)}}))?;
    Ok(Terraform { code, folder })
}

/// Writes the variables, with the image.
pub(crate) fn write_variables(terraform: &Terraform, settings: &Settings, image: &str) -> Result<(), String> {
    write_json(&terraform.folder.join("terraform.tfvars.json"), &settings.variables(image))
}

/// The image that is deployed now, out of `terraform show -json`.
pub(crate) fn deployed_image(state: &Value) -> Option<String> {
    let modules = state["values"]["root_module"]["child_modules"].as_array()?;
    let ingest = modules.iter().find(|module| module["address"] == "module.ingest")?;
    let mut resources = ingest["resources"].as_array()?.iter();
    let task = resources.find(|resource| resource["type"] == "aws_ecs_task_definition")?;
    let containers: Value = serde_json::from_str(task["values"]["container_definitions"].as_str()?).ok()?;
    let main = containers.as_array()?.iter().find(|container| container["name"] == "ingest")?.clone();
    main["image"].as_str().map(str::to_owned)
}

/// The folder of an environment, where nobody names another.
pub(crate) fn default_folder(root: &Path, environment: &str) -> PathBuf {
    root.join("target/deploy").join(environment)
}

fn backend_of(state: &State) -> Value {
    match state {
        State::Local(path) => json!({"local": {"path": path}}),
        State::S3 { bucket, key, region } => {
            json!({"s3": {"bucket": bucket, "key": key, "region": region, "encrypt": true, "use_lockfile": true}})
        }
    }
}

fn write_json(path: &Path, value: &Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    std::fs::write(path, text + "\n")
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Copies files; what terraform or a person left in the repository's folder stays there.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let left_over =
            name.starts_with(".terraform") || name.contains(".tfstate") || name.contains(".tfvars");
        if entry.file_type()?.is_dir() && !left_over {
            copy_folder(&entry.path(), &to.join(&name))?;
        } else if !left_over {
            std::fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(state: &str) -> Settings {
        let file =
            "environment = \"dev\"\nprefix = \"acme\"\ncostcenter = \"1\"\npoc = \"me\"\n".to_owned() + state;
        Settings::parse(&file, Path::new("/envs/dev.toml")).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn repository() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("terraform/main.tf", "# main"),
            ("terraform/modules/a/main.tf", "# a"),
            ("terraform/my.tfvars", "secret"),
            ("terraform/terraform.tfstate", "{}"),
            ("docs/report-schema/schema.json", "{}"),
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn code_is_copied_anew_without_what_is_left_over_and_with_the_lock() {
        let (root, folder) = (repository(), tempfile::tempdir().unwrap());
        let terraform = prepare(root.path(), folder.path(), &settings("")).unwrap();
        std::fs::write(terraform.code.join(LOCK), "locked").unwrap();
        std::fs::write(terraform.code.join("gone.tf"), "").unwrap();
        prepare(root.path(), folder.path(), &settings("")).unwrap();
        assert_eq!(std::fs::read_to_string(terraform.code.join(LOCK)).unwrap(), "locked");
        assert!(terraform.code.join("modules/a/main.tf").is_file());
        assert!(folder.path().join("code/docs/report-schema/schema.json").is_file());
        for left_over in ["gone.tf", "my.tfvars", "terraform.tfstate"] {
            assert!(!terraform.code.join(left_over).exists(), "{left_over}");
        }
    }

    #[test]
    fn the_state_lies_beside_the_file_or_in_the_bucket_that_it_names() {
        let local = backend_of(&settings("").state);
        assert_eq!(local, json!({"local": {"path": "/envs/dev.tfstate"}}));
        let s3 = backend_of(&settings("[state]\nbucket = \"b\"\n").state);
        let key = "ecr-cve-monitor/dev.tfstate";
        let expected =
            json!({"bucket": "b", "key": key, "region": "us-east-1", "encrypt": true, "use_lockfile": true});
        assert_eq!(s3, json!({"s3": expected}));
    }

    #[test]
    fn the_image_that_runs_is_found_in_the_state() {
        let state: Value = serde_json::from_str(include_str!("../../tests/fixtures/state.json")).unwrap();
        let image = deployed_image(&state).unwrap();
        assert!(image.contains(".dkr.ecr.us-east-1.amazonaws.com/cve-monitor@sha256:"), "{image}");
        assert_eq!(deployed_image(&json!({})), None);
    }
}
