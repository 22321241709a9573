locals {
  clair_port    = 6060
  notifier_port = 8080
  issuer        = "cve-monitor"
  clair_url     = "http://clair.${aws_service_discovery_private_dns_namespace.this.name}:${local.clair_port}"
  notifier_url  = "http://notifier.${aws_service_discovery_private_dns_namespace.this.name}:${local.notifier_port}"

  # Host, user and password come to Clair as PGHOST, PGUSER and PGPASSWORD.
  connection = "dbname=clair sslmode=require"

  # Keys that Clair does not know stop it. The key of auth.psk is added by a file of its own.
  clair_config = {
    http_listen_addr   = ":${local.clair_port}"
    introspection_addr = ":8089"
    log_level          = "info"
    indexer            = { connstring = local.connection, migrations = true, scanlock_retry = 10, layer_scan_concurrency = 5 }
    matcher            = { connstring = local.connection, migrations = true, period = "6h", update_retention = 10 }
    notifier = {
      connstring        = local.connection
      migrations        = true
      poll_interval     = "5m"
      delivery_interval = "1m"
      webhook = {
        target   = "${local.notifier_url}/webhooks/clair"
        callback = "${local.clair_url}/notifier/api/v1/notification/"
      }
    }
    metrics = { name = "prometheus" }
  }

  # Bash alone, since nothing else is sure to be in Clair's image.
  clair_ready = join("; ", [
    "exec 3<>/dev/tcp/127.0.0.1/8089 || exit 1",
    "printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3",
    "read -r answer <&3",
    "case \"$answer\" in *' 200 '*) exit 0;; *) exit 1;; esac",
  ])
}

# Clair gets no policy: it reads layers by addresses that the workers obtain for it, and nothing else of AWS.
module "clair" {
  source = "./modules/service"

  name               = "clair"
  stack              = local.name
  region             = var.region
  partition          = local.partition
  cluster_arn        = module.cluster.arn
  cluster_name       = module.cluster.name
  launch_type        = local.launch_type
  capacity           = module.cluster.capacity.steady
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [aws_security_group.clair.id]
  image              = var.clair_image
  cpu                = var.clair_size.cpu
  memory             = var.clair_size.memory
  ephemeral_gib      = var.clair_size.disk
  readonly_root      = false # layers are unpacked to /var/tmp
  port               = local.clair_port
  namespace_id       = aws_service_discovery_private_dns_namespace.this.id
  environment        = { CLAIR_CONF = "/config/config.json", CLAIR_MODE = "combo", PGHOST = module.database.address, PGUSER = module.database.username }
  secrets            = { PGPASSWORD = module.secrets.arns["clair-db"] }
  health             = { command = ["CMD", "bash", "-c", local.clair_ready], grace = 120 }
  kms_key_arn        = var.kms_key_arn
  log_days           = var.log_days
  tasks              = local.clair_tasks

  backlog = {
    queues   = values(module.queues.names)
    per_task = var.scaling.backlog_per_scanner * var.scaling.scanners_per_clair
  }

  files_image = var.files_image
  files       = { "config.json" = jsonencode(local.clair_config) }
  secret_files = {
    "config.json.d/psk.json" = {
      text   = jsonencode({ auth = { psk = { key = "%s", iss = [local.issuer] } } })
      secret = module.secrets.arns["clair-psk"]
    }
  }
}
