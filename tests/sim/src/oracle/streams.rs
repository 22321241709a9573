//! What the streams say: the rules that hold at every place of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cve_monitor_core::pipeline::{Ports, Registries, Scope, rebuild_layer_index};
use cve_monitor_core::ports::{
    ChangeFeed as _, EventStore as _, LayerIndex as _, ReportArchive as _, ReportSink as _,
};
use cve_monitor_core::scan::{
    ATTEMPTS_MAX, Assessed, CORRUPT_ATTEMPTS_MAX, Event, FailureClass, ImageEvent, ImageState, RecordedEvent,
    evolve, finding_keys,
};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{MemoryLayerIndex, MemoryQueue, MemoryRegistry, ModelScanner};
use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey};

use super::Series;
use crate::world::{FindingTruth, World, now};

pub(super) fn judge(world: &World, wrong: &mut Vec<String>) {
    for (stream, _) in world.heads() {
        if let Some(image) = stream.as_image() {
            let events = now(world.store.read(&stream, 1, usize::MAX)).unwrap_or_default();
            if events_of(&image, &events, wrong) != world.state_of(&image) {
                wrong.push(format!("the head of {image} is not what its events fold into"));
            }
        }
    }
    let series = Series::of(world);
    for (image, reports) in series.each() {
        reports_of(world, image, reports, wrong);
    }
    objects(world, &series, wrong);
    rebuilt(world, wrong);
}

/// Attempts stay within their bounds; nothing is assessed between a deletion and what revives the image.
/// The state that they fold into.
fn events_of(image: &ImageId, events: &[RecordedEvent], wrong: &mut Vec<String>) -> Option<ImageState> {
    let mut state = ImageState::default();
    for recorded in events {
        let Event::Image(event) = &recorded.event else { continue };
        let was_given_up = state.abandoned.is_some();
        let reports = matches!(event, ImageEvent::Assessed(_) | ImageEvent::Verified { .. });
        if reports && state.deleted {
            wrong.push(format!("{image} was assessed after its deletion"));
        }
        state = match evolve(state, recorded.at, event) {
            Ok(state) => state,
            Err(error) => {
                wrong.push(format!("{image}: {error}"));
                return None;
            }
        };
        let allowed = match state.failing {
            Some(FailureClass::Corrupt) => CORRUPT_ATTEMPTS_MAX,
            Some(FailureClass::Permanent) => 1,
            Some(FailureClass::Throttled) | None => u32::MAX,
            Some(_) => ATTEMPTS_MAX,
        };
        if state.failures > allowed && !was_given_up {
            wrong.push(format!("{image} failed {} times ({:?})", state.failures, state.failing));
        }
    }
    Some(state)
}

/// Each report says what its state of knowledge says, no two in a row say the same, and each names the one before.
fn reports_of(world: &World, image: &ImageId, reports: &[Assessed], wrong: &mut Vec<String>) {
    let truth = world.truth.lock();
    let Some(known) = truth.known(image) else {
        return wrong.push(format!("{image} was reported, and never was"));
    };
    let mut previous: Option<&Assessed> = None;
    for report in reports {
        if previous.is_some_and(|previous| previous.content == report.content) {
            wrong.push(format!("two reports of {image} in a row say the same: {}", report.report));
        }
        if previous.map(|previous| &previous.report) != report.previous.as_ref() {
            wrong.push(format!("report {} of {image} does not follow the one before it", report.report));
        }
        previous = Some(report);
        let Some(generation) = report.generation else {
            wrong.push(format!("report {} of {image} does not say what was known", report.report));
            continue;
        };
        let (findings, level, verdict) = truth.expected(known, generation.0);
        if (report.verdict, report.level) != (verdict, level) {
            let is = format!("{:?}, {:?}", report.verdict, report.level);
            wrong.push(format!(
                "{image} is said to be {is}; it is {verdict:?}, {level:?} (state {})",
                generation.0
            ));
        }
        match found(world, &report.body) {
            Ok(told) if told == findings => {}
            Ok(told) => wrong.push(format!(
                "{image}, state {}: the report names {told:?}, where there is {findings:?}",
                generation.0
            )),
            Err(problem) => wrong.push(format!("the body of {} of {image}: {problem}", report.report)),
        }
    }
}

