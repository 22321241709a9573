//! The expected values of the golden events.
//!
//! Each function below answers with the example that follows: its match is exhaustive, so that a new kind of
//! event does not compile until it has an example, and an example fails until it has a file.

use cve_monitor_core::ports::Cursor;
use cve_monitor_core::scan::{
    AbandonReason, Assessed, ContentHash, DeliveredReport, Due, Event, FailureClass, FeedEvent, ImageEvent,
    ReconcileCounts, ReconcileEvent, ReportId, ResolvedImage, StepName,
};
use cve_monitor_core::vocabulary::{
    ArtifactKind, Cause, Digest, Generation, KnowledgeId, LayerKey, Level, PageToken, Platform, RequestId,
    ScannerIdentity, SeverityCounts, Timestamp, Verdict,
};

/// When all of them were recorded.
pub(crate) fn at() -> Timestamp {
    Timestamp::from_millis(1_772_366_400_123)
}

/// All examples by file name.
pub(crate) fn events() -> Vec<(String, Event)> {
    let mut events = vec![];
    let mut image = after_image(None);
    while let Some((name, event)) = image {
        image = after_image(Some(&event));
        events.push((name.to_owned(), Event::Image(event)));
    }
    let mut feed = after_feed(None);
    while let Some((name, event)) = feed {
        feed = after_feed(Some(&event));
        events.push((name.to_owned(), Event::Feed(event)));
    }
    let mut reconcile = after_reconcile(None);
    while let Some((name, event)) = reconcile {
        reconcile = after_reconcile(Some(&event));
        events.push((name.to_owned(), Event::Reconcile(event)));
    }
    events.extend(least().into_iter().map(|(name, event)| (name.to_owned(), Event::Image(event))));
    let round = ReconcileEvent::RoundDone { counts: covered() };
    events.push(("RoundDone.covered".to_owned(), Event::Reconcile(round)));
    events
}

fn digest(seed: &str) -> Digest {
    Digest::of(seed.as_bytes())
}

pub(crate) fn scanner() -> ScannerIdentity {
    ScannerIdentity { name: "embedded".to_owned(), version: "1".to_owned() }
}

pub(crate) fn resolved() -> ResolvedImage {
    let variant = Some("v8".to_owned());
    let platform = Platform { os: "linux".to_owned(), architecture: "arm64".to_owned(), variant };
    ResolvedImage { config: digest("config"), layers: 3, platform: Some(platform) }
}

fn assessed() -> Assessed {
    Assessed {
        started: at(),
        scanner: scanner(),
        knowledge: Some(KnowledgeId("k-0001".to_owned())),
        generation: Some(Generation(42)),
        content: ContentHash("c0ffee".to_owned()),
        report: ReportId("r-0002".to_owned()),
        previous: Some(ReportId("r-0001".to_owned())),
        body: digest("body"),
        verdict: Verdict::Vulnerable,
        level: Level::Partial,
        counts: SeverityCounts { critical: 1, high: 2, medium: 3, low: 4, negligible: 5, unknown: 6 },
        new: 7,
        gone: 8,
        unannounced: false,
    }
}

fn after_image(last: Option<&ImageEvent>) -> Option<(&'static str, ImageEvent)> {
    Some(match last {
        None => (
            "ScanRequested",
            ImageEvent::ScanRequested {
                request: RequestId("q-0001".to_owned()),
                cause: Cause::Push { tag: Some("v1.0".parse().expect("a tag")) },
                at_least: Some(Generation(41)),
            },
        ),
        Some(ImageEvent::ScanRequested { .. }) => {
            ("ManifestResolved", ImageEvent::ManifestResolved(resolved()))
        }
        Some(ImageEvent::ManifestResolved(_)) => {
            ("IndexResolved", ImageEvent::IndexResolved { children: vec![digest("amd64"), digest("arm64")] })
        }
        Some(ImageEvent::IndexResolved { .. }) => {
            ("ArtifactResolved", ImageEvent::ArtifactResolved { kind: ArtifactKind::Attestation })
        }
        Some(ImageEvent::ArtifactResolved { .. }) => (
            "LayersRecorded",
            ImageEvent::LayersRecorded {
                keys: vec![LayerKey("sha256:base".to_owned()), LayerKey("sha256:top".to_owned())],
                generation: 1,
            },
        ),
        Some(ImageEvent::LayersRecorded { .. }) => ("Indexed", ImageEvent::Indexed { scanner: scanner() }),
        Some(ImageEvent::Indexed { .. }) => ("Assessed", ImageEvent::Assessed(Box::new(assessed()))),
        Some(ImageEvent::Assessed(_)) => {
            ("Verified", ImageEvent::Verified { started: at(), generation: Some(Generation(43)) })
        }
        Some(ImageEvent::Verified { .. }) => {
            let report = ReportId("r-0002".to_owned());
            ("Delivered", ImageEvent::Delivered(DeliveredReport { report, sink: "folder".to_owned() }))
        }
        Some(ImageEvent::Delivered(_)) => {
            let reason = "the scanner is behind".to_owned();
            ("Waiting", ImageEvent::Waiting { until: Due::At(at()), reason })
        }
        Some(ImageEvent::Waiting { .. }) => (
            "StepFailed",
            ImageEvent::StepFailed {
                step: StepName::Index,
                class: FailureClass::Transient,
                detail: "connection reset".to_owned(),
                retry_at: at(),
            },
        ),
        Some(ImageEvent::StepFailed { .. }) => {
            let detail = "the layer does not hash to its digest".to_owned();
            ("Abandoned", ImageEvent::Abandoned { reason: AbandonReason::Corrupt, detail })
        }
        Some(ImageEvent::Abandoned { .. }) => ("ImageDeleted", ImageEvent::ImageDeleted),
        Some(ImageEvent::ImageDeleted) => ("ImageArchived", ImageEvent::ImageArchived),
        Some(ImageEvent::ImageArchived) => return None,
    })
}

