locals {
  insights = ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.cluster_name, "ServiceName"]

  widgets = [
    {
      title = "Requests that wait"
      stat  = "Maximum"
      lines = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]]
    },
    {
      title = "Age of the oldest request, seconds"
      stat  = "Maximum"
      lines = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue]]
    },
    {
      title = "Requests done"
      stat  = "Sum"
      lines = [for queue in values(var.queues) : ["AWS/SQS", "NumberOfMessagesDeleted", "QueueName", queue]]
    },
    {
      title = "Requests given up"
      stat  = "Maximum"
      lines = [for queue in values(var.dead_queues) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]]
    },
    {
      title = "Tasks that run"
      stat  = "Average"
      lines = [for service in values(var.services) : concat(local.insights, [service])]
    },
    {
      title = "Clair's database, CPU in per cent"
      stat  = "Average"
      lines = [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database_identifier]]
    },
    {
      title = "Clair's database, bytes left"
      stat  = "Minimum"
      lines = [["AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", var.database_identifier]]
    },
    {
      title = "Tables, requests throttled"
      stat  = "Sum"
      lines = concat(
        [for table in var.tables : ["AWS/DynamoDB", "ReadThrottleEvents", "TableName", table]],
        [for table in var.tables : ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", table]],
      )
    },
    {
      title = "Coverage, of the registry that has the least"
      stat  = "Minimum"
      lines = [[var.namespace, "cve_monitor_coverage_ratio", "program", "notifier"]]
    },
    {
      title = "Images without a report, repositories that cannot be listed: of the registry that has most"
      stat  = "Maximum"
      lines = [
        [var.namespace, "cve_monitor_images_without_report", "program", "notifier"],
        [var.namespace, "cve_monitor_repositories_unlisted", "program", "notifier"],
      ]
    },
    {
      title = "Age of knowledge, of what was followed, of the last comparison, seconds"
      stat  = "Maximum"
      lines = [
        [var.namespace, "cve_monitor_knowledge_age_seconds", "program", "notifier"],
        [var.namespace, "cve_monitor_feed_behind_seconds", "program", "notifier"],
        [var.namespace, "cve_monitor_round_age_seconds", "program", "notifier"],
      ]
    },
    {
      title = "Clair is ready"
      stat  = "Minimum"
      lines = [[var.namespace, "cve_monitor_scanner_ready", "program", "notifier"]]
    },
    {
      title = "Reports, and looks that changed nothing"
      stat  = "Sum"
      lines = [
        [var.namespace, "cve_monitor_reported_total", "program", "ingest"],
        [var.namespace, "cve_monitor_unchanged_total", "program", "ingest"],
      ]
    },
    {
      title = "Steps that failed, dead letters, changes that the feed missed"
      stat  = "Sum"
      lines = [
        [var.namespace, "cve_monitor_attempts_failed_total", "program", "ingest"],
        [var.namespace, "cve_monitor_dead_letters_total", "program", "ingest"],
        [var.namespace, "cve_monitor_feed_missed_total", "program", "ingest"],
      ]
    },
    {
      title = "Changes followed, images queued for them"
      stat  = "Sum"
      lines = [
        [var.namespace, "cve_monitor_changes_total", "program", "notifier"],
        [var.namespace, "cve_monitor_queued_total", "program", "notifier"],
      ]
    },
    {
      title = "Memory of the programs, bytes"
      stat  = "Maximum"
      lines = [
        [var.namespace, "process_resident_memory_bytes", "program", "ingest"],
        [var.namespace, "process_resident_memory_bytes", "program", "notifier"],
        [var.namespace, "process_resident_memory_bytes", "program", "reconciler"],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for number, widget in local.widgets : {
        type   = "metric"
        x      = (number % 2) * 12
        y      = floor(number / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = widget.title
          region  = var.region
          view    = "timeSeries"
          period  = 60
          stat    = widget.stat
          metrics = widget.lines
        }
      }
    ]
  })
}
