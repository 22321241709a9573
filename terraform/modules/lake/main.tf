# Nothing but reports lies in the report bucket, so that Athena reads nothing else; its results have a bucket of their own.
module "reports" {
  source = "../bucket"

  name         = var.report_bucket
  protect_data = var.protect_data
  kms_key_arn  = var.kms_key_arn
  expire_days  = var.report_days
}

module "results" {
  source = "../bucket"

  name         = var.results_bucket
  protect_data = false
  versioned    = false
  kms_key_arn  = var.kms_key_arn
  expire_days  = 7
}

resource "aws_glue_catalog_database" "this" {
  name        = replace(var.name, "-", "_")
  description = "Reports about the vulnerabilities of container images"
}

resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "Questions about reports"
  force_destroy = !var.protect_data

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.max_gib_per_query * 1024 * 1024 * 1024

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${module.results.name}/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

# The first line of each file says in a comment what it asks.
resource "aws_athena_named_query" "this" {
  for_each    = toset([for path in fileset("${path.module}/queries", "*.sql") : trimsuffix(path, ".sql")])
  name        = each.key
  description = trimprefix(split("\n", file("${path.module}/queries/${each.key}.sql"))[0], "-- ")
  workgroup   = aws_athena_workgroup.this.id
  database    = aws_glue_catalog_database.this.name
  query       = file("${path.module}/queries/${each.key}.sql")
}
