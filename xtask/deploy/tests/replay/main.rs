//! Whole chores on a terraform that replays what the real one answered, and on an AWS of a few answers.

mod cloud;
mod mishaps;
mod stage;

use serde_json::Value;

use crate::stage::{IMAGE, Stage};

/// What is destroyed with everything, and holds data.
const DATA: [&str; 9] = [
    "acme-ecr-cve-monitor-e2e-archive",
    "acme-ecr-cve-monitor-e2e-athena",
    "acme-ecr-cve-monitor-e2e-reports",
    "ecr-cve-monitor-e2e-clair",
    "ecr-cve-monitor-e2e-events",
    "ecr-cve-monitor-e2e-heads",
    "ecr-cve-monitor-e2e-layer-index",
    "ecr-cve-monitor-e2e/clair-db",
    "ecr-cve-monitor-e2e/clair-psk",
];

#[test]
fn a_first_deployment_ends_with_a_comparison_and_where_reports_are() {
    let stage = Stage::new();
    let ended = stage.run("deploy", &[], "y\ny\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    for part in [
        "156 to create, 0 to update, 0 to replace, 0 to destroy",
        "Apply this? [y/N]",
        "/156 created   module.store.aws_dynamodb_table.this",
        "ecr-cve-monitor-e2e-ingest: 1 of 1 tasks",
        "first comparison: 4 images in 2 repositories",
        "        2  team/app",
        "Start it? [y/N]",
        "started: arn:aws:ecs:us-east-1:123456789012:task/x/1",
        "s3://acme-ecr-cve-monitor-e2e-reports/year=",
    ] {
        assert!(ended.out.contains(part), "{part}\n{}", ended.out);
    }
    assert_eq!(stage.asked(), ["version", "init", "show", "plan", "show", "apply", "output", "show"]);
    assert_eq!(stage.json("variables.json")["image"], IMAGE);
    let task = stage.cloud.seen.lock().unwrap().task.clone();
    assert_eq!(task["taskDefinition"], "ecr-cve-monitor-e2e-reconciler");
    assert_eq!(task["networkConfiguration"]["awsvpcConfiguration"]["subnets"].as_array().unwrap().len(), 2);
}

#[test]
fn without_a_word_nothing_is_changed() {
    for typed in ["", "n\n", "what?\n"] {
        let stage = Stage::new();
        let ended = stage.run("deploy", &[], typed);
        assert_eq!(ended.code, 4, "{ended:?}");
        assert_eq!(stage.asked(), ["version", "init", "show", "plan", "show"]);
    }
}

#[test]
fn a_plan_alone_changes_nothing_and_says_by_its_code_whether_there_is_something() {
    let stage = Stage::new();
    assert_eq!(stage.run("deploy", &["--plan-only"], "").code, 2);
    stage.answer_text("plan.json", r#"{"format_version":"1.2","resource_changes":[]}"#);
    stage.code(0);
    assert_eq!(stage.run("deploy", &["--plan-only"], "").code, 0);
    assert!(!stage.asked().contains(&"apply".to_owned()));
    assert_eq!(stage.cloud.calls(), ["GetCallerIdentity", "GetCallerIdentity"]);
}

#[test]
fn an_image_is_made_and_pushed_after_the_word_and_before_the_changes() {
    let stage = Stage::new();
    stage.file("protect_data = false\n");
    let programs = stage.path("programs");
    std::fs::create_dir(&programs).unwrap();
    for name in ["ingest", "notifier", "reconciler"] {
        // A static program for x86-64, as far as its headers tell.
        let mut elf = vec![0_u8; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[0x12] = 0x3e;
        std::fs::write(programs.join(name), elf).unwrap();
    }
    let folder = programs.display().to_string();
    let made = ["--binaries", &folder, "--target", "x86_64-unknown-linux-gnu"];
    // The plan is about the very image that is pushed later, if it is.
    let planned = stage.run("deploy", &[&made[..], &["--plan-only"]].concat(), "");
    assert_eq!(planned.code, 2, "{planned:?}");
    let image = stage.json("variables.json")["image"].clone();
    assert!(!stage.cloud.calls().contains(&"CreateRepository".to_owned()));
    let ended = stage.run("deploy", &[&made[..], &["--yes", "--no-wait"]].concat(), "");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stage.json("variables.json")["image"], image);
    let (tag, manifest) = stage.cloud.seen.lock().unwrap().pushed.clone().unwrap();
    let digest =
        image.as_str().unwrap().strip_prefix("123456789012.dkr.ecr.us-east-1.amazonaws.com/ecr-cve-monitor@");
    assert!(tag.ends_with(&digest.unwrap()["sha256:".len()..][..12]), "{tag} {image}");
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 4);
}

