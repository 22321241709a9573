//! A Clair that loses what it knew, and one that loses its database for a while.

use std::path::PathBuf;
use std::time::Duration;

use super::running::Running;
use crate::stage::names;

/// How long PostgreSQL is away.
const AWAY: Duration = Duration::from_secs(5);

pub(super) async fn a_clair_that_comes_back_empty_makes_nothing_clean(programs: PathBuf) {
    let (mut running, first) = Running::reported(programs, &["debian-python", "distroless"]).await;
    running.clair.start_empty(&running.ground).unwrap();

    running.push("debian-node");
    running.stage.reconcile().await;
    running.stage.sweep(&["debian-python", "distroless"]).await;
    let worked = running.stage.ingest().await;
    println!("on an empty Clair: {worked:?}");
    assert_eq!(worked.outcomes.len(), 3);
    assert_eq!(worked.reported, names([]), "nothing is said by a Clair that knows nothing");
    assert_eq!(running.stage.wake().await.reported, names([]), "nor later");

    // It loads again: everything is read and judged anew, and what is said is what was said.
    running.import(&first.with("CVE-2099-0001", "expat", ""));
    assert_eq!(running.stage.follow(1).await, 1, "a gap");
    running.stage.ingest().await;
    running.stage.wake().await;
    for (image, reports) in [("debian-python", 2), ("distroless", 2), ("debian-node", 1)] {
        assert_eq!(running.reports(image).await, reports, "{image}");
        assert!(running.names(image, "CVE-2025-59375").await, "{image}");
    }
    assert!(running.names("distroless", "CVE-2099-0001").await);
}

pub(super) async fn while_postgresql_is_away_nothing_is_lost(programs: PathBuf) {
    let (running, first) = Running::reported(programs, &["distroless"]).await;
    running.import(&first.with("CVE-2099-0001", "zlib", ""));
    running.ground.postgres.pause().unwrap();
    running.push("debian-python");
    running.stage.reconcile().await;
    running.stage.sweep(&["distroless"]).await;
    // Clair may leave a request without an answer until its database is there again.
    let away = async {
        running.stage.follow_in_vain().await;
        tokio::time::sleep(AWAY).await;
        tokio::task::block_in_place(|| running.ground.postgres.resume()).unwrap();
    };
    let (worked, ()) = tokio::join!(running.stage.ingest(), away);
    println!("while PostgreSQL was away: {worked:?}");

    assert_eq!(running.stage.follow(1).await, 0, "the change is still told");
    running.stage.ingest().await;
    running.stage.wake().await;
    for (image, reports) in [("distroless", 2), ("debian-python", 1)] {
        assert_eq!(running.reports(image).await, reports, "{image}");
        assert!(running.names(image, "CVE-2099-0001").await, "{image}");
    }
}
