//! Programs of the machine, and those that run while a backend is up.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at something that is starting.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long an answer to a look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(5);
/// What is read of an answer, in bytes: its first line says enough.
const ANSWER_LIMIT: u64 = 1024;
/// Lines of a log that a message about a failed start ends with.
const LOG_LINES: usize = 12;

/// Runs a program until it ends, or until the standard input does: the kernel closes that when whoever holds its other
/// end is gone. Of a program in the background the shell would take the input away, so it is kept as number 3.
const TETHER: &str =
    r#"exec 3<&0; "$@" 3<&- & child=$!; (cat; kill -9 $child) <&3 3<&- >/dev/null 2>&1 & wait $child"#;

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

/// A file without a name, for the log of a program: it is gone with its last reader.
fn nameless() -> std::io::Result<File> {
    static LOGS: AtomicU32 = AtomicU32::new(0);
    let name = format!("cve-monitor-{}-{}.log", std::process::id(), LOGS.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).append(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
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

/// Posts JSON; answers the body of the answer.
///
/// # Errors
/// Nobody answers, or not with 200: with what was said.
pub(crate) fn post(address: SocketAddr, path: &str, body: &serde_json::Value) -> Result<String, String> {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, LOOK_LIMIT)?;
        let (body, mut answer) = (body.to_string(), String::new());
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        write!(
            stream,
            "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = asked().map_err(|error| format!("{address}{path} does not answer: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(format!("{address}{path} refuses: {}", last_lines(&answer))),
    }
}

/// A running program; dropping it ends the program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: File,
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
        let name = command.get_program().to_string_lossy().into_owned();
        let file = File::options().create(true).read(true).append(true).open(log);
        let file = file.map_err(|error| format!("{} cannot be written: {error}", log.display()))?;
        let mut process = Self::spawn(command.stdin(Stdio::null()), file)?;
        process.wait_until(&name, limit, |_| ready().then_some(()))?;
        Ok(process)
    }

    /// The same for a program that must not outlive this process, however that ends, with a log without a name. `ready` is
    /// given the log, and answers what was waited for: an address, say.
    ///
    /// # Errors
    /// As those of [`Self::start`].
    pub fn start_tethered<T>(
        command: &Command,
        limit: Duration,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut tether = Command::new("sh");
        tether.args(["-c", TETHER, "sh"]).arg(command.get_program()).args(command.get_args());
        tether.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        tether.stdin(Stdio::piped());
        let log = nameless().map_err(|error| format!("the log of {name} cannot be made: {error}"))?;
        let mut process = Self::spawn(&mut tether, log)?;
        let found = process.wait_until(&name, limit, ready)?;
        Ok((process, found))
    }

    fn spawn(command: &mut Command, log: File) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let outputs = log.try_clone().and_then(|out| Ok((out, log.try_clone()?)));
        let (out, err) = outputs.map_err(|error| error.to_string())?;
        let child = command.stdout(out).stderr(err).spawn();
        let child = child.map_err(|error| format!("{program} cannot be run: {error}"))?;
        Ok(Self { child, log })
    }

    fn wait_until<T>(
        &mut self,
        name: &str,
        limit: Duration,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        let begun = Instant::now();
        loop {
            if let Some(found) = ready(&self.log()) {
                return Ok(found);
            }
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            let late = begun.elapsed() > limit;
            if ended.is_some() || late {
                let what = ended.map_or("does not answer".to_owned(), |status| format!("ended ({status})"));
                return Err(format!("{name} {what}: {}", last_lines(&self.log())));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// All that was written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut log = vec![0; usize::try_from(self.log.metadata()?.len()).unwrap_or_default()];
            let mut length = 0;
            // At places, since whoever writes has the same handle.
            while length < log.len() {
                match self.log.read_at(&mut log[length..], length as u64)? {
                    0 => break,
                    more => length += more,
                }
            }
            log.truncate(length);
            Ok(log)
        };
        read().map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A tether ends its program and then itself when its input ends.
        if self.child.stdin.take().is_none() {
            let _ = self.child.kill();
        }
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
    fn a_tethered_program_ends_with_its_tether() {
        let (process, pid) = Process::start_tethered(
            Command::new("sh").args(["-c", "echo $$; exec sleep 1000"]),
            LOOK_LIMIT,
            |log| log.trim_end().parse::<u32>().ok(),
        )
        .unwrap_or_else(|problem| panic!("{problem}"));
        let there = || Path::new(&format!("/proc/{pid}/cmdline")).exists();
        assert!(there());
        drop(process);
        assert!(!there());
    }

    #[test]
    fn a_tethered_program_that_ends_by_itself_shows_its_last_words() {
        let command = ["-c", "echo 'out of luck' >&2; exit 3"];
        let started = Process::start_tethered(Command::new("sh").args(command), LOOK_LIMIT, |_| None::<()>);
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
