locals {
  lanes = toset(["push", "change", "backfill"])

  # A message that could not be worked off is buried by the workers themselves, with the reason. This count only stops messages that
  # kill every worker that takes them; between two tries lies the visibility timeout at least.
  max_receive_count = 50

  # A dead letter keeps the time of its first arrival, so the dead letters' retention must be the longer one.
  retention_seconds      = 4 * 24 * 3600
  dead_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue" "dead" {
  for_each                  = local.lanes
  name                      = "${var.prefix}-${each.key}-dead"
  message_retention_seconds = local.dead_retention_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "lane" {
  for_each                   = local.lanes
  name                       = "${var.prefix}-${each.key}"
  visibility_timeout_seconds = var.visibility_timeout
  message_retention_seconds  = local.retention_seconds
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = local.max_receive_count
  })
}

# A resource of its own: written into the dead queue it would be a cycle.
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each  = local.lanes
  queue_url = aws_sqs_queue.dead[each.key].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.lane[each.key].arn]
  })
}
