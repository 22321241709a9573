data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  # Under which the programs tell CloudWatch their numbers.
  metrics_namespace = "cve-monitor/${local.name}"

  # Two comparisons may fail or last long before somebody is called; a schedule by cron is taken for a daily one.
  rate        = try(regex("^rate\\(([0-9]+) (minute|hour|day)", var.reconcile_schedule), null)
  round_every = local.rate == null ? 24 : local.rate[0] * { minute = 1 / 60, hour = 1, day = 24 }[local.rate[1]]
  round_hours = coalesce(var.alarm_limits.round_hours, ceil(2 * local.round_every) + 1)

  name       = "${var.service}-${var.environment}"
  global     = "${var.prefix}-${local.name}" # for names that are unique in the world
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  tags = {
    environment = var.environment
    costcenter  = var.costcenter
    poc         = var.poc
    service     = var.service
  }

  # Who names an AMI, a key pair or a number of instances wants instances, as it always was.
  wants_instances = var.ecs_ami_id != null || var.key_name != null || var.number_of_ecs_instances != null
  launch_type     = var.launch_type != null ? var.launch_type : local.wants_instances ? "EC2" : "FARGATE"
}

module "network" {
  source = "./modules/network"

  name                = local.name
  region              = var.region
  cidr                = var.vpc_cidr
  nat                 = var.nat
  interface_endpoints = var.interface_endpoints
  existing            = var.existing_network
}

module "cluster" {
  source = "./modules/cluster"

  name          = local.name
  existing_name = var.existing_cluster
  partition     = local.partition
  launch_type   = local.launch_type
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.private_subnet_ids
  ami_id        = var.ecs_ami_id
  instance_type = var.instance_type
  key_name      = var.key_name
  instances     = coalesce(var.number_of_ecs_instances, 2)
  tags          = local.tags
}

module "queues" {
  source = "./modules/queues"

  prefix              = local.name
  partition           = local.partition
  accept_forwarded    = length(local.elsewhere) > 0
  forwarding_accounts = toset([for registry in local.elsewhere : registry.account_id])
}

module "store" {
  source = "./modules/store"

  prefix         = local.name
  archive_bucket = "${local.global}-archive"
  protect_data   = var.protect_data
  kms_key_arn    = var.kms_key_arn
}

module "lake" {
  source = "./modules/lake"

  name           = local.name
  report_bucket  = "${local.global}-reports"
  results_bucket = "${local.global}-athena"
  protect_data   = var.protect_data
  kms_key_arn    = var.kms_key_arn
  report_days    = var.report_days
  first_year     = var.first_report_year
}

module "secrets" {
  source    = "./modules/secrets"
  providers = { aws = aws.secrets }

  name          = local.name
  generate      = var.generate_secrets
  db_password   = var.db_password
  clair_psk     = var.clair_psk
  revision      = var.secrets_revision
  recovery_days = var.protect_data ? 7 : 0
  kms_key_arn   = var.kms_key_arn
}

module "database" {
  source = "./modules/database"

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = aws_security_group.clair.id
  instance_class           = var.db_instance_class
  allocated_storage        = var.db_allocated_storage
  multi_az                 = var.db_multi_az
  protect_data             = var.protect_data
  kms_key_arn              = var.kms_key_arn
  password                 = module.secrets.db_password
  password_revision        = var.secrets_revision
}

module "monitoring" {
  source = "./modules/monitoring"

  name                = local.name
  partition           = local.partition
  region              = var.region
  queues              = module.queues.names
  dead_queues         = module.queues.dead_names
  cluster_name        = module.cluster.name
  services            = { clair = module.clair.name, ingest = module.ingest.name, notifier = module.notifier.name }
  rules               = module.queues.rules
  tables              = values(module.store.table_names)
  database_identifier = module.database.identifier
  emails              = var.alarm_emails
  namespace           = local.metrics_namespace
  limits              = merge(var.alarm_limits, { round_hours = local.round_hours })
}
