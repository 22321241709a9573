output "report_bucket" {
  description = "The bucket of reports."
  value       = module.lake.report_bucket
}

output "archive_bucket" {
  description = "The bucket of the bodies of reports."
  value       = module.store.archive_bucket
}

output "name" {
  description = "What names begin with: store.table_prefix and queue.prefix of the programs."
  value       = local.name
}

output "tables" {
  description = "The DynamoDB tables."
  value       = module.store.table_names
}

output "queues" {
  description = "The queues, by lane."
  value       = module.queues.names
}

output "dead_queues" {
  description = "The dead letters' queues, by lane."
  value       = module.queues.dead_names
}

output "athena" {
  description = "Where to ask about reports: workgroup, database, table and the names of the queries."
  value = {
    workgroup = module.lake.workgroup
    database  = module.lake.database
    table     = module.lake.table
    queries   = module.lake.queries
  }
}

output "cluster" {
  description = "The ECS cluster."
  value       = module.cluster.name
}

output "dashboard" {
  description = "The CloudWatch dashboard."
  value       = module.monitoring.dashboard
}

output "alarm_topic_arn" {
  description = "The topic of the alarms."
  value       = module.monitoring.topic_arn
}

output "event_bus_arn" {
  description = "For modules/source-account: the bus to which other accounts and regions forward; null where none is watched."
  value       = module.queues.event_bus_arn
}

output "reader_principals" {
  description = "For modules/source-account: the roles that read registries."
  value       = [module.ingest.task_role_arn, module.reconciler.task_role_arn]
}

output "services" {
  description = "The ECS services, by program."
  value       = { clair = module.clair.name, ingest = module.ingest.name, notifier = module.notifier.name }
}

output "reconcile_task" {
  description = "What the comparison of the registries runs as, for those who start it by a call."
  value = {
    cluster         = module.cluster.name
    task_definition = "${local.name}-reconciler"
    launch_type     = local.launch_type
    subnets         = module.network.private_subnet_ids
    security_groups = [aws_security_group.workers.id]
  }
}

output "reconcile_command" {
  description = "Starts a comparison of the registries now: the first one brings in every image that is there."
  value = join(" ", [
    "aws ecs run-task --region ${var.region} --cluster ${module.cluster.name} --task-definition ${local.name}-reconciler",
    "--launch-type ${local.launch_type}",
    "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", module.network.private_subnet_ids)}],securityGroups=[${aws_security_group.workers.id}]}'",
  ])
}

output "configuration" {
  description = "The programs' configuration, for cve-monitor elsewhere: no secret is in it. It names clair-psk, the file of Clair's key, beside it."
  value       = local.worker_files["cve-monitor.toml"]
}
