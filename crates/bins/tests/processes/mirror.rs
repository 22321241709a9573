//! Advisories from a mirror: only what the images need is asked for, first thing that anyone types.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::bench::{Bench, examples, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");

/// A mirror of OSV's exports: it has the advisories of the examples for Debian, and nothing else.
pub(crate) struct Mirror {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    archives: BTreeMap<&'static str, Vec<u8>>,
    is_down: bool,
    /// What was asked for, with whether it was on condition.
    asked: Vec<(String, bool)>,
}

fn archive(state: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for entry in std::fs::read_dir(examples().join("advisories").join(state)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&std::fs::read(&path).unwrap()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

impl Mirror {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        state.lock().unwrap().archives.insert("Debian", archive("first"));
        let served = Arc::clone(&state);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let answer = move |Path(ecosystem): Path<String>, headers: HeaderMap| {
                    let answer = served.lock().unwrap().answer(&ecosystem, &headers);
                    async move { answer }
                };
                let router = axum::Router::new().route("/osv/{ecosystem}/all.zip", get(answer));
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { address, state }
    }

    /// As flags of a command.
    pub(crate) fn flags(&self) -> Vec<String> {
        let sources = format!("advisories.sources=http://{}/osv", self.address);
        ["--set", &sources, "--set", "advisories.insecure=true"].map(str::to_owned).to_vec()
    }

    pub(crate) fn is_down(&self, is_down: bool) {
        self.state.lock().unwrap().is_down = is_down;
    }

    /// What was asked for since this was last called.
    pub(crate) fn asked(&self) -> Vec<(String, bool)> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl State {
    fn answer(&mut self, ecosystem: &str, headers: &HeaderMap) -> Response {
        let condition = headers.get(header::IF_NONE_MATCH);
        self.asked.push((ecosystem.to_owned(), condition.is_some()));
        let tag = self.archives.get(ecosystem).map(|archive| format!("\"{}\"", archive.len()));
        match (self.is_down, tag) {
            (true, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            (_, None) => StatusCode::NOT_FOUND.into_response(),
            (_, Some(tag)) if condition.is_some_and(|known| *known == *tag) => {
                StatusCode::NOT_MODIFIED.into_response()
            }
            (_, Some(tag)) => ([(header::ETAG, tag)], self.archives[ecosystem].clone()).into_response(),
        }
    }
}

fn run(bench: &Bench, mirror: &Mirror, arguments: &[&str]) -> (Option<i32>, String, String) {
    let flags = mirror.flags();
    let all: Vec<&str> = arguments.iter().copied().chain(flags.iter().map(String::as_str)).collect();
    let output = bench.run(PROGRAM, &all);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn image() -> String {
    format!("oci:{}:debian-base", examples().join("images").display())
}

#[test]
fn a_scan_fetches_what_the_image_needs_and_asks_on_condition_the_next_time() {
    let (bench, mirror) = (Bench::new(""), Mirror::start());
    let image = image();
    let arguments = ["scan", "--as-of", "2026-03-01", "--format", "json", &image];
    let (code, first, said) = run(&bench, &mirror, &arguments);
    assert_eq!(code, Some(0), "{said}");
    assert!(first.contains("\"Verdict\":\"vulnerable\""), "{first}");
    assert!(said.contains("fetching advisories for Debian"), "{said}");
    assert_eq!(mirror.asked(), [("Debian".to_owned(), false)]);

    let (code, again, said) = run(&bench, &mirror, &arguments);
    assert_eq!((code, &again), (Some(0), &first), "{said}");
    assert_eq!(mirror.asked(), [("Debian".to_owned(), true)]);
    assert!(!said.contains("compiling"), "{said}");

    // What is kept stands in, and people are told; offline nobody is asked.
    mirror.is_down(true);
    let (code, kept, said) = run(&bench, &mirror, &arguments);
    assert_eq!((code, &kept), (Some(0), &first), "{said}");
    assert!(said.contains("warning: advisories for Debian") && said.contains("503"), "{said}");
    mirror.asked();
    let (code, offline, said) = run(&bench, &mirror, &[&arguments[..], &["--offline"]].concat());
    assert_eq!((code, &offline), (Some(0), &first), "{said}");
    assert_eq!((mirror.asked(), said.contains("warning")), (vec![], false), "{said}");
    assert!(bench.path(".cache/cve-monitor/layers.db").is_file(), "in the user's folder of caches");
}

#[test]
fn without_network_and_cache_there_is_an_error_with_a_remedy_and_no_report() {
    let (bench, mirror) = (Bench::new(""), Mirror::start());
    mirror.is_down(true);
    for more in [&[][..], &["--offline"]] {
        let image = image();
        let (code, printed, said) = run(&bench, &mirror, &[&["scan", &image], more].concat());
        assert_eq!((code, printed.as_str()), (Some(1), ""), "{said}");
        for part in ["there are no advisories for Debian", "advisories import", "--advisories"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_watched_image_waits_for_the_advisories_that_it_needs_and_is_reported_once() {
    let watch = "[watch]\nlisten = \"127.0.0.1:0\"\npoll = \"1s\"\n";
    let (bench, mirror) = (Bench::new(&format!("{watch}{}", Bench::LAYOUT)), Mirror::start());
    mirror.is_down(true);
    let flags = mirror.flags();
    let arguments: Vec<&str> = std::iter::once("watch").chain(flags.iter().map(String::as_str)).collect();
    let running = bench.start(PROGRAM, &arguments, "watch.log");
    until("it watches", || bench.log("watch.log").contains("watching local"));
    assert_eq!(mirror.asked(), [], "no image needs anything yet");
    bench.write_index(&[Bench::example("debian-base")]);
    until("the mirror was asked, as soon as the image needed it", || {
        bench.log("watch.log").contains("there are no advisories for Debian")
    });
    assert_eq!(mirror.asked(), [("Debian".to_owned(), false)]);
    assert!(bench.reports().is_empty(), "no report without advisories");
    assert_eq!(running.stop(), Some(0));

    mirror.is_down(false);
    let running = bench.start(PROGRAM, &arguments, "watch.log");
    until("the image is reported", || bench.reports().len() == 1);
    let report = &bench.reports()[0];
    assert_eq!(report["Verdict"], "vulnerable");
    assert!(report["PreviousReportId"].is_null(), "there was none before");
    assert_eq!(mirror.asked(), [("Debian".to_owned(), false)]);
    assert_eq!(running.stop(), Some(0));
    assert_eq!(bench.reports().len(), 1);
}

#[test]
fn a_bundle_carries_advisories_to_where_no_network_is_and_a_damaged_one_changes_nothing() {
    let (here, mirror) = (Bench::new(""), Mirror::start());
    let (code, printed, said) = run(&here, &mirror, &["advisories", "update", "Debian", "npm"]);
    assert_eq!(code, Some(0), "{said}");
    for part in ["Debian", "included", "npm", "not offered", "generation 1"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let bundle = here.path("bundle.tar");
    let file = bundle.to_str().unwrap();
    let (code, _, said) = run(&here, &mirror, &["advisories", "export", file]);
    assert_eq!(code, Some(0), "{said}");

    let there = Bench::new("");
    mirror.is_down(true);
    mirror.asked();
    let image = image();
    let scan = ["scan", "--as-of", "2026-03-01", "--format", "json", "--offline", &image];
    let whole = std::fs::read(&bundle).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let cut = whole[..whole.len() / 2].to_vec();
    for (what, damaged) in [("flipped", flipped), ("cut", cut), ("empty", vec![]), ("text", b"text".to_vec())]
    {
        std::fs::write(&bundle, damaged).unwrap();
        let (code, _, said) = run(&there, &mirror, &["advisories", "import", file]);
        assert_eq!(code, Some(1), "{what}: {said}");
        assert!(said.contains("not a whole bundle") && said.contains("nothing of it was used"), "{said}");
        assert_eq!(run(&there, &mirror, &scan).0, Some(1), "{what}: there is still nothing to judge by");
    }
    std::fs::write(&bundle, &whole).unwrap();
    let (code, printed, said) = run(&there, &mirror, &["advisories", "import", file]);
    assert_eq!((code, printed.contains("1 ecosystems in use")), (Some(0), true), "{printed}{said}");
    let (code, printed, said) = run(&there, &mirror, &scan);
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.contains("\"Verdict\":\"vulnerable\""), "{printed}");
    let (_, listed, _) = run(&there, &mirror, &["advisories", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["sources"][0]["ecosystem"], "Debian");
    assert_eq!((&listed["sources"][0]["state"], &listed["generation"]), (&"included".into(), &1.into()));
    assert_eq!(mirror.asked(), [], "nobody was asked");
}

#[test]
fn an_update_that_a_mirror_does_not_answer_is_told_by_the_exit_code_and_the_old_stays() {
    let (bench, mirror) = (Bench::new(""), Mirror::start());
    assert_eq!(run(&bench, &mirror, &["advisories", "update", "Debian"]).0, Some(0));
    mirror.is_down(true);
    let (code, printed, said) = run(&bench, &mirror, &["advisories", "update"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("could not be brought up to date") && printed.contains("generation 1"), "{said}");
    let (code, _, said) = run(&bench, &mirror, &["advisories", "export", "/proc/absent/bundle.tar"]);
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn what_is_in_an_image_is_listed_without_any_advisories_in_each_form() {
    let bench = Bench::new("");
    let image = image();
    let listed = |form: &str| {
        let output =
            bench.run(PROGRAM, &["inventory", "--as-of", "2026-03-01", "--format", form, image.as_str()]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = listed("table");
    assert!(table.contains("libc6") && table.contains("debian:12"), "{table}");
    let json = |form: &str| -> serde_json::Value { serde_json::from_str(&listed(form)).unwrap() };
    let packages = json("json")["packages"].as_array().unwrap().len();
    assert!(packages > 10);
    let cyclonedx = json("cyclonedx");
    assert_eq!(cyclonedx["bomFormat"], "CycloneDX");
    assert!(cyclonedx["components"].as_array().unwrap().len() >= packages);
    let spdx = json("spdx");
    assert_eq!(spdx["creationInfo"]["created"], "2026-03-01T00:00:00Z");
    assert!(spdx["packages"].as_array().unwrap().len() > packages);
    assert_eq!(listed("cyclonedx"), listed("cyclonedx"), "the same bytes again");
    let absent = image.replace("debian-base", "absent");
    let output = bench.run(PROGRAM, &["inventory", &absent]);
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true));
}
