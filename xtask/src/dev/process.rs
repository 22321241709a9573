//! Programs of the machine, and those that run while a backend is up.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at something that is starting.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long an answer to a look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(5);
/// What is read of an answer, in bytes: its first line says enough.
const ANSWER_LIMIT: u64 = 1024;
/// Lines of a log that a message about a failed start ends with.
const LOG_LINES: usize = 12;

/// The first of these programs on the `PATH`.
#[must_use]
pub fn find(names: &[&str]) -> Option<PathBuf> {
    find_in(&std::env::var_os("PATH").unwrap_or_default(), names)
}

fn find_in(path: &OsStr, names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// Runs a program to its end; answers what it printed.
///
/// # Errors
/// The program cannot be run, or says that it failed: with what it wrote about that.
pub fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{program} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} failed ({}): {}", output.status, last_lines(&said)))
}

/// A loopback address that nobody listens on at the moment.
///
/// # Errors
/// The machine has none.
pub fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}

/// Whether `GET path` is answered with 200.
#[must_use]
pub fn answers(address: SocketAddr, path: &str) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, LOOK_LIMIT)?;
        stream.set_read_timeout(Some(LOOK_LIMIT))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    asked().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
}

/// A running program; dropping it ends the program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program that writes to `log`, and waits until `ready` says so.
    ///
    /// # Errors
    /// It cannot be run, ends, or is not ready within `limit`: with the end of its log.
    pub fn start(
        command: &mut Command,
        log: &Path,
        limit: Duration,
        ready: impl Fn() -> bool,
    ) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let to = File::options().create(true).append(true).open(log);
        let to = to.and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = to.map_err(|error| format!("{} cannot be written: {error}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.map_err(|error| format!("{program} cannot be run: {error}"))?;
        let mut process = Self { child, log: log.to_owned() };
        let begun = Instant::now();
        while !ready() {
            let ended = process.child.try_wait().map_err(|error| error.to_string())?;
            let late = begun.elapsed() > limit;
            if ended.is_some() || late {
                let what = ended.map_or("does not answer".to_owned(), |status| format!("ended ({status})"));
                return Err(format!("{program} {what}: {}", last_lines(&process.log())));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(process)
    }

    /// All that it has written.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The requests in a log of JSON lines, as `POST /path`: the lines in which a key has that value, and the keys of method
/// and path.
pub(crate) fn requests(
    log: &Path,
    [key, value]: [&str; 2],
    [method, path]: [&str; 2],
) -> Result<Vec<String>, String> {
    let text =
        std::fs::read_to_string(log).map_err(|error| format!("{} cannot be read: {error}", log.display()))?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let word = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let handled = lines.filter(|line| line[key] == value);
    Ok(handled.map(|line| format!("{} {}", word(&line, method), word(&line, path))).collect())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_the_folders_of_the_path_alone() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(find_in(here.as_os_str(), &["absent", "Cargo.toml"]), Some(here.join("Cargo.toml")));
        assert_eq!(find_in(here.join("src").as_os_str(), &["Cargo.toml"]), None);
    }

    #[test]
    fn a_program_that_ends_before_it_is_ready_shows_its_last_words() {
        let folder = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let started = Process::start(
            Command::new("sh").args(["-c", "echo first; echo 'out of luck' >&2; exit 3"]),
            &folder,
            LOOK_LIMIT,
            || false,
        );
        let _ = std::fs::remove_file(&folder);
        let problem = started.err().unwrap_or_default();
        assert!(problem.contains("out of luck") && problem.contains('3'), "{problem}");
    }

    #[test]
    fn a_message_ends_with_the_last_lines_of_a_log() {
        let log: String = (0..LOG_LINES + 1).map(|line| format!("line {line}\n")).collect();
        assert!(last_lines(&log).starts_with("line 1\n"));
        assert_eq!(last_lines(""), "");
    }
}
