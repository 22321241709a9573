//! The code of `terraform/` as it is.

use cve_monitor_terraform::code::Code;
use cve_monitor_terraform::planted::own_checks;
use cve_monitor_terraform::root;
use cve_monitor_terraform::schema::Schema;

#[test]
fn names_references_actions_and_rights_are_right() {
    let code = Code::read(&root()).unwrap();
    let said = own_checks(&code).unwrap();
    let problems: Vec<String> = said
        .iter()
        .flat_map(|(check, problems)| problems.iter().map(move |problem| format!("[{check}] {problem}")))
        .collect();
    assert!(problems.is_empty(), "{} to mend:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn both_versions_of_the_provider_that_are_allowed_are_looked_at() {
    let versions: Vec<String> = Schema::kept().unwrap().into_iter().map(|schema| schema.version).collect();
    assert_eq!(versions, ["5.100.0", "6.25.0"]);
    let code = Code::read(&root()).unwrap();
    for (path, text) in code.under("terraform", "versions.tf") {
        assert!(text.contains("version = \">= 5.100.0, < 7.0.0\""), "{path}");
    }
}
