//! The programs as processes: on real images, with signals, and killed at random moments.

#[path = "processes/bench.rs"]
mod bench;
#[path = "processes/drills.rs"]
mod drills;
#[path = "processes/killed.rs"]
mod killed;
#[path = "processes/metrics.rs"]
mod metrics;
#[path = "processes/mirror.rs"]
mod mirror;
#[path = "processes/planted.rs"]
mod planted;
#[path = "processes/report.rs"]
mod report;
#[path = "processes/scan.rs"]
mod scan;
#[path = "processes/secrets.rs"]
mod secrets;
#[path = "processes/watch.rs"]
mod watch;
