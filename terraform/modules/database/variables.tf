variable "name" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,49}$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must be 1 to 50 of a-z, 0-9 and '-', begin with a letter, and have no two '-' in a row (a rule of RDS)."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "A database needs subnets in two zones at least."
  }
}

variable "client_security_group_id" {
  description = "The security group that may connect."
  type        = string
}

variable "instance_class" {
  description = "Instance class, as in db.t4g.medium."
  type        = string

  validation {
    condition     = can(regex("^db\\.((t3|t4g)\\.(micro|small|medium|large|xlarge|2xlarge)|[mrxz][1-9][a-z]*\\.(large|xlarge|[1-9][0-9]?xlarge))$", var.instance_class))
    error_message = "instance_class must look like db.t4g.medium or db.r7g.2xlarge: t3 and t4g have sizes up to 2xlarge, all others from large."
  }
}

variable "allocated_storage" {
  description = "GiB to begin with; it grows by itself to four times that."
  type        = number

  validation {
    condition     = var.allocated_storage >= 20 && var.allocated_storage <= 16384
    error_message = "allocated_storage must be from 20 to 16384 GiB."
  }
}

variable "multi_az" {
  description = "Keep a standby in another zone. Everything in the database can be made again, so it only saves time."
  type        = bool
  default     = false
}

variable "protect_data" {
  description = "Refuse to be destroyed, and take a last snapshot when it is."
  type        = bool
}

variable "kms_key_arn" {
  description = "The KMS key of the storage; null for the one that AWS manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

variable "password" {
  description = "Password of the user clair. Neither in the plan nor in the state."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "password_revision" {
  description = "Raised by one to write another password."
  type        = number

  validation {
    condition     = var.password_revision >= 1
    error_message = "password_revision must be 1 or more."
  }
}
