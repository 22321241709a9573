//! The scanner of commands that scan nothing: a server that need not be there for them.

use async_trait::async_trait;
use cve_monitor_core::ports::{IndexRequest, Readiness, Scanner, ScannerError};
use cve_monitor_core::vocabulary::{Assessment, Generation, ImageId, LayerKey, ScannerIdentity};

/// A scanner that nobody asks.
#[derive(Debug)]
pub(super) struct Asleep {
    pub(super) name: &'static str,
}

fn not_asked<T>() -> Result<T, ScannerError> {
    Err(ScannerError::Permanent("this command does not ask the scanner".to_owned()))
}

#[async_trait]
impl Scanner for Asleep {
    fn identity(&self) -> ScannerIdentity {
        ScannerIdentity { name: self.name.to_owned(), version: "not asked".to_owned() }
    }

    fn keys(&self, _: &IndexRequest) -> Vec<LayerKey> {
        vec![]
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        not_asked()
    }

    async fn index(&self, _: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        not_asked()
    }

    async fn assess(&self, _: &ImageId, _: Option<Generation>) -> Result<Assessment, ScannerError> {
        not_asked()
    }
}
