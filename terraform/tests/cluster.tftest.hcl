# Clusters of our own and of others, with and without instances.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/shared", setting = [{ name = "containerInsights", value = "enabled" }] }
  }

  mock_data "aws_ssm_parameter" {
    defaults = { value = "ami-0aaaaaaaaaaaaaaaa" }
  }
}

variables {
  name          = "test"
  partition     = "aws"
  launch_type   = "EC2"
  vpc_id        = "vpc-1"
  subnet_ids    = ["subnet-1", "subnet-2"]
  instance_type = "m5.large"
  key_name      = "team"
  instances     = 3
  tags          = { costcenter = "1234", poc = "team@example.com" }
}

run "instances_are_those_that_were_asked_for" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = aws_autoscaling_group.this[0].desired_capacity == 3 && aws_autoscaling_group.this[0].min_size == 3
    error_message = "As many instances as were asked for."
  }

  assert {
    condition     = aws_launch_template.this[0].instance_type == "m5.large" && aws_launch_template.this[0].key_name == "team"
    error_message = "Of the type and with the key that were asked for."
  }

  assert {
    condition     = aws_launch_template.this[0].image_id == "ami-0aaaaaaaaaaaaaaaa"
    error_message = "Without an AMI, the one that AWS recommends."
  }

  assert {
    condition     = aws_launch_template.this[0].metadata_options[0].http_tokens == "required"
    error_message = "Only the second version of the metadata service."
  }

  assert {
    condition = alltrue([
      for tag in [["costcenter", "1234"], ["poc", "team@example.com"]] :
      contains([for given in aws_autoscaling_group.this[0].tag : "${given.key}=${given.value}:${given.propagate_at_launch}"], "${tag[0]}=${tag[1]}:true")
      ]) && alltrue([
      for specification in aws_launch_template.this[0].tag_specifications : specification.tags.costcenter == "1234" && specification.tags.poc == "team@example.com"
    ])
    error_message = "Instances and volumes are tagged, too."
  }
}

run "fargate_has_no_instances" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    launch_type = "FARGATE"
  }

  assert {
    condition     = length(aws_autoscaling_group.this) == 0 && length(data.aws_ssm_parameter.ami) == 0
    error_message = "No instances on Fargate."
  }

  assert {
    condition     = [for provider in output.capacity.spot : provider.name] == ["FARGATE", "FARGATE_SPOT"] && output.capacity.spot[0].base == 1
    error_message = "What may be interrupted runs on Spot, except for one task."
  }
}

run "a_cluster_that_counts_no_tasks_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    existing_name = "shared"
  }

  override_data {
    target = data.aws_ecs_cluster.existing[0]
    values = { setting = [{ name = "containerInsights", value = "disabled" }] }
  }

  expect_failures = [data.aws_ecs_cluster.existing[0]]
}
