//! What backends are made of, fetched once from public registries into `target/dev` and kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, run};

const POM: &str = include_str!("aws/pom.xml");

/// The goal of Maven that copies the libraries of a project; its version is pinned like theirs.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// What a finished installation holds: the pins that it was made from.
const STAMP: &str = "made-from";

/// The virtual environment `target/dev/NAME` with these packages, made where it was not there.
pub(crate) fn virtual_environment(root: &Path, name: &str, requirements: &str) -> Result<PathBuf, String> {
    if find(&["python3"]).is_none() {
        return Err("needs `python3`".to_owned());
    }
    // Debian ships `venv` without what it works with.
    if run(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
        return Err("needs `python3-venv`".to_owned());
    }
    once(root, name, requirements, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let file = folder.join("requirements.txt");
        std::fs::write(&file, requirements).map_err(|error| error.to_string())?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        // Ready-made packages alone: nothing is run while they are installed.
        run(pip.args(["--only-binary", ":all:", "--requirement"]).arg(file)).map(drop)
    })
}

/// The folder with the libraries of a profile of `pom.xml`, fetched where they were not there.
pub(crate) fn libraries(root: &Path, profile: &str) -> Result<PathBuf, String> {
    if let Some(name) = ["java", "mvn"].into_iter().find(|name| find(&[*name]).is_none()) {
        return Err(format!("needs `{name}`"));
    }
    once(root, &format!("aws/{profile}"), POM, |folder| {
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(folder.join("pom.xml"), POM))
            .map_err(|error| error.to_string())?;
        let mut maven = Command::new("mvn");
        maven.current_dir(folder).args(["--quiet", "--batch-mode", "--activate-profiles", profile, COPY]);
        run(maven.arg("-DoutputDirectory=.")).map(drop)
    })
}

/// The folder `target/dev/NAME`, made by `make` where it was not made from these pins yet. Of several processes one
/// makes it and the others wait; what one left behind that was killed is made anew.
fn once(
    root: &Path,
    name: &str,
    pins: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let folder = root.join("target/dev").join(name);
    let failed = |error: std::io::Error| format!("{} cannot be made: {error}", folder.display());
    std::fs::create_dir_all(folder.parent().unwrap_or(root)).map_err(failed)?;
    // Held until the end of this function; the lock of a process that dies is released.
    let lock = File::create(folder.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == pins) {
        return Ok(folder);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    make(&folder).map_err(|problem| format!("{} cannot be made: {problem}", folder.display()))?;
    std::fs::write(&stamp, pins).map_err(failed)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-install-{name}-{}", std::process::id()))
    }

    #[test]
    fn it_is_made_once_and_anew_for_other_pins() {
        let (root, made) = (scratch("once"), AtomicUsize::new(0));
        let make = |folder: &Path| {
            made.fetch_add(1, Ordering::Relaxed);
            std::fs::create_dir(folder).map_err(|error| error.to_string())
        };
        let folders: Vec<_> = ["1", "1", "2"].map(|pins| once(&root, "thing", pins, make)).into();
        let _ = std::fs::remove_dir_all(&root);
        assert!(folders.iter().all(|folder| *folder == Ok(root.join("target/dev/thing"))), "{folders:?}");
        assert_eq!(made.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn what_was_left_unfinished_is_made_anew() {
        let root = scratch("unfinished");
        let broken = once(&root, "thing", "1", |folder| {
            std::fs::create_dir(folder).map_err(|error| error.to_string())?;
            Err("out of luck".to_owned())
        });
        let made = once(&root, "thing", "1", |folder| {
            std::fs::create_dir(folder).map_err(|error| error.to_string())
        });
        let _ = std::fs::remove_dir_all(&root);
        assert!(broken.is_err_and(|problem| problem.contains("out of luck")));
        assert!(made.is_ok(), "{made:?}");
    }
}
