//! Where reports are delivered.

use async_trait::async_trait;

use crate::scan::ReportId;
use crate::vocabulary::Timestamp;

/// A report ready for delivery: everything about it is fixed by the event that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportObject {
    /// Names the object.
    pub id: ReportId,
    /// The start of the assessment: its day in UTC is the partition.
    pub assessed: Timestamp,
    /// One line of JSON, without a line end.
    pub body: Vec<u8>,
}

impl ReportObject {
    /// The key of the object: `year=YYYY/month=MM/day=DD/<id>.json`.
    #[must_use]
    pub fn key(&self) -> String {
        let (year, month, day) = self.assessed.day();
        format!("year={year:04}/month={month:02}/day={day:02}/{}.json", self.id)
    }
}

/// Takes reports.
///
/// # Laws
/// * **K1** Delivering the same report again leaves one object, the same.
/// * **K2** A reader sees a whole report or none.
/// * **K3** A newer report never hides or rewrites an older one.
///
/// # Errors
/// `Transient`: do the same again. `Permanent`: a setting is wrong. `Occupied`: another body lies under this id;
/// nothing was overwritten.
///
/// # Cancellation
/// A dropped delivery has happened wholly or not at all.
///
/// # Bounds
/// Bodies of at most [`super::MAX_BODY_BYTES`].
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ReportSink: std::fmt::Debug + Send + Sync {
    /// The name under which `Delivered` events remember this sink; at most 16 bytes.
    fn name(&self) -> String;

    /// Delivers a report.
    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError>;
}

/// Why a report was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Try again.
    #[error("the report sink is not available: {0}")]
    Transient(String),
    /// Trying again will not help.
    #[error("the report sink refuses: {0}")]
    Permanent(String),
    /// Another body lies under this id.
    #[error("the sink already holds another body under {0}")]
    Occupied(String),
}
