//! The laws of [`ReportSink`].

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Harness, Law, Outcome, Unmet, ensure, same};
use crate::ports::{ReportObject, ReportSink, SinkError};
use crate::scan::ReportId;
use crate::vocabulary::{Digest, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The longest name of a sink, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// A fresh sink.
#[async_trait]
pub trait ReportSinkHarness: Harness {
    /// The sink.
    fn sink(&self) -> Arc<dyn ReportSink>;

    /// What a reader of the backend sees now: objects by key, from the root that reports lie under.
    async fn objects(&self) -> BTreeMap<String, Vec<u8>>;
}

/// The laws.
pub const LAWS: &[Law<dyn ReportSinkHarness>] = &[
    Law { id: "K1", title: "delivering_again_leaves_one_object", check: |h| Box::pin(idempotent(h)) },
    Law { id: "K1", title: "another_body_under_the_id_is_refused", check: |h| Box::pin(occupied(h)) },
    Law { id: "K2", title: "a_reader_sees_all_or_nothing", check: |h| Box::pin(whole(h)) },
    Law { id: "K2", title: "a_dropped_delivery_leaves_all_or_nothing", check: |h| Box::pin(dropped(h)) },
    Law { id: "K3", title: "older_reports_stay_as_they_are", check: |h| Box::pin(series(h)) },
];

fn report(harness: &dyn ReportSinkHarness, days: u32) -> ReportObject {
    let id = ReportId(Digest::of(harness.unique().as_bytes()).hex()[..32].to_owned());
    let body = format!("{{\"ReportId\":\"{id}\"}}").into_bytes();
    ReportObject { id, assessed: Timestamp::from_millis(1_772_366_400_000).plus(DAY * days), body }
}

/// What a reader finds for a report, line ends aside.
async fn found(harness: &dyn ReportSinkHarness, report: &ReportObject) -> Result<Option<Vec<u8>>, Unmet> {
    let id = report.id.to_string();
    let mut objects: Vec<_> =
        harness.objects().await.into_iter().filter(|(key, _)| key.contains(&id)).collect();
    ensure(objects.len() <= 1, || format!("{} objects for one report", objects.len()))?;
    let Some((key, mut body)) = objects.pop() else { return Ok(None) };
    same("the object's key", &key, &report.key())?;
    if body.last() == Some(&b'\n') {
        body.pop();
    }
    Ok(Some(body))
}

async fn expect(harness: &dyn ReportSinkHarness, report: &ReportObject) -> Outcome {
    let body = found(harness, report).await?;
    ensure(body.as_ref() == Some(&report.body), || {
        format!("{} holds {:?} bytes, not the report", report.key(), body.map(|body| body.len()))
    })
}

async fn idempotent(harness: &dyn ReportSinkHarness) -> Outcome {
    let report = report(harness, 0);
    ensure(harness.sink().name().len() <= MAX_NAME_BYTES, || "the sink's name is too long".to_owned())?;
    for _ in 0..3 {
        harness.sink().deliver(&report).await?;
        expect(harness, &report).await?;
    }
    Ok(())
}

async fn occupied(harness: &dyn ReportSinkHarness) -> Outcome {
    let report = report(harness, 0);
    harness.sink().deliver(&report).await?;
    let other = ReportObject { body: b"{}".to_vec(), ..report.clone() };
    let refused = harness.sink().deliver(&other).await;
    ensure(matches!(refused, Err(SinkError::Occupied(_))), || format!("another body: {refused:?}"))?;
    expect(harness, &report).await
}

fn large(harness: &dyn ReportSinkHarness) -> ReportObject {
    let mut report = report(harness, 0);
    let filler = "x".repeat(4 << 20);
    report.body = format!("{{\"ReportId\":\"{}\",\"Filler\":\"{filler}\"}}", report.id).into_bytes();
    report
}

async fn whole(harness: &dyn ReportSinkHarness) -> Outcome {
    let (sink, report) = (harness.sink(), large(harness));
    let mut delivery = pin!(sink.deliver(&report));
    while futures::poll!(delivery.as_mut()).is_pending() {
        if found(harness, &report).await?.is_some() {
            expect(harness, &report).await?;
        }
        harness.advance(Duration::from_millis(1)).await;
    }
    expect(harness, &report).await
}

async fn dropped(harness: &dyn ReportSinkHarness) -> Outcome {
    let report = large(harness);
    {
        let sink = harness.sink();
        let delivery = pin!(sink.deliver(&report));
        let _ = futures::poll!(delivery);
    }
    if found(harness, &report).await?.is_some() {
        expect(harness, &report).await?;
    }
    harness.sink().deliver(&report).await?;
    expect(harness, &report).await
}

async fn series(harness: &dyn ReportSinkHarness) -> Outcome {
    let reports = [0, 0, 1, 400].map(|days| report(harness, days));
    // A late delivery of an old report must not disturb the newer one either.
    for at in [1, 3, 0, 2] {
        harness.sink().deliver(&reports[at]).await?;
    }
    for report in &reports {
        expect(harness, report).await?;
    }
    Ok(())
}
