//! Clair on PostgreSQL, with a registry that holds the images of the examples.

pub mod offline;
mod source;
mod v2;
mod v4;

pub use self::v2::ClairV2;
pub use self::v4::ClairV4;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::ended::Ended;
use super::postgres::{self, Postgres};
use super::process::find;
use super::registry::{self, Registry};

/// The images of the examples, by their names in the layout.
pub const IMAGES: [&str; 6] =
    ["debian-base", "debian-python-build", "debian-python", "debian-node", "distroless", "debian-multiarch"];

/// What is missing on this machine to raise Clair 4.9.0; nothing where it can be raised.
#[must_use]
pub fn missing_v4() -> Option<&'static str> {
    let go = || find(&["go"]).is_none().then_some("go");
    postgres::missing().or_else(registry::missing).or_else(go)
}

/// What is missing on this machine to raise Clair 2.0.9, which calls `git`, `rpm` and `xz`.
#[must_use]
pub fn missing_v2() -> Option<&'static str> {
    missing_v4().or_else(|| v2::NEEDED.into_iter().find(|name| find(&[*name]).is_none()))
}

/// What both versions stand on.
#[derive(Debug)]
pub struct Ground {
    /// Where everything is kept that they write.
    pub folder: PathBuf,
    /// Their database server.
    pub postgres: Postgres,
    /// The registry whose images they read.
    pub registry: Registry,
}

impl Ground {
    /// Raises it in a folder that others may enter.
    ///
    /// # Errors
    /// A program is missing, or does not start.
    pub fn raise(folder: &Path) -> Result<Self, String> {
        let postgres = Postgres::start(folder)?;
        let registry = Registry::start(&folder.join("registry"))?;
        Ok(Self { folder: folder.to_owned(), postgres, registry })
    }

    /// Pushes an image of the examples as `demo/NAME:1`.
    ///
    /// # Errors
    /// `skopeo` is missing or refuses.
    pub fn push(&self, root: &Path, image: &str) -> Result<(), String> {
        self.registry.push(&root.join("examples/images"), image, &format!("demo/{image}:1"))
    }
}

/// Raises everything, says how to use it, and waits for the end.
pub(super) fn raise(root: &Path, legacy: bool, webhook: &str) -> Result<(), String> {
    let missing = if legacy { missing_v2() } else { missing_v4() };
    if let Some(name) = missing {
        return Err(format!(
            "`{name}` is missing. On Debian and Ubuntu: `apt-get install postgresql docker-registry skopeo git rpm xz-utils`, \
             and Go 1.25 or newer from https://go.dev/dl/"
        ));
    }
    println!("building Clair, unless target/dev has it; the first time this takes some minutes");
    let folder = std::env::temp_dir().join(format!("cve-monitor-clair-{}", std::process::id()));
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    let raised = raise_in(root, &folder, legacy, webhook);
    let removed = std::fs::remove_dir_all(&folder);
    raised?;
    removed.map_err(|error| format!("{} cannot be removed: {error}", folder.display()))
}

fn raise_in(root: &Path, folder: &Path, legacy: bool, webhook: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    // Before anything is raised, so that whatever is raised is also taken down.
    let mut ended = runtime.block_on(async { Ended::listen() })?;
    let programs = if legacy { ClairV2::build(root)? } else { ClairV4::build(root)? };
    let ground = Ground::raise(folder)?;
    for image in IMAGES {
        ground.push(root, image)?;
    }
    let registry = ground.registry.address;
    println!("a registry on http://{registry}: {}", IMAGES.map(|name| format!("demo/{name}:1")).join(", "));
    if legacy {
        let clair = ClairV2::start(&programs, &ground, webhook)?;
        println!("{}\n{}", clair.how_to_use(), settings(registry, clair.address, V2_SETTINGS));
        runtime.block_on(ended.wait());
    } else {
        let clair = ClairV4::start(&programs, &ground, webhook)?;
        clair.import(&offline::file(root, "first"))?;
        println!("{}\n{}", clair.how_to_use(root), settings(registry, clair.address, V4_SETTINGS));
        runtime.block_on(ended.wait());
    }
    println!("stopping");
    Ok(())
}

/// The name of the scanner, and what is true of a Clair that is raised here alone: its advisories are there at once, and
/// it has no key to sign with.
const V4_SETTINGS: [&str; 2] =
    ["clair-v4", "updaters = [\"debian/updater\"]\nsettle = \"5s\"\nwebhook_unsigned = true"];
const V2_SETTINGS: [&str; 2] = ["clair-v2", "assume_ready = true"];

/// The configuration with which `cve-monitor` works on it.
fn settings(registry: SocketAddr, clair: SocketAddr, [kind, more]: [&str; 2]) -> String {
    format!(
        "let cve-monitor work on it, with this in cve-monitor.toml:

  [scanner]
  kind = \"{kind}\"

  [clair]
  url = \"http://{clair}\"
  {}

  [[registry]]
  name = \"{registry}\"
  insecure = true
",
        more.replace('\n', "\n  ")
    )
}
