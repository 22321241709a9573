# Alarms and dashboard speak only of metrics that AWS or our programs emit: a wrong name is accepted by CloudWatch and never tells
# anything. What ours emit stands in their catalogue, which a test of theirs (tests/metrics) compares with these files.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/mock", key_id = "mock" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:mock" }
  }
}

variables {
  name                = "t"
  namespace           = "cve-monitor/t"
  partition           = "aws"
  region              = "us-east-1"
  queues              = { push = "t-push", change = "t-change", backfill = "t-backfill" }
  dead_queues         = { push = "t-push-dead", change = "t-change-dead", backfill = "t-backfill-dead" }
  cluster_name        = "t"
  services            = { clair = "t-clair", ingest = "t-ingest" }
  rules               = { push = { name = "t-push" }, forwarded-push = { name = "t-forwarded-push", bus = "t" } }
  tables              = ["t-events"]
  database_identifier = "t-clair"
  emails              = ["team@example.com"]
}

run "every_metric_is_one_that_is_emitted" {
  command = apply

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.namespace == "cve-monitor/t" || contains([
        "AWS/SQS ApproximateNumberOfMessagesVisible QueueName",
        "AWS/SQS ApproximateAgeOfOldestMessage QueueName",
        "AWS/Events FailedInvocations RuleName",
        "AWS/Events FailedInvocations EventBusName,RuleName",
        "AWS/RDS FreeStorageSpace DBInstanceIdentifier",
        "AWS/RDS CPUUtilization DBInstanceIdentifier",
        "ECS/ContainerInsights RunningTaskCount ClusterName,ServiceName",
      ], "${alarm.namespace} ${alarm.metric_name} ${join(",", sort(keys(alarm.dimensions)))}")
    ])
    error_message = "An alarm is about a metric that AWS does not emit, or not with these dimensions."
  }

  assert {
    condition = length(setsubtract(
      flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
        [for line in widget.properties.metrics : "${line[0]} ${line[1]} ${line[2]}" if line[0] != "cve-monitor/t"]
      ]),
      [
        "AWS/SQS ApproximateNumberOfMessagesVisible QueueName",
        "AWS/SQS ApproximateAgeOfOldestMessage QueueName",
        "AWS/SQS NumberOfMessagesDeleted QueueName",
        "AWS/RDS FreeStorageSpace DBInstanceIdentifier",
        "AWS/RDS CPUUtilization DBInstanceIdentifier",
        "AWS/DynamoDB ReadThrottleEvents TableName",
        "AWS/DynamoDB WriteThrottleEvents TableName",
        "ECS/ContainerInsights RunningTaskCount ClusterName",
      ],
    )) == 0
    error_message = "The dashboard shows a metric that AWS does not emit."
  }

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "dead-push", "dead-change", "dead-backfill", "waiting-push", "waiting-change", "absent-clair", "absent-ingest", "undelivered-push",
      "undelivered-forwarded-push", "database-full", "database-busy", "coverage-low", "registry-unlisted", "rounds-late", "knowledge-old",
      "feed-behind", "clair-unready", "feed-missed",
    ])
    error_message = "The alarms are these."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this :
      alarm.treat_missing_data == (startswith(name, "dead-") || startswith(name, "undelivered-") ? "notBreaching" : "breaching")
    ])
    error_message = "Silence is an alarm, except of queues that nobody reads and of failures that did not happen."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 1 && length(alarm.alarm_description) > 10])
    error_message = "Every alarm goes to the topic, and says what it means."
  }

  # The programs tell every minute: a period that is shorter, or not over, would be missing now and then.
  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this : alarm.period >= 300 && alarm.period * alarm.evaluation_periods == 900
      if alarm.namespace == "cve-monitor/t"
    ])
    error_message = "Our own numbers are looked at for a quarter of an hour."
  }

  assert {
    condition = {
      for name in ["coverage-low", "rounds-late", "knowledge-old", "feed-behind"] : name => aws_cloudwatch_metric_alarm.this[name].threshold
    } == { coverage-low = 0.99, rounds-late = 13 * 3600, knowledge-old = 48 * 3600, feed-behind = 3600 }
    error_message = "The limits are in the units of the metrics."
  }
}

run "limits_are_checked" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    namespace = "AWS/SQS"
    limits    = { coverage_percent = 101, feed_minutes = 5 }
  }

  expect_failures = [var.namespace, var.limits]
}
