output "names" {
  description = "Names of the queues, by lane (push, change, backfill)."
  value       = { for lane, queue in aws_sqs_queue.lane : lane => queue.name }
}

output "dead_names" {
  description = "Names of the dead letters' queues, by lane."
  value       = { for lane, queue in aws_sqs_queue.dead : lane => queue.name }
}

output "arns" {
  description = "ARNs of the queues, by lane."
  value       = { for lane, queue in aws_sqs_queue.lane : lane => queue.arn }
}

output "dead_arns" {
  description = "ARNs of the dead letters' queues, by lane."
  value       = { for lane, queue in aws_sqs_queue.dead : lane => queue.arn }
}

output "rules" {
  description = "Names of the EventBridge rules and of their bus (null for the default one), by what they announce."
  value = {
    for key, rule in aws_cloudwatch_event_rule.this : key => { name = rule.name, bus = local.rules[key].bus == null ? null : var.prefix }
  }
}

output "event_bus_arn" {
  description = "The bus to which other accounts and regions forward; null where there is none."
  value       = one(aws_cloudwatch_event_bus.this[*].arn)
}
