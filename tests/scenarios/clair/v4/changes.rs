//! Imports, and which images get a new report because of them.

use std::path::PathBuf;

use super::running::Running;
use crate::stage::names;

/// In the packages of Debian 12 that only `debian-python` has, of the images here.
const ONLY_PYTHON: &str = "sqlite3";
/// In those of all images that Clair reads.
const EVERYWHERE: &str = "zlib";
/// Among the first advisories, in a package that only `debian-node` has.
const ONLY_NODE: &str = "CVE-2023-30589";
/// Among no advisories but those of a scenario.
const NEW: &str = "CVE-2099-0001";

pub(super) async fn an_import_that_adds_and_removes_reports_exactly_the_affected_images_again(
    programs: PathBuf,
) {
    let (running, first) =
        Running::reported(programs, &["debian-node", "debian-python", "distroless", "debian-base"]).await;
    assert!(running.names("debian-node", ONLY_NODE).await);
    let (_, before) = running.requests(0);

    running.import(&first.with(NEW, ONLY_PYTHON, "").without(ONLY_NODE));
    assert_eq!(running.stage.follow(1).await, 0, "one change, no gap");
    let (following, followed) = running.requests(before);
    let worked = running.stage.ingest().await;
    let (assessing, _) = running.requests(followed);
    println!(
        "requests: following the change {following:?}, re-reports of {:?} {assessing:?}",
        worked.reported
    );

    assert_eq!(worked.reported, names(["debian-node", "debian-python"]));
    assert!(running.names("debian-python", NEW).await);
    assert!(!running.names("debian-node", ONLY_NODE).await);
    for unaffected in ["distroless", "debian-base"] {
        assert_eq!(running.reports(unaffected).await, 1, "{unaffected}");
    }
    let (_, now) = running.requests(0);
    let all = running.requests(before).0;
    assert!(!all.contains_key("POST /indexer/api/v1/index_report"), "no layer is read again");

    // The same advisories, imported again in other words, are no change to anybody.
    running.import(&first.with(NEW, ONLY_PYTHON, "").without(ONLY_NODE).in_other_words());
    assert_eq!(running.stage.follow(1).await, 0);
    assert!(running.stage.ingest().await.outcomes.is_empty(), "nobody is looked at again");
    assert!(!running.requests(now).0.keys().any(|path| path.contains("vulnerability_report")));
}

pub(super) async fn of_two_imports_between_two_polls_the_older_is_reported_too(programs: PathBuf) {
    let (running, first) = Running::reported(programs, &["debian-node", "debian-python"]).await;
    let older = first.with(NEW, ONLY_PYTHON, "");
    running.import(&older);
    running.import(&older.without(ONLY_NODE));

    assert_eq!(running.stage.follow(2).await, 0, "both changes, no gap");
    assert_eq!(running.stage.ingest().await.reported, names(["debian-node", "debian-python"]));
    assert!(running.names("debian-python", NEW).await);
    assert!(!running.names("debian-node", ONLY_NODE).await);
}

pub(super) async fn a_finding_that_comes_and_goes_around_a_push_comes_and_goes_in_the_reports(
    programs: PathBuf,
) {
    let (running, first) = Running::reported(programs, &["distroless"]).await;
    running.import(&first.with(NEW, EVERYWHERE, ""));
    running.push("debian-python");
    running.stage.reconcile().await;
    assert_eq!(running.stage.ingest().await.reported, names(["debian-python"]));
    assert!(running.names("debian-python", NEW).await, "the image was judged between the two imports");

    running.import(&first);
    assert_eq!(running.stage.follow(2).await, 0, "both changes: their difference is nothing");
    let worked = running.stage.ingest().await;
    assert_eq!(worked.reported, names(["debian-python"]), "{worked:?}");
    assert!(!running.names("debian-python", NEW).await);
    assert_eq!(running.reports("distroless").await, 1, "it was not judged while the finding was there");
}
