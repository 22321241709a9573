//! Numbers that are as they are now: asked of the queue, the store, the scanner and the system.

use std::time::Duration;

use cve_monitor_core::ports::Readiness;
use cve_monitor_core::scan::{Due, HeadState, ReconcileState, StreamId};
use cve_monitor_core::vocabulary::{Knowledge, Lane, RegistryName, Timestamp};

use super::catalogue::{
    COVERAGE, FEED_BEHIND, IMAGES_LACKING, IMAGES_LISTED, IMAGES_WAITING, KNOWLEDGE_AGE, MEMORY, OPEN_FILES,
    QUEUE_MESSAGES, REFRESH_AGE, REPOSITORIES_UNLISTED, ROUND_AGE, SCANNER_READY, UPTIME,
};
use super::meter::{Meter, Sample, number};
use super::process;

/// How long one of those that are asked may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Images that wait are counted up to here.
pub(super) const WAITING_MAX: usize = 1000;
/// Heads that wait, read at a time.
const WAITING_PAGE: usize = 500;
/// No image waits for longer: the rules' longest wait is an hour, a registry's own word some more.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

type Answer = Result<Vec<Sample>, String>;

/// All gauges of the programs that a meter is for.
pub(super) async fn all(meter: &Meter) -> Vec<Sample> {
    let (queue, waiting, scanner, rounds) = futures::join!(
        asked(meter.tells(&QUEUE_MESSAGES), "the queue", queue(meter)),
        asked(meter.tells(&IMAGES_WAITING), "what waits", waiting(meter)),
        asked(meter.tells(&SCANNER_READY), "the scanner", scanner(meter)),
        asked(meter.tells(&COVERAGE), "the comparisons", rounds(meter)),
    );
    [queue, waiting, scanner, own(meter), rounds, of_process(meter)].concat()
}

async fn asked(wanted: bool, whom: &str, answer: impl Future<Output = Answer>) -> Vec<Sample> {
    if !wanted {
        return vec![];
    }
    let problem = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(samples)) => return samples,
        Ok(Err(problem)) => problem,
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    tracing::warn!(problem, "numbers of {whom} cannot be told now");
    vec![]
}

async fn queue(meter: &Meter) -> Answer {
    let mut samples = vec![];
    for lane in Lane::ALL {
        let depth = meter.ports.queue.depth(lane).await.map_err(|error| error.to_string())?;
        for (state, count) in [("ready", depth.ready), ("leased", depth.leased)] {
            samples.push(Sample::counted(&QUEUE_MESSAGES, [lane.as_str(), state], count));
        }
    }
    Ok(samples)
}

async fn waiting(meter: &Meter) -> Answer {
    let far = meter.ports.clock.now().plus(LONGEST_WAIT);
    let mut samples = vec![];
    for (what, kind) in [("time", Due::At(far)), ("scanner", Due::ScannerReady)] {
        let (mut count, mut after) = (0, None);
        loop {
            let page = meter.ports.store.due(&kind, far, after, WAITING_PAGE).await;
            let page = page.map_err(|error| error.to_string())?;
            count += page.items.len();
            after = page.next;
            if after.is_none() || count >= WAITING_MAX {
                break;
            }
        }
        samples.push(Sample::counted(&IMAGES_WAITING, [what], count.min(WAITING_MAX) as u64));
    }
    Ok(samples)
}

/// One that does not answer is not ready.
async fn scanner(meter: &Meter) -> Answer {
    let knowledge: Option<Knowledge> = match meter.scanner.get() {
        None => None,
        Some(scanner) => match tokio::time::timeout(PATIENCE / 2, scanner.readiness()).await {
            Ok(Ok(Readiness::Ready(knowledge) | Readiness::Partly(knowledge, _))) => Some(knowledge),
            Ok(Ok(Readiness::Loading(_)) | Err(_)) | Err(_) => None,
        },
    };
    let mut samples = vec![Sample::of(&SCANNER_READY, [], if knowledge.is_some() { 1.0 } else { 0.0 })];
    let newest = knowledge.and_then(|knowledge| knowledge.last_changed.into_values().max());
    samples.extend(newest.map(|newest| Sample::of(&KNOWLEDGE_AGE, [], age(meter, newest))));
    Ok(samples)
}

/// What the tasks of the process have marked.
fn own(meter: &Meter) -> Vec<Sample> {
    let mut samples = vec![];
    if meter.tells(&FEED_BEHIND) {
        let followed = meter.marks.followed.last().unwrap_or(meter.began);
        samples.push(Sample::of(&FEED_BEHIND, [], age(meter, followed)));
    }
    if meter.tells(&REFRESH_AGE) && meter.refreshes {
        let refreshed = meter.marks.refreshed.last().unwrap_or(meter.began);
        samples.push(Sample::of(&REFRESH_AGE, [], age(meter, refreshed)));
    }
    samples
}

async fn rounds(meter: &Meter) -> Answer {
    let mut samples = vec![];
    for name in meter.ports.registries.names() {
        let head = meter.ports.store.head(&StreamId::reconcile(name)).await;
        let state = match head.map_err(|error| error.to_string())?.map(|head| head.state) {
            Some(HeadState::Reconcile(state)) => state,
            _ => ReconcileState::default(),
        };
        samples.extend(round(meter, name, &state));
    }
    Ok(samples)
}

fn round(meter: &Meter, name: &RegistryName, state: &ReconcileState) -> [Sample; 5] {
    let last = &state.last;
    let coverage = match (state.done, last.owed) {
        (None, _) => 0.0,
        // Nothing is known of what could not be listed: it is never called covered.
        (Some(_), 0) => {
            if last.unlisted == 0 {
                1.0
            } else {
                0.0
            }
        }
        (Some(_), owed) => number(owed.saturating_sub(last.lacking)) / number(owed),
    };
    [
        (&COVERAGE, coverage),
        (&IMAGES_LISTED, number(last.listed)),
        (&IMAGES_LACKING, number(last.lacking)),
        (&REPOSITORIES_UNLISTED, number(last.unlisted)),
        (&ROUND_AGE, age(meter, state.done.unwrap_or(meter.began))),
    ]
    .map(|(metric, value)| Sample::of(metric, [name.as_str()], value))
}

fn of_process(meter: &Meter) -> Vec<Sample> {
    let uptime = Some(Sample::of(&UPTIME, [], age(meter, meter.began)));
    let memory = process::resident_memory().map(|bytes| Sample::counted(&MEMORY, [], bytes));
    let files = process::open_files().map(|open| Sample::counted(&OPEN_FILES, [], open));
    [memory, files, uptime].into_iter().flatten().collect()
}

fn age(meter: &Meter, since: Timestamp) -> f64 {
    meter.ports.clock.now().since(since).as_secs_f64()
}
