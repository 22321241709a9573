//! Local backends to work against.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Subcommand;

/// The programs that the reference registry goes by: Debian's package, and upstream's own releases.
const REGISTRY_PROGRAMS: [&str; 2] = ["docker-registry", "registry"];

const REMEDY: &str = "no registry program is on the PATH. On Debian and Ubuntu: `apt-get install docker-registry skopeo`. \
     Elsewhere: the `registry` program of the CNCF Distribution project";

/// A backend.
#[derive(Debug, Subcommand)]
pub(crate) enum Backend {
    /// A container registry on the loopback interface, with its images under `target/dev`. Ctrl-C stops it.
    Registry {
        /// Where it listens.
        #[arg(long, default_value_t = 5000)]
        port: u16,
    },
}

/// Raises a backend; returns only where it could not be.
pub(crate) fn raise(root: &Path, backend: &Backend) -> Result<bool, String> {
    match backend {
        Backend::Registry { port } => Err(registry(root, *port)),
    }
}

/// Becomes the registry program, so that whatever ends this process ends the registry. The answer is why not.
fn registry(root: &Path, port: u16) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(program) = find(&path, &REGISTRY_PROGRAMS) else { return REMEDY.to_owned() };
    if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        return format!("port {port} cannot be used: {error}. Choose another with --port");
    }
    let folder = root.join("target/dev/registry");
    let settings = folder.join("config.yml");
    let written =
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&settings, config(&folder, port)));
    if let Err(error) = written {
        return format!("{} cannot be written: {error}", settings.display());
    }
    println!("{}", how_to_use(port, &folder));
    let error = Command::new(&program).arg("serve").arg(&settings).exec();
    format!("{} cannot be run: {error}", program.display())
}

fn find(path: &OsStr, names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

fn config(folder: &Path, port: u16) -> String {
    // JSON is YAML, and quotes whatever stands in the path.
    serde_json::json!({
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": true}},
        "storage": {
            "filesystem": {"rootdirectory": folder.join("images")},
            "delete": {"enabled": true}
        },
        // One registry alone: the secret only has to be the same on several.
        "http": {"addr": format!("127.0.0.1:{port}"), "secret": "loopback"}
    })
    .to_string()
}

fn how_to_use(port: u16, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "a registry on http://127.0.0.1:{port}, with its images in {folder}; ctrl-c stops it

push an image out of the examples, or from another registry:
  skopeo copy --dest-tls-verify=false oci:examples/images:debian-base docker://127.0.0.1:{port}/demo/base:1
  skopeo copy --dest-tls-verify=false docker://docker.io/library/debian:12 docker://127.0.0.1:{port}/demo/debian:12

watch it:
  cargo run --release --locked -p cve-monitor-bins -- watch http://127.0.0.1:{port}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_name_the_port_and_the_folder() {
        let text = config(Path::new("/a \"b\""), 5001);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(value["http"]["addr"], "127.0.0.1:5001");
        assert_eq!(value["storage"]["filesystem"]["rootdirectory"], "/a \"b\"/images");
    }

    #[test]
    fn a_program_is_found_in_the_folders_of_the_path_alone() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(find(here.as_os_str(), &["absent", "Cargo.toml"]), Some(here.join("Cargo.toml")));
        assert_eq!(find(here.join("src").as_os_str(), &["Cargo.toml"]), None);
    }
}
