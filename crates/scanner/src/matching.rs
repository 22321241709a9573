//! Inventories against advisories: what is found, and how complete the look was.

mod assess;
mod completeness;
mod evaluate;
mod finding;
mod severity;

pub use self::assess::{Matched, assess};
pub use self::completeness::{Completeness, Reason};
pub use self::evaluate::{Fix, evaluate};
pub use self::finding::{Finding, FixStatus};
pub use self::severity::{Severity, SeveritySource, severity_of};
