variable "name" {
  description = "What names begin with."
  type        = string
  default     = "cve-monitor"

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,28}$", var.name))
    error_message = "name must be 1 to 28 letters, digits and '-'."
  }
}

variable "region" {
  description = "The region whose registry is read; the one of the provider that the module is given."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must look like us-east-1."
  }
}

variable "event_bus_arn" {
  description = "The hub's bus: its output event_bus_arn."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:event-bus/", var.event_bus_arn))
    error_message = "event_bus_arn must be the ARN of an event bus."
  }
}

variable "reader_principals" {
  description = "Who may read the registry: the hub's output reader_principals."
  type        = list(string)

  validation {
    condition     = length(var.reader_principals) > 0 && alltrue([for arn in var.reader_principals : can(regex("^arn:[^:]+:iam::[0-9]{12}:role/", arn))])
    error_message = "reader_principals must be ARNs of roles, one at least."
  }
}

variable "external_id" {
  description = "A word that the hub has to give when it assumes the role; the same stands in its registries."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@:/_-]+$", var.external_id)) && length(var.external_id) >= 2 && length(var.external_id) <= 1224
    error_message = "external_id must be 2 to 1224 letters, digits and +=,.@:/_-."
  }
}