#[test]
fn without_a_new_image_the_one_that_runs_stays() {
    let stage = Stage::new();
    stage.file("protect_data = false\n");
    let ended = stage.run("deploy", &["--no-image", "--plan-only"], "");
    assert_eq!(ended.code, 2, "{ended:?}");
    let image = stage.json("variables.json")["image"].as_str().unwrap().to_owned();
    assert!(stage.kept("state.json").contains(&image), "{image}");
    stage.answer_text("state.json", r#"{"format_version":"1.0"}"#);
    let ended = stage.run("deploy", &["--no-image", "--plan-only"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("nothing is deployed yet"), "{}", ended.err);
}

#[test]
fn everything_that_stands_in_the_way_is_told_at_once() {
    let mut stage = Stage::new();
    stage.file("regoin = \"x\"\nalarm_emails = [\"nobody\"]\n");
    stage.answer_text("version.json", r#"{"terraform_version":"1.9.8"}"#);
    stage.set("TF_PLUGIN_MIRROR", "/nowhere");
    stage.set("AWS_ACCESS_KEY_ID", "");
    let ended = stage.run("deploy", &["--yes", "--binaries", "/nowhere"], "");
    assert_eq!(ended.code, 3, "{ended:?}");
    for part in [
        "`regoin`",
        "did you mean `region`?",
        "`alarm_emails` has `nobody`",
        "terraform is `1.9.8`, too old",
        "TF_PLUGIN_MIRROR names /nowhere",
        "no credentials",
        "--binaries names /nowhere",
    ] {
        assert!(ended.err.contains(part), "{part}\n{}", ended.err);
    }
    assert_eq!(stage.asked(), ["version"]);
}

#[test]
fn another_account_and_a_protected_environment_are_refused() {
    let stage = Stage::new();
    stage.file(&format!("account_id = \"999999999999\"\nimage = \"{IMAGE}\"\n"));
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("of account 123456789012, and the file is for 999999999999"), "{}", ended.err);
    let ended = stage.run("destroy", &["--yes"], "");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("`protect_data` is on"), "{}", ended.err);
}

#[test]
fn a_wrong_command_line_is_not_taken_for_changes() {
    let stage = Stage::new();
    assert_eq!(stage.run("deploy", &["--plan-onyl"], "").code, 3);
    assert!(stage.asked().is_empty());
}

#[test]
fn what_holds_data_is_replaced_only_by_its_name() {
    let stage = Stage::new();
    stage.answer("plan.json", "replace.json");
    let refused = stage.run("deploy", &["--yes", "--no-wait"], "");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.out.contains("DATA IS LOST: acme-ecr-cve-monitor-e2e-reports"), "{}", refused.out);
    assert!(!stage.asked().contains(&"apply".to_owned()));
    let names = DATA[..3].iter().flat_map(|name| ["--destroy-data", name]);
    let options: Vec<&str> = ["--yes", "--no-wait"].into_iter().chain(names).collect();
    assert_eq!(stage.run("deploy", &options, "").code, 0);
}

