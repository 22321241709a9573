//! Clients that take too much, over real sockets: what becomes of them, and that the others are answered all the same.

use std::io::ErrorKind;
use std::net::SocketAddr;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

/// So short that a test may wait until it is over.
const SHORT: Duration = Duration::from_millis(20);
/// So long that a test which waited for it would be noticed.
const LONG: Duration = Duration::from_secs(3600);
const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// Bounds that no test reaches unless it says so.
fn ample() -> Bounds {
    Bounds { head_time: LONG, body_time: LONG, life: LONG, ..Bounds::default() }
}

/// A server that says how long a body was at `/`, and at `/slow` answers when it is let.
struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
    reached: Arc<Notify>,
    let_go: Arc<Notify>,
}

impl Served {
    async fn start(bounds: Bounds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let (reached, let_go) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let (reach, released) = (Arc::clone(&reached), Arc::clone(&let_go));
        let slow = move || async move {
            reach.notify_one();
            released.notified().await;
            "late\n"
        };
        let length = |body: Bytes| async move { format!("{} bytes\n", body.len()) };
        let router =
            Router::new().route("/", post(length).get(|| async { "here\n" })).route("/slow", get(slow));
        let task = tokio::spawn(serve(listener, router, bounds, stop.clone()));
        Self { address, stop, task, reached, let_go }
    }

    /// Connects, and sends this.
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// The answer to somebody who then goes away.
    async fn ask(&self, text: &str) -> String {
        rest(self.send(&text.replacen("\r\n", "\r\nConnection: close\r\n", 1)).await).await
    }

    /// Ends in an orderly way.
    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Everything that comes until the connection ends.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = vec![];
    match stream.read_to_end(&mut bytes).await {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(bytes).unwrap(),
    }
}

/// Reads up to the end of one answer, and leaves the connection open.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![];
    while !bytes.ends_with(b"here\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn as_many_connections_as_the_bound_are_answered_and_one_more_is_refused_until_one_ends() {
    let served = Served::start(Bounds { connections: 2, ..ample() }).await;
    let (mut first, mut second) = (served.send(GET).await, served.send(GET).await);
    for stream in [&mut first, &mut second] {
        assert!(one_answer(stream).await.starts_with("HTTP/1.1 200 "));
    }
    let refused = rest(TcpStream::connect(served.address).await.unwrap()).await;
    assert_eq!(refused.as_bytes(), NO_ROOM);
    // The two are served on.
    second.write_all(GET.as_bytes()).await.unwrap();
    assert!(one_answer(&mut second).await.starts_with("HTTP/1.1 200 "));
    drop(first);
    while !served.ask(GET).await.starts_with("HTTP/1.1 200 ") {
        tokio::task::yield_now().await;
    }
    served.end().await;
}

#[tokio::test]
async fn who_does_not_end_a_head_is_cut_off_and_so_is_who_asks_nothing_more() {
    let served = Served::start(Bounds { head_time: SHORT, ..ample() }).await;
    for unfinished in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        assert_eq!(rest(served.send(unfinished).await).await, "", "{unfinished:?}");
    }
    // Without being told to close: one answer at the most, and the end.
    let answered = rest(served.send(GET).await).await;
    assert!(answered.is_empty() || answered.ends_with("here\n"), "{answered}");
    served.end().await;
}

#[tokio::test]
async fn a_head_in_pieces_is_answered_while_others_never_end_theirs() {
    let served = Served::start(Bounds { connections: 9, ..ample() }).await;
    let mut slow = vec![];
    for _ in 0..8 {
        slow.push(served.send("GET / HTTP/1.1\r\nX-Slow: ").await);
    }
    let mut stream = served.send("GET / HTT").await;
    for piece in ["P/1.1\r\nHos", "t: x\r\nConnection: close\r\n", "\r", "\n"] {
        tokio::task::yield_now().await;
        stream.write_all(piece.as_bytes()).await.unwrap();
    }
    assert!(rest(stream).await.ends_with("here\n"));
    served.end().await;
}

