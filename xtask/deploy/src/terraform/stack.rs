//! The folder that terraform works in: a copy of the code, where the state is, and the variables.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Terraform;
use crate::problem::Problem;
use crate::settings::{Settings, State};

/// What the code reads, by path from the root of the repository.
const SOURCES: [&str; 2] = ["terraform", "docs/report-schema"];
/// The folder of the copy; `terraform.rs` names plan and variables from within it.
const COPY: &str = "code";
/// What terraform writes into the copy and has to find again.
const LOCK: &str = ".terraform.lock.hcl";
/// Where terraform puts a state that it could not store, beside the code.
const UNSTORED: &str = "errored.tfstate";
/// What is written first into a copy: by it one is told from a folder of somebody else's.
const BACKEND: &str = "backend.tf.json";

/// Prepares the folder, so that nothing of a run ends up in the repository; or what stands in the way.
pub(crate) fn prepare(root: &Path, folder: &Path, settings: &Settings) -> Result<Terraform, Problem> {
    let told = |what: &Path, error: std::io::Error| {
        let what = format!("{} cannot be written: {error}", what.display());
        Problem::new(what, "make room for it, or name another --folder")
    };
    std::fs::create_dir_all(folder).map_err(|error| told(folder, error))?;
    let folder = std::path::absolute(folder).map_err(|error| told(folder, error))?;
    let lock = hold(&folder)?;
    let copy = folder.join(COPY);
    let code = copy.join("terraform");
    if code.join(UNSTORED).exists() {
        let what =
            format!("{} is a state that an earlier run could not store", code.join(UNSTORED).display());
        let push = by_hand(&folder, &format!("state push {UNSTORED}"));
        return Err(Problem::new(
            what,
            format!("without it resources are forgotten: {push} && rm {UNSTORED}"),
        ));
    }
    let kept = std::fs::read(code.join(LOCK)).ok();
    if copy.exists() {
        if !code.join(BACKEND).exists() {
            let what = format!("{} is not of an earlier run", copy.display());
            return Err(Problem::new(what, "move it away, or name another --folder"));
        }
        // What is not there any more must not be applied.
        std::fs::remove_dir_all(&copy).map_err(|error| told(&copy, error))?;
    }
    std::fs::create_dir_all(&code).map_err(|error| told(&code, error))?;
    let backend = json!({"terraform": {"backend": backend_of(&settings.state)}});
    write_json(&code.join(BACKEND), &backend).map_err(|error| told(&code, error))?;
    for source in SOURCES {
        copy_folder(&root.join(source), &copy.join(source))
            .map_err(|error| told(&copy.join(source), error))?;
    }
    if let Some(kept) = kept {
        std::fs::write(code.join(LOCK), kept).map_err(|error| told(&code, error))?;
    }
    Ok(Terraform { code, folder, lock })
}

/// Holds a folder: a plan that is being read must not become another one.
fn hold(folder: &Path) -> Result<File, Problem> {
    let path = folder.join("lock");
    let remedy =
        "wait until it has ended (terraform outlives a run that was killed), or name another --folder";
    let opened = File::create(&path).map_err(TryLockError::Error);
    opened.and_then(|file| file.try_lock().map(|()| file)).map_err(|problem| match problem {
        TryLockError::WouldBlock => {
            Problem::new(format!("another run works in {}", folder.display()), remedy)
        }
        TryLockError::Error(error) => {
            Problem::new(format!("{} cannot be locked: {error}", path.display()), remedy)
        }
    })
}

/// How a person runs terraform in a folder that is prepared.
pub(super) fn by_hand(folder: &Path, arguments: &str) -> String {
    let (code, data) = (folder.join(COPY).join("terraform"), folder.join(".terraform"));
    format!("cd {} && TF_DATA_DIR={} terraform {arguments}", code.display(), data.display())
}

/// Writes the variables, with the image.
pub(crate) fn write_variables(terraform: &Terraform, settings: &Settings, image: &str) -> Result<(), String> {
    let path = terraform.folder.join("terraform.tfvars.json");
    write_json(&path, &settings.variables(image))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// The folder of an environment, where nobody names another.
pub(crate) fn default_folder(root: &Path, name: &str) -> PathBuf {
    root.join("target/deploy").join(name)
}

fn backend_of(state: &State) -> Value {
    match state {
        State::Local(path) => json!({"local": {"path": path}}),
        State::S3 { bucket, key, region } => {
            json!({"s3": {"bucket": bucket, "key": key, "region": region, "encrypt": true, "use_lockfile": true}})
        }
    }
}

fn write_json(path: &Path, value: &Value) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    std::fs::write(path, text + "\n")
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
        drop(terraform);
        let terraform = prepare(root.path(), folder.path(), &settings("")).unwrap();
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
        assert_eq!(local, json!({"local": {"path": "/envs/ecr-cve-monitor-dev.tfstate"}}));
        let s3 = backend_of(&settings("[state]\nbucket = \"b\"\n").state);
        let key = "ecr-cve-monitor/dev.tfstate";
        let expected =
            json!({"bucket": "b", "key": key, "region": "us-east-1", "encrypt": true, "use_lockfile": true});
        assert_eq!(s3, json!({"s3": expected}));
    }

    #[test]
    fn a_folder_is_used_by_one_at_a_time() {
        let (root, folder) = (repository(), tempfile::tempdir().unwrap());
        let first = prepare(root.path(), folder.path(), &settings("")).unwrap();
        let second = prepare(root.path(), folder.path(), &settings("")).unwrap_err();
        assert!(second.to_string().contains("another run works in"), "{second}");
        drop(first);
        prepare(root.path(), folder.path(), &settings("")).unwrap();
    }

    #[test]
    fn neither_a_folder_of_somebody_elses_nor_a_state_that_was_not_stored_is_removed() {
        let (root, folder) = (repository(), tempfile::tempdir().unwrap());
        let mine = folder.path().join("code/mine.rs");
        std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
        std::fs::write(&mine, "").unwrap();
        let refused = prepare(root.path(), folder.path(), &settings("")).unwrap_err();
        assert!(refused.to_string().contains("is not of an earlier run") && mine.is_file(), "{refused}");
        std::fs::remove_dir_all(folder.path().join("code")).unwrap();
        let code = prepare(root.path(), folder.path(), &settings("")).unwrap().code;
        std::fs::write(code.join(UNSTORED), "{}").unwrap();
        let refused = prepare(root.path(), folder.path(), &settings("")).unwrap_err();
        assert!(refused.to_string().contains("terraform state push errored.tfstate"), "{refused}");
        assert!(code.join(UNSTORED).is_file());
    }
}
