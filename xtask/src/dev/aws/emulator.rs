//! Emulators of AWS' services, in memory, on free ports of the loopback interface.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::install;
use crate::process::{Process, answers, free_address};

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// How long one may take to start.
const START_LIMIT: Duration = Duration::from_secs(120);

/// An emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emulator {
    /// moto: SQS, DynamoDB, S3, EventBridge and STS in one process. Needs Python.
    Moto,
    /// DynamoDB Local, of AWS itself; every account and region has the same tables. Needs Java and Maven. It listens on
    /// every address; it cannot be told otherwise.
    DynamoDbLocal,
    /// ElasticMQ: SQS alone. Needs Java and Maven.
    ElasticMq,
}

/// A running emulator. It ends when this is dropped, and when this process ends in whatever way.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
}

impl Running {
    /// The endpoint, for every service that it has.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Emulator {
    /// The folder of its programs, fetched into `target/dev/aws` where they were not there yet.
    ///
    /// # Errors
    /// What this machine lacks: a program, or the way to a public registry.
    pub fn install(self, root: &Path) -> Result<PathBuf, String> {
        match self {
            Self::Moto => install::virtual_environment(root, "aws/venv", REQUIREMENTS),
            Self::DynamoDbLocal => install::libraries(root, "dynamodb-local"),
            Self::ElasticMq => install::libraries(root, "elasticmq"),
        }
    }

    /// Starts an empty one of those that were installed in this folder.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn start(self, installed: &Path) -> Result<Running, String> {
        let (process, address) = match self {
            Self::Moto => moto(installed),
            Self::DynamoDbLocal => dynamodb_local(installed),
            Self::ElasticMq => elasticmq(installed),
        }?;
        Ok(Running { address, _process: process })
    }

    /// The endpoint of one that lasts as long as this process, and is the same for all who ask.
    ///
    /// # Errors
    /// It did not start.
    pub fn shared(self, installed: &Path) -> Result<String, String> {
        static SHARED: [OnceLock<Result<Running, String>>; 3] = [const { OnceLock::new() }; 3];
        let started = SHARED[self as usize].get_or_init(|| self.start(installed));
        started.as_ref().map(Running::url).map_err(Clone::clone)
    }
}

/// moto and ElasticMQ take a free port and name it in their log, so that nobody else's listener is mistaken for theirs.
fn moto(installed: &Path) -> Result<(Process, SocketAddr), String> {
    let mut command = Command::new(installed.join("bin/python"));
    command.args(["-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]);
    Process::start_tethered(&command, START_LIMIT, |log| {
        address_after(log, "Running on http://").filter(|address| answers(*address, "/moto-api/"))
    })
}

/// It cannot choose a port by itself; where another one took this one meanwhile, it ends.
fn dynamodb_local(installed: &Path) -> Result<(Process, SocketAddr), String> {
    let address = free_address()?;
    let mut command = java(installed);
    command.arg(format!("-Djava.library.path={}", installed.display()));
    command.arg("com.amazonaws.services.dynamodbv2.local.main.ServerRunner");
    command.args(["-inMemory", "-sharedDb", "-disableTelemetry", "-port", &address.port().to_string()]);
    Process::start_tethered(&command, START_LIMIT, |_| TcpStream::connect(address).is_ok().then_some(address))
}

fn elasticmq(installed: &Path) -> Result<(Process, SocketAddr), String> {
    let mut command = java(installed);
    command.args(["-Drest-sqs.bind-hostname=127.0.0.1", "-Drest-sqs.bind-port=0"]);
    // Without an address of its own it names queues by that of the request.
    command.args(["-Dnode-address.host=*", "-Drest-stats.enabled=false", "org.elasticmq.server.Main"]);
    Process::start_tethered(&command, START_LIMIT, |log| {
        address_after(log, "Started SQS rest server, bind address ")
    })
}

fn java(libraries: &Path) -> Command {
    let mut command = Command::new("java");
    // A quarter of the machine's memory is what each would take otherwise.
    command.arg("-Xmx512m").arg("-cp").arg(libraries.join("*"));
    command
}

/// The address that follows these words in a log.
pub(super) fn address_after(log: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(words)?;
    // Up to a line's end: half a number is an address as well.
    let (line, _) = rest.split_once('\n')?;
    line.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_a_whole_line_alone() {
        let expected = Some(SocketAddr::from(([127, 0, 0, 1], 4000)));
        assert_eq!(address_after("on http://127.0.0.1:4000\nmore", "on http://"), expected);
        assert_eq!(address_after("address 127.0.0.1:4000, visible as\n", "address "), expected);
        assert_eq!(address_after("on http://127.0.0.1:40", "on http://"), None);
        assert_eq!(address_after("nothing\n", "on http://"), None);
    }
}
