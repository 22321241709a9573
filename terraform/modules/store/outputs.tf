output "table_names" {
  description = "Names of the tables, by events, heads and layer-index."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "table_arns" {
  description = "ARNs of the tables, by events, heads and layer-index."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}

output "archive_bucket" {
  description = "Name of the archive bucket."
  value       = module.archive.name
}

output "archive_bucket_arn" {
  description = "ARN of the archive bucket."
  value       = module.archive.arn
}
