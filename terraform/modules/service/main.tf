locals {
  full = "${var.stack}-${var.name}"

  # Files lie in a volume of the task, written by a container that runs first.
  has_files   = length(var.files) + length(var.secret_files) > 0
  has_secrets = length(var.secrets) + length(var.secret_files) > 0
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${local.full}"
  retention_in_days = var.log_days
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.full
  requires_compatibilities = [var.launch_type]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode(concat(local.writer, [local.main]))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  dynamic "volume" {
    for_each = local.has_files ? ["files"] : []

    content {
      name = volume.value
    }
  }

  dynamic "ephemeral_storage" {
    for_each = var.ephemeral_gib == null || var.launch_type == "EC2" ? [] : [var.ephemeral_gib]

    content {
      size_in_gib = ephemeral_storage.value
    }
  }
}

resource "aws_service_discovery_service" "this" {
  count = var.port == null ? 0 : 1
  name  = var.name

  dns_config {
    namespace_id   = var.namespace_id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }
}

resource "aws_ecs_service" "this" {
  count                              = var.tasks == null ? 0 : 1
  name                               = local.full
  cluster                            = var.cluster_arn
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.tasks.min
  launch_type                        = length(var.capacity) == 0 ? var.launch_type : null
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  deployment_maximum_percent         = 200
  deployment_minimum_healthy_percent = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.capacity

    content {
      capacity_provider = capacity_provider_strategy.value.name
      base              = capacity_provider_strategy.value.base
      weight            = capacity_provider_strategy.value.weight
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  dynamic "service_registries" {
    for_each = aws_service_discovery_service.this

    content {
      registry_arn = service_registries.value.arn
    }
  }

  # Scaling sets it; scaling.tf holds it to the bounds, also where both are the same number.
  lifecycle {
    ignore_changes = [desired_count]
  }
}
