output "name" {
  description = "Name of the ECS service; null for a task definition alone."
  value       = one(aws_ecs_service.this[*].name)
}

output "task_definition_arn" {
  description = "The task definition with its revision."
  value       = aws_ecs_task_definition.this.arn
}

output "family_arn" {
  description = "The task definition without a revision: always the latest."
  value       = aws_ecs_task_definition.this.arn_without_revision
}

output "task_role_arn" {
  description = "The role of the program."
  value       = aws_iam_role.task.arn
}

output "execution_role_arn" {
  description = "The role by which ECS starts the task."
  value       = aws_iam_role.execution.arn
}


output "tasks" {
  description = "How many tasks run, at least and at most; null for a task definition alone."
  value       = var.tasks == null ? null : { min = aws_appautoscaling_target.this[0].min_capacity, max = aws_appautoscaling_target.this[0].max_capacity }
}
