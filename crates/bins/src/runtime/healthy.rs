//! Asks a program that runs on this machine whether it is alive: for health checks of images that have no shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Failure;
use crate::cli::EXIT_OK;

/// How long the answer may take: less than what ECS gives a check.
const PATIENCE: Duration = Duration::from_secs(4);
/// How much of the answer is read, in bytes: its first line.
const FIRST_LINE: usize = "HTTP/1.1 200".len();

/// Asks `/healthz` at the address that the configuration lets the program listen at.
///
/// # Errors
/// Where no address is configured, and where the answer does not come or is not 200.
pub async fn healthy(listens: Option<SocketAddr>) -> Result<u8, Failure> {
    let Some(listens) = listens.filter(|address| address.port() != 0) else {
        return Err(Failure::usage(
            "the configuration names no address at which the program can be asked: set health.listen, with a port of its own",
        ));
    };
    let address = reached(listens);
    match tokio::time::timeout(PATIENCE, ask(address)).await {
        Ok(Ok(())) => Ok(EXIT_OK),
        Ok(Err(problem)) => Err(Failure::of(format!("{address} does not answer well: {problem}"))),
        Err(_) => Err(Failure::of(format!("{address} did not answer within {} s", PATIENCE.as_secs()))),
    }
}

/// Who listens everywhere is asked on the loopback interface.
fn reached(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}

async fn ask(address: SocketAddr) -> Result<(), String> {
    let io = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).await.map_err(io)?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    let mut answer = [0; FIRST_LINE];
    stream.read_exact(&mut answer).await.map_err(io)?;
    let answer = String::from_utf8_lossy(&answer);
    if answer.starts_with("HTTP/1.") && answer.ends_with(" 200") { Ok(()) } else { Err(answer.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers one request like this.
    async fn answering(text: &'static str) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn only_a_good_answer_is_healthy() {
        assert_eq!(healthy(Some(answering("HTTP/1.1 200 OK\r\n\r\nalive").await)).await, Ok(EXIT_OK));
        let failing = [answering("HTTP/1.1 503 No\r\n\r\n").await, answering("").await];
        for address in failing {
            assert_eq!(healthy(Some(address)).await.unwrap_err().report(), Failure::of("").report());
        }
    }

    #[tokio::test]
    async fn nobody_listens_and_no_address_are_different_failures() {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert!(healthy(Some(free)).await.unwrap_err().message().contains("does not answer well"));
        for none in [None, Some("127.0.0.1:0".parse().unwrap())] {
            assert!(healthy(none).await.unwrap_err().message().contains("health.listen"));
        }
    }

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        for (listens, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.1.2.3:80", "10.1.2.3:80")]
        {
            assert_eq!(reached(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
