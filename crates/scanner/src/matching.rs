//! Inventories against advisories: what is found, and how complete the look was.

mod assess;
mod completeness;
mod ecosystems;
mod evaluate;
mod finding;
mod severity;

pub use self::assess::{Matched, Suppressed, assess, assess_without};
pub use self::completeness::{Completeness, Reason};
pub use self::ecosystems::ecosystems;
pub(crate) use self::evaluate::holds;
pub use self::evaluate::{Fix, evaluate};
pub use self::finding::{Finding, FixStatus};
pub use self::severity::{Severity, SeveritySource, severity_of};
