locals {
  # A report's fields in the order of its schema, from which `cargo xtask lake` writes them: queries that unnest name them by place.
  # Times are text: from_iso8601_timestamp(assessedat).
  columns = jsondecode(file("${path.module}/columns.json"))

  # Athena works the partitions out from this: no crawler, no MSCK REPAIR, no ADD PARTITION.
  projection = {
    "projection.enabled"        = "true"
    "projection.year.type"      = "integer"
    "projection.year.range"     = "${var.first_year},${var.first_year + 15}"
    "projection.year.digits"    = "4"
    "projection.month.type"     = "integer"
    "projection.month.range"    = "1,12"
    "projection.month.digits"   = "2"
    "projection.day.type"       = "integer"
    "projection.day.range"      = "1,31"
    "projection.day.digits"     = "2"
    "storage.location.template" = "s3://${module.reports.name}/year=$${year}/month=$${month}/day=$${day}/"
  }
}

resource "aws_glue_catalog_table" "reports" {
  name          = "reports"
  description   = "One row for each report; see docs/report-schema"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"
  parameters    = merge({ EXTERNAL = "TRUE", classification = "json" }, local.projection)

  dynamic "partition_keys" {
    for_each = ["year", "month", "day"]

    content {
      name = partition_keys.value
      type = "string"
    }
  }

  storage_descriptor {
    location      = "s3://${module.reports.name}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
      parameters            = { "case.insensitive" = "true" }
    }

    dynamic "columns" {
      for_each = local.columns

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}
