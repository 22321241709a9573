//! Answers as they were recorded.

use std::path::Path;

use crate::fake_server::Reply;

/// What belongs to the connection and not to the answer.
const OF_THE_CONNECTION: [&str; 4] = ["transfer-encoding", "content-length", "date", "trailer"];

/// A recorded answer: the request in a comment, the status, the headers, an empty line, the body.
pub(crate) fn captured(name: &str) -> Reply {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/clair/v4/{name}.http"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (head, body) = text.split_once("\n\n").expect("an empty line after the headers");
    let mut lines = head.lines().filter(|line| !line.starts_with('#'));
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let mut reply = Reply::ok(body.trim_end()).with_status(status.parse().expect("a status"));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !OF_THE_CONNECTION.contains(&name.to_lowercase().as_str()) {
            reply = reply.header(name, value);
        }
    }
    reply
}
