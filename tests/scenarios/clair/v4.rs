//! Clair 4.9.0.

mod changes;
mod data;
mod failures;
mod first_report;
mod notifier;
mod running;

use crate::{Scenario, scenarios};

/// The scenarios, by what they show.
pub(crate) const SCENARIOS: &[(&str, Scenario)] = scenarios![
    first_report::what_is_read_waits_for_the_advisories_and_then_gets_the_report_of_the_embedded_scanner,
    changes::an_import_that_adds_and_removes_reports_exactly_the_affected_images_again,
    changes::of_two_imports_between_two_polls_the_older_is_reported_too,
    changes::a_finding_that_comes_and_goes_around_a_push_comes_and_goes_in_the_reports,
    failures::a_clair_that_comes_back_empty_makes_nothing_clean,
    failures::while_postgresql_is_away_nothing_is_lost,
    notifier::clairs_own_notifier_loses_the_older_of_two_changes_between_its_polls,
];