#[tokio::test]
async fn a_head_at_the_bound_is_read_and_one_byte_more_is_refused() {
    let served = Served::start(ample()).await;
    let head = |length: usize| {
        let (start, end) = ("GET / HTTP/1.1\r\nConnection: close\r\nX-Long: ", "\r\n\r\n");
        format!("{start}{}{end}", "x".repeat(length - start.len() - end.len()))
    };
    assert!(rest(served.send(&head(MAX_HEAD_BYTES)).await).await.starts_with("HTTP/1.1 200 "));
    assert!(rest(served.send(&head(MAX_HEAD_BYTES + 1)).await).await.starts_with("HTTP/1.1 431 "));
    served.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_end_is_cut_off_and_one_in_pieces_is_read() {
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n";
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab";
    let hasty = Served::start(Bounds { body_time: SHORT, ..ample() }).await;
    for unfinished in [head.to_owned(), format!("{head}abc"), chunked.to_owned()] {
        assert!(rest(hasty.send(&unfinished).await).await.starts_with("HTTP/1.1 408 "), "{unfinished:?}");
    }
    hasty.end().await;
    let patient = Served::start(ample()).await;
    let mut stream = patient.send(&head.replacen("\r\n", "\r\nConnection: close\r\n", 1)).await;
    for piece in ["a", "bc", "d"] {
        tokio::task::yield_now().await;
        stream.write_all(piece.as_bytes()).await.unwrap();
    }
    assert!(rest(stream).await.ends_with("4 bytes\n"));
    patient.end().await;
}

#[tokio::test]
async fn a_body_at_the_bound_is_read_and_one_byte_more_is_refused() {
    let served = Served::start(Bounds { body_bytes: 8, ..ample() }).await;
    let post =
        |body: &str| format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(served.ask(&post("12345678")).await.ends_with("8 bytes\n"));
    assert!(served.ask(&post("123456789")).await.starts_with("HTTP/1.1 413 "));
    served.end().await;
}

#[tokio::test]
async fn a_connection_ends_after_its_time_even_where_nobody_reads_its_answers() {
    let served = Served::start(Bounds { life: SHORT, ..ample() }).await;
    let mut deaf = served.send("").await;
    // Until what is asked no longer fits anywhere, or is refused: the server has to let go either way.
    while deaf.write_all(GET.as_bytes()).await.is_ok() {}
    served.end().await;
}

#[tokio::test]
async fn a_request_that_has_come_is_answered_although_its_connection_is_to_end() {
    let served = Served::start(Bounds { life: SHORT, ..ample() }).await;
    let stream = served.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    served.reached.notified().await;
    tokio::time::sleep(SHORT * 2).await;
    served.let_go.notify_one();
    let answer = rest(stream).await;
    assert!(answer.ends_with("late\n") && answer.contains("connection: close"), "{answer}");
    served.end().await;
}

#[tokio::test]
async fn stopping_answers_what_has_come_and_waits_for_nobody_else() {
    let served = Served::start(ample()).await;
    let waiting = served.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    served.reached.notified().await;
    let silent = served.send("").await;
    let head = served.send("GET / HTTP/1.1\r\nX-Slow: ").await;
    let body = served.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab").await;
    let mut idle = served.send(GET).await;
    one_answer(&mut idle).await;
    let Served { stop, task, let_go, .. } = served;
    stop.cancel();
    for cut in [silent, head, idle] {
        assert_eq!(rest(cut).await, "");
    }
    let body = rest(body).await;
    assert!(body.is_empty() || body.starts_with("HTTP/1.1 503 "), "{body}");
    let_go.notify_one();
    assert!(rest(waiting).await.ends_with("late\n"));
    task.await.unwrap();
}

#[test]
fn unless_told_otherwise_a_head_has_less_time_than_a_body_and_a_body_less_than_a_connection() {
    let Bounds { connections, head_bytes, body_bytes, head_time, body_time, life } = Bounds::default();
    assert_eq!((connections, head_bytes, body_bytes), (MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_REQUEST_BYTES));
    assert_eq!((head_time, body_time, life), (MAX_HEAD_TIME, MAX_BODY_TIME, MAX_CONNECTION_LIFE));
    assert!(head_time < body_time && head_time + body_time < life);
}
