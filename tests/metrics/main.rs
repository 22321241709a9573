//! The catalogue of metrics against the alarms and the dashboard of terraform, and against the page that explains them.

mod docs;
mod emitted_by_aws;
mod terraform;
