# What ECR announces goes to the queue of pushes as it is: id, time, account and region of the envelope are needed.
locals {
  patterns = {
    push = {
      source      = ["aws.ecr"]
      detail-type = ["ECR Image Action"]
      detail      = { action-type = ["PUSH"], result = ["SUCCESS"] }
    }
    deletion = {
      source      = ["aws.ecr"]
      detail-type = ["ECR Image Action"]
      detail      = { action-type = ["DELETE"], result = ["SUCCESS"] }
    }
    storage-class = {
      source      = ["aws.ecr"]
      detail-type = ["ECR Image Action"]
      detail      = { action-type = ["UPDATE_STORAGE_CLASS"], result = ["SUCCESS"] }
    }
    replication = {
      source      = ["aws.ecr"]
      detail-type = ["ECR Replication Action"]
      detail      = { result = ["SUCCESS"] }
    }
    pull-through = {
      source      = ["aws.ecr"]
      detail-type = ["ECR Pull Through Cache Action"]
      detail      = { sync-status = ["SUCCESS"] }
    }
  }

  detail_types = distinct(flatten([for pattern in values(local.patterns) : pattern["detail-type"]]))

  # On the default bus, this account's own events; on a bus of our own, those that other accounts and regions forward.
  rules = merge(
    { for name, pattern in local.patterns : name => { pattern = pattern, bus = null } },
    { for name, pattern in local.patterns : "forwarded-${name}" => { pattern = pattern, bus = "this" } if var.accept_forwarded },
  )
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each       = local.rules
  name           = "${var.prefix}-${each.key}"
  description    = "What ECR announces (${each.key}) for ${aws_sqs_queue.lane["push"].name}"
  event_bus_name = each.value.bus == null ? null : aws_cloudwatch_event_bus.this[0].name
  event_pattern  = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "this" {
  for_each       = local.rules
  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = each.value.bus == null ? null : aws_cloudwatch_event_bus.this[0].name
  target_id      = "push-lane"
  arn            = aws_sqs_queue.lane["push"].arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead["push"].arn
  }
}

resource "aws_cloudwatch_event_bus" "this" {
  count = var.accept_forwarded ? 1 : 0
  name  = var.prefix
}

data "aws_iam_policy_document" "bus" {
  count = var.accept_forwarded ? 1 : 0

  statement {
    sid       = "EcrEventsOfKnownAccounts"
    actions   = ["events:PutEvents"]
    resources = [aws_cloudwatch_event_bus.this[0].arn]

    principals {
      type        = "AWS"
      identifiers = [for account in var.forwarding_accounts : "arn:${var.partition}:iam::${account}:root"]
    }

    condition {
      test     = "StringEquals"
      variable = "events:source"
      values   = ["aws.ecr"]
    }

    condition {
      test     = "StringEquals"
      variable = "events:detail-type"
      values   = local.detail_types
    }
  }
}

resource "aws_cloudwatch_event_bus_policy" "this" {
  count          = var.accept_forwarded ? 1 : 0
  event_bus_name = aws_cloudwatch_event_bus.this[0].name
  policy         = data.aws_iam_policy_document.bus[0].json
}
