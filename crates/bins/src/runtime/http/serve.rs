//! Connections: how many there are at once, and how long a client may take. Who takes longer is cut off, and nobody waits for it.

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The most connections that an address has at once. With bodies of the greatest length they hold 65 MiB.
pub const MAX_CONNECTIONS: usize = 64;
/// The longest head of a request, request line and headers, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The longest body that is read, in bytes.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// How long the head of a request may take, from the connection or the last answer on: so long may a connection be idle.
const MAX_HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a body may take, from the end of the head on.
const MAX_BODY_TIME: Duration = Duration::from_secs(20);
/// How long a connection may last, however much is asked over it: a client that does not read its answers is let go, too.
const MAX_CONNECTION_LIFE: Duration = Duration::from_secs(300);
/// How long a request that has come is answered once its connection is to end.
const LAST_ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What is said to who comes when there is no room.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What clients are held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    connections: usize,
    head_bytes: usize,
    body_bytes: usize,
    head_time: Duration,
    body_time: Duration,
    life: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            head_bytes: MAX_HEAD_BYTES,
            body_bytes: MAX_REQUEST_BYTES,
            head_time: MAX_HEAD_TIME,
            body_time: MAX_BODY_TIME,
            life: MAX_CONNECTION_LIFE,
        }
    }
}

/// Answers until told to stop. Then requests that have come whole are answered, and everybody else is cut off.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let router = router
        .layer(from_fn_with_state((bounds.body_time, stop.clone()), read_whole))
        .layer(DefaultBodyLimit::max(bounds.body_bytes));
    let (room, connections) = (Arc::new(Semaphore::new(bounds.connections)), TaskTracker::new());
    let mut full = false;
    loop {
        let (stream, _) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = Listener::accept(&mut listener) => accepted,
        };
        match Arc::clone(&room).try_acquire_owned() {
            Ok(place) => {
                full = false;
                connections.spawn(converse(stream, router.clone(), bounds, stop.clone(), place));
            }
            Err(_) => {
                // Once for all those that come while there is no room.
                if !std::mem::replace(&mut full, true) {
                    tracing::warn!(
                        at_once = bounds.connections,
                        "a connection was refused: there are too many"
                    );
                }
                refuse(stream);
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Who does not hear it sees that the connection is closed.
fn refuse(stream: TcpStream) {
    // What was accepted does not block, and its empty buffer takes this at once.
    let _ = stream.into_std().and_then(|mut stream| stream.write(NO_ROOM));
}

/// One connection, to its end.
async fn converse(
    stream: TcpStream,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_header_size(bounds.head_bytes)
        .max_buf_size(MAX_HEAD_BYTES);
    let (routes, in_hand) = (TowerToHyperService::new(router), TaskTracker::new());
    let service = service_fn(|request| {
        let (answer, held) = (routes.call(request), in_hand.token());
        async move {
            let answer = answer.await;
            drop(held);
            answer
        }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // However it ended: nobody is left who could be told.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = tokio::time::sleep(bounds.life) => {}
    }
    if !in_hand.is_empty() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_ANSWER_WITHIN, connection).await;
    }
}

/// Reads the body before anything is done with the request.
async fn read_whole(
    State((within, stop)): State<(Duration, CancellationToken)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let reading = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let read = tokio::select! {
        biased;
        read = timeout(within, reading) => read,
        () = stop.cancelled() => return cut_off(StatusCode::SERVICE_UNAVAILABLE, "the program stops\n"),
    };
    match read {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, bytes.into())).await,
        Ok(Err(rejection)) => rejection.into_response(),
        Err(_) => cut_off(StatusCode::REQUEST_TIMEOUT, "the body took too long\n"),
    }
}

fn cut_off(status: StatusCode, why: &'static str) -> Response {
    (status, [(CONNECTION, "close")], why).into_response()
}
