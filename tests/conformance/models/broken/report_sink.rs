//! Sinks with a fault.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cve_monitor_core::ports::{ReportObject, ReportSink, SinkError};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::Timestamp;

use crate::models::memory::{Memory, memory};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    HidesWhatItRefuses,
    WritesHalfFirst,
    KeepsTheNewestOnly,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn ReportSink>,
    fault: Fault,
    newest: Mutex<Option<Timestamp>>,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::report_sink::ReportSinkHarness>); 3] = [
        ("hides_what_it_refuses", "K1", || Box::pin(async { Ok(with(Fault::HidesWhatItRefuses) as _) })),
        ("writes_half_first", "K2", || Box::pin(async { Ok(with(Fault::WritesHalfFirst) as _) })),
        ("keeps_the_newest_only", "K3", || Box::pin(async { Ok(with(Fault::KeepsTheNewestOnly) as _) })),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("report_sink", fault, law, laws::report_sink::LAWS, fresh);
    }
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.sink = Arc::new(Broken { inner: memory.sink, fault, newest: Mutex::default() });
    memory
}

#[async_trait]
impl ReportSink for Broken {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        let newest = self.newest.lock().expect("no panic").replace(report.assessed);
        match self.fault {
            Fault::HidesWhatItRefuses => match self.inner.deliver(report).await {
                Err(SinkError::Occupied(_)) => Ok(()),
                answer => answer,
            },
            Fault::WritesHalfFirst => {
                let half = report.body[..report.body.len() / 2].to_vec();
                self.inner.deliver(&ReportObject { body: half, ..report.clone() }).await?;
                tokio::task::yield_now().await;
                self.inner.deliver(report).await
            }
            Fault::KeepsTheNewestOnly if newest.is_some_and(|newest| newest > report.assessed) => Ok(()),
            Fault::KeepsTheNewestOnly => self.inner.deliver(report).await,
        }
    }
}
