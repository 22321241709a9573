locals {
  queues = merge(
    { for lane in local.lanes : lane => aws_sqs_queue.lane[lane] },
    { for lane in local.lanes : "${lane}-dead" => aws_sqs_queue.dead[lane] },
  )

  # EventBridge delivers to the queue of pushes, and what it cannot deliver to the dead letters of the same lane.
  delivered_to = toset(["push", "push-dead"])
}

data "aws_iam_policy_document" "queue" {
  for_each = local.queues

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = contains(local.delivered_to, each.key) ? ["EventBridge"] : []

    content {
      sid       = statement.value
      actions   = ["sqs:SendMessage"]
      resources = [each.value.arn]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [for rule in aws_cloudwatch_event_rule.this : rule.arn]
      }
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each  = local.queues
  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}
