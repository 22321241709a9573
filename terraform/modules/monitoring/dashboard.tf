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
      lines = [
        for pair in setproduct(var.tables, ["ReadThrottleEvents", "WriteThrottleEvents"]) :
        ["AWS/DynamoDB", pair[1], "TableName", pair[0]]
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
