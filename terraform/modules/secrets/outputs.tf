output "arns" {
  description = "ARNs of the secrets, by clair-db and clair-psk; known once their values are written."
  value       = { for name, version in aws_secretsmanager_secret_version.this : name => version.arn }
}

output "db_password" {
  description = "The password that is stored."
  value       = var.generate ? ephemeral.aws_secretsmanager_secret_version.db[0].secret_string : var.db_password
  ephemeral   = true
  sensitive   = true
}
