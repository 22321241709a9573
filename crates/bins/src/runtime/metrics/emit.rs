//! Tells CloudWatch, by way of the standard output.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::cloudwatch::{Before, Told, grown, lines};
use super::meter::Meter;
use crate::runtime::pause;

/// Prints what a meter says, for CloudWatch.
#[derive(Debug)]
pub struct Emitter {
    meter: Arc<Meter>,
    told: Told,
    before: Mutex<Before>,
}

impl Emitter {
    /// One that tells this.
    #[must_use]
    pub fn new(meter: Arc<Meter>, told: Told) -> Self {
        Self { meter, told, before: Mutex::default() }
    }

    /// Prints what there is to tell now: a line for each set of labels.
    ///
    /// # Errors
    /// Where nobody takes the standard output.
    pub async fn emit(&self) -> io::Result<()> {
        let mut before = self.before.lock().await;
        let samples = grown(self.meter.samples().await, &mut before);
        let mut text = lines(&self.told, self.meter.ports.clock.now(), &samples).join("\n");
        text.push('\n');
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.flush()
    }

    /// Prints every so often until told to stop.
    ///
    /// # Errors
    /// As [`Self::emit`].
    pub async fn run(&self, every: Duration, stop: &CancellationToken) -> io::Result<()> {
        while !pause(stop, every).await {
            self.emit().await?;
        }
        Ok(())
    }
}
