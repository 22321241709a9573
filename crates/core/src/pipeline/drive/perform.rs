//! Performs steps through the ports, and says what came of them as commands.

use super::assess::assess;
use super::failure::{failure, permanent};
use super::platform;
use crate::pipeline::Ports;
use crate::ports::{IndexRequest, Registry, RegistryError, ReportObject, ScannerError};
use crate::scan::{
    Command, DeliveredReport, Failure, FailureClass, Head, ImageEvent, ImageState, Policy, ResolvedImage,
    Step, StepName, StreamId,
};
use crate::vocabulary::{
    Cause, Child, Descriptor, Digest, ImageId, ImageManifest, Lane, LayerKey, Manifest, Platform, RequestId,
    ScanRequest,
};

/// How many events are read at a time when a deleted image's keys are looked up.
const EVENTS_PAGE: usize = 100;

/// What came of a step.
pub(super) enum Performed {
    /// Tell the rules.
    Command(Command),
    /// The keys of a deleted image are forgotten; nothing comes after it.
    Forgotten,
}

/// What performing the steps of one image needs.
pub(super) struct Workbench<'a> {
    pub(super) ports: &'a Ports,
    pub(super) policy: &'a Policy,
    pub(super) registry: &'a dyn Registry,
    pub(super) image: &'a ImageId,
    pub(super) lane: Lane,
    /// The manifest, once read: the head is too small for it, and a drive reads it at most once.
    manifest: Option<ImageManifest>,
}

impl<'a> Workbench<'a> {
    pub(super) fn new(
        ports: &'a Ports,
        policy: &'a Policy,
        registry: &'a dyn Registry,
        image: &'a ImageId,
        lane: Lane,
    ) -> Self {
        Self { ports, policy, registry, image, lane, manifest: None }
    }

    pub(super) async fn perform(&mut self, step: &Step, state: &ImageState) -> Performed {
        let result = match step {
            Step::Resolve => self.resolve().await,
            Step::RecordLayers => self.record_layers().await,
            Step::Index => self.index(state.parents.clone()).await,
            Step::Assess { at_least } => assess(self, state, *at_least).await,
            Step::Deliver { report, body, assessed, sink } => {
                let object = ReportObject { id: report.clone(), assessed: *assessed, body: vec![] };
                self.deliver(object, body, sink).await
            }
            Step::Forget => match self.forget().await {
                Ok(()) => return Performed::Forgotten,
                Err(failure) => Err(failure),
            },
            Step::Wait(_) | Step::Done => Err(permanent("there is no such step to perform".to_owned())),
        };
        let step = step.name().unwrap_or(StepName::Resolve);
        Performed::Command(result.unwrap_or_else(|failure| Command::Failed { step, failure }))
    }

    async fn resolve(&mut self) -> Result<Command, Failure> {
        let raw = match self.registry.manifest(self.image).await {
            Ok(raw) => raw,
            Err(RegistryError::NotFound(_)) => return Ok(Command::NotFound),
            Err(error) => return Err(error.into()),
        };
        match raw.parse().map_err(|e| failure(FailureClass::Corrupt, e.to_string()))? {
            Manifest::Artifact(kind) => Ok(Command::ResolvedArtifact(kind)),
            Manifest::Index(children) => self.queue_children(children).await,
            Manifest::Image(manifest) => {
                let platform = self.platform(&manifest.config).await?;
                let layers = u32::try_from(manifest.layers.len()).unwrap_or(u32::MAX);
                let config = manifest.config.digest.clone();
                self.manifest = Some(manifest);
                if self.ports.scope.admits_platform(self.image, platform.as_ref()) {
                    Ok(Command::ResolvedImage(ResolvedImage { config, layers, platform }))
                } else {
                    let detail = platform.map(|p| p.to_string()).unwrap_or_default();
                    Ok(Command::OutOfScope { detail })
                }
            }
        }
    }

    /// Queued before the index is recorded as resolved: after a crash in between they are queued again, under
    /// the same request ids.
    async fn queue_children(&self, children: Vec<Child>) -> Result<Command, Failure> {
        let parent = &self.image.digest;
        let wanted: Vec<ScanRequest> = children
            .iter()
            .filter(|child| self.ports.scope.admits_platform(self.image, child.platform.as_ref()))
            .map(|child| ScanRequest {
                id: RequestId::derived(&[
                    "child",
                    parent.as_str(),
                    &self.image.sibling(child.digest.clone()).to_string(),
                ]),
                image: self.image.sibling(child.digest.clone()),
                cause: Cause::IndexChild { parent: parent.clone() },
                at_least: None,
            })
            .collect();
        for batch in wanted.chunks(crate::ports::MAX_SEND) {
            self.ports.queue.send(self.lane, batch).await?;
        }
        // Those outside of the scope are no part of what the index is waited for.
        Ok(Command::ResolvedIndex(wanted.into_iter().map(|request| request.image.digest).collect()))
    }

