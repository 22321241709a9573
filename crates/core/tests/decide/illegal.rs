//! Events that cannot follow: a stream that these rules did not write is refused, not guessed at.

use cve_monitor_core::scan::{Command, DeliveredReport, ImageEvent, ReportId, evolve};
use cve_monitor_core::vocabulary::ScannerIdentity;

use crate::stage::Stage;

fn refuses(stage: &Stage, event: &ImageEvent) {
    let answer = evolve(stage.state.clone(), stage.now, event);
    assert!(answer.is_err(), "{event:?} after {:?}", stage.events);
}

#[test]
fn layers_of_what_is_no_image() {
    let recorded = ImageEvent::LayersRecorded { keys: vec![], generation: 1 };
    refuses(&Stage::empty(), &recorded);
    refuses(&Stage::pushed(), &recorded);
    let mut index = Stage::pushed();
    index.then(Command::ResolvedIndex(vec![]));
    refuses(&index, &recorded);
}

#[test]
fn an_indexed_image_without_layers() {
    let scanner = ScannerIdentity { name: "model".to_owned(), version: "1".to_owned() };
    refuses(&Stage::pushed(), &ImageEvent::Indexed { scanner });
}

#[test]
fn two_reports_in_a_row_that_say_the_same() {
    let mut stage = Stage::indexed();
    let events = stage.then(stage.assessed("a"));
    refuses(&stage, &events[0]);
}

#[test]
fn a_verified_report_that_never_was() {
    refuses(&Stage::indexed(), &ImageEvent::Verified { started: Stage::empty().now, generation: None });
}

#[test]
fn a_delivery_of_another_report() {
    let delivered = |id: &str| {
        ImageEvent::Delivered(DeliveredReport { report: ReportId(id.to_owned()), sink: "lake".to_owned() })
    };
    refuses(&Stage::indexed(), &delivered("r"));
    refuses(&Stage::reported("a"), &delivered("another"));
}
