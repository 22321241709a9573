variable "name" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = length(var.name) > 0 && length(var.name) <= 60
    error_message = "name must be 1 to 60 characters."
  }
}

variable "region" {
  description = "The region, for the endpoints' service names."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must look like us-east-1."
  }
}

variable "cidr" {
  description = "Addresses of the VPC that is made."
  type        = string

  validation {
    condition     = try(tonumber(split("/", cidrsubnet(var.cidr, 0, 0))[1]), 33) <= 24
    error_message = "cidr must be an IPv4 range of /24 or larger, as in 10.42.0.0/20."
  }
}

variable "zones" {
  description = "How many availability zones are used; the database needs two."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "zones must be 2 or 3."
  }
}

variable "nat" {
  description = "NAT gateways: none, single or per_zone. Clair fetches its data through them."
  type        = string
  default     = "single"

  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat)
    error_message = "nat must be none, single or per_zone."
  }
}

variable "interface_endpoints" {
  description = "Services, as in ecr.api, that get an interface endpoint; each costs by hour and zone."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.interface_endpoints : !contains(["s3", "dynamodb"], service)])
    error_message = "s3 and dynamodb have gateway endpoints already, which cost nothing."
  }
}

variable "existing" {
  description = "A VPC that is there already. Its route tables get the gateway endpoints; leave them out where it has these already."
  type = object({
    vpc_id                  = string
    private_subnet_ids      = list(string)
    private_route_table_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.existing == null ? true : length(var.existing.private_subnet_ids) >= 2
    error_message = "An existing network needs two private subnets at least, in two zones (for the database)."
  }
}
