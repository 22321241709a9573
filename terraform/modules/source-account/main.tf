# For each other account or region whose images are watched: what ECR announces there is forwarded to the hub's bus, and the hub's
# tasks may read the registry.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_cloudwatch_event_rule" "this" {
  name        = "${var.name}-forward"
  description = "What ECR announces, for the monitor of images in another account or region"

  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Action", "ECR Replication Action", "ECR Pull Through Cache Action"]
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule      = aws_cloudwatch_event_rule.this.name
  target_id = "hub"
  arn       = var.event_bus_arn
  role_arn  = aws_iam_role.forward.arn
}

data "aws_iam_policy_document" "forward_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "forward" {
  statement {
    actions   = ["events:PutEvents"]
    resources = [var.event_bus_arn]
  }
}

resource "aws_iam_role" "forward" {
  name_prefix        = "${var.name}-forward-"
  assume_role_policy = data.aws_iam_policy_document.forward_trust.json
}

resource "aws_iam_role_policy" "forward" {
  name   = "put-events"
  role   = aws_iam_role.forward.id
  policy = data.aws_iam_policy_document.forward.json
}
