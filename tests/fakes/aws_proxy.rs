//! A proxy before what stands in for AWS, which counts calls and makes them fail: no emulator throttles, loses an answer,
//! delivers twice or leaves a batch half done, and AWS does all of it.

mod batch;
mod call;
mod fault;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use futures::stream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use self::call::{Call, Service};
pub use self::fault::{Fault, Rule, Which};
pub use self::seen::Seen;

/// A running proxy; dropping it ends it.
#[derive(Debug)]
pub struct AwsProxy {
    url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    /// Who answers, and for a service who answers instead.
    backend: String,
    backends: BTreeMap<Service, String>,
    client: reqwest::Client,
    state: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    calls: BTreeMap<String, u64>,
    seen: BTreeSet<Seen>,
    /// The requests of before, by the hash of all that they say.
    known: BTreeSet<u64>,
    rules: Vec<Rule>,
}

impl AwsProxy {
    /// Starts one on a free loopback port before a backend, and for some services before others.
    ///
    /// # Panics
    /// Where the machine has no port.
    pub async fn start(backend: &str, backends: &[(Service, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let inner = Arc::new(Inner {
            backend: backend.to_owned(),
            backends: backends.iter().map(|(service, url)| (*service, (*url).to_owned())).collect(),
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client"),
            state: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, inner, task }
    }

    /// The endpoint, for every service.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds a rule. Of several that fit a call the first that still applies is taken.
    pub fn add(&self, rule: Rule) {
        self.inner.memory().rules.push(rule);
    }

    /// Forgets all rules: from now on everything works.
    pub fn mend(&self) {
        self.inner.memory().rules.clear();
    }

    /// Every right that was made use of, by whom.
    #[must_use]
    pub fn seen(&self) -> BTreeSet<Seen> {
        self.inner.memory().seen.clone()
    }

    /// How often each operation was called since the last time that this was asked, as `sqs SendMessageBatch`. Receives that
    /// brought nothing stand apart, as `sqs ReceiveMessage (empty)`.
    #[must_use]
    pub fn take_calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.inner.memory().calls)
    }
}

impl Drop for AwsProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What befalls this call.
    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut memory = self.memory();
        let mut said = DefaultHasher::new();
        (&call.line, &call.body).hash(&mut said);
        let is_new = memory.known.insert(said.finish());
        memory.rules.iter_mut().filter(|rule| rule.fits(call)).find_map(|rule| rule.applies(call, is_new))
    }

    /// Has a call answered by its backend.
    async fn forward(&self, call: &Call, body: Bytes) -> Answer {
        let backend = self.backends.get(&call.service).unwrap_or(&self.backend);
        let mut request = self.client.request(call.method.clone(), format!("{backend}{}", call.target));
        // The host stays: what is called after it (queues, addresses of layers) comes through here again.
        let kept = call.headers.iter().filter(|(name, _)| !is_of_the_connection(name));
        request = kept.fold(request, |request, (name, value)| request.header(name, value));
        let response = request.body(body).send().await.expect("the backend runs");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.expect("the backend answers wholly") }
    }
}

/// A complete answer.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// As it stands; to a `HEAD`, with the length of the body that is not there.
    fn into_response(self, is_head: bool) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let is_kept = |name: &HeaderName| {
            !is_of_the_connection(name) && name != "x-amz-crc32" || is_head && name == header::CONTENT_LENGTH
        };
        let kept = self.headers.iter().filter(|(name, _)| is_kept(name));
        response.headers_mut().extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        response
    }

    /// Its beginning; then the connection breaks.
    fn lost(self) -> Response {
        let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("the answer is lost")) });
        let mut response = Response::new(Body::from_stream(broken));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_LENGTH, (self.body.len() + 1).into());
        response
    }
}

/// Headers that are about one connection, and are made anew for the next.
fn is_of_the_connection(name: &HeaderName) -> bool {
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT].contains(name)
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let call = Call::read(request).await;
    let fault = inner.fault(&call);
    let is_lost = matches!(fault, Some(Fault::LoseAnswer));
    let answer = befall(&inner, &call, fault).await;
    let is_empty = call.operation == "ReceiveMessage" && !batch::brings_messages(&answer);
    let name = format!("{call}{}", if is_empty { " (empty)" } else { "" });
    let mut memory = inner.memory();
    *memory.calls.entry(name).or_default() += 1;
    memory.seen.extend(seen::of(&call));
    drop(memory);
    if is_lost { answer.lost() } else { answer.into_response(call.method == "HEAD") }
}

async fn befall(inner: &Inner, call: &Call, fault: Option<Fault>) -> Answer {
    match fault {
        None | Some(Fault::LoseAnswer) => inner.forward(call, call.body.clone()).await,
        Some(Fault::Refuse { status, code, more }) => fault::refusal(call, status, code, more),
        Some(Fault::Delay(by)) => {
            tokio::time::sleep(by).await;
            inner.forward(call, call.body.clone()).await
        }
        Some(Fault::Repeat) => batch::repeated(inner.forward(call, call.body.clone()).await),
        Some(Fault::HalfDone) => {
            let (others, left) = batch::split(call);
            let answer = match others {
                Some(body) => inner.forward(call, body).await,
                None => fault::nothing_done(call),
            };
            batch::half_done(answer, call, left)
        }
    }
}
