//! SQS, as moto and ElasticMQ stand in for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::aws::sqs_queue::{SqsQueue, SqsSettings, create_queues};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::Queue;
use cve_monitor_core::testkit::laws::queue::QueueHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use xtask::aws::Emulator;

use crate::emulators;
use crate::rows::Rows;

/// Leases end by waiting for it: short ones, yet with seconds to spare on a busy machine.
const LEASE: Duration = Duration::from_secs(8);

pub(crate) fn register(rows: &mut Rows) {
    rows.add("queue", "sqs_moto", laws::queue::LAWS, || {
        Box::pin(async { Ok(OwnQueues::fresh(Emulator::Moto).await? as _) })
    });
    rows.add("queue", "sqs_elasticmq", laws::queue::LAWS, || {
        Box::pin(async { Ok(OwnQueues::fresh(Emulator::ElasticMq).await? as _) })
    });
}

/// Queues of a row's own, in an emulator that all rows share.
struct OwnQueues {
    names: UniqueNames,
    queue: Arc<SqsQueue>,
}

impl OwnQueues {
    async fn fresh(emulator: Emulator) -> Result<Box<Self>, String> {
        static PREFIXES: std::sync::LazyLock<UniqueNames> =
            std::sync::LazyLock::new(|| UniqueNames::new("row"));
        let config = emulators::config(emulator).await?;
        let prefix = PREFIXES.make();
        create_queues(&config, &prefix).await.expect("queues");
        let queue = SqsQueue::open(&config, SqsSettings { prefix }, Arc::new(SystemClock)).await;
        Ok(Box::new(Self { names: UniqueNames::new("s"), queue: Arc::new(queue.expect("the queues")) }))
    }
}

#[async_trait]
impl Harness for OwnQueues {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

impl QueueHarness for OwnQueues {
    fn queue(&self) -> Arc<dyn Queue> {
        Arc::clone(&self.queue) as _
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}
