# Only metrics that AWS itself emits. Where a series that must be there is missing, that is an alarm; where AWS emits it only when
# there is something to tell, it is not.
locals {
  gib = 1024 * 1024 * 1024

  dead = {
    for lane, queue in var.dead_queues : "dead-${lane}" => {
      text       = "Requests of the ${lane} lane were given up: cve-monitor queue dead tells which and why"
      metric     = ["AWS/SQS", "ApproximateNumberOfMessagesVisible"]
      dimensions = { QueueName = queue }
      statistic  = "Maximum"
      above      = true
      threshold  = 0
      minutes    = 1
      missing    = "notBreaching" # nobody reads this queue, and SQS falls silent about such
    }
  }

  waiting = {
    for lane, limit in var.oldest_minutes : "waiting-${lane}" => {
      text       = "A request of the ${lane} lane has waited for more than ${limit} minutes, or nobody asks for requests"
      metric     = ["AWS/SQS", "ApproximateAgeOfOldestMessage"]
      dimensions = { QueueName = var.queues[lane] }
      statistic  = "Maximum"
      above      = true
      threshold  = limit * 60
      minutes    = 15
      missing    = "breaching"
    }
  }

  absent = {
    for name, service in var.services : "absent-${name}" => {
      text       = "No task of ${name} runs"
      metric     = ["ECS/ContainerInsights", "RunningTaskCount"]
      dimensions = { ClusterName = var.cluster_name, ServiceName = service }
      statistic  = "Maximum"
      above      = false
      threshold  = 1
      minutes    = 10
      missing    = "breaching"
    }
  }

  undelivered = {
    for name, rule in var.rules : "undelivered-${name}" => {
      text       = "EventBridge could not hand on what ECR announced (${name})"
      metric     = ["AWS/Events", "FailedInvocations"]
      dimensions = rule.bus == null ? { RuleName = rule.name } : { EventBusName = rule.bus, RuleName = rule.name }
      statistic  = "Sum"
      above      = true
      threshold  = 0
      minutes    = 1
      missing    = "notBreaching" # only failures are told
    }
  }

  database = {
    database-full = {
      text       = "Clair's database has less than 5 GiB left; it grows by itself up to its bound"
      metric     = ["AWS/RDS", "FreeStorageSpace"]
      dimensions = { DBInstanceIdentifier = var.database_identifier }
      statistic  = "Minimum"
      above      = false
      threshold  = 5 * local.gib
      minutes    = 5
      missing    = "breaching"
    }
    database-busy = {
      text       = "Clair's database has been above 90 % CPU for an hour"
      metric     = ["AWS/RDS", "CPUUtilization"]
      dimensions = { DBInstanceIdentifier = var.database_identifier }
      statistic  = "Average"
      above      = true
      threshold  = 90
      minutes    = 60
      missing    = "breaching"
    }
  }

  alarms = merge(local.dead, local.waiting, local.absent, local.undelivered, local.database)
}
