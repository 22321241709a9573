variable "prefix" {
  description = "What the names of the tables begin with; the programs are given the same."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,200}$", var.prefix))
    error_message = "prefix must be 1 to 200 letters, digits, '_', '.' and '-'."
  }
}

variable "archive_bucket" {
  description = "Name of the bucket that holds the bodies of reports."
  type        = string

  validation {
    condition     = length(var.archive_bucket) <= 63
    error_message = "archive_bucket must be 63 characters at most; shorten prefix, service or environment."
  }
}

variable "protect_data" {
  description = "Refuse to destroy the tables, and the bucket while there is anything in it."
  type        = bool
}

variable "kms_key_arn" {
  description = "The KMS key that tables and bucket are encrypted with; null for keys that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}
