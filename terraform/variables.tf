# What has to be given. The rest, with its defaults, stands in variables-*.tf.

variable "environment" {
  description = "The environment, as in dev or prod; part of every name, and a tag."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,15}$", var.environment)) && !can(regex("--|-$", var.environment))
    error_message = "environment must be 1 to 16 of a-z, 0-9 and single '-', with a letter or digit at both ends."
  }
}

variable "prefix" {
  description = "The organisation, in front of the names of buckets, which are unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,18}[a-z0-9]?$", var.prefix))
    error_message = "prefix must be 1 to 20 of a-z, 0-9 and '-', and begin with a letter or digit."
  }
}

variable "costcenter" {
  description = "Who pays: a tag on everything."
  type        = string
}

variable "poc" {
  description = "Whom to ask, the point of contact: a tag on everything."
  type        = string
}

variable "image" {
  description = "The container image of the programs, by digest: with ingest, notifier and reconciler on its PATH, certificate authorities, and no entrypoint."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must be named by digest, as in 123456789012.dkr.ecr.us-east-1.amazonaws.com/cve-monitor@sha256:… (64 hexadecimal digits)."
  }
}

variable "region" {
  description = "The region that everything is put into."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must look like us-east-1."
  }
}

variable "service" {
  description = "Name of the service, part of every name, and a tag."
  type        = string
  default     = "ecr-cve-monitor"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}$", var.service)) && !can(regex("--|-$", var.service))
    error_message = "service must be 1 to 24 of a-z, 0-9 and single '-', begin with a letter, and not end with '-'."
  }

  validation {
    condition     = length("${var.service}-${var.environment}") <= 32
    error_message = "SERVICE-ENVIRONMENT may have 32 characters together: roles, buckets and the database are named by it."
  }
}

variable "registries" {
  description = "The ECR registries that are watched: by default this account's in this region. Others need modules/source-account there, whose role stands here."
  type = list(object({
    account_id  = optional(string)
    region      = optional(string)
    role_arn    = optional(string)
    external_id = optional(string)
  }))
  default = [{}]

  validation {
    condition     = length(var.registries) > 0
    error_message = "registries needs one entry at least; [{}] is this account's in this region."
  }

  validation {
    condition     = alltrue([for registry in var.registries : registry.account_id == null ? true : can(regex("^[0-9]{12}$", registry.account_id))])
    error_message = "account_id is 12 digits."
  }

  validation {
    condition     = alltrue([for registry in var.registries : registry.region == null ? true : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", registry.region))])
    error_message = "A registry's region must look like us-east-1."
  }
}

variable "protect_data" {
  description = "Refuse to destroy what holds data; take a last snapshot of the database. Off for trials."
  type        = bool
  default     = true
}

variable "alarm_emails" {
  description = "Who gets the alarms by e-mail; each address has to confirm once."
  type        = set(string)
  default     = []
}

variable "alarm_limits" {
  description = "From where on the programs' own numbers are an alarm: coverage_percent, the least part of a registry's images that has a current report; knowledge_hours since Clair's data changed; feed_minutes for which changes were not followed to their end; round_hours since a registry was compared to the end (null: two rounds of reconcile_schedule and an hour)."
  type = object({
    coverage_percent = optional(number, 99)
    knowledge_hours  = optional(number, 48)
    feed_minutes     = optional(number, 60)
    round_hours      = optional(number)
  })
  default  = {}
  nullable = false
}

variable "kms_key_arn" {
  description = "A KMS key of yours for tables, buckets, database and secrets; null for keys that AWS looks after, which cost nothing."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}
