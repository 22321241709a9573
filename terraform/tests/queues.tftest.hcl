# What goes where in the queues: no credentials, no network. The provider's binary is needed for its schema and validation.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:mock" }
  }

  mock_resource "aws_cloudwatch_event_bus" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:event-bus/mock" }
  }
}

variables {
  prefix    = "t"
  partition = "aws"
}

run "names_are_those_that_the_programs_look_for" {
  command = apply # of mocks: afterwards everything is known

  module {
    source = "./modules/queues"
  }

  assert {
    condition     = output.names == { push = "t-push", change = "t-change", backfill = "t-backfill" }
    error_message = "The lanes are PREFIX-push, -change and -backfill."
  }

  assert {
    condition     = output.dead_names == { push = "t-push-dead", change = "t-change-dead", backfill = "t-backfill-dead" }
    error_message = "Each lane has its dead letters at PREFIX-LANE-dead."
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.lane : jsondecode(queue.redrive_policy).maxReceiveCount >= 50])
    error_message = "SQS must not take messages away that the workers merely postpone."
  }

  assert {
    condition = alltrue([
      for lane, queue in aws_sqs_queue.dead : queue.message_retention_seconds > aws_sqs_queue.lane[lane].message_retention_seconds
    ])
    error_message = "A dead letter keeps its first time of arrival: dead letters must be kept longer than messages."
  }

  assert {
    condition     = length(aws_sqs_queue_policy.this) == 6
    error_message = "Every queue has a policy."
  }

  assert {
    condition = alltrue([
      for queue in ["push", "push-dead"] : length(data.aws_iam_policy_document.queue[queue].statement) == 2
      ]) && alltrue([
      for queue in ["change", "change-dead", "backfill", "backfill-dead"] : length(data.aws_iam_policy_document.queue[queue].statement) == 1
    ])
    error_message = "EventBridge may write to the queue of pushes and its dead letters, and to no other."
  }
}

run "every_announcement_that_matters_is_taken" {
  command = plan

  module {
    source = "./modules/queues"
  }

  assert {
    condition = { for name, rule in aws_cloudwatch_event_rule.this : name => jsondecode(rule.event_pattern) } == {
      push          = { source = ["aws.ecr"], detail-type = ["ECR Image Action"], detail = { action-type = ["PUSH"], result = ["SUCCESS"] } }
      deletion      = { source = ["aws.ecr"], detail-type = ["ECR Image Action"], detail = { action-type = ["DELETE"], result = ["SUCCESS"] } }
      storage-class = { source = ["aws.ecr"], detail-type = ["ECR Image Action"], detail = { action-type = ["UPDATE_STORAGE_CLASS"], result = ["SUCCESS"] } }
      replication   = { source = ["aws.ecr"], detail-type = ["ECR Replication Action"], detail = { result = ["SUCCESS"] } }
      pull-through  = { source = ["aws.ecr"], detail-type = ["ECR Pull Through Cache Action"], detail = { sync-status = ["SUCCESS"] } }
    }
    error_message = "Pushes, deletions, changes of the storage class, replication and pull-through that went well; nothing else."
  }

  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.this : target.input == null && length(target.input_transformer) == 0])
    error_message = "The event is handed on as it is: its id, account and region are needed."
  }

  assert {
    condition     = output.event_bus_arn == null
    error_message = "No bus where nobody forwards."
  }
}

run "other_accounts_forward_the_same" {
  command = apply

  module {
    source = "./modules/queues"
  }

  variables {
    accept_forwarded    = true
    forwarding_accounts = ["111111111111", "222222222222"]
  }

  assert {
    condition = alltrue([
      for name in keys(local.patterns) :
      aws_cloudwatch_event_rule.this["forwarded-${name}"].event_pattern == aws_cloudwatch_event_rule.this[name].event_pattern
    ])
    error_message = "What is forwarded is taken by the same patterns."
  }

  assert {
    condition = toset(data.aws_iam_policy_document.bus[0].statement[0].principals[*].identifiers...) == toset([
      "arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root",
    ])
    error_message = "Only the accounts that are named may write to the bus."
  }
}

run "a_bus_for_nobody_is_refused" {
  command = plan

  module {
    source = "./modules/queues"
  }

  variables {
    prefix             = "not valid"
    accept_forwarded   = true
    visibility_timeout = 43201
  }

  expect_failures = [var.prefix, var.accept_forwarded, var.visibility_timeout]
}