    async fn platform(&self, config: &Descriptor) -> Result<Option<Platform>, Failure> {
        let stream = match self.registry.blob(&self.image.repository, config).await {
            Ok(stream) => stream,
            // The manifest is there and its configuration is not: the layers may still be looked at.
            Err(RegistryError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(platform::read(stream).await?)
    }

    async fn request(&mut self) -> Result<IndexRequest, Failure> {
        let manifest = match &self.manifest {
            Some(manifest) => manifest.clone(),
            None => {
                let raw = self.registry.manifest(self.image).await?;
                match raw.parse() {
                    Ok(Manifest::Image(manifest)) => manifest,
                    Ok(_) => return Err(permanent("the manifest of a digest changed its kind".to_owned())),
                    Err(error) => return Err(failure(FailureClass::Corrupt, error.to_string())),
                }
            }
        };
        self.manifest = Some(manifest.clone());
        Ok(IndexRequest { image: self.image.clone(), manifest, parents: vec![] })
    }

    async fn record_layers(&mut self) -> Result<Command, Failure> {
        let request = match self.request().await {
            Err(failure) => return self.gone_or(failure).await,
            Ok(request) => request,
        };
        let keys = self.ports.scanner.keys(&request);
        self.ports.index.record(self.image, &keys).await?;
        Ok(Command::LayersRecorded { keys, generation: self.policy.key_generation })
    }

    async fn index(&mut self, parents: Vec<Digest>) -> Result<Command, Failure> {
        let request = match self.request().await {
            Err(failure) => return self.gone_or(failure).await,
            Ok(request) => IndexRequest { parents, ..request },
        };
        match self.ports.scanner.index(&request).await {
            // Recorded before anything is assessed: a change that is followed before that is known to the assessment.
            Ok(keys) => {
                if !keys.is_empty() {
                    self.ports.index.record(self.image, &keys).await?;
                }
                let generation = self.policy.key_generation;
                Ok(Command::Indexed { scanner: self.policy.scanner.clone(), keys, generation })
            }
            Err(ScannerError::Gone(detail)) => self.gone_or(failure(FailureClass::Corrupt, detail)).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Something of the image is not there: only the registry's answer about its manifest says whether it is gone, or
    /// archived.
    async fn gone_or(&self, failure: Failure) -> Result<Command, Failure> {
        match self.registry.manifest(self.image).await {
            Err(RegistryError::NotFound(_)) => Ok(Command::NotFound),
            Err(archived @ RegistryError::Archived(_)) => Err(archived.into()),
            _ => Err(failure),
        }
    }

    async fn deliver(&self, mut object: ReportObject, body: &Digest, sink: &str) -> Result<Command, Failure> {
        let Some(target) = self.ports.sinks.iter().find(|candidate| candidate.name() == sink) else {
            return Err(permanent(format!("no sink named `{sink}` is configured")));
        };
        object.body = self.ports.archive.get(body).await?.ok_or_else(|| {
            permanent(format!("the archive does not hold {body}, which was to be delivered"))
        })?;
        target.deliver(&object).await?;
        Ok(Command::Delivered(DeliveredReport { report: object.id, sink: sink.to_owned() }))
    }

    /// The keys come from the events: there is no inverse index.
    async fn forget(&self) -> Result<(), Failure> {
        let stream = StreamId::image(self.image);
        let (mut from, mut last, mut generation_of_last) = (1, vec![], None);
        loop {
            let events = self.ports.store.read(&stream, from, EVENTS_PAGE).await?;
            for recorded in &events {
                if let crate::scan::Event::Image(ImageEvent::LayersRecorded { keys, generation }) =
                    &recorded.event
                {
                    self.ports.index.forget(self.image, keys).await?;
                    if generation_of_last.replace(*generation) != Some(*generation) {
                        last.clear();
                    }
                    last.extend_from_slice(keys);
                }
            }
            if events.len() < EVENTS_PAGE {
                return self.restore(&stream, last).await;
            }
            from += events.len() as u64;
        }
    }

    /// A push may have revived the image while its keys were being forgotten: then they are recorded again, or
    /// no change would ever find it.
    async fn restore(&self, stream: &StreamId, keys: Vec<LayerKey>) -> Result<(), Failure> {
        let head = self.ports.store.head(stream).await?;
        let revived =
            head.as_ref().and_then(Head::image).is_some_and(|state| !state.deleted && state.keys.is_some());
        if revived {
            self.ports.index.record(self.image, &keys).await?;
        }
        Ok(())
    }
}
