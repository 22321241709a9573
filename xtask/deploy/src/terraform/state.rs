//! What terraform knows to be deployed: its state, as `terraform show -json` tells it.

use serde_json::Value;

use crate::problem::Problem;

/// Kinds of resource whose address (`arn`) says in which region of which account they are.
const PLACED: [&str; 4] =
    ["aws_cloudwatch_log_group", "aws_dynamodb_table", "aws_ecs_task_definition", "aws_sqs_queue"];

/// The image that is deployed now.
pub(crate) fn deployed_image(state: &Value) -> Option<String> {
    let modules = state["values"]["root_module"]["child_modules"].as_array()?;
    let ingest = modules.iter().find(|module| module["address"] == "module.ingest")?;
    let mut resources = ingest["resources"].as_array()?.iter();
    let task = resources.find(|resource| resource["type"] == "aws_ecs_task_definition")?;
    let containers: Value = serde_json::from_str(task["values"]["container_definitions"].as_str()?).ok()?;
    let main = containers.as_array()?.iter().find(|container| container["name"] == "ingest")?.clone();
    main["image"].as_str().map(str::to_owned)
}

/// Everything that terraform has made: its type, and its values.
fn made(state: &Value) -> Vec<(&str, &Value)> {
    let mut modules = vec![&state["values"]["root_module"]];
    let mut found = vec![];
    while let Some(module) = modules.pop() {
        let list = |key: &str| module[key].as_array().into_iter().flatten();
        modules.extend(list("child_modules"));
        let managed = list("resources").filter(|resource| resource["mode"] == "managed");
        found.extend(
            managed.map(|resource| (resource["type"].as_str().unwrap_or_default(), &resource["values"])),
        );
    }
    found
}

/// Whether there is nothing in it.
pub(crate) fn is_empty(state: &Value) -> bool {
    made(state).is_empty()
}

/// What is wrong where the state is of another account or region: terraform would find nothing there, and make it all again.
pub(crate) fn elsewhere(state: &Value, account: &str, region: &str) -> Option<Problem> {
    let placed = made(state).into_iter().filter(|(kind, _)| PLACED.contains(kind));
    // arn:PARTITION:SERVICE:REGION:ACCOUNT:…
    let mut places = placed.filter_map(|(_, values)| {
        let mut parts = values["arn"].as_str()?.split(':').skip(3);
        parts.next().zip(parts.next())
    });
    let (there, of) = places.find(|place| *place != (region, account))?;
    let what =
        format!("the state is of account {of}, {there}, and this would be account {account}, {region}");
    Some(Problem::new(
        what,
        "take credentials of that account, and the file's region of then; or another [state]",
    ))
}

/// The task definition that terraform gave to each service, by the service's name.
pub(crate) fn task_definitions(state: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let services = made(state).into_iter().filter(|(kind, _)| *kind == "aws_ecs_service");
    services.filter_map(|(_, values)| text(&values["name"]).zip(text(&values["task_definition"]))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_of_another_account_or_region_is_noticed() {
        let state: Value = serde_json::from_str(include_str!("../../tests/fixtures/state.json")).unwrap();
        assert_eq!(elsewhere(&state, "123456789012", "us-east-1"), None);
        assert_eq!(elsewhere(&json!({}), "1", "r"), None);
        for (account, region) in [("999999999999", "us-east-1"), ("123456789012", "eu-west-1")] {
            let problem = elsewhere(&state, account, region).unwrap().to_string();
            assert!(problem.contains("the state is of account 123456789012, us-east-1"), "{problem}");
        }
    }

    #[test]
    fn the_image_that_runs_is_found_in_the_state() {
        let state: Value = serde_json::from_str(include_str!("../../tests/fixtures/state.json")).unwrap();
        let image = deployed_image(&state).unwrap();
        assert!(image.contains(".dkr.ecr.us-east-1.amazonaws.com/cve-monitor@sha256:"), "{image}");
        assert_eq!(deployed_image(&json!({})), None);
        assert!(is_empty(&json!({"format_version": "1.0"})) && !is_empty(&state));
        let arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/ecr-cve-monitor-e2e-ingest:1";
        assert_eq!(task_definitions(&state), [("ecr-cve-monitor-e2e-ingest".to_owned(), arn.to_owned())]);
    }
}
