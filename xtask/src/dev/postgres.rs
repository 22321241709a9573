//! A PostgreSQL server of its own, without passwords, on the loopback interface.

use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{find, free_address, run};

/// Where Debian and Ubuntu keep the server's programs: not on the `PATH`.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// Accounts for the server where we are root: it refuses to run as that.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

const REMEDY: &str = "PostgreSQL's server is missing. On Debian and Ubuntu: `apt-get install postgresql`";

/// The role that owns every database of this server.
pub const ROLE: &str = "clair";

/// What is missing on this machine to raise a [`Postgres`]; nothing where it can be raised.
#[must_use]
pub fn missing() -> Option<&'static str> {
    programs().is_none().then_some("postgresql")
}

/// A server; dropping it ends it. Its data stay.
#[derive(Debug)]
pub struct Postgres {
    /// Where it listens.
    pub address: SocketAddr,
    programs: PathBuf,
    data: PathBuf,
    log: PathBuf,
    account: Option<Account>,
}

/// Whom the server runs as.
#[derive(Debug)]
struct Account {
    user: u32,
    group: u32,
}

impl Postgres {
    /// Starts one that keeps its data in a new folder `postgres` under `folder`, which others must be able to enter.
    ///
    /// # Errors
    /// The server is missing or does not start.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let programs = programs().ok_or(REMEDY)?;
        let data = folder.join("postgres");
        let account = if id("-u", None)? == 0 { Some(account()?) } else { None };
        let server = Self { address: free_address()?, programs, log: data.join("server.log"), data, account };
        std::fs::create_dir_all(&server.data)
            .and_then(|()| match &server.account {
                Some(account) => chown(&server.data, Some(account.user), Some(account.group)),
                None => Ok(()),
            })
            .map_err(|error| format!("{} cannot be made: {error}", server.data.display()))?;
        let mut initdb = server.program("initdb");
        run(initdb.arg("--pgdata").arg(&server.data).args([
            "--username",
            ROLE,
            "--auth",
            "trust",
            "--no-sync",
        ]))?;
        server.resume()?;
        Ok(server)
    }

    /// Starts the server again, on the same address with the same data.
    ///
    /// # Errors
    /// It does not start.
    pub fn resume(&self) -> Result<(), String> {
        let (host, port) = (self.address.ip(), self.address.port());
        // No socket file: the path of one has a limit that folders of tests exceed. Nothing here outlives the machine.
        let options = format!("-c listen_addresses={host} -c port={port} -c unix_socket_directories='' -F");
        let mut start = self.control("start");
        run(start.arg("--log").arg(&self.log).arg("--options").arg(options)).map(drop)
    }

    /// Stops the server, as if its machine were gone: whoever is connected is cut off.
    ///
    /// # Errors
    /// It does not stop.
    pub fn pause(&self) -> Result<(), String> {
        run(self.control("stop").args(["--mode", "immediate"])).map(drop)
    }

    /// Makes an empty database; one of that name is dropped first, whoever is connected to it.
    ///
    /// # Errors
    /// The server refuses.
    pub fn fresh_database(&self, name: &str) -> Result<(), String> {
        self.query("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        self.query("postgres", &format!("CREATE DATABASE {name}")).map(drop)
    }

    /// Runs a statement; answers the rows as lines.
    ///
    /// # Errors
    /// What the server says.
    pub fn query(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut psql = self.program("psql");
        psql.args(["--host", &self.address.ip().to_string(), "--port", &self.address.port().to_string()]);
        psql.args(["--username", ROLE, "--dbname", database, "--no-psqlrc", "--tuples-only", "--no-align"]);
        run(psql.args(["--set", "ON_ERROR_STOP=1", "--command", statement]))
    }

    /// What a client in Go connects with.
    #[must_use]
    pub fn connection(&self, database: &str) -> String {
        let (host, port) = (self.address.ip(), self.address.port());
        format!("host={host} port={port} user={ROLE} dbname={database} sslmode=disable")
    }

    fn control(&self, action: &str) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg(action).arg("--pgdata").arg(&self.data).args(["--wait", "--silent"]);
        command
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match &self.account {
            None => Command::new(program),
            Some(Account { user, group }) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}")]);
                command.arg("--clear-groups").arg(program);
                command
            }
        };
        // The caller's folder need not be one that the account may enter.
        command.current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Fails where it is stopped already.
        let _ = self.pause();
    }
}

/// The folder that holds the server's programs; the newest version of several.
fn programs() -> Option<PathBuf> {
    if let Some(found) = find(&["initdb"]) {
        let real = found.canonicalize().ok()?;
        return real.parent().map(Path::to_path_buf);
    }
    let versions = std::fs::read_dir(DEBIAN_FOLDER).ok()?.filter_map(Result::ok);
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| version(path))?;
    Some(newest.join("bin")).filter(|folder| folder.join("initdb").is_file())
}

fn account() -> Result<Account, String> {
    let found = ACCOUNTS.iter().find_map(|name| {
        Some(Account { user: id("-u", Some(name)).ok()?, group: id("-g", Some(name)).ok()? })
    });
    found.ok_or_else(|| "PostgreSQL does not run as root, and there is no account `postgres`".to_owned())
}

fn id(what: &str, account: Option<&str>) -> Result<u32, String> {
    let printed = run(Command::new("id").arg(what).args(account))?;
    printed.trim().parse().map_err(|_| format!("`id {what}` printed `{}`", printed.trim()))
}
