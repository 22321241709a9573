# The backlog, divided by the tasks that run, is held at a target. Where both bounds are the same number, that is the number.
resource "aws_appautoscaling_target" "this" {
  count              = var.tasks == null ? 0 : 1
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.this[0].name}"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
}

locals {
  scales  = var.tasks == null || var.backlog == null ? false : var.tasks.max > var.tasks.min
  waiting = local.scales ? { for number, queue in var.backlog.queues : "waiting${number}" => queue } : {}
}

resource "aws_appautoscaling_policy" "backlog" {
  count              = local.scales ? 1 : 0
  name               = "${local.full}-backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog.per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      dynamic "metrics" {
        for_each = local.waiting

        content {
          id          = metrics.key
          label       = "Messages that wait in ${metrics.value}"
          return_data = false

          metric_stat {
            stat = "Sum"

            metric {
              namespace   = "AWS/SQS"
              metric_name = "ApproximateNumberOfMessagesVisible"

              dimensions {
                name  = "QueueName"
                value = metrics.value
              }
            }
          }
        }
      }

      metrics {
        id          = "running"
        label       = "Tasks that run"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = var.cluster_name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.this[0].name
            }
          }
        }
      }

      metrics {
        id          = "backlog"
        label       = "Messages for each task"
        expression  = "(${join(" + ", [for id in keys(local.waiting) : "FILL(${id}, 0)"])}) / IF(FILL(running, 0) > 0, running, 1)"
        return_data = true
      }
    }
  }
}
