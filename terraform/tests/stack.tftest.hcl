# The whole stack, planned on mocks: no credentials, no network. The provider's binary is needed for its schema and validation.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/shared", setting = [{ name = "containerInsights", value = "enabled" }] }
  }
}

# Mocks have no ephemeral resources: secrets are planned by the provider itself, which asks nobody where they are given.
provider "aws" {
  alias                       = "secrets"
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variables {
  environment = "test"
  prefix      = "acme"
  costcenter  = "1234"
  poc         = "team@example.com"
  image       = "123456789012.dkr.ecr.us-east-1.amazonaws.com/cve-monitor@sha256:0000000000000000000000000000000000000000000000000000000000000000"

  generate_secrets = false
  clair_psk        = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
  db_password      = "0123456789abcdef"
}

run "new_network_new_cluster" {
  command = plan

  assert {
    condition     = output.report_bucket == "acme-ecr-cve-monitor-test-reports" && output.name == "ecr-cve-monitor-test"
    error_message = "Names are made of prefix, service and environment."
  }

  assert {
    condition     = length(module.network.private_subnet_ids) == 2 && length(module.network.gateway_endpoint_ids) == 2
    error_message = "Two private subnets, and endpoints for S3 and DynamoDB."
  }

  assert {
    condition     = local.launch_type == "FARGATE"
    error_message = "Fargate, unless something of instances is asked for."
  }

  assert {
    condition     = output.event_bus_arn == null
    error_message = "No bus where only this account's registry is watched."
  }

  assert {
    condition     = module.clair.tasks == { min = 1, max = 2 } && module.ingest.tasks == { min = 1, max = 16 } && module.notifier.tasks == { min = 1, max = 1 }
    error_message = "Scaling chooses, up to two tasks of Clair and eight scanners for each; the feed is followed by one."
  }

  assert {
    condition     = length(regexall("password|psk", jsonencode(local.clair_config))) == 0
    error_message = "Clair's configuration, which stands in the task definition, has no secret in it."
  }

  assert {
    condition = local.worker_files["cve-monitor.toml"] == join("\n", [
      "# Written by terraform. Quoted values are JSON strings, which TOML reads the same.",
      "[aws]",
      "region = \"us-east-1\"",
      "",
      "[store]",
      "kind = \"dynamodb\"",
      "table_prefix = \"ecr-cve-monitor-test\"",
      "archive_bucket = \"acme-ecr-cve-monitor-test-archive\"",
      "",
      "[queue]",
      "kind = \"sqs\"",
      "prefix = \"ecr-cve-monitor-test\"",
      "",
      "[reports]",
      "kind = \"s3\"",
      "bucket = \"acme-ecr-cve-monitor-test-reports\"",
      "",
      "[scanner]",
      "kind = \"clair-v4\"",
      "",
      "[clair]",
      "url = \"http://clair.ecr-cve-monitor-test.internal:6060\"",
      "insecure = true # within the VPC, between two security groups",
      "psk_file = \"clair-psk\"",
      "issuer = \"cve-monitor\"",
      "",
      "[watch]",
      "listen = \"0.0.0.0:8080\"",
      "",
      "# Asked by the container's health check alone.",
      "[health]",
      "listen = \"127.0.0.1:8081\"",
      "",
      "[metrics]",
      "cloudwatch = true",
      "namespace = \"cve-monitor/ecr-cve-monitor-test\"",
      "",
      "[log]",
      "format = \"json\"",
      "",
      "[[registry]]",
      "kind = \"ecr\"",
      "name = \"123456789012.dkr.ecr.us-east-1.amazonaws.com\"",
      "layers = \"presigned\"",
      "",
    ])
    error_message = "The programs' configuration names what was made."
  }

  assert {
    condition = [local.worker_health["ingest"].command, local.worker_health["notifier"].command] == [
      ["CMD", "ingest", "--healthy"], ["CMD", "notifier", "--healthy"],
    ]
    error_message = "Each program asks itself whether it is well: their image has no shell."
  }

  assert {
    condition     = local.metrics_namespace == "cve-monitor/ecr-cve-monitor-test" && local.round_hours == 13
    error_message = "Alarms are about the namespace that the programs tell, and two rounds of every 6 hours may pass."
  }
}

run "new_network_existing_cluster" {
  command = plan

  variables {
    key_name         = "team-key"
    existing_cluster = "shared"
  }

  assert {
    condition     = local.launch_type == "EC2"
    error_message = "key_name alone asks for instances."
  }

  assert {
    condition     = output.cluster == "shared" && length(module.cluster.capacity.steady) == 0
    error_message = "The given cluster is used as it is, by launch type."
  }
}

run "existing_network_new_cluster" {
  command = plan

  variables {
    ecs_ami_id       = "ami-0123456789abcdef0"
    existing_network = { vpc_id = "vpc-1", private_subnet_ids = ["subnet-1", "subnet-2"], private_route_table_ids = ["rtb-1"] }
  }

  assert {
    condition     = local.launch_type == "EC2"
    error_message = "ecs_ami_id alone asks for instances."
  }

  assert {
    condition     = module.network.vpc_id == "vpc-1" && module.network.private_subnet_ids == tolist(["subnet-1", "subnet-2"])
    error_message = "The given network is used."
  }

  assert {
    condition     = toset(keys(module.network.gateway_endpoint_ids)) == toset(["s3", "dynamodb"])
    error_message = "Its route tables get the gateway endpoints."
  }
}

run "what_users_have_always_given" {
  command = plan

  variables {
    environment               = "dev"
    costcenter                = "5678"
    poc                       = "security"
    service                   = "scanner"
    prefix                    = "corp"
    ecs_ami_id                = "ami-0123456789abcdef0"
    key_name                  = "team-key"
    instance_type             = "c5.2xlarge"
    number_of_clair_instances = "3"
    number_of_scanners        = "5"
    number_of_ecs_instances   = "4"
  }

  assert {
    condition     = local.tags.environment == "dev" && output.name == "scanner-dev"
    error_message = "environment"
  }

  assert {
    condition     = local.tags.costcenter == "5678"
    error_message = "costcenter"
  }

  assert {
    condition     = local.tags.poc == "security"
    error_message = "poc"
  }

  assert {
    condition     = output.report_bucket == "corp-scanner-dev-reports"
    error_message = "prefix and service"
  }

  assert {
    condition     = local.launch_type == "EC2" && module.cluster.instances.ami_id == "ami-0123456789abcdef0"
    error_message = "ecs_ami_id"
  }

  assert {
    condition     = module.cluster.instances.key_name == "team-key"
    error_message = "key_name"
  }

  assert {
    condition     = module.cluster.instances.type == "c5.2xlarge"
    error_message = "instance_type"
  }

  assert {
    condition     = module.cluster.instances.count == 4
    error_message = "number_of_ecs_instances"
  }

  assert {
    condition     = module.clair.tasks == { min = 3, max = 3 }
    error_message = "number_of_clair_instances"
  }

  assert {
    condition     = module.ingest.tasks == { min = 5, max = 5 }
    error_message = "number_of_scanners"
  }
}

run "existing_network_existing_cluster_other_accounts_and_regions" {
  command = plan

  variables {
    number_of_ecs_instances = 3
    existing_network        = { vpc_id = "vpc-1", private_subnet_ids = ["subnet-1", "subnet-2"] }
    existing_cluster        = "shared"
    registries = [
      {},
      { region = "eu-west-1", role_arn = "arn:aws:iam::123456789012:role/reader", external_id = "here" },
      { account_id = "210987654321", role_arn = "arn:aws:iam::210987654321:role/reader", external_id = "there" },
    ]
  }

  assert {
    condition     = local.launch_type == "EC2"
    error_message = "number_of_ecs_instances alone asks for instances."
  }

  assert {
    condition     = module.network.vpc_id == "vpc-1" && output.cluster == "shared" && length(module.network.gateway_endpoint_ids) == 0
    error_message = "Both are used, and nothing is added to them."
  }

  assert {
    condition     = toset(local.elsewhere[*].account_id) == toset(["123456789012", "210987654321"]) && length(local.elsewhere) == 2
    error_message = "Another region of this account and another account both forward to the bus."
  }

  assert {
    condition = [for line in split("\n", local.worker_files["cve-monitor.toml"]) : line if can(regex("^(name|role_arn|external_id) ", line))] == [
      "name = \"123456789012.dkr.ecr.us-east-1.amazonaws.com\"",
      "name = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com\"",
      "role_arn = \"arn:aws:iam::123456789012:role/reader\"",
      "external_id = \"here\"",
      "name = \"210987654321.dkr.ecr.us-east-1.amazonaws.com\"",
      "role_arn = \"arn:aws:iam::210987654321:role/reader\"",
      "external_id = \"there\"",
    ]
    error_message = "Each registry is read with its own role."
  }

  assert {
    condition     = local.grants.ingest.Assume.resources == ["arn:aws:iam::123456789012:role/reader", "arn:aws:iam::210987654321:role/reader"]
    error_message = "Only the roles that are named may be assumed."
  }
}

run "nonsense_is_refused" {
  command = plan

  variables {
    environment        = "Test"
    prefix             = "acme_corp"
    image              = "cve-monitor:latest"
    registries         = [{ account_id = "12" }]
    launch_type        = "LAMBDA"
    number_of_scanners = 0
    scaling            = { max_clair = 0 }
    reconcile_schedule = "cron(17 3 * * *)"
    clair_psk          = "short"
  }

  expect_failures = [
    var.environment, var.prefix, var.image, var.registries, var.launch_type, var.number_of_scanners, var.scaling, var.reconcile_schedule,
    var.clair_psk,
  ]
}

run "a_schedule_has_values_that_exist" {
  command = plan

  variables {
    reconcile_schedule = "cron(17 25 * * ? *)"
  }

  expect_failures = [var.reconcile_schedule]
}

run "a_schedule_is_taken_as_aws_writes_it" {
  command = plan

  variables {
    reconcile_schedule = "cron(0/15 8-18,22 ? JAN-JUN MON-FRI 2026-2030)"
  }

  assert {
    condition     = aws_scheduler_schedule.reconciler.schedule_expression == "cron(0/15 8-18,22 ? JAN-JUN MON-FRI 2026-2030)"
    error_message = "The schedule is the one that was given."
  }
}

run "a_database_class_that_does_not_exist_is_refused" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    name                     = "t"
    vpc_id                   = "vpc-1"
    subnet_ids               = ["subnet-1", "subnet-2"]
    client_security_group_id = "sg-1"
    instance_class           = "db.t4.medium"
    allocated_storage        = 50
    protect_data             = true
    password                 = "0123456789abcdef"
    password_revision        = 1
  }

  expect_failures = [var.instance_class]
}
