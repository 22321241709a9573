//! A scanner that reads layers first and judges later: only the layers tell which advisories are needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use cve_monitor_adapters::embedded::EmbeddedScanner;
use cve_monitor_core::ports::{IndexRequest, Readiness, Scanner, ScannerError};
use cve_monitor_core::vocabulary::{Assessment, Generation, ImageId, LayerKey, ScannerIdentity};

/// What an image waits for; it stays the last word where that does not come.
const CLOSED: &str = "there are not all the advisories that it takes to judge this image";

/// Loading until it is opened.
#[derive(Debug)]
pub(super) struct Gate {
    scanner: Arc<EmbeddedScanner>,
    is_open: AtomicBool,
}

impl Gate {
    pub(super) fn new(scanner: Arc<EmbeddedScanner>) -> Self {
        Self { scanner, is_open: AtomicBool::new(false) }
    }

    pub(super) fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    fn is_closed(&self) -> bool {
        !self.is_open.load(Ordering::Acquire)
    }
}

#[async_trait]
impl Scanner for Gate {
    fn identity(&self) -> ScannerIdentity {
        self.scanner.identity()
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        self.scanner.keys(request)
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        if self.is_closed() {
            return Ok(Readiness::Loading(CLOSED.to_owned()));
        }
        // Whoever can be judged now is; nothing else will come.
        Ok(match self.scanner.readiness().await? {
            Readiness::Partly(knowledge, _) => Readiness::Ready(knowledge),
            readiness => readiness,
        })
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        self.scanner.index(request).await
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        if self.is_closed() {
            return Err(ScannerError::Loading(CLOSED.to_owned()));
        }
        self.scanner.assess(image, at_least).await
    }
}
