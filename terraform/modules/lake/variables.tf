variable "name" {
  description = "Name of the Athena workgroup, and with '_' for '-' of the Glue database."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]{1,128}$", var.name))
    error_message = "name must be 1 to 128 of a-z, 0-9 and '-'."
  }
}

variable "report_bucket" {
  description = "Name of the bucket of reports."
  type        = string

  validation {
    condition     = length(var.report_bucket) <= 63
    error_message = "report_bucket must be 63 characters at most; shorten prefix, service or environment."
  }
}

variable "results_bucket" {
  description = "Name of the bucket of Athena's results, which are kept for a week."
  type        = string

  validation {
    condition     = var.results_bucket != var.report_bucket
    error_message = "results_bucket must be another than report_bucket: Athena would read its own results as reports."
  }
}

variable "protect_data" {
  description = "Refuse to destroy the reports."
  type        = bool
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

variable "report_days" {
  description = "Days for which reports are kept; null for ever."
  type        = number
  default     = null

  validation {
    condition     = var.report_days == null ? true : var.report_days >= 1
    error_message = "report_days must be 1 or more."
  }
}

variable "first_year" {
  description = "The first year of which there are reports; Athena looks at this and the 15 years after it."
  type        = number
  default     = 2025

  validation {
    condition     = var.first_year >= 2015 && var.first_year <= 2100 && floor(var.first_year) == var.first_year
    error_message = "first_year must be a year from 2015 to 2100."
  }
}

variable "max_gib_per_query" {
  description = "A query that would read more GiB than this is stopped."
  type        = number
  default     = 100

  validation {
    condition     = var.max_gib_per_query >= 1
    error_message = "max_gib_per_query must be 1 or more."
  }
}
