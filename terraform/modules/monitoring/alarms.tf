# Metrics that AWS emits, and our programs' own. Where a series that must be there is missing, that is an alarm; where AWS emits it
# only when there is something to tell, it is not. A test compares them with what the programs emit.
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
      periods    = 1
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
      periods    = 15
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
      periods    = 10
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
      periods    = 1
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
      periods    = 5
      missing    = "breaching"
    }
    database-busy = {
      text       = "Clair's database has been above 90 % CPU for an hour"
      metric     = ["AWS/RDS", "CPUUtilization"]
      dimensions = { DBInstanceIdentifier = var.database_identifier }
      statistic  = "Average"
      above      = true
      threshold  = 90
      periods    = 60
      missing    = "breaching"
    }
  }

  # Told every minute by the notifier, of which there is one that always runs: also what the scheduled reconciler found, which it
  # reads from the store. The worst of all registries counts.
  own = {
    coverage-low = {
      text       = "Of the images of a registry, less than the target have a current report, or nobody tells: cve-monitor coverage names them"
      metric     = [var.namespace, "cve_monitor_coverage_ratio"]
      dimensions = { program = "notifier" }
      statistic  = "Minimum"
      above      = false
      threshold  = var.limits.coverage_percent / 100
      seconds    = 300
      periods    = 3
      missing    = "breaching"
    }
    registry-unlisted = {
      text       = "Repositories cannot be listed, so nothing is known of what is in them; the log of the reconciler names them"
      metric     = [var.namespace, "cve_monitor_repositories_unlisted"]
      dimensions = { program = "notifier" }
      statistic  = "Maximum"
      above      = true
      threshold  = 0
      seconds    = 300
      periods    = 3
      missing    = "breaching"
    }
    rounds-late = {
      text       = "A registry has not been compared to the end for ${var.limits.round_hours} hours: the log of the reconciler says why"
      metric     = [var.namespace, "cve_monitor_round_age_seconds"]
      dimensions = { program = "notifier" }
      statistic  = "Maximum"
      above      = true
      threshold  = var.limits.round_hours * 3600
      seconds    = 300
      periods    = 3
      missing    = "breaching"
    }
    knowledge-old = {
      text       = "Clair's data has not changed for ${var.limits.knowledge_hours} hours: its updaters do not get through"
      metric     = [var.namespace, "cve_monitor_knowledge_age_seconds"]
      dimensions = { program = "notifier" }
      statistic  = "Maximum"
      above      = true
      threshold  = var.limits.knowledge_hours * 3600
      seconds    = 300
      periods    = 3
      missing    = "breaching"
    }
    feed-behind = {
      text       = "For ${var.limits.feed_minutes} minutes the notifier has not followed everything that Clair has learnt"
      metric     = [var.namespace, "cve_monitor_feed_behind_seconds"]
      dimensions = { program = "notifier" }
      statistic  = "Maximum"
      above      = true
      threshold  = var.limits.feed_minutes * 60
      seconds    = 300
      periods    = 3
      missing    = "breaching"
    }
    clair-unready = {
      text       = "Clair does not answer, or has not loaded its data"
      metric     = [var.namespace, "cve_monitor_scanner_ready"]
      dimensions = { program = "notifier" }
      statistic  = "Minimum"
      above      = false
      threshold  = 1
      seconds    = 300
      periods    = 3
      missing    = "breaching"
    }
    # One period, long enough for a task that is replaced: one missed change is enough.
    feed-missed = {
      text       = "The slow sweep found a change that Clair had not announced, or no ingest tells"
      metric     = [var.namespace, "cve_monitor_feed_missed_total"]
      dimensions = { program = "ingest" }
      statistic  = "Sum"
      above      = true
      threshold  = 0
      seconds    = 900
      periods    = 1
      missing    = "breaching"
    }
  }

  alarms = merge(local.dead, local.waiting, local.absent, local.undelivered, local.database, local.own)
}
