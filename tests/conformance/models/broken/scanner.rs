//! Scanners with a fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cve_monitor_core::ports::{IndexRequest, Readiness, Scanner, ScannerError};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::{
    Assessment, Completeness, Generation, ImageId, Knowledge, LayerKey, ScannerIdentity,
};

use crate::models::scanning::{Scanning, Through, scanning_through};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    IndexesOnce,
    IndexesToAssess,
    IsMoody,
    CallsEverythingComplete,
    IsEmptyWhileLoading,
    IgnoresWhatIsAsked,
    KnowsEveryImage,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn Scanner>,
    fault: Fault,
    last: Mutex<Option<IndexRequest>>,
    assessed: AtomicU64,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::scanner::ScannerHarness>); 7] = [
        ("indexes_once", "S1", || fresh(|inner| with(inner, Fault::IndexesOnce))),
        ("indexes_to_assess", "S2", || fresh(|inner| with(inner, Fault::IndexesToAssess))),
        ("is_moody", "S3", || fresh(|inner| with(inner, Fault::IsMoody))),
        ("calls_everything_complete", "S4", || fresh(|inner| with(inner, Fault::CallsEverythingComplete))),
        ("is_empty_while_loading", "S5", || fresh(|inner| with(inner, Fault::IsEmptyWhileLoading))),
        ("ignores_what_is_asked", "S6", || fresh(|inner| with(inner, Fault::IgnoresWhatIsAsked))),
        ("knows_every_image", "S7", || fresh(|inner| with(inner, Fault::KnowsEveryImage))),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("scanner", fault, law, laws::scanner::LAWS, fresh);
    }
}

type Ready = futures::future::BoxFuture<'static, Result<Box<dyn laws::scanner::ScannerHarness>, String>>;

fn fresh(through: Through) -> Ready {
    let scanning: Scanning = scanning_through(through);
    Box::pin(async { Ok(Box::new(scanning) as _) })
}

fn with(inner: Arc<dyn Scanner>, fault: Fault) -> Arc<dyn Scanner> {
    Arc::new(Broken { inner, fault, last: Mutex::default(), assessed: AtomicU64::new(0) })
}

fn nothing() -> Assessment {
    let knowledge = Knowledge { id: None, generation: None, last_changed: BTreeMap::new() };
    Assessment {
        findings: vec![],
        completeness: Completeness::complete(),
        looked_at: vec![],
        sbom: None,
        knowledge,
    }
}

#[async_trait]
impl Scanner for Broken {
    fn identity(&self) -> ScannerIdentity {
        self.inner.identity()
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        self.inner.keys(request)
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        self.inner.readiness().await
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        let last = self.last.lock().expect("no panic").replace(request.clone());
        match self.fault {
            Fault::IndexesOnce if last.is_some() => Err(ScannerError::Permanent("it is there".to_owned())),
            // Reads the layers of the image when it is assessed.
            Fault::IndexesToAssess if last.is_none() => {
                let mut part = request.clone();
                part.manifest.layers.truncate(1);
                self.inner.index(&part).await
            }
            _ => self.inner.index(request).await,
        }
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        let last = self.last.lock().expect("no panic").clone();
        if let (Fault::IndexesToAssess, Some(request)) = (self.fault, last) {
            self.inner.index(&request).await?;
        }
        let at_least = at_least.filter(|_| self.fault != Fault::IgnoresWhatIsAsked);
        let odd = self.assessed.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        match (self.fault, self.inner.assess(image, at_least).await) {
            (Fault::IsMoody, Ok(mut assessment)) if odd => {
                assessment.findings.clear();
                Ok(assessment)
            }
            (Fault::CallsEverythingComplete, Ok(assessment)) => {
                Ok(Assessment { completeness: Completeness::complete(), ..assessment })
            }
            (Fault::IsEmptyWhileLoading, Err(ScannerError::Loading(_)))
            | (Fault::KnowsEveryImage, Err(ScannerError::NotIndexed)) => Ok(nothing()),
            (_, answer) => answer,
        }
    }
}
