# The generic service: pairs of CPU and memory, container definitions, files and secrets, scaling. None of it is checked by terraform.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/mock:1" }
  }

  mock_resource "aws_service_discovery_service" {
    defaults = { arn = "arn:aws:servicediscovery:us-east-1:123456789012:service/mock" }
  }
}

variables {
  name               = "worker"
  stack              = "t"
  region             = "us-east-1"
  partition          = "aws"
  cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/t"
  cluster_name       = "t"
  launch_type        = "FARGATE"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  image              = "example.com/worker@sha256:00"
  command            = ["worker"]
  cpu                = 256
  memory             = 512
  log_days           = 30
  files_image        = "example.com/shell:1"
  files              = { "worker.toml" = "a = 1" }
  secret_files       = { "worker.d/key" = { text = "key = %s", secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:key" } }
  secrets            = { PASSWORD = "arn:aws:secretsmanager:us-east-1:123456789012:secret:password" }
  health             = { command = ["CMD", "worker", "health"], grace = 10 }
  port               = 8080
  namespace_id       = "ns-1"
  tasks              = { min = 1, max = 4 }
  backlog            = { queues = ["t-push", "t-change"], per_task = 20 }
}

run "containers_have_only_keys_that_ecs_knows" {
  command = apply

  module {
    source = "./modules/service"
  }

  # ECS takes no notice of keys that it does not know: a typing error would switch something off in silence.
  assert {
    condition = length(setsubtract(flatten([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : keys(container)]), [
      "command", "dependsOn", "entryPoint", "environment", "essential", "healthCheck", "image", "linuxParameters", "logConfiguration",
      "mountPoints", "name", "portMappings", "readonlyRootFilesystem", "secrets", "stopTimeout", "user",
    ])) == 0
    error_message = "A key of a container definition is not one that ECS knows."
  }

  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : alltrue(concat(
        [length(setsubtract(keys(try(container.healthCheck, {})), ["command", "interval", "timeout", "retries", "startPeriod"])) == 0],
        [length(setsubtract(keys(try(container.linuxParameters, {})), ["initProcessEnabled"])) == 0],
        [toset(keys(container.logConfiguration)) == toset(["logDriver", "options"])],
        [length(setsubtract(keys(container.logConfiguration.options), ["awslogs-group", "awslogs-region", "awslogs-stream-prefix", "mode", "max-buffer-size"])) == 0],
        [for secret in try(container.secrets, []) : toset(keys(secret)) == toset(["name", "valueFrom"])],
        [for variable in try(container.environment, []) : toset(keys(variable)) == toset(["name", "value"])],
        [for mount in try(container.mountPoints, []) : toset(keys(mount)) == toset(["sourceVolume", "containerPath", "readOnly"])],
        [for port in try(container.portMappings, []) : toset(keys(port)) == toset(["containerPort", "hostPort", "protocol"])],
        [for dependency in try(container.dependsOn, []) : toset(keys(dependency)) == toset(["containerName", "condition"])],
      ))
    ])
    error_message = "A key within a container definition is not one that ECS knows."
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.this.container_definitions)[1].healthCheck == {
      command = ["CMD", "worker", "health"], interval = 30, timeout = 5, retries = 3, startPeriod = 10
    }
    error_message = "The program is asked as it was said."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[1].stopTimeout == 120
    error_message = "Work in flight gets the longest time that Fargate gives to be handed back."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[1].readonlyRootFilesystem
    error_message = "A program cannot write to its image's file system."
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].command == [join("\n", [
      "umask 022",
      "mkdir -p '/config'",
      "mkdir -p '/config/worker.d'",
      "printf '%s' \"$${TEXT_0}\" > '/config/worker.toml'",
      "printf \"$${FORM_0}\" \"$${SECRET_0}\" > '/config/worker.d/key'",
    ])]
    error_message = "Files are written from variables, secrets in the place of %s."
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment == [{ name = "TEXT_0", value = "a = 1" }, { name = "FORM_0", value = "key = %s" }] &&
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets == [{ name = "SECRET_0", valueFrom = "arn:aws:secretsmanager:us-east-1:123456789012:secret:key" }]
    )
    error_message = "Texts come as variables, secrets as secrets."
  }

  assert {
    condition = toset(data.aws_iam_policy_document.secrets[0].statement[0].resources) == toset([
      "arn:aws:secretsmanager:us-east-1:123456789012:secret:key", "arn:aws:secretsmanager:us-east-1:123456789012:secret:password",
    ])
    error_message = "ECS may read the secrets of this task, and no others."
  }

  assert {
    condition     = length(aws_iam_role_policy.task) == 0
    error_message = "Without a policy the program may do nothing in AWS."
  }
}

run "the_backlog_decides" {
  command = apply

  module {
    source = "./modules/service"
  }

  assert {
    condition = toset([
      for metric in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      join(" ", concat([metric.id], flatten([for stat in metric.metric_stat : [for name in stat.metric : [name.namespace, name.metric_name, stat.stat]]])))
      ]) == toset([
      "waiting0 AWS/SQS ApproximateNumberOfMessagesVisible Sum",
      "waiting1 AWS/SQS ApproximateNumberOfMessagesVisible Sum",
      "running ECS/ContainerInsights RunningTaskCount Average",
      "backlog",
    ])
    error_message = "The metrics are those that SQS and ECS emit."
  }

  assert {
    condition = one([
      for metric in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      metric.expression if metric.return_data
    ]) == "(FILL(waiting0, 0) + FILL(waiting1, 0)) / IF(FILL(running, 0) > 0, running, 1)"
    error_message = "What waits, divided by the tasks that run."
  }

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 1 && aws_appautoscaling_target.this[0].max_capacity == 4
    error_message = "Within the bounds."
  }
}

run "a_number_pins_it" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    tasks = { min = 3, max = 3 }
  }

  assert {
    condition     = length(aws_appautoscaling_policy.backlog) == 0 && aws_appautoscaling_target.this[0].min_capacity == 3 && aws_appautoscaling_target.this[0].max_capacity == 3
    error_message = "Exactly as many as were asked for, and nothing that changes it."
  }
}

run "fargate_has_no_such_size" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    cpu    = 512
    memory = 8192
  }

  expect_failures = [var.memory]
}

run "ec2_has_any_size" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    launch_type = "EC2"
    cpu         = 300
    memory      = 777
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "300" && aws_ecs_service.this[0].launch_type == "EC2"
    error_message = "On instances sizes are free."
  }
}

run "nonsense_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    name          = "Worker"
    cpu           = 300
    ephemeral_gib = 20
    tasks         = { min = 0, max = 1 }
    secret_files  = { "../key" = { text = "no place for it", secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:key" } }
    log_days      = 31
    health        = { command = ["worker"], grace = 10 }
  }

  expect_failures = [var.name, var.cpu, var.ephemeral_gib, var.tasks, var.secret_files, var.log_days, var.health]
}
