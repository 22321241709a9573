# The lake: columns against the report's schema, partition projection, queries.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name           = "t-dev"
  report_bucket  = "t-reports"
  results_bucket = "t-athena"
  protect_data   = true
}

run "columns_are_the_fields_of_a_report" {
  command = plan

  module {
    source = "./modules/lake"
  }

  assert {
    condition     = toset(aws_glue_catalog_table.reports.storage_descriptor[0].columns[*].name) == toset([for field in keys(jsondecode(file("../docs/report-schema/report-1.0.schema.json")).properties) : lower(field)])
    error_message = "A field of the schema has no column, or a column no field."
  }

  # That types and their order are the schema's is what `cargo xtask tidy` looks at.
  assert {
    condition     = [for column in aws_glue_catalog_table.reports.storage_descriptor[0].columns : column.type] == local.columns[*].type
    error_message = "A column has the type that is written for it."
  }

  assert {
    condition     = length(local.columns) == length(distinct(local.columns[*].name))
    error_message = "No column twice."
  }
}

run "athena_works_the_partitions_out" {
  command = plan

  module {
    source = "./modules/lake"
  }

  # Athena says nothing of a property that it does not know, and finds no partition.
  assert {
    condition = { for key, value in aws_glue_catalog_table.reports.parameters : key => value if key != "EXTERNAL" && key != "classification" } == {
      "projection.enabled"        = "true"
      "projection.year.type"      = "integer"
      "projection.year.range"     = "2025,2040"
      "projection.year.digits"    = "4"
      "projection.month.type"     = "integer"
      "projection.month.range"    = "1,12"
      "projection.month.digits"   = "2"
      "projection.day.type"       = "integer"
      "projection.day.range"      = "1,31"
      "projection.day.digits"     = "2"
      "storage.location.template" = "s3://t-reports/year=$${year}/month=$${month}/day=$${day}/"
    }
    error_message = "The properties of partition projection are these, to the letter."
  }

  assert {
    condition     = aws_glue_catalog_table.reports.partition_keys[*].name == tolist(["year", "month", "day"]) && alltrue([for key in aws_glue_catalog_table.reports.partition_keys : key.type == "string"])
    error_message = "Partitions are year, month and day, as text: 03 is not 3."
  }

  assert {
    condition     = length(setintersection(aws_glue_catalog_table.reports.partition_keys[*].name, local.columns[*].name)) == 0
    error_message = "A partition is not a column, too."
  }

  assert {
    condition     = aws_glue_catalog_table.reports.storage_descriptor[0].location == "s3://t-reports/"
    error_message = "The table lies at the root of the bucket of reports, where nothing else lies."
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].result_configuration[0].output_location == "s3://t-athena/"
    error_message = "Results lie in another bucket."
  }
}

run "queries_name_what_they_unnest_by_place" {
  command = plan

  module {
    source = "./modules/lake"
  }

  assert {
    condition     = output.queries == tolist(["critical", "incomplete", "new", "stale", "time-to-report", "trend", "where"])
    error_message = "The queries are these."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.this : startswith(query.query, "-- ") && length(query.description) > 10])
    error_message = "The first line of a query says what it asks."
  }

  # Athena gives an array of structs a column for each field, by place.
  assert {
    condition = alltrue([for query in ["new", "time-to-report"] :
      replace(one(regex("UNNEST\\(r\\.new\\) AS n \\(([^)]*)\\)", aws_athena_named_query.this[query].query)), "/\\s/", "") ==
      join(",", [for field in split(",", one(regex("^array<struct<(.*)>>$", one([for column in local.columns : column.type if column.name == "new"])))) : split(":", field)[0]])
    ])
    error_message = "The fields of a change are named in the order of the table."
  }

  assert {
    condition     = strcontains(one([for column in local.columns : replace(column.type, "/:(string|double|boolean|array<string>)/", "") if column.name == "vulnerabilities"]), "struct<${replace(one(regex("AS f \\(([^)]*)\\)", aws_athena_named_query.this["where"].query)), "/\\s/", "")}>")
    error_message = "The fields of a finding are named in the order of the table."
  }
}

run "one_bucket_for_both_is_refused" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    results_bucket = "t-reports"
    first_year     = 1999
  }

  expect_failures = [var.results_bucket, var.first_year]
}
