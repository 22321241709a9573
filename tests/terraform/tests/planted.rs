//! Every planted mistake is noticed by the checks that the list says, and by no others.

use std::collections::BTreeSet;
use std::process::Command;

use cve_monitor_terraform::code::Code;
use cve_monitor_terraform::planted::{CHECKS, Mistake, mistakes, own_checks, table};
use cve_monitor_terraform::root;

/// The checks that take terraform, and all but the first its provider.
const TERRAFORM: [&str; 3] = ["form", "validate", "test"];

fn listed(mistake: &Mistake, is_one: impl Fn(&str) -> bool) -> BTreeSet<String> {
    mistake.caught.iter().filter(|check| is_one(check)).cloned().collect()
}

#[test]
fn our_own_checks_notice_what_the_list_says() {
    let code = Code::read(&root()).unwrap();
    // What is wrong anyhow is told by a test of its own.
    let before = own_checks(&code).unwrap();
    let mut wrong = vec![];
    for mistake in mistakes().unwrap() {
        assert!(mistake.caught.iter().all(|check| CHECKS.contains(&check.as_str())), "{}", mistake.name);
        assert!(!mistake.caught.is_empty(), "nobody notices {}", mistake.name);
        let said = own_checks(&mistake.planted(&code).unwrap()).unwrap();
        let noticed = said.iter().zip(&before).filter(|((_, now), (_, before))| now != before);
        let noticed = noticed.map(|(now, _)| now);
        let noticed: BTreeSet<String> = noticed.map(|(check, _)| check.clone()).collect();
        let expected = listed(&mistake, |check| !TERRAFORM.contains(&check));
        if noticed != expected {
            wrong.push(format!("{}: noticed by {noticed:?}, expected {expected:?}: {said:?}", mistake.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_shows_the_list() {
    let code = Code::read(&root()).unwrap();
    let table = table().unwrap();
    let readme = code.text("terraform/README.md").unwrap();
    assert!(readme.contains(&table), "terraform/README.md should have this table:\n{table}");
}

/// The folder in which terraform runs: a copy with everything that it needs, and the provider once.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(code: &Code) -> Self {
        let mirror =
            std::env::var("TF_PLUGIN_MIRROR").expect("TF_PLUGIN_MIRROR names a mirror with hashicorp/aws");
        let place = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(place.folder.path().join("settings"), "").unwrap();
        code.write(place.folder.path()).unwrap();
        let init = ["init", "-backend=false", "-input=false", &format!("-plugin-dir={mirror}")];
        assert!(place.terraform(&init), "init fails");
        place
    }

    fn terraform(&self, arguments: &[&str]) -> bool {
        let output = Command::new("terraform")
            .args(arguments)
            .current_dir(self.folder.path().join("terraform"))
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("settings"))
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_PROFILE")
            .output()
            .expect("terraform is on the PATH");
        output.status.success()
    }

    fn noticed(&self, tests: &str) -> BTreeSet<String> {
        let tests = format!("-filter=tests/{tests}.tftest.hcl");
        let mut noticed = BTreeSet::new();
        if !self.terraform(&["fmt", "-check", "-recursive"]) {
            noticed.insert("form".to_owned());
        }
        if !self.terraform(&["validate"]) {
            noticed.insert("validate".to_owned());
        } else if !self.terraform(&["test", &tests]) {
            noticed.insert("test".to_owned());
        }
        noticed
    }
}

#[test]
#[ignore = "takes some minutes, terraform, and a mirror with the AWS provider"]
fn terraform_notices_what_the_list_says() {
    let code = Code::read(&root()).unwrap();
    let place = Place::new(&code);
    let mut wrong = vec![];
    for mistake in mistakes().unwrap() {
        mistake.planted(&code).unwrap().write(place.folder.path()).unwrap();
        let noticed = place.noticed(&mistake.tests);
        code.write(place.folder.path()).unwrap();
        let expected = listed(&mistake, |check| TERRAFORM.contains(&check));
        println!("{}: {noticed:?}", mistake.name);
        if noticed != expected {
            wrong.push(format!("{}: noticed by {noticed:?}, expected {expected:?}", mistake.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
