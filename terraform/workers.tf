locals {
  # A number that is given is the number; else scaling chooses, within what Clair can take.
  clair_tasks = var.number_of_clair_instances == null ? { min = 1, max = var.scaling.max_clair } : {
    min = var.number_of_clair_instances, max = var.number_of_clair_instances
  }
  scanner_tasks = var.number_of_scanners == null ? { min = 1, max = local.clair_tasks.max * var.scaling.scanners_per_clair } : {
    min = var.number_of_scanners, max = var.number_of_scanners
  }

  worker_files = {
    "cve-monitor.toml" = templatefile("${path.module}/cve-monitor.toml.tftpl", {
      region         = var.region
      name           = local.name
      archive_bucket = module.store.archive_bucket
      report_bucket  = module.lake.report_bucket
      kms_key_arn    = var.kms_key_arn
      clair_url      = local.clair_url
      issuer         = local.issuer
      notifier_port  = local.notifier_port
      health_port    = local.health_port

      metrics_namespace = local.metrics_namespace
      registries = [
        for registry in local.registries : merge(registry, {
          host = "${registry.account_id}.dkr.ecr.${registry.region}.${data.aws_partition.current.dns_suffix}"
        })
      ]
    })
  }
  worker_secret_files = { "clair-psk" = { text = "%s", secret = module.secrets.arns["clair-psk"] } }
  worker_environment  = { CVE_MONITOR_CONFIG = "/config/cve-monitor.toml" }

  # The programs ask themselves: their image has no shell.
  health_port   = 8081
  worker_health = { for name in ["ingest", "notifier"] : name => { command = ["CMD", name, "--healthy"], grace = 60 } }
}

module "ingest" {
  source = "./modules/service"

  name               = "ingest"
  stack              = local.name
  region             = var.region
  partition          = local.partition
  cluster_arn        = module.cluster.arn
  cluster_name       = module.cluster.name
  launch_type        = local.launch_type
  capacity           = module.cluster.capacity.spot
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [aws_security_group.workers.id]
  image              = var.image
  command            = ["ingest"]
  health             = local.worker_health["ingest"]
  cpu                = var.worker_size.cpu
  memory             = var.worker_size.memory
  environment        = local.worker_environment
  files              = local.worker_files
  secret_files       = local.worker_secret_files
  files_image        = var.files_image
  policy             = { json = data.aws_iam_policy_document.worker["ingest"].json }
  kms_key_arn        = var.kms_key_arn
  log_days           = var.log_days
  tasks              = local.scanner_tasks
  backlog            = { queues = values(module.queues.names), per_task = var.scaling.backlog_per_scanner }
}

module "notifier" {
  source = "./modules/service"

  name               = "notifier"
  stack              = local.name
  region             = var.region
  partition          = local.partition
  cluster_arn        = module.cluster.arn
  cluster_name       = module.cluster.name
  launch_type        = local.launch_type
  capacity           = module.cluster.capacity.steady
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [aws_security_group.workers.id]
  image              = var.image
  command            = ["notifier"]
  health             = local.worker_health["notifier"]
  cpu                = var.worker_size.cpu
  memory             = var.worker_size.memory
  port               = local.notifier_port
  namespace_id       = aws_service_discovery_private_dns_namespace.this.id
  environment        = local.worker_environment
  files              = local.worker_files
  secret_files       = local.worker_secret_files
  files_image        = var.files_image
  policy             = { json = data.aws_iam_policy_document.worker["notifier"].json }
  kms_key_arn        = var.kms_key_arn
  log_days           = var.log_days
  tasks              = { min = 1, max = 1 }
}

module "reconciler" {
  source = "./modules/service"

  name               = "reconciler"
  stack              = local.name
  region             = var.region
  partition          = local.partition
  cluster_arn        = module.cluster.arn
  cluster_name       = module.cluster.name
  launch_type        = local.launch_type
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [aws_security_group.workers.id]
  image              = var.image
  command            = ["reconciler", "--once"]
  cpu                = var.worker_size.cpu
  memory             = var.worker_size.memory
  environment        = local.worker_environment
  files              = local.worker_files
  secret_files       = local.worker_secret_files
  files_image        = var.files_image
  policy             = { json = data.aws_iam_policy_document.worker["reconciler"].json }
  kms_key_arn        = var.kms_key_arn
  log_days           = var.log_days
}
