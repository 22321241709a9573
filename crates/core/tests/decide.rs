//! The rules, as given / when / then.

#[path = "decide/any_sequence.rs"]
mod any_sequence;
#[path = "decide/archived.rs"]
mod archived;
#[path = "decide/failures.rs"]
mod failures;
#[path = "decide/feeds.rs"]
mod feeds;
#[path = "decide/illegal.rs"]
mod illegal;
#[path = "decide/presence.rs"]
mod presence;
#[path = "decide/reports.rs"]
mod reports;
#[path = "decide/requests.rs"]
mod requests;
#[path = "decide/stage.rs"]
mod stage;
#[path = "decide/steps.rs"]
mod steps;
