variable "name" {
  description = "What the names of the secrets begin with."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/_+=.@-]{1,200}$", var.name))
    error_message = "name must be 1 to 200 characters that Secrets Manager allows in names."
  }
}

variable "generate" {
  description = "Let Secrets Manager make the values; else db_password and clair_psk are given."
  type        = bool
}

variable "db_password" {
  description = "Password of Clair's database, where it is given."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "clair_psk" {
  description = "Clair's key in base64, where it is given."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "revision" {
  description = "Raised by one to write other values."
  type        = number

  validation {
    condition     = var.revision >= 1
    error_message = "revision must be 1 or more."
  }
}

variable "recovery_days" {
  description = "Days for which a deleted secret can be brought back; 0 for none."
  type        = number

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "recovery_days must be 0 or from 7 to 30."
  }
}

variable "kms_key_arn" {
  description = "The KMS key of the secrets; null for the one that AWS manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}
