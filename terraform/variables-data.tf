variable "db_instance_class" {
  description = "Instance class of Clair's database."
  type        = string
  default     = "db.t4g.medium"
}

variable "db_allocated_storage" {
  description = "GiB of Clair's database to begin with; it grows by itself to four times that."
  type        = number
  default     = 50
}

variable "db_multi_az" {
  description = "Keep a standby of Clair's database in another zone."
  type        = bool
  default     = false
}

variable "report_days" {
  description = "Days for which reports are kept in the lake; null for ever."
  type        = number
  default     = null
}

variable "first_report_year" {
  description = "The first year of which there are reports; Athena looks at this and the 15 years after it."
  type        = number
  default     = 2025
}

variable "generate_secrets" {
  description = "Let Secrets Manager make Clair's password and key. Off: db_password and clair_psk are given with every run. Neither way are they in the plan or the state."
  type        = bool
  default     = true
}

variable "db_password" {
  description = "Password of Clair's database, with generate_secrets off. Written only when secrets_revision changes."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.generate_secrets ? var.db_password == null : can(regex("^[A-Za-z0-9_-]{16,128}$", var.db_password))
    error_message = "With generate_secrets off, db_password must be 16 to 128 letters, digits, '_' and '-'; else leave it out."
  }
}

variable "clair_psk" {
  description = "Clair's key, 32 bytes or more in base64, with generate_secrets off. Written only when secrets_revision changes."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.generate_secrets ? var.clair_psk == null : can(regex("^[A-Za-z0-9+/]{43,}={0,2}$", var.clair_psk)) && length(coalesce(var.clair_psk, "x")) % 4 == 0
    error_message = "With generate_secrets off, clair_psk must be 32 bytes or more in base64; else leave it out."
  }
}

variable "secrets_revision" {
  description = "Raised by one to write another password and key; the services have to be deployed again afterwards."
  type        = number
  default     = 1
}
