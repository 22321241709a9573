//! What ingest writes about an image: the same rules, asked without a port in between.

use std::sync::Arc;

use cve_monitor_core::pipeline::Ports;
use cve_monitor_core::scan::{
    Assessed, Command, ContentHash, DeliveredReport, Event, Head, HeadState, ImageEvent, ImageState, Policy,
    ReportFacts, ReportId, ResolvedImage, StreamId, decide, encode_event, encode_head, evolve, render_report,
    seal,
};
use cve_monitor_core::vocabulary::{
    Assessment, Cause, Digest, FeedName, FindingKey, Generation, ImageId, LayerKey, Platform,
    RegistryIdentity, RequestId, ScanRequest, SeverityCounts, Timestamp, Verdict,
};

use crate::Failure;
use crate::world::Manifested;

/// How often an image was looked at again after its report, with the same answer.
pub(crate) const LOOKS_AGAIN: usize = 2;

/// What all images have in common.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    policy: Policy,
    registry: RegistryIdentity,
    feed: FeedName,
    assessment: Assessment,
    /// Of the push, and of each look after it.
    at: [Timestamp; 1 + LOOKS_AGAIN],
}

/// An event as it lies in its row.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) body: Vec<u8>,
}

/// The stream of an image, and the body of its report.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) stream: String,
    pub(crate) events: Vec<EventRow>,
    pub(crate) version: u64,
    pub(crate) head: Vec<u8>,
    pub(crate) body_digest: Digest,
    pub(crate) body: Vec<u8>,
    pub(crate) put_at: i64,
}

/// The request of a push.
pub(crate) fn pushed(image: &ImageId) -> ScanRequest {
    let id = RequestId::derived(&["made up", &image.to_string()]);
    ScanRequest { id, image: image.clone(), cause: Cause::Push { tag: None }, at_least: None }
}

/// The request of a change, by its number.
pub(crate) fn changed(image: &ImageId, look: usize, feed: &FeedName) -> ScanRequest {
    let id = RequestId::derived(&["made up", &look.to_string(), &image.to_string()]);
    let cause = Cause::Change { feed: feed.clone() };
    ScanRequest { id, image: image.clone(), cause, at_least: Some(Generation(1)) }
}

impl Common {
    /// `assessment` is what the scanner says of any of these images.
    pub(crate) fn new(
        ports: &Arc<Ports>,
        assessment: Assessment,
        at: [Timestamp; 1 + LOOKS_AGAIN],
    ) -> Result<Self, Failure> {
        let registry = ports.registries.names().next().and_then(|name| ports.registries.get(name));
        let registry = registry.ok_or("there is no registry")?.identity();
        let feed = ports.feed.clone().ok_or("there is no feed")?;
        Ok(Self { policy: ports.policy(), registry, feed, assessment, at })
    }

    /// The whole story of an image of these keys.
    pub(crate) fn history(
        &self,
        manifested: Manifested,
        layers: usize,
        keys: Vec<LayerKey>,
    ) -> Result<History, Failure> {
        let Manifested { image, config } = manifested;
        let mut told = Told::new(&image, self.at[0]);
        let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None };
        let resolved = ResolvedImage { config, layers: u32::try_from(layers)?, platform: Some(platform) };
        told.take(Command::Request(pushed(&image)))?;
        told.take(Command::ResolvedImage(resolved.clone()))?;
        told.take(Command::LayersRecorded { keys, generation: self.policy.key_generation })?;
        told.flush()?;
        let scanner = self.policy.scanner.clone();
        told.take(Command::Indexed { scanner, keys: vec![], generation: self.policy.key_generation })?;
        let (assessed, body) = self.report(&image, &resolved);
        let (report, content) = (assessed.report.clone(), assessed.content.clone());
        let body_digest = assessed.body.clone();
        told.take(Command::Assessed(Box::new(assessed)))?;
        told.flush()?;
        for sink in &self.policy.sinks {
            told.take(Command::Delivered(DeliveredReport { report: report.clone(), sink: sink.clone() }))?;
        }
        told.flush()?;
        for (look, at) in self.at.iter().enumerate().skip(1) {
            told.now = *at;
            told.take(Command::Request(changed(&image, look, &self.feed)))?;
            told.flush()?;
            let generation = self.assessment.knowledge.generation;
            told.take(Command::Verified { started: *at, generation, content: content.clone() })?;
            told.flush()?;
        }
        Ok(History {
            head: encode_head(&Head {
                version: told.version,
                state: HeadState::Image(Box::new(told.state)),
            })?,
            stream: told.stream.0,
            events: told.rows,
            version: told.version,
            body_digest,
            body,
            put_at: self.at[0].as_millis(),
        })
    }

    fn report(&self, image: &ImageId, resolved: &ResolvedImage) -> (Assessed, Vec<u8>) {
        let (assessment, scanner) = (&self.assessment, &self.policy.scanner);
        let content = ContentHash::of(assessment, &[]);
        let id = ReportId::after(None, image, &scanner.name, &content);
        let new: Vec<FindingKey> = assessment.findings.iter().map(|finding| finding.key()).collect();
        let body = render_report(&ReportFacts {
            id: &id,
            previous: None,
            image,
            resolved,
            registry: &self.registry,
            tags: &[],
            parents: &[],
            scanner,
            started: self.at[0],
            assessment,
            new: &new,
            gone: &[],
        });
        let assessed = Assessed {
            started: self.at[0],
            scanner: scanner.clone(),
            knowledge: assessment.knowledge.id.clone(),
            generation: assessment.knowledge.generation,
            content,
            report: id,
            previous: None,
            body: Digest::of(&body),
            verdict: Verdict::over(assessment.findings.len(), &assessment.completeness),
            level: assessment.completeness.level(),
            counts: SeverityCounts::of(&assessment.findings),
            new: u32::try_from(new.len()).unwrap_or(u32::MAX),
            gone: 0,
            unannounced: false,
        };
        (assessed, body)
    }
}

/// A stream as it grows: what is decided waits for the next append, as it does while an image is driven.
struct Told<'a> {
    image: &'a ImageId,
    stream: StreamId,
    version: u64,
    state: ImageState,
    pending: Vec<ImageEvent>,
    now: Timestamp,
    rows: Vec<EventRow>,
}

impl<'a> Told<'a> {
    fn new(image: &'a ImageId, now: Timestamp) -> Self {
        let (stream, state) = (StreamId::image(image), ImageState::default());
        Self { image, stream, version: 0, state, pending: vec![], now, rows: vec![] }
    }

    fn take(&mut self, command: Command) -> Result<(), Failure> {
        for event in decide(self.image, &self.state, command, self.now)? {
            self.state = evolve(std::mem::take(&mut self.state), self.now, &event)?;
            self.pending.push(event);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let events: Vec<Event> = self.pending.drain(..).map(Event::from).collect();
        for event in seal(&self.stream, self.version, self.now, events) {
            self.version += 1;
            let body = encode_event(&event)?;
            self.rows.push(EventRow { id: event.id.0, at: event.at.as_millis(), body });
        }
        Ok(())
    }
}
