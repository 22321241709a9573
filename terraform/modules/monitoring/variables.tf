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
