//! The words of the closed lists that stand in stored events and heads.

use std::collections::BTreeMap;

use cve_monitor_core::ports::DeadLetterReason;
use cve_monitor_core::scan::{AbandonReason, FailureClass, StepName};
use cve_monitor_core::vocabulary::{ArtifactKind, Cause, Digest, FeedName, Lane, Level, Verdict};
use serde_json::{Value, json};

/// Values of a list, and a match over it: one more value does not compile until it is written here.
macro_rules! closed {
    ($type:ident: $($value:ident),+ $(,)?) => {{
        let exhaustive = |value: $type| match value { $($type::$value => ()),+ };
        let all = [$($type::$value),+];
        all.iter().copied().for_each(exhaustive);
        (stringify!($type), json!(all))
    }};
}

fn causes() -> (&'static str, Value) {
    let kind = |cause: Cause| -> Value {
        match cause {
            Cause::Push { .. }
            | Cause::IndexChild { .. }
            | Cause::Change { .. }
            | Cause::Reconcile
            | Cause::Sweep
            | Cause::Absence
            | Cause::Due
            | Cause::Operator => json!(cause),
        }
    };
    let all = [
        Cause::Push { tag: None },
        Cause::IndexChild { parent: Digest::of(b"index") },
        Cause::Change { feed: FeedName("clair".to_owned()) },
        Cause::Reconcile,
        Cause::Sweep,
        Cause::Absence,
        Cause::Due,
        Cause::Operator,
    ];
    ("Cause", all.map(kind).into_iter().collect())
}

#[test]
fn stored_words_never_change() {
    let now: BTreeMap<&str, Value> = BTreeMap::from([
        causes(),
        closed!(AbandonReason: Denied, Corrupt, Failed, AttemptsExhausted, OutOfScope, Archived),
        closed!(FailureClass: Transient, Throttled, Denied, Corrupt, Permanent, NotIndexed, Loading, Behind, Archived),
        closed!(StepName: Resolve, RecordLayers, Index, Assess, Deliver, Forget),
        closed!(ArtifactKind: Attestation, Signature, Sbom, HelmChart, Wasm, DockerSchema1, Other),
        closed!(Verdict: Clean, Unknown, Vulnerable),
        closed!(Level: Complete, Partial, Unsupported),
        closed!(Lane: Push, Change, Backfill),
        closed!(
            DeadLetterReason: Unreadable, UnknownRegistry, Denied, Corrupt, Failed, AttemptsExhausted,
            KillsWorkers,
        ),
    ]);
    let file: BTreeMap<&str, Value> =
        serde_json::from_str(include_str!("words.json")).expect("golden/words.json is JSON");
    assert_eq!(now, file, "now:\n{}", json!(now));
}
