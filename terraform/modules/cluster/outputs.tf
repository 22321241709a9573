output "arn" {
  description = "ARN of the cluster."
  value       = local.create ? aws_ecs_cluster.this[0].arn : data.aws_ecs_cluster.existing[0].arn
}

output "name" {
  description = "Name of the cluster."
  value       = local.create ? aws_ecs_cluster.this[0].name : var.existing_name
}

output "capacity" {
  description = "Capacity providers of tasks that must stay (steady) and of those that may go at any time (spot); empty where the launch type decides."
  value = {
    steady = !local.create ? [] : [
      { name = local.instances ? aws_ecs_capacity_provider.this[0].name : "FARGATE", base = 0, weight = 1 },
    ]
    spot = !local.create ? [] : local.instances ? [
      { name = aws_ecs_capacity_provider.this[0].name, base = 0, weight = 1 },
      ] : [
      { name = "FARGATE", base = 1, weight = 1 },
      { name = "FARGATE_SPOT", base = 0, weight = 4 },
    ]
  }

  # Tasks are placed only once the cluster knows its providers.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "instances" {
  description = "The instances of the cluster: count, type, AMI and key; null where it has none of its own."
  value = !local.instances ? null : {
    count    = aws_autoscaling_group.this[0].desired_capacity
    type     = aws_launch_template.this[0].instance_type
    ami_id   = aws_launch_template.this[0].image_id
    key_name = aws_launch_template.this[0].key_name
  }
}
