variable "launch_type" {
  description = "FARGATE or EC2. By default EC2 where ecs_ami_id, key_name or number_of_ecs_instances is given, else FARGATE."
  type        = string
  default     = null

  validation {
    condition     = var.launch_type == null ? true : contains(["FARGATE", "EC2"], var.launch_type)
    error_message = "launch_type must be FARGATE or EC2."
  }
}

variable "existing_cluster" {
  description = "Name of an ECS cluster to use instead of a new one; it needs Container Insights. With launch_type EC2 its own instances are used."
  type        = string
  default     = null
}

variable "ecs_ami_id" {
  description = "AMI of the instances; null for the one that AWS recommends for ECS."
  type        = string
  default     = null

  validation {
    condition     = var.ecs_ami_id == null ? true : can(regex("^ami-[0-9a-f]+$", var.ecs_ami_id))
    error_message = "ecs_ami_id must look like ami-0123456789abcdef0."
  }
}

variable "key_name" {
  description = "EC2 key pair of the instances; null for none (Session Manager works without)."
  type        = string
  default     = null
}

variable "instance_type" {
  description = "Type of the instances."
  type        = string
  default     = "m7i.xlarge"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type must look like m7i.xlarge."
  }
}

variable "number_of_ecs_instances" {
  description = "How many instances there are; 2 where launch_type EC2 is asked for without a number."
  type        = number
  default     = null

  validation {
    condition     = var.number_of_ecs_instances == null ? true : var.number_of_ecs_instances >= 1
    error_message = "number_of_ecs_instances must be 1 or more."
  }
}

variable "number_of_clair_instances" {
  description = "Exactly so many tasks of Clair; null lets the backlog decide, up to scaling.max_clair."
  type        = number
  default     = null

  validation {
    condition     = var.number_of_clair_instances == null ? true : var.number_of_clair_instances >= 1
    error_message = "number_of_clair_instances must be 1 or more."
  }
}

variable "number_of_scanners" {
  description = "Exactly so many tasks of ingest; null lets the backlog decide, up to scaling.scanners_per_clair for each task of Clair."
  type        = number
  default     = null

  validation {
    condition     = var.number_of_scanners == null ? true : var.number_of_scanners >= 1
    error_message = "number_of_scanners must be 1 or more."
  }
}

variable "scaling" {
  description = "How the backlog decides: tasks of Clair at most, tasks of ingest for each of them at most, and waiting images for each task of ingest."
  type = object({
    max_clair           = optional(number, 2)
    scanners_per_clair  = optional(number, 8)
    backlog_per_scanner = optional(number, 20)
  })
  default = {}

  validation {
    condition     = alltrue([for value in values(var.scaling) : value >= 1 && floor(value) == value])
    error_message = "The values of scaling are whole numbers, 1 or more."
  }
}

variable "clair_image" {
  description = "The image of Clair 4."
  type        = string
  default     = "quay.io/projectquay/clair:4.9.0"

  validation {
    condition     = can(regex("[:@]", var.clair_image))
    error_message = "clair_image needs a tag or a digest."
  }
}

variable "files_image" {
  description = "A small image with a POSIX shell. It writes the configuration of a task before its program starts."
  type        = string
  default     = "public.ecr.aws/docker/library/busybox:1.37"

  validation {
    condition     = can(regex("[:@]", var.files_image))
    error_message = "files_image needs a tag or a digest."
  }
}

variable "clair_size" {
  description = "CPU units, MiB and, on Fargate, GiB of disk for each task of Clair. The disk has to hold the largest image twice, unpacked."
  type = object({
    cpu    = optional(number, 2048)
    memory = optional(number, 8192)
    disk   = optional(number, 100)
  })
  default = {}
}

variable "worker_size" {
  description = "CPU units and MiB for each task of ingest, notifier and reconciler."
  type = object({
    cpu    = optional(number, 256)
    memory = optional(number, 512)
  })
  default = {}
}

variable "reconcile_schedule" {
  description = "When the registries are compared with what is known: rate(…) or cron(…), in UTC."
  type        = string
  default     = "rate(6 hours)"

  validation {
    condition = anytrue([
      can(regex("^rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)$", var.reconcile_schedule)),
      can(regex("^cron\\(${local.cron.minute} ${local.cron.hour} (${local.cron.day} ${local.cron.month} \\?|\\? ${local.cron.month} ${local.cron.weekday}) ${local.cron.year}\\)$", var.reconcile_schedule)),
    ])
    error_message = "reconcile_schedule must be rate(N minutes|hours|days) or cron(minute hour day month weekday year), with ? for the day or for the weekday, and values that exist."
  }
}

variable "log_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30
}
