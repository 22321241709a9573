output "address" {
  description = "The host."
  value       = aws_db_instance.this.address
}

output "username" {
  description = "The user."
  value       = aws_db_instance.this.username
}

output "database" {
  description = "The database."
  value       = aws_db_instance.this.db_name
}

output "identifier" {
  description = "Identifier of the instance."
  value       = aws_db_instance.this.identifier
}
