# One hub that watches the registry of its own account in two regions. Another account is the same as another region: its
# source-account is applied with credentials of that account.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  alias  = "ireland"
  region = "eu-west-1"
}

module "monitor" {
  source = "../.."

  environment  = "dev"
  prefix       = "acme"
  costcenter   = "1234"
  poc          = "security@example.com"
  image        = var.image
  alarm_emails = ["security@example.com"]
  protect_data = false

  registries = [
    {},
    { region = "eu-west-1", role_arn = module.ireland.role_arn, external_id = "cve-monitor-dev" },
  ]
}

module "ireland" {
  source    = "../../modules/source-account"
  providers = { aws = aws.ireland }

  region            = "eu-west-1"
  event_bus_arn     = module.monitor.event_bus_arn
  reader_principals = module.monitor.reader_principals
  external_id       = "cve-monitor-dev"
}
