# The fields of a schedule in the words of EventBridge Scheduler: values, ranges and steps, with commas between. Nothing else checks them
# before the schedule is made.
locals {
  cron_values = {
    minute  = "[0-5]?[0-9]"
    hour    = "(?:1?[0-9]|2[0-3])"
    day     = "(?:[12][0-9]|3[01]|[1-9]|L)W?"
    month   = "(?:1[0-2]|[1-9]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
    weekday = "(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5])?"
    year    = "(?:19[7-9][0-9]|2[01][0-9][0-9])"
  }

  cron_parts = { for field, value in local.cron_values : field => "(?:\\*|${value}(?:-${value})?)(?:/[1-9][0-9]*)?" }
  cron       = { for field, part in local.cron_parts : field => "${part}(?:,${part})*" }
}

# ECR's announcements are not guaranteed: the reconciler lists the registries and queues what they missed.
resource "aws_scheduler_schedule" "reconciler" {
  name                         = "${local.name}-reconciler"
  description                  = "Compares the registries with what is known"
  schedule_expression          = var.reconcile_schedule
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.cluster.arn
    role_arn = aws_iam_role.scheduler.arn

    ecs_parameters {
      task_definition_arn = module.reconciler.family_arn
      launch_type         = length(module.cluster.capacity.steady) == 0 ? local.launch_type : null
      task_count          = 1
      propagate_tags      = "TASK_DEFINITION"

      dynamic "capacity_provider_strategy" {
        for_each = module.cluster.capacity.steady

        content {
          capacity_provider = capacity_provider_strategy.value.name
          base              = capacity_provider_strategy.value.base
          weight            = capacity_provider_strategy.value.weight
        }
      }

      network_configuration {
        subnets          = module.network.private_subnet_ids
        security_groups  = [aws_security_group.workers.id]
        assign_public_ip = false
      }
    }

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }
}

data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "RunReconciler"
    actions   = ["ecs:RunTask"]
    resources = ["${module.reconciler.family_arn}:*", module.reconciler.family_arn]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [module.cluster.arn]
    }
  }

  statement {
    sid       = "HandOverItsRoles"
    actions   = ["iam:PassRole"]
    resources = [module.reconciler.task_role_arn, module.reconciler.execution_role_arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid       = "TagIt"
    actions   = ["ecs:TagResource"]
    resources = ["arn:${local.partition}:ecs:${var.region}:${local.account_id}:task/*"]

    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RunTask"]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${local.name}-scheduler"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "run-reconciler"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}
