output "vpc_id" {
  description = "The VPC."
  value       = local.vpc_id
}

output "private_subnet_ids" {
  description = "The subnets of tasks and database."
  value       = local.private_subnet_ids
}

output "gateway_endpoint_ids" {
  description = "The gateway endpoints that were made, by service."
  value       = { for service, endpoint in aws_vpc_endpoint.gateway : service => endpoint.id }
}
