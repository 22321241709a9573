//! A server of tests whose answers are given byte by byte: what they announce need not be what they are.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::Endpoint;

/// Answers with a success that announces so many bytes, of which none comes.
pub(in crate::clair) async fn announcing(bytes: usize) -> Endpoint {
    answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n").into_bytes()).await
}

/// Answers every request with these bytes, and ends the connection.
pub(in crate::clair) async fn answering(answer: Vec<u8>) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(&answer).await;
            let _ = connection.shutdown().await;
        }
    });
    Endpoint { url, ca_file: None, signer: None }
}
