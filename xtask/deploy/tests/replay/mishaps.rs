//! What goes wrong, or is broken off, on the way.

use serde_json::json;

use crate::stage::{Ended, IMAGE, Stage};

fn signal(name: &str, id: u32) {
    let sent = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn who_interrupts_an_apply_waits_until_terraform_has_written_its_state() {
    for name in ["INT", "TERM", "HUP"] {
        let stage = Stage::new();
        stage.answer_text("apply-waits", "");
        let child = stage.start("deploy", &["--yes"]);
        stage.wait_for("applying");
        signal(name, child.id());
        stage.wait_for("asked-to-stop");
        // Asked twice terraform would drop everything.
        signal(name, child.id());
        stage.answer_text("go-on", "");
        let ended = Ended::of(child);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains("interrupted; 19 of 156 changes are done"), "{}", ended.err);
        assert_eq!(stage.kept("asked-to-stop"), "asked\n");
        assert_eq!(stage.asked().last().map(String::as_str), Some("apply"), "nothing comes after it");
    }
}

#[test]
fn who_interrupts_a_question_has_changed_nothing() {
    let stage = Stage::new();
    let child = stage.start("deploy", &[]);
    stage.wait_for("planned");
    // The plan may still be under way: then it is asked to stop.
    signal("INT", child.id());
    let ended = Ended::of(child);
    assert!([1, 130].contains(&ended.code), "{ended:?}");
    assert!(!stage.asked().contains(&"apply".to_owned()));
}

#[test]
fn terraform_outlives_a_run_that_is_killed_and_keeps_others_out() {
    let stage = Stage::new();
    stage.answer_text("apply-waits", "");
    let mut child = stage.start("deploy", &["--yes"]);
    stage.wait_for("applying");
    child.kill().unwrap();
    child.wait().unwrap();
    let other = stage.run("drift", &[], "");
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.err.contains("another run works in"), "{}", other.err);
    stage.answer_text("go-on", "");
    stage.wait_for("applied");
}

#[test]
fn a_first_comparison_that_did_not_come_about_is_offered_by_the_next_run() {
    let stage = Stage::new();
    stage.cloud.seen.lock().unwrap().fails = true;
    assert_eq!(stage.run("deploy", &["--yes"], "").code, 1);
    stage.cloud.seen.lock().unwrap().fails = false;
    stage.answer_text("plan.json", r#"{"format_version":"1.2","resource_changes":[]}"#);
    stage.code(0);
    let next = stage.run("deploy", &["--yes"], "");
    assert!(next.code == 0 && next.out.contains("started: arn:aws:ecs:"), "{next:?}");
    let last = stage.run("deploy", &["--yes"], "");
    assert!(last.code == 0 && !last.out.contains("first comparison"), "{last:?}");
}

#[test]
fn who_may_not_list_repositories_can_start_the_comparison_all_the_same() {
    let stage = Stage::new();
    stage.cloud.seen.lock().unwrap().unlisted = true;
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("cannot be told: AccessDeniedException") && ended.out.contains("started: "));
}

#[test]
fn a_service_that_ecs_took_back_to_what_ran_before_did_not_come_up() {
    let stage = Stage::new();
    stage.cloud.seen.lock().unwrap().rolled_back = true;
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    let told = "ecr-cve-monitor-e2e-ingest did not come up, and ECS went back to what ran before";
    assert!(ended.err.contains(told), "{}", ended.err);
}

#[test]
fn another_accounts_state_is_left_alone() {
    let stage = Stage::new();
    let elsewhere = stage.kept("state.json").replace("us-east-1:123456789012", "us-east-1:999999999999");
    stage.answer_text("state.json", &elsewhere);
    for chore in ["deploy", "drift", "destroy"] {
        let ended = stage.run(chore, &[], "y\n");
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.err.contains("the state is of account 999999999999"), "{}", ended.err);
    }
    assert!(!stage.asked().contains(&"plan".to_owned()));
}

#[test]
fn what_is_still_protected_keeps_everything_from_being_destroyed() {
    let stage = Stage::new();
    let mut plan = json!({"format_version": "1.2", "resource_changes": []});
    for (kind, name, before) in [
        ("aws_db_instance", "db", json!({"identifier": "db", "deletion_protection": true})),
        ("aws_dynamodb_table", "heads", json!({"name": "heads", "deletion_protection_enabled": true})),
        ("aws_s3_bucket", "reports", json!({"bucket": "reports", "force_destroy": false})),
        ("aws_s3_bucket", "athena", json!({"bucket": "athena", "force_destroy": true})),
    ] {
        plan["resource_changes"].as_array_mut().unwrap().push(json!({
            "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "change": {"actions": ["delete"], "before": before, "after": null},
        }));
    }
    stage.answer_text("plan.json", &plan.to_string());
    let ended = stage.run("destroy", &["--yes"], "db\nheads\nreports\nathena\n");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("refuse to go, as they were deployed: db, heads, reports\n"), "{}", ended.err);
    assert!(!stage.asked().contains(&"apply".to_owned()));
}

#[test]
fn drift_is_told_of_a_deployment_that_broke_off() {
    let stage = Stage::new();
    let half = stage.kept("state.json").replace("module.ingest", "module.queues");
    stage.answer_text("state.json", &half);
    stage.file("protect_data = false\n");
    assert_eq!(stage.run("drift", &[], "").code, 2);
    stage.answer_text("state.json", r#"{"format_version":"1.0"}"#);
    let nothing = stage.run("drift", &[], "");
    assert!(nothing.code == 0 && nothing.out.contains("nothing is deployed"), "{nothing:?}");
}

#[test]
fn the_environment_changes_nothing_of_what_the_file_says() {
    let mut stage = Stage::new();
    let strays =
        ["TF_VAR_region", "TF_VAR_protect_data", "TF_CLI_ARGS_apply", "TF_WORKSPACE", "TF_LOG_PROVIDER"];
    for stray in strays {
        stage.set(stray, "x");
    }
    assert_eq!(stage.run("deploy", &["--plan-only"], "").code, 2);
    let seen = stage.kept("variables");
    assert!(strays.iter().all(|stray| !seen.contains(stray)), "{seen}");
    assert!(seen.contains("TF_IN_AUTOMATION"), "{seen}");
}

#[test]
fn a_state_beside_the_file_is_not_forgotten_for_a_bucket() {
    let stage = Stage::new();
    stage.file(&format!("image = \"{IMAGE}\"\n[state]\nbucket = \"acme-state\"\n"));
    std::fs::write(stage.path("ecr-cve-monitor-e2e.tfstate"), "{}").unwrap();
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("and there is a state in"), "{}", ended.err);
    assert_eq!(stage.asked(), ["version"]);
}

#[test]
fn a_lock_that_a_killed_run_left_is_told_with_what_helps() {
    let stage = Stage::new();
    let diagnostic = json!({"severity": "error", "summary": "Error acquiring the state lock", "detail": "Lock Info:\n  ID: 1"});
    stage
        .answer_text("plan.jsonl", &format!("{}\n", json!({"type": "diagnostic", "diagnostic": diagnostic})));
    stage.code(1);
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("ID: 1") && ended.err.contains("terraform force-unlock ID"), "{}", ended.err);
}
