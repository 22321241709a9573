//! Plans as the real terraform made them.

use serde_json::json;

use super::*;

fn plan(shown: &str) -> Plan {
    Plan::read(&serde_json::from_str(shown).unwrap()).unwrap()
}

fn created() -> Plan {
    plan(include_str!("../../../tests/fixtures/plan.json"))
}

fn replaced() -> Plan {
    plan(include_str!("../../../tests/fixtures/replace.json"))
}

fn destroyed() -> Plan {
    plan(include_str!("../../../tests/fixtures/destroy.json"))
}

#[test]
fn a_first_plan_creates_everything_and_loses_nothing() {
    let plan = created();
    assert!(plan.changes.iter().all(|change| change.action == Action::Create));
    assert!(plan.data().is_empty());
    assert!(plan.creates("module.reconciler.aws_ecs_task_definition.this"));
    assert_eq!(plan.steps(), plan.changes.len());
    let table = plan.table();
    assert!(
        table
            .ends_with(&format!("{} to create, 0 to update, 0 to replace, 0 to destroy", plan.changes.len()))
    );
    // One line for what is made of one block.
    assert!(table.contains("\n  +   aws_sqs_queue.lane [backfill, change, push]\n"), "{table}");
    assert!(table.contains("\n  +   aws_subnet.private [0, 1]\n"), "{table}");
    assert!(table.contains("\n  +   aws_ecs_cluster.this\n"), "{table}");
    assert!(table.lines().count() < plan.changes.len(), "{table}");
}

#[test]
fn what_is_only_looked_up_is_no_change() {
    assert!(created().changes.iter().all(|change| !change.address.contains("data.")));
    assert!(replaced().changes.iter().all(|change| !change.address.contains("data.")));
}

#[test]
fn a_replacement_says_what_forces_it_and_whose_data_it_loses() {
    let plan = replaced();
    let mut data = plan.data();
    data.sort_unstable();
    let expected = ["archive", "athena", "reports"].map(|name| format!("acme-ecr-cve-monitor-e2e-{name}"));
    assert_eq!(data, expected);
    assert!(!plan.creates("module.reconciler.aws_ecs_task_definition.this"));
    let table = plan.table();
    let line = "  -/+ module.reports.aws_s3_bucket.this: because of bucket   DATA IS LOST: acme-ecr-cve-monitor-e2e-reports";
    assert!(table.contains(line), "{table}");
    let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace).count();
    assert_eq!(plan.steps(), plan.changes.len() + replaced);
}

#[test]
fn an_update_names_what_differs() {
    let table = plan(include_str!("../../../tests/fixtures/drift.json")).table();
    let line = "queues (1)\n  ~   aws_sqs_queue.lane [push]: visibility_timeout_seconds\n";
    assert!(table.contains(line), "{table}");
}

#[test]
fn everything_that_holds_data_is_named_when_all_is_destroyed() {
    let plan = destroyed();
    assert!(plan.changes.iter().all(|change| change.action == Action::Destroy));
    let data = plan.data();
    for name in [
        "acme-ecr-cve-monitor-e2e-archive",
        "acme-ecr-cve-monitor-e2e-reports",
        "ecr-cve-monitor-e2e-events",
        "ecr-cve-monitor-e2e-heads",
        "ecr-cve-monitor-e2e-layer-index",
        "ecr-cve-monitor-e2e/clair-db",
        "ecr-cve-monitor-e2e/clair-psk",
    ] {
        assert!(data.contains(&name), "{name}: {data:?}");
    }
    // And the database of Clair.
    assert!(
        plan.changes
            .iter()
            .any(|change| change.block.starts_with("aws_db_instance") && change.data.is_some())
    );
    assert_eq!(data.len(), 9, "{data:?}");
}

#[test]
fn long_lists_are_cut_and_counted() {
    let instance = |number: usize, attributes: usize| Change {
        action: Action::Update,
        part: "p".to_owned(),
        block: "aws_x.this".to_owned(),
        instance: Some(format!("k{number}")),
        attributes: (0..attributes).map(|n| format!("a{n}")).collect(),
        data: None,
        protected: false,
        address: String::new(),
    };
    let table = |many: usize, attributes: usize| {
        Plan { changes: (0..many).map(|number| instance(number, attributes)).collect() }.table()
    };
    assert!(
        table(MAX_INSTANCES, MAX_ATTRIBUTES).contains("[k0, k1, k2, k3, k4, k5]: a0, a1, a2, a3, a4, a5\n")
    );
    let longer = table(MAX_INSTANCES + 1, MAX_ATTRIBUTES + 1);
    assert!(
        longer.contains("[k0, k1, k2, k3, k4, k5, … 7 in all]: a0, a1, a2, a3, a4, a5 and 1 more\n"),
        "{longer}"
    );
}

#[test]
fn a_plan_of_another_format_is_refused() {
    assert!(Plan::read(&serde_json::json!({"format_version": "2.0"})).unwrap_err().contains("`2.0`"));
}

#[test]
fn reports_that_would_expire_sooner_are_data_that_is_lost() {
    let rules = |days: &[u64]| -> Value {
        let rule = |days: &u64| json!({"id": "expiry", "expiration": [{"days": days}]});
        let other = json!({"id": "leftovers", "expiration": []});
        json!({"bucket": "reports", "rule": days.iter().map(rule).chain([other]).collect::<Vec<_>>()})
    };
    let data = |before: Value, after: Value, action: &str| -> Vec<String> {
        let shown = json!({"format_version": "1.2", "resource_changes": [{
            "address": "module.lake.module.reports.aws_s3_bucket_lifecycle_configuration.this", "mode": "managed",
            "type": "aws_s3_bucket_lifecycle_configuration", "name": "this",
            "change": {"actions": [action], "before": before, "after": after, "after_unknown": {}},
        }]});
        Plan::read(&shown).unwrap().data().into_iter().map(str::to_owned).collect()
    };
    assert_eq!(data(rules(&[]), rules(&[30]), "update"), ["reports"]);
    assert_eq!(data(rules(&[30]), rules(&[29]), "update"), ["reports"]);
    for (before, after) in
        [(rules(&[30]), rules(&[31])), (rules(&[30]), rules(&[])), (rules(&[30]), rules(&[30]))]
    {
        assert!(data(before, after, "update").is_empty());
    }
    assert!(data(Value::Null, rules(&[30]), "create").is_empty(), "the bucket is new, too");
}
