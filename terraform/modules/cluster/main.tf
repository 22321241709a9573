locals {
  create    = var.existing_name == null
  instances = local.create && var.launch_type == "EC2"
}

resource "aws_ecs_cluster" "this" {
  count = local.create ? 1 : 0
  name  = var.name

  # Tells how many tasks run: what scaling divides the backlog by.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

data "aws_ecs_cluster" "existing" {
  count        = local.create ? 0 : 1
  cluster_name = var.existing_name

  lifecycle {
    postcondition {
      condition     = anytrue([for setting in self.setting : setting.name == "containerInsights" && setting.value != "disabled"])
      error_message = "Switch Container Insights on for the cluster ${var.existing_name}: scaling and alarms need its RunningTaskCount."
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count              = local.create ? 1 : 0
  cluster_name       = aws_ecs_cluster.this[0].name
  capacity_providers = local.instances ? aws_ecs_capacity_provider.this[*].name : ["FARGATE", "FARGATE_SPOT"]
}
