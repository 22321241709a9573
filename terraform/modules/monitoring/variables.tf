variable "name" {
  description = "Name of the dashboard, and what names of alarms begin with."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,100}$", var.name))
    error_message = "name must be 1 to 100 letters, digits, '_' and '-'."
  }
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string
}

variable "region" {
  description = "Region of the metrics."
  type        = string
}

variable "namespace" {
  description = "CloudWatch's namespace of the programs' own metrics: metrics.namespace of their configuration."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-][A-Za-z0-9._/#:-]{0,254}$", var.namespace)) && !startswith(var.namespace, "AWS/")
    error_message = "namespace must be 1 to 255 letters, digits and .-_/#: that begin neither with AWS/ nor with a colon."
  }
}

variable "limits" {
  description = "From where on the programs' own numbers are an alarm: coverage_percent, the least part of a registry's images that has a current report; hours since Clair's data changed; minutes for which changes were not followed to their end; hours since a registry was compared to the end."
  type = object({
    coverage_percent = optional(number, 99)
    knowledge_hours  = optional(number, 48)
    feed_minutes     = optional(number, 60)
    round_hours      = optional(number, 13)
  })
  default = {}

  validation {
    condition     = var.limits.coverage_percent > 0 && var.limits.coverage_percent <= 100
    error_message = "limits.coverage_percent must be above 0 and at most 100."
  }

  validation {
    condition     = var.limits.knowledge_hours >= 1 && var.limits.feed_minutes >= 10 && var.limits.round_hours >= 1
    error_message = "limits: knowledge_hours and round_hours must be 1 or more, feed_minutes 10 or more."
  }
}

variable "queues" {
  description = "Names of the queues, by lane."
  type        = map(string)
}

variable "dead_queues" {
  description = "Names of the dead letters' queues, by lane."
  type        = map(string)
}

variable "oldest_minutes" {
  description = "Minutes, by lane, after which a waiting request is an alarm."
  type        = map(number)
  default     = { push = 60, change = 240 }

  validation {
    condition     = alltrue([for lane in keys(var.oldest_minutes) : contains(["push", "change", "backfill"], lane)]) && alltrue([for minutes in values(var.oldest_minutes) : minutes >= 1])
    error_message = "oldest_minutes has the keys push, change and backfill, and values of 1 or more."
  }
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "services" {
  description = "Names of the ECS services of which one task at least has to run."
  type        = map(string)
}

variable "rules" {
  description = "The EventBridge rules; bus is null for the default bus."
  type        = map(object({ name = string, bus = optional(string) }))
}

variable "tables" {
  description = "Names of the DynamoDB tables."
  type        = list(string)
}

variable "database_identifier" {
  description = "Clair's database."
  type        = string
}

variable "emails" {
  description = "Who gets the alarms; each address has to confirm once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "emails must be e-mail addresses."
  }
}