/// Those with optional fields again, without any of them: what the first writers wrote.
fn least() -> Vec<(&'static str, ImageEvent)> {
    let (request, cause) = (RequestId("q-0001".to_owned()), Cause::Push { tag: None });
    let bare = Assessed { knowledge: None, generation: None, previous: None, ..assessed() };
    vec![
        ("ScanRequested.least", ImageEvent::ScanRequested { request, cause, at_least: None }),
        (
            "ManifestResolved.least",
            ImageEvent::ManifestResolved(ResolvedImage { platform: None, ..resolved() }),
        ),
        ("Assessed.least", ImageEvent::Assessed(Box::new(bare))),
        (
            "Assessed.unannounced",
            ImageEvent::Assessed(Box::new(Assessed { unannounced: true, ..assessed() })),
        ),
        ("Verified.least", ImageEvent::Verified { started: at(), generation: None }),
        (
            "Waiting.scanner_ready",
            ImageEvent::Waiting { until: Due::ScannerReady, reason: "the scanner is loading".to_owned() },
        ),
    ]
}

fn after_feed(last: Option<&FeedEvent>) -> Option<(&'static str, FeedEvent)> {
    let (from, to) = (Cursor("41".to_owned()), Cursor("42".to_owned()));
    let (generation, after) = (Generation(42), PageToken("key-9".to_owned()));
    Some(match last {
        None => ("BellRang", FeedEvent::BellRang { name: "n-0001".to_owned() }),
        Some(FeedEvent::BellRang { .. }) => ("ChangeSeen", FeedEvent::ChangeSeen { from, to, generation }),
        Some(FeedEvent::ChangeSeen { .. }) => {
            ("FanOutAdvanced", FeedEvent::FanOutAdvanced { after, queued: 100 })
        }
        Some(FeedEvent::FanOutAdvanced { .. }) => ("FanOutDone", FeedEvent::FanOutDone { queued: 142 }),
        Some(FeedEvent::FanOutDone { .. }) => {
            ("GapFound", FeedEvent::GapFound { to, scope: "everything".to_owned(), generation })
        }
        Some(FeedEvent::GapFound { .. }) => ("SweepAdvanced", FeedEvent::SweepAdvanced { after, queued: 7 }),
        Some(FeedEvent::SweepAdvanced { .. }) => ("SweepDone", FeedEvent::SweepDone { queued: 9 }),
        Some(FeedEvent::SweepDone { .. }) => return None,
    })
}

pub(crate) fn counts() -> ReconcileCounts {
    let counts = ReconcileCounts::default();
    ReconcileCounts { repositories: 1, listed: 21, current: 15, missing: 3, swept: 2, absent: 1, ..counts }
}

pub(crate) fn covered() -> ReconcileCounts {
    ReconcileCounts { unlisted: 1, owed: 20, lacking: 2, ..counts() }
}

fn after_reconcile(last: Option<&ReconcileEvent>) -> Option<(&'static str, ReconcileEvent)> {
    let after = PageToken("team/app".to_owned());
    Some(match last {
        None => ("RoundStarted", ReconcileEvent::RoundStarted),
        Some(ReconcileEvent::RoundStarted) => {
            ("RoundAdvanced", ReconcileEvent::RoundAdvanced { after, counts: counts() })
        }
        Some(ReconcileEvent::RoundAdvanced { .. }) => {
            ("RoundDone", ReconcileEvent::RoundDone { counts: counts() })
        }
        Some(ReconcileEvent::RoundDone { .. }) => return None,
    })
}