/// What an archived body names.
pub(super) fn found(world: &World, body: &Digest) -> Result<BTreeSet<FindingTruth>, String> {
    let bytes = now(world.archive.get(body)).map_err(|error| error.to_string())?;
    let keys = finding_keys(&bytes.ok_or_else(|| "is not archived".to_owned())?)?;
    Ok(keys.into_iter().map(|key| (key.name, key.package, key.version, key.fixed_by)).collect())
}

/// The sinks hold the archived bytes of every report that events name, in its day, and nothing else.
fn objects(world: &World, series: &Series, wrong: &mut Vec<String>) {
    let mut named: BTreeMap<String, &Digest> = BTreeMap::new();
    for report in series.each().flat_map(|(_, reports)| reports) {
        let (year, month, day) = report.started.day();
        named.insert(
            format!("year={year:04}/month={month:02}/day={day:02}/{}.json", report.report),
            &report.body,
        );
    }
    for sink in &world.sinks {
        let (name, objects) = (sink.name(), sink.objects());
        for (key, bytes) in &objects {
            match named.get(key) {
                None => wrong.push(format!("{name} holds {key}, which no event names")),
                Some(body) if Digest::of(bytes) != **body => {
                    wrong.push(format!("{name} holds other bytes under {key} than were archived"));
                }
                Some(_) => {}
            }
        }
        for key in named.keys().filter(|key| !objects.contains_key(*key)) {
            wrong.push(format!("{name} does not hold {key}"));
        }
    }
}

/// The layer index is what the events say; beyond that it may name images that are deleted.
fn rebuilt(world: &World, wrong: &mut Vec<String>) {
    let index = Arc::new(MemoryLayerIndex::default());
    let ports = ports(world, &index);
    if let Err(error) = now(rebuild_layer_index(&ports)) {
        wrong.push(format!("the layer index cannot be rebuilt: {error}"));
    }
    let layers: BTreeSet<Digest> =
        world.truth.lock().images.iter().flat_map(|known| known.layers()).collect();
    for layer in layers {
        let key = LayerKey(layer.to_string());
        let rows = |index: &MemoryLayerIndex| -> BTreeSet<ImageId> {
            now(index.images(&key, None, usize::MAX))
                .map(|page| page.items.into_iter().collect())
                .unwrap_or_default()
        };
        let (kept, made) = (rows(&world.index), rows(&index));
        // One that came back has none before it is resolved, nor those that only indexing tells before that. Such keys
        // are in the index before their event is in the stream, and stay there if the image is given up in between.
        let is_indexed =
            |image: &&ImageId| world.state_of(image).is_some_and(|state| state.indexed.is_some());
        for image in made.difference(&kept).filter(is_indexed) {
            if world.state_of(image).is_some_and(|state| state.keys.is_some()) {
                wrong.push(format!("the layer index lacks {image} under {key:?}"));
            }
        }
        for image in kept.difference(&made).filter(is_indexed) {
            if world.state_of(image).is_some_and(|state| !state.deleted) {
                wrong.push(format!("the layer index has {image} under {key:?}, and no event says so"));
            }
        }
    }
}

/// The stored events with another index.
pub(super) fn ports(world: &World, index: &Arc<MemoryLayerIndex>) -> Ports {
    let registry = Arc::new(MemoryRegistry::new(world.registry_name()));
    let scanner = ModelScanner::new(Arc::clone(&world.knowledge), registry);
    Ports {
        clock: Arc::new(ManualClock::default()),
        store: Arc::clone(&world.store) as _,
        queue: Arc::new(MemoryQueue::new(Arc::new(ManualClock::default()))),
        index: Arc::clone(index) as _,
        archive: Arc::clone(&world.archive) as _,
        scanner: Arc::new(scanner),
        registries: Registries::default(),
        sinks: vec![],
        scope: Scope::default(),
        feed: Some(world.feed.name()),
    }
}
