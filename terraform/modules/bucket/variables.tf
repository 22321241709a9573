variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket's name must be 3 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends; shorten prefix, service or environment."
  }
}

variable "protect_data" {
  description = "Refuse to be destroyed while there is anything in it."
  type        = bool
}

variable "versioned" {
  description = "Keep what was overwritten or deleted for 30 days."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "The KMS key that objects are encrypted with; null for keys that S3 looks after."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

variable "expire_days" {
  description = "Days after which objects are deleted; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.expire_days == null ? true : var.expire_days >= 1
    error_message = "expire_days must be 1 or more."
  }
}
