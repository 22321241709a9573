locals {
  # Fields in the order of the schema: queries that unnest name them by place.
  finding = [
    ["name", "string"],
    ["namespacename", "string"],
    ["description", "string"],
    ["link", "string"],
    ["severity", "string"],
    ["severitysource", "string"],
    ["status", "string"],
    ["featurename", "string"],
    ["featureversion", "string"],
    ["featurearchitecture", "string"],
    ["featurekind", "string"],
    ["sourcename", "string"],
    ["fixedby", "string"],
    ["location", "string"],
    ["layer", "string"],
    ["aliases", "array<string>"],
    ["records", "array<string>"],
    ["cvss", "array<string>"],
    ["epss", "double"],
    ["knownexploited", "boolean"],
  ]

  change = [
    ["name", "string"],
    ["featurename", "string"],
    ["featureversion", "string"],
    ["severity", "string"],
    ["status", "string"],
    ["fixedby", "string"],
    ["location", "string"],
  ]

  severities = ["critical", "high", "medium", "low", "negligible", "unknown"]

  findings = "array<struct<${join(",", [for field in local.finding : join(":", field)])}>>"
  changes  = "array<struct<${join(",", [for field in local.change : join(":", field)])}>>"

  # A report's fields, in the order of the schema. Times are text: from_iso8601_timestamp(assessedat).
  columns = [
    ["schemaversion", "string"],
    ["reportid", "string"],
    ["previousreportid", "string"],
    ["assessedat", "string"],
    ["analyzedimagename", "string"],
    ["imagedigest", "string"],
    ["layercount", "bigint"],
    ["ecrmetadata", "struct<imageid:struct<imagedigest:string>,manifest:struct<config:struct<digest:string>>,repositoryname:string,registryid:string>"],
    ["registry", "struct<name:string,region:string>"],
    ["platform", "string"],
    ["tags", "array<string>"],
    ["parentindexes", "array<struct<digest:string,tags:array<string>>>"],
    ["verdict", "string"],
    ["completeness", "struct<level:string,reasons:array<struct<code:string,detail:string>>>"],
    ["packagekinds", "array<string>"],
    ["scanner", "struct<name:string,version:string>"],
    ["knowledge", "struct<id:string,generation:bigint,lastchanged:array<struct<ecosystem:string,at:string>>>"],
    ["vulnerabilities", "struct<${join(",", [for severity in local.severities : "${severity}:${local.findings}"])}>"],
    ["new", local.changes],
    ["gone", local.changes],
  ]

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
        name = columns.value[0]
        type = columns.value[1]
      }
    }
  }
}
