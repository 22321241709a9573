//! A gate before moto, which keeps no two transactions of DynamoDB apart: one that fails takes back what others wrote meanwhile.
//! Here requests to DynamoDB come through one after the other, and everything else at once.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

const HEAD_ENDS: &[u8] = b"\r\n\r\n";

/// Where the way to this server begins.
pub(crate) fn before(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, dynamodb) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(())));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let dynamodb = Arc::clone(&dynamodb);
            // A connection that breaks is its two ends' trouble.
            std::thread::spawn(move || pass(client, server, &dynamodb).ok());
        }
    });
    address
}

/// Passes one request on, and its answer back, until the server ends the connection.
fn pass(mut client: TcpStream, server: SocketAddr, dynamodb: &Mutex<()>) -> io::Result<()> {
    let mut request = vec![];
    let head_ends = loop {
        match request.windows(HEAD_ENDS.len()).position(|window| window == HEAD_ENDS) {
            Some(at) => break at + HEAD_ENDS.len(),
            None => more(&mut client, &mut request)?,
        }
    };
    let head = String::from_utf8_lossy(&request[..head_ends]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let whole = head_ends + length.unwrap_or(0_usize);
    while request.len() < whole {
        more(&mut client, &mut request)?;
    }
    let first_line = head.find("\r\n").map_or(0, |at| at + 2);
    request.splice(first_line..first_line, *b"connection: close\r\n");
    let alone = head.contains("x-amz-target: dynamodb");
    let _turn = alone.then(|| dynamodb.lock().unwrap_or_else(PoisonError::into_inner));
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&request)?;
    io::copy(&mut upstream, &mut client).map(drop)
}

fn more(client: &mut TcpStream, request: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16 * 1024];
    match client.read(&mut part)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length => {
            request.extend_from_slice(&part[..length]);
            Ok(())
        }
    }
}
