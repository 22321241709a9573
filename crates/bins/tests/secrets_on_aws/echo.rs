//! An AWS that refuses every signature, and repeats in its answer what was signed, as AWS does.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

const HEAD_ENDS: &[u8] = b"\r\n\r\n";
/// AWS' own words; the request follows in a paragraph of its own.
const REFUSED: &str = "The request signature we calculated does not match the signature you provided.";

/// Starts it.
pub(crate) fn aws() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut part) = (vec![], [0; 8192]);
            while !is_whole(&request) {
                match stream.read(&mut part) {
                    Ok(length @ 1..) => request.extend_from_slice(&part[..length]),
                    _ => break,
                }
            }
            let (kind, body) = refusal(&String::from_utf8_lossy(&request));
            let head = format!("Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close", body.len());
            let _ = write!(stream, "HTTP/1.1 403 Forbidden\r\n{head}\r\n\r\n{body}");
        }
    });
    address
}

fn is_whole(request: &[u8]) -> bool {
    let Some(ends) = request.windows(HEAD_ENDS.len()).position(|window| window == HEAD_ENDS) else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..ends]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() >= ends + HEAD_ENDS.len() + length.unwrap_or(0_usize)
}

/// In the shape of the service: JSON, the XML of S3, or that of STS.
fn refusal(request: &str) -> (&'static str, String) {
    // The token first: whoever quotes only so much must not be let off by luck.
    let signed: Vec<&str> = request.lines().filter(|line| line.starts_with("x-amz-security-token")).collect();
    let message = format!("{REFUSED}\n\n{} should have been '{request}'", signed.concat());
    let error = format!("<Code>SignatureDoesNotMatch</Code><Message>{message}</Message>");
    let lower = request.to_lowercase();
    if lower.contains("x-amz-target:") {
        let body = serde_json::json!({ "__type": "InvalidSignatureException", "message": message });
        ("application/x-amz-json-1.1", body.to_string())
    } else if lower.contains("x-amz-content-sha256:") {
        ("application/xml", format!("<Error>{error}<CanonicalRequest>{request}</CanonicalRequest></Error>"))
    } else {
        ("text/xml", format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
    }
}