#[test]
fn all_is_destroyed_when_every_name_was_typed() {
    let stage = Stage::new();
    stage.answer("plan.json", "destroy.json");
    assert_eq!(stage.run("destroy", &["--yes"], "").code, 4);
    let plan: Value = stage.json("plan.json");
    assert!(plan["resource_changes"].as_array().unwrap().len() > 100);
    // In the order in which they are asked for.
    let asked = stage.run("destroy", &["--plan-only"], "");
    assert_eq!(asked.code, 2);
    let names: Vec<&str> =
        asked.out.lines().filter_map(|line| Some(line.split_once("DATA IS LOST: ")?.1)).collect();
    assert_eq!(names.len(), DATA.len());
    assert!(names.iter().any(|name| name.starts_with(DATA[3])), "{names:?}");
    let ended = stage.run("destroy", &[], &format!("{}\ny\n", names.join("\n")));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("aws ecr delete-repository"), "{}", ended.out);
}

#[test]
fn drift_is_shown_with_a_code_of_its_own() {
    let stage = Stage::new();
    stage.answer("plan.json", "drift.json");
    let ended = stage.run("drift", &[], "");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.out.contains("  ~   aws_sqs_queue.lane [push]: visibility_timeout_seconds"),
        "{}",
        ended.out
    );
    stage.answer_text("plan.json", r#"{"format_version":"1.2","resource_changes":[]}"#);
    stage.code(0);
    let ended = stage.run("drift", &[], "");
    assert_eq!((ended.code, ended.out.contains("no drift")), (0, true), "{ended:?}");
}

#[test]
fn outputs_are_shown_for_people_and_for_programs() {
    let stage = Stage::new();
    let ended = stage.run("outputs", &[], "");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("report_bucket      acme-ecr-cve-monitor-e2e-reports"), "{}", ended.out);
    assert!(ended.out.contains("configuration      2 lines: --json has them"), "{}", ended.out);
    let ended = stage.run("outputs", &["--json"], "");
    let outputs: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(outputs["report_bucket"]["value"], "acme-ecr-cve-monitor-e2e-reports");
}

#[test]
fn what_terraform_refuses_is_told_with_its_place() {
    let stage = Stage::new();
    stage.answer("plan.jsonl", "failed.jsonl");
    stage.code(1);
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in ["Invalid value for variable", "log_days must be one of", "workers.tf, line "] {
        assert!(ended.err.contains(part), "{part}\n{}", ended.err);
    }
}

#[test]
fn an_apply_that_fails_says_how_far_it_came() {
    let stage = Stage::new();
    stage.answer_text("apply-fails", "");
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("of 156 are done, and another run goes on from there"), "{}", ended.err);
}

#[test]
fn a_service_that_does_not_come_up_is_named_with_what_ecs_says() {
    let stage = Stage::new();
    stage.cloud.seen.lock().unwrap().fails = true;
    let ended = stage.run("deploy", &["--yes"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("did not come up: a task could not be placed"), "{}", ended.err);
    assert!(!stage.cloud.calls().contains(&"RunTask".to_owned()));
}

#[test]
fn secrets_are_in_the_environment_and_nowhere_else() {
    let mut stage = Stage::new();
    stage.file(&format!("protect_data = false\ngenerate_secrets = false\nimage = \"{IMAGE}\"\n"));
    let ended = stage.run("deploy", &["--yes", "--no-wait"], "");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.err.contains("TF_VAR_db_password") && ended.err.contains("TF_VAR_clair_psk"),
        "{}",
        ended.err
    );
    let secrets = [("TF_VAR_db_password", "swordfish-swordfish"), ("TF_VAR_clair_psk", "c2VjcmV0")];
    for (name, value) in secrets {
        stage.set(name, value);
    }
    let ended = stage.run("deploy", &["--yes", "--no-wait"], "");
    assert_eq!(ended.code, 0, "{ended:?}");
    // Each of terraform's calls has them.
    let kept = stage.kept("variables");
    assert!(secrets.iter().all(|(name, _)| kept.matches(name).count() >= 5), "{kept}");
    let mut texts = vec![ended.out, ended.err, stage.kept("calls")];
    for file in ["terraform.tfvars.json", "apply.jsonl", "plan.jsonl", "code/terraform/backend.tf.json"] {
        texts.push(std::fs::read_to_string(stage.path("run").join(file)).unwrap());
    }
    for (_, value) in secrets.into_iter().chain([("", "hush")]) {
        assert!(texts.iter().all(|text| !text.contains(value)), "{value}");
    }
}
