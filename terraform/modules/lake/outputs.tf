output "report_bucket" {
  description = "Name of the bucket of reports."
  value       = module.reports.name
}

output "report_bucket_arn" {
  description = "ARN of the bucket of reports."
  value       = module.reports.arn
}

output "database" {
  description = "The Glue database."
  value       = aws_glue_catalog_database.this.name
}

output "table" {
  description = "The table of reports."
  value       = aws_glue_catalog_table.reports.name
}

output "workgroup" {
  description = "The Athena workgroup."
  value       = aws_athena_workgroup.this.name
}

output "queries" {
  description = "Names of the named queries."
  value       = sort(keys(aws_athena_named_query.this))
}
