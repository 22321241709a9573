//! The reference registry (Distribution), with the images of the examples.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{Process, answers, find, free_address, run};

/// The programs that the reference registry goes by: Debian's package, and upstream's own releases.
const PROGRAMS: [&str; 2] = ["docker-registry", "registry"];

const REMEDY: &str = "no registry program is on the PATH. On Debian and Ubuntu: `apt-get install docker-registry skopeo`. \
     Elsewhere: the `registry` program of the CNCF Distribution project";

/// How long a registry may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Becomes the registry program, so that whatever ends this process ends the registry. The answer is why not.
pub(super) fn become_one(root: &Path, port: u16) -> String {
    let Some(program) = find(&PROGRAMS) else { return REMEDY.to_owned() };
    if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        return format!("port {port} cannot be used: {error}. Choose another with --port");
    }
    let folder = root.join("target/dev/registry");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let settings = match write_config(&folder, address) {
        Ok(settings) => settings,
        Err(problem) => return problem,
    };
    println!("{}", how_to_use(port, &folder));
    let error = Command::new(&program).arg("serve").arg(&settings).exec();
    format!("{} cannot be run: {error}", program.display())
}

/// What is missing on this machine to raise a [`Registry`]; nothing where it can be raised.
#[must_use]
pub fn missing() -> Option<&'static str> {
    [("docker-registry", &PROGRAMS[..]), ("skopeo", &["skopeo"])]
        .into_iter()
        .find_map(|(name, programs)| find(programs).is_none().then_some(name))
}

/// A registry on a free loopback port; dropping it ends it.
#[derive(Debug)]
pub struct Registry {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
}

impl Registry {
    /// Starts one that keeps its images in a folder.
    ///
    /// # Errors
    /// The program is missing or does not start.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let program = find(&PROGRAMS).ok_or(REMEDY)?;
        let address = free_address()?;
        let settings = write_config(folder, address)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(settings);
        let log = folder.join("registry.log");
        let process = Process::start(&mut command, &log, START_LIMIT, || answers(address, "/v2/"))?;
        Ok(Self { address, _process: process })
    }

    /// Pushes an image of a layout as `repository:tag`; of an index, every image.
    ///
    /// # Errors
    /// `skopeo` is missing or refuses.
    pub fn push(&self, layout: &Path, name: &str, to: &str) -> Result<(), String> {
        let from = format!("oci:{}:{name}", layout.display());
        let to = format!("docker://{}/{to}", self.address);
        let options = ["copy", "--quiet", "--all", "--dest-tls-verify=false", "--preserve-digests"];
        run(Command::new("skopeo").args(options).args([from, to])).map(drop)
    }
}

fn write_config(folder: &Path, address: SocketAddr) -> Result<PathBuf, String> {
    let settings = folder.join("config.yml");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&settings, config(folder, address)))
        .map_err(|error| format!("{} cannot be written: {error}", settings.display()))?;
    Ok(settings)
}

fn config(folder: &Path, address: SocketAddr) -> String {
    // JSON is YAML, and quotes whatever stands in the path.
    serde_json::json!({
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": true}},
        "storage": {
            "filesystem": {"rootdirectory": folder.join("images")},
            "delete": {"enabled": true}
        },
        // One registry alone: the secret only has to be the same on several.
        "http": {"addr": address.to_string(), "secret": "loopback"}
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
    fn the_settings_name_the_address_and_the_folder() {
        let text = config(Path::new("/a \"b\""), SocketAddr::from((Ipv4Addr::LOCALHOST, 5001)));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(value["http"]["addr"], "127.0.0.1:5001");
        assert_eq!(value["storage"]["filesystem"]["rootdirectory"], "/a \"b\"/images");
    }
}
