//! ECS: whether services run as they should, and a task that runs once.

use serde_json::{Value, json};

use super::{Aws, Refusal};

/// Services that one call describes, at most.
pub(crate) const MAX_SERVICES: usize = 10;

/// How a service is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) running: u64,
    pub(crate) desired: u64,
    pub(crate) rollout: Rollout,
    /// The task definition of its last deployment.
    pub(crate) task: Option<String>,
    /// What ECS said last about it.
    pub(crate) said: String,
}

/// What came of the last deployment of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollout {
    Done,
    UnderWay,
    Failed,
}

impl Aws {
    /// Describes services of a cluster; those that are not there are missing.
    pub(crate) async fn services(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Refusal> {
        let mut services = Vec::new();
        for names in names.chunks(MAX_SERVICES) {
            let input = json!({"cluster": cluster, "services": names});
            let answer = self.ecs("DescribeServices", &input).await?;
            services.extend(answer["services"].as_array().into_iter().flatten().map(service));
        }
        Ok(services)
    }

    /// Runs a task once; answers its ARN. `task` is what terraform gives out as `reconcile_task`.
    pub(crate) async fn run_task(&self, task: &Value) -> Result<String, String> {
        let network = json!({"subnets": task["subnets"], "securityGroups": task["security_groups"], "assignPublicIp": "DISABLED"});
        let input = json!({
            "cluster": task["cluster"], "taskDefinition": task["task_definition"], "launchType": task["launch_type"],
            "count": 1, "startedBy": "cargo-xtask-deploy", "propagateTags": "TASK_DEFINITION",
            "networkConfiguration": {"awsvpcConfiguration": network},
        });
        let answer = self.ecs("RunTask", &input).await?;
        if let Some(arn) = answer["tasks"][0]["taskArn"].as_str() {
            return Ok(arn.to_owned());
        }
        let reason = answer["failures"][0]["reason"].as_str().unwrap_or("ECS does not say why");
        Err(format!("the reconciler was not started: {reason}"))
    }

    async fn ecs(&self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        self.json("ecs", "ecs", &target, input).await
    }
}

fn service(answer: &Value) -> Service {
    let deployments = answer["deployments"].as_array().map_or(&[][..], Vec::as_slice);
    let primary = deployments.iter().find(|deployment| deployment["status"] == "PRIMARY");
    let (running, desired) =
        (answer["runningCount"].as_u64().unwrap_or(0), answer["desiredCount"].as_u64().unwrap_or(0));
    let state = primary.and_then(|deployment| deployment["rolloutState"].as_str());
    // A task that was started and ended again keeps a deployment from being complete.
    let rollout = match state {
        Some("FAILED") => Rollout::Failed,
        Some("COMPLETED") | None if running >= desired => Rollout::Done,
        _ => Rollout::UnderWay,
    };
    Service {
        name: answer["serviceName"].as_str().unwrap_or_default().to_owned(),
        running,
        desired,
        rollout,
        task: primary.and_then(|deployment| deployment["taskDefinition"].as_str()).map(str::to_owned),
        said: answer["events"][0]["message"].as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_done_when_its_last_deployment_is_and_all_tasks_run() {
        let rollout = |state: Value, running: u64| {
            service(&json!({
                "serviceName": "s", "runningCount": running, "desiredCount": 2,
                "deployments": [
                    {"status": "ACTIVE", "rolloutState": "COMPLETED"},
                    {"status": "PRIMARY", "rolloutState": state},
                ],
            }))
            .rollout
        };
        assert_eq!(rollout(json!("COMPLETED"), 2), Rollout::Done);
        assert_eq!(rollout(json!("COMPLETED"), 1), Rollout::UnderWay);
        assert_eq!(rollout(json!("IN_PROGRESS"), 2), Rollout::UnderWay);
        assert_eq!(rollout(json!("FAILED"), 2), Rollout::Failed);
        assert_eq!(rollout(Value::Null, 2), Rollout::Done);
    }
}
