variable "prefix" {
  description = "What the names of the queues, rules and the bus begin with; the programs are given the same."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,40}$", var.prefix))
    error_message = "prefix must be 1 to 40 letters, digits and '-'."
  }
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string

  validation {
    condition     = startswith(var.partition, "aws")
    error_message = "partition must be aws, aws-cn, aws-us-gov or another that begins with aws."
  }
}

variable "accept_forwarded" {
  description = "Make an event bus to which other accounts and regions forward what ECR announces there (see modules/source-account)."
  type        = bool
  default     = false

  validation {
    condition     = !var.accept_forwarded || length(var.forwarding_accounts) > 0
    error_message = "accept_forwarded needs forwarding_accounts: a bus without them could not be written to by anyone."
  }
}

variable "forwarding_accounts" {
  description = "The accounts that may put ECR's events on that bus; this account too, where it forwards from another region."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.forwarding_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "forwarding_accounts are account ids of 12 digits."
  }
}

variable "visibility_timeout" {
  description = "Seconds for which a message that was taken is hidden; the workers set their own lease and extend it."
  type        = number
  default     = 120

  validation {
    condition     = var.visibility_timeout >= 30 && var.visibility_timeout <= 43200
    error_message = "visibility_timeout must be from 30 to 43200 seconds."
  }
}
