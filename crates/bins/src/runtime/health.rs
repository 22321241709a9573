//! Whether a process can do its work.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cve_monitor_core::pipeline::Ports;
use cve_monitor_core::ports::{Readiness, Scanner};

/// How long an answer about readiness may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers whether a process can do its work.
#[derive(Debug, Clone)]
pub struct Health {
    ports: Arc<Ports>,
    scanner: Arc<OnceLock<Arc<dyn Scanner>>>,
}

impl Health {
    /// The health of a process on these ports, whose scanner is found there once it has been reached.
    #[must_use]
    pub fn new(ports: Arc<Ports>, scanner: Arc<OnceLock<Arc<dyn Scanner>>>) -> Self {
        Self { ports, scanner }
    }

    /// What is missing; nothing where the process is ready.
    pub async fn missing(&self) -> Vec<String> {
        let (store, scanner) = futures::join!(within(self.store()), within(self.scanner()));
        [("store", store), ("scanner", scanner)]
            .into_iter()
            .filter_map(|(name, answer)| Some(format!("{name}: {}", answer.err()?)))
            .collect()
    }

    async fn store(&self) -> Result<(), String> {
        self.ports.store.heads("feed/", None, 1).await.map(drop).map_err(|error| error.to_string())
    }

    async fn scanner(&self) -> Result<(), String> {
        let Some(scanner) = self.scanner.get() else {
            return Err("it has not been reached yet".to_owned());
        };
        match scanner.readiness().await {
            Ok(Readiness::Ready(_) | Readiness::Partly(..)) => Ok(()),
            Ok(Readiness::Loading(missing)) => Err(missing),
            Err(error) => Err(error.to_string()),
        }
    }
}

async fn within(answer: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let late = |_| Err(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(late)
}
