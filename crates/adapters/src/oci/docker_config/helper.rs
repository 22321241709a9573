//! Credential helpers (docker-credential-helpers: `docker-credential-NAME get`, the host on stdin, JSON on stdout).

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::super::distribution::Credentials;
use super::{CredentialError, from_helper};

/// How long a helper may take; those of clouds ask a service.
pub const HELPER_TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of what a helper prints, in bytes.
pub(super) const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// What every helper prints for a host that it does not know (docker-credential-helpers, credentials/error.go).
const NOT_FOUND: &str = "credentials not found";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks a helper; none where it knows nothing of the host.
pub(super) async fn get(
    name: &str,
    host: &str,
    environment: &[(String, String)],
) -> Result<Option<Credentials>, CredentialError> {
    let program = format!("docker-credential-{name}");
    let fail =
        |reason: String| CredentialError::Helper { program: program.clone(), host: host.to_owned(), reason };
    // A name is part of a file name: a slash in it would run anything.
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(fail("has a name that is not letters, digits, `-`, `_` and `.`".to_owned()));
    }
    let path = find(&program, environment)
        .ok_or_else(|| fail("is not in the PATH that was given: install it".to_owned()))?;
    let (succeeded, printed) = match tokio::time::timeout(HELPER_TIMEOUT, run(path, host, environment)).await
    {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) if error.kind() == ErrorKind::FileTooLarge => {
            return Err(fail(format!("printed more than {MAX_ANSWER_BYTES} bytes")));
        }
        Ok(Err(error)) => return Err(fail(format!("could not be run ({})", error.kind()))),
        Err(_) => return Err(fail(format!("did not answer within {} s", HELPER_TIMEOUT.as_secs()))),
    };
    if !succeeded {
        return if String::from_utf8_lossy(&printed).trim_start().starts_with(NOT_FOUND) {
            Ok(None)
        } else {
            Err(fail("failed".to_owned()))
        };
    }
    let answer: Answer =
        serde_json::from_slice(&printed).map_err(|_| fail("answered something else than JSON".to_owned()))?;
    Ok(Some(from_helper(&answer.username, answer.secret)))
}

fn find(program: &str, environment: &[(String, String)]) -> Option<PathBuf> {
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str())?;
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

async fn run(
    path: PathBuf,
    host: &str,
    environment: &[(String, String)],
) -> std::io::Result<(bool, Vec<u8>)> {
    let mut child = Command::new(path)
        .arg("get")
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without reading its input closes the pipe: that alone is no failure.
        let _ = stdin.write_all(format!("{host}\n").as_bytes()).await;
    }
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_ANSWER_BYTES + 1).read_to_end(&mut printed).await?;
    }
    if printed.len() as u64 > MAX_ANSWER_BYTES {
        // It is ended, not waited for: it may go on for ever.
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok((child.wait().await?.success(), printed))
}
