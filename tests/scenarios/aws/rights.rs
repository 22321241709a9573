//! What the programs were seen to call, against the rights that terraform gives them.

use std::collections::BTreeSet;

use cve_monitor_terraform::rights::{Program, Right, rights_of};
use cve_monitor_tests::fakes::aws_proxy::Seen;

use crate::stage::Stage;

/// What the ledger of rights calls what a call was about. The lane of the backlog is a lane, and named by itself too.
fn names(stage: &Stage, seen: &Seen) -> Vec<&'static str> {
    let service = seen.action.split(':').next().unwrap_or_default();
    let rest = seen.on.strip_prefix(&stage.prefix).unwrap_or(&seen.on);
    match (service, rest) {
        ("sqs", "-backfill") => vec!["lanes", "backfill"],
        ("sqs", "-push" | "-change") => vec!["lanes"],
        ("sqs", "-push-dead" | "-change-dead" | "-backfill-dead") => vec!["dead"],
        ("dynamodb", "-events") => vec!["events"],
        ("dynamodb", "-heads") => vec!["heads"],
        ("dynamodb", "-heads/due") => vec!["due"],
        ("dynamodb", "-layer-index") => vec!["layer-index"],
        ("s3", "-archive/*") => vec!["archived"],
        ("s3", "-reports/*") => vec!["report"],
        ("ecr", "") => vec!["images"],
        ("sts", "") => vec!["roles"],
        _ => vec![],
    }
}

/// Every call of a program was one that terraform grants it. Prints which grants the scenario made use of.
pub(crate) fn assert_granted(stage: &Stage) {
    let seen = stage.proxy.seen();
    for program in Program::WITH_ROLES {
        let granted = rights_of(program).unwrap();
        let mut used: BTreeSet<&Right> = BTreeSet::new();
        for seen in seen.iter().filter(|seen| seen.caller == program.name()) {
            let names = names(stage, seen);
            let by = granted
                .iter()
                .find(|right| right.action == seen.action && names.contains(&right.on.as_str()));
            used.insert(by.unwrap_or_else(|| panic!("{} was not granted: {seen:?}", program.name())));
        }
        println!("{}: {} of {} rights were made use of", program.name(), used.len(), granted.len());
        for right in granted.iter().filter(|right| !used.contains(right)) {
            println!("  not here: {right}");
        }
    }
    let nobody: Vec<_> = seen.iter().filter(|seen| seen.caller.is_empty()).collect();
    assert!(nobody.is_empty(), "calls without the name of a program: {nobody:?}");
}
