variable "name" {
  description = "Name of the service within the stack, of its container, and in DNS where it has a port."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name must be 1 to 20 of a-z, 0-9 and '-', and begin with a letter."
  }
}

variable "stack" {
  description = "What names begin with."
  type        = string

  validation {
    condition     = length(var.stack) > 0 && length("${var.stack}-${var.name}-execution") <= 64
    error_message = "stack is too long: STACK-NAME-execution, the name of a role, may have 64 characters."
  }
}

variable "region" {
  description = "Region of the logs."
  type        = string
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string
}

variable "cluster_arn" {
  description = "ARN of the ECS cluster."
  type        = string
}

variable "cluster_name" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "launch_type" {
  description = "FARGATE or EC2."
  type        = string

  validation {
    condition     = contains(["FARGATE", "EC2"], var.launch_type)
    error_message = "launch_type must be FARGATE or EC2."
  }
}

variable "capacity" {
  description = "Capacity providers; empty where the launch type alone decides."
  type        = list(object({ name = string, base = number, weight = number }))
  default     = []
}

variable "subnet_ids" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the tasks."
  type        = list(string)
}

variable "image" {
  description = "Container image."
  type        = string

  validation {
    condition     = length(var.image) > 0
    error_message = "image must not be empty."
  }
}

variable "command" {
  description = "Command; null for the image's own."
  type        = list(string)
  default     = null
}

variable "cpu" {
  description = "CPU units; 1024 are one vCPU."
  type        = number

  validation {
    condition     = var.launch_type == "EC2" ? var.cpu >= 128 : contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate has tasks of 256, 512, 1024, 2048, 4096, 8192 and 16384 CPU units."
  }
}

variable "memory" {
  description = "MiB of memory. On Fargate only certain pairs of CPU and memory exist."
  type        = number

  validation {
    condition = var.launch_type == "EC2" ? var.memory >= 128 : contains(try({
      256   = tolist([512, 1024, 2048])
      512   = range(1024, 4097, 1024)
      1024  = range(2048, 8193, 1024)
      2048  = range(4096, 16385, 1024)
      4096  = range(8192, 30721, 1024)
      8192  = range(16384, 61441, 4096)
      16384 = range(32768, 122881, 8192)
    }[tostring(var.cpu)], []), var.memory)
    error_message = "Fargate has no task of ${var.cpu} CPU units with ${var.memory} MiB; see the table of task sizes in the ECS guide."
  }
}

variable "ephemeral_gib" {
  description = "GiB of Fargate's ephemeral storage, 21 to 200; null for the 20 that cost nothing."
  type        = number
  default     = null

  validation {
    condition     = var.ephemeral_gib == null ? true : var.ephemeral_gib >= 21 && var.ephemeral_gib <= 200
    error_message = "ephemeral_gib must be from 21 to 200."
  }
}

variable "readonly_root" {
  description = "Whether the program cannot write to its image's file system."
  type        = bool
  default     = true
}

variable "port" {
  description = "A port by which others reach the service, at NAME in the namespace; null for none."
  type        = number
  default     = null

  validation {
    condition     = var.port == null ? true : var.port >= 1 && var.port <= 65535
    error_message = "port must be from 1 to 65535."
  }
}

variable "namespace_id" {
  description = "Cloud Map namespace; needed with a port."
  type        = string
  default     = null
}

variable "environment" {
  description = "Variables of the program."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Variables of the program that come from Secrets Manager: name to ARN."
  type        = map(string)
  default     = {}
}

variable "files" {
  description = "Files for the program: path below files_folder to text."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for path in keys(var.files) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", path)) && !strcontains(path, "..")])
    error_message = "Paths of files are relative, of letters, digits and ./_-"
  }

  validation {
    condition     = alltrue([for text in values(var.files) : length(text) <= 16384])
    error_message = "A file may have 16 KiB: it travels in the task definition, which may have 64."
  }
}

variable "secret_files" {
  description = "Files with a secret: path below files_folder to a text in which %s is where the secret stands, and the secret's ARN."
  type        = map(object({ text = string, secret = string }))
  default     = {}

  validation {
    condition     = alltrue([for path in keys(var.secret_files) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", path)) && !strcontains(path, "..")])
    error_message = "Paths of files are relative, of letters, digits and ./_-"
  }

  validation {
    condition     = alltrue([for file in values(var.secret_files) : length(regexall("%", file.text)) == 1 && strcontains(file.text, "%s")])
    error_message = "The text of a file with a secret has %s once, and no other %."
  }
}

variable "files_folder" {
  description = "Where the files lie."
  type        = string
  default     = "/config"

  validation {
    condition     = can(regex("^/[A-Za-z0-9._/-]+$", var.files_folder))
    error_message = "files_folder must be an absolute path of letters, digits and ./_-"
  }
}

variable "files_image" {
  description = "An image with a POSIX shell, which writes the files."
  type        = string
  default     = null

  validation {
    condition     = var.files_image != null || length(var.files) + length(var.secret_files) == 0
    error_message = "files need files_image."
  }
}

variable "policy" {
  description = "IAM policy of the program, an object so that whether there is one is known before its text; null for none."
  type        = object({ json = string })
  default     = null
}

variable "kms_key_arn" {
  description = "The KMS key of the secrets; null for the one that AWS manages."
  type        = string
  default     = null
}

variable "health" {
  description = "A command that tells whether the program is well, and the seconds after the start in which its word does not count."
  type        = object({ command = list(string), grace = number })
  default     = null

  validation {
    condition     = var.health == null ? true : contains(["CMD", "CMD-SHELL"], var.health.command[0]) && var.health.grace >= 0 && var.health.grace <= 300
    error_message = "health.command must begin with CMD or CMD-SHELL, and health.grace must be from 0 to 300."
  }
}

variable "tasks" {
  description = "How many tasks run, at least and at most; null for a task definition without a service."
  type        = object({ min = number, max = number })
  default     = null

  validation {
    condition     = var.tasks == null ? true : var.tasks.min >= 1 && var.tasks.max >= var.tasks.min
    error_message = "tasks needs 1 <= min <= max."
  }
}

variable "backlog" {
  description = "The queues whose messages decide how many tasks run, and how many messages one task is for."
  type        = object({ queues = list(string), per_task = number })
  default     = null

  validation {
    condition     = var.backlog == null ? true : length(var.backlog.queues) > 0 && var.backlog.per_task >= 1
    error_message = "backlog needs a queue, and per_task of 1 or more."
  }
}

variable "log_days" {
  description = "Days for which logs are kept; one of CloudWatch's choices."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days must be one of CloudWatch's choices: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, …"
  }
}
