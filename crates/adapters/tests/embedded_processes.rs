//! The SQLite file under several real processes: at once, and killed in the middle.
//!
//! A binary of its own kind: called with [`CHILD`] it is one of those processes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;

use cve_monitor_adapters::embedded::{Database, SqliteEventStore, SqliteQueue};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::{AppendError, EventStore as _, Queue as _};
use cve_monitor_core::scan::{Event, FeedEvent, FeedState, Head, HeadState, RecordedEvent, StreamId, seal};
use cve_monitor_core::vocabulary::{Cause, Digest, ImageId, Lane, RequestId, ScanRequest, Timestamp};
use libtest_mimic::{Arguments, Failed, Trial};

const CHILD: &str = "--child";
/// Far more than a child writes before it is killed.
const ENDLESS: u64 = u64::MAX;
const SHARED: &str = "feed/shared";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, path, name, rounds] = arguments.as_slice()
        && flag == CHILD
    {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(child(Path::new(path), name, rounds.parse().expect("a number")));
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        Trial::test("two_processes_append_to_one_file_at_once_and_lose_nothing", at_once),
        Trial::test("a_process_that_is_killed_loses_nothing_that_it_had_been_answered", killed),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn ring(stream: &StreamId, expected: u64, by: &str) -> (Vec<RecordedEvent>, Head) {
    let event = Event::Feed(FeedEvent::BellRang { name: by.to_owned() });
    let state = HeadState::Feed(FeedState { bells: expected + 1, ..FeedState::default() });
    let head = Head { version: expected + 1, state };
    (seal(stream, expected, Timestamp::from_millis(0), vec![event]), head)
}

/// Appends once, whatever others append meanwhile; answers the version.
async fn append(store: &SqliteEventStore, stream: &StreamId, by: &str) -> u64 {
    loop {
        let version = store.head(stream).await.expect("a head").map_or(0, |head| head.version);
        let (events, head) = ring(stream, version, by);
        match store.append(stream, version, &events, &head).await {
            Ok(()) => return version + 1,
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Appends to a stream of its own and to a shared one, sends a request, and says so only when all is answered.
async fn child(path: &Path, name: &str, rounds: u64) {
    let database = Database::open(path).expect("the file opens");
    let store = SqliteEventStore::new(database.clone());
    let queue = SqliteQueue::new(database, Arc::new(SystemClock));
    let (own, shared) = (StreamId(format!("feed/{name}")), StreamId(SHARED.to_owned()));
    for round in 0..rounds {
        let request = request(name, round);
        let (own, shared, sent) = tokio::join!(
            append(&store, &own, name),
            append(&store, &shared, name),
            queue.send(Lane::Push, &request)
        );
        sent.expect("it is sent");
        println!("{own} {shared}");
        std::io::stdout().flush().expect("the parent listens");
    }
}

fn request(name: &str, round: u64) -> [ScanRequest; 1] {
    let digest = Digest::of(name.as_bytes());
    let image: ImageId = format!("a.test/team/app@{digest}").parse().expect("an image");
    [ScanRequest { id: RequestId(format!("{name}-{round}")), image, cause: Cause::Operator, at_least: None }]
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(path: &Path, name: &str, rounds: u64) -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([CHILD.as_ref(), path.as_os_str(), name.as_ref(), rounds.to_string().as_ref()])
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        Ok(Self { child, lines })
    }

    /// The versions that it was answered.
    fn answer(&mut self) -> Result<Option<(u64, u64)>, Failed> {
        let Some(line) = self.lines.next() else { return Ok(None) };
        let line = line?;
        // A killed process may leave half a line: it had not said all of it.
        let (own, shared) = line.split_once(' ').ok_or("half a line")?;
        Ok(Some((own.parse()?, shared.parse()?)))
    }
}

fn blocking<T>(work: impl Future<Output = T>) -> Result<T, Failed> {
    Ok(tokio::runtime::Runtime::new()?.block_on(work))
}

/// How many events each stream holds, after a look that no version is missing. Others may append meanwhile.
async fn streams(database: &Database) -> Result<BTreeMap<String, u64>, Failed> {
    let store = SqliteEventStore::new(database.clone());
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.read_all(after, 1000).await?;
        for (position, _) in page.items {
            let last = versions.entry(position.stream.0.clone()).or_default();
            if position.version != *last + 1 {
                return Err(format!("{} follows {last} in {}", position.version, position.stream).into());
            }
            *last = position.version;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    for (stream, version) in &versions {
        let head = store.head(&StreamId(stream.clone())).await?.ok_or("no head")?;
        if head.version < *version {
            return Err(
                format!("the head of {stream} is at {}, its events at {version}", head.version).into()
            );
        }
    }
    Ok(versions)
}

fn at_once() -> Result<(), Failed> {
    const ROUNDS: u64 = 60;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("monitor.db");
    let mut processes = vec![];
    for name in ["one", "two", "three"] {
        processes.push(Process::start(&path, name, ROUNDS)?);
    }
    for process in &mut processes {
        while process.answer()?.is_some() {}
        if !process.child.wait()?.success() {
            return Err("a process failed".into());
        }
    }
    let (streams, depth) = blocking(async {
        let database = Database::open(&path)?;
        let streams = streams(&database).await?;
        let depth = SqliteQueue::new(database, Arc::new(SystemClock)).depth(Lane::Push).await?;
        Ok::<_, Failed>((streams, depth))
    })??;
    let expected = [("feed/one", ROUNDS), ("feed/two", ROUNDS), ("feed/three", ROUNDS), (SHARED, 3 * ROUNDS)];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    if streams != expected || depth.ready != 3 * ROUNDS {
        return Err(format!("{streams:?}, {depth:?}").into());
    }
    Ok(())
}

fn killed() -> Result<(), Failed> {
    const ANSWERS: u64 = 40;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("monitor.db");
    // Another process has the file open all the while: the log is not read from the beginning by the next one alone.
    let mut other = Process::start(&path, "other", ENDLESS)?;
    let mut answered = (0, 0);
    for life in 0..3 {
        let mut process = Process::start(&path, "mortal", ENDLESS)?;
        for _ in 0..ANSWERS {
            answered = process.answer()?.ok_or("it ended by itself")?;
        }
        process.child.kill()?;
        process.child.wait()?;
        let streams = blocking(async { streams(&Database::open(&path)?).await })??;
        let (own, shared) = (streams["feed/mortal"], streams[SHARED]);
        if own < answered.0 || shared < answered.1 {
            return Err(format!("life {life}: answered {answered:?}, found {own} and {shared}").into());
        }
    }
    other.answer()?.ok_or("the other process was disturbed")?;
    other.child.kill()?;
    other.child.wait()?;
    let last = blocking(async { streams(&Database::open(&path)?).await })??;
    if last["feed/mortal"] < answered.0 || answered.0 < 3 * ANSWERS {
        return Err(format!("answered {answered:?}, found {last:?}").into());
    }
    Ok(())
}
