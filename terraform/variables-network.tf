variable "existing_network" {
  description = "A VPC to use instead of a new one. Its private subnets need a way out to the internet. Its private route tables get gateway endpoints for S3 and DynamoDB; leave them out where it has these."
  type = object({
    vpc_id                  = string
    private_subnet_ids      = list(string)
    private_route_table_ids = optional(list(string), [])
  })
  default = null
}

variable "vpc_cidr" {
  description = "Addresses of the VPC that is made."
  type        = string
  default     = "10.42.0.0/20"
}

variable "nat" {
  description = "NAT gateways of the VPC that is made: none, single or per_zone. Without one, Clair can fetch no data unless you give it another way."
  type        = string
  default     = "single"
}

variable "interface_endpoints" {
  description = "Services, as in ecr.api or sqs, that are reached by interface endpoints in the VPC that is made; each costs by hour and zone."
  type        = set(string)
  default     = []
}
