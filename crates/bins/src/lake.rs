//! Questions to a lake of reports, answered without a query engine: the same questions as the named queries of Athena, by the
//! same names, with the same columns.
//!
//! Reports are read line by line and never held. What grows with the number of images is 32 bytes for each (for the trend 80),
//! and the answers of one day.

mod answers;
mod day;
mod question;
mod reading;
mod report;
mod said;
mod trend;

pub use answers::{Asked, Told, answer};
pub use day::{Day, InvalidDay};
pub use question::{Question, Row};
pub use reading::Problem;
