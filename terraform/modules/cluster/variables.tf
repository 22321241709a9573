variable "name" {
  description = "Name of the cluster, and what names of its instances begin with."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,53}$", var.name)) && !can(regex("^(aws|ecs|fargate)", var.name))
    error_message = "name must be 1 to 54 letters, digits and '-', and must not begin with aws, ecs or fargate (a rule of ECS for capacity providers)."
  }
}

variable "existing_name" {
  description = "A cluster that is there already; null to make one."
  type        = string
  default     = null
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string
}

variable "launch_type" {
  description = "FARGATE or EC2."
  type        = string

  validation {
    condition     = contains(["FARGATE", "EC2"], var.launch_type)
    error_message = "launch_type must be FARGATE or EC2."
  }
}

variable "vpc_id" {
  description = "The VPC of the instances."
  type        = string
}

variable "subnet_ids" {
  description = "The subnets of the instances."
  type        = list(string)
}

variable "ami_id" {
  description = "AMI of the instances; null for the one that AWS recommends for ECS."
  type        = string
  default     = null
}

variable "instance_type" {
  description = "Type of the instances."
  type        = string
}

variable "key_name" {
  description = "EC2 key pair of the instances; null for none."
  type        = string
  default     = null
}

variable "instances" {
  description = "How many instances there are; the cluster adds up to as many again while tasks do not fit."
  type        = number

  validation {
    condition     = var.instances >= 1 && floor(var.instances) == var.instances
    error_message = "instances must be a whole number, 1 or more."
  }
}

variable "volume_gib" {
  description = "GiB of each instance's volume; Clair unpacks layers there."
  type        = number
  default     = 200

  validation {
    condition     = var.volume_gib >= 30 && var.volume_gib <= 16384
    error_message = "volume_gib must be from 30 to 16384."
  }
}

variable "tags" {
  description = "Tags of instances and volumes, which the provider's default tags do not reach."
  type        = map(string)
  default     = {}
}
