output "role_arn" {
  description = "The role by which the hub reads the registry: role_arn in its registries."
  value       = aws_iam_role.reader.arn
}
