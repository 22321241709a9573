locals {
  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.this.name
      awslogs-region        = var.region
      awslogs-stream-prefix = var.name
      mode                  = "non-blocking"
      max-buffer-size       = "25m"
    }
  }

  # Texts and secrets come by variables, numbered: nothing of them has to be quoted for the shell. In a text with a secret, %s is where
  # the secret stands.
  plain  = [for number, path in sort(keys(var.files)) : { path = "${var.files_folder}/${path}", text = "TEXT_${number}" }]
  filled = [for number, path in sort(keys(var.secret_files)) : { path = "${var.files_folder}/${path}", text = "FORM_${number}", secret = "SECRET_${number}" }]

  write = concat(
    ["umask 022"],
    [for folder in distinct([for file in concat(local.plain[*].path, local.filled[*].path) : dirname(file)]) : "mkdir -p '${folder}'"],
    [for file in local.plain : "printf '%s' \"$${${file.text}}\" > '${file.path}'"],
    [for file in local.filled : "printf \"$${${file.text}}\" \"$${${file.secret}}\" > '${file.path}'"],
  )

  writer = !local.has_files ? [] : [{
    name       = "files"
    image      = var.files_image
    essential  = false
    user       = "0"
    entryPoint = ["sh", "-euc"]
    command    = [join("\n", local.write)]
    environment = concat(
      [for number, path in sort(keys(var.files)) : { name = "TEXT_${number}", value = var.files[path] }],
      [for number, path in sort(keys(var.secret_files)) : { name = "FORM_${number}", value = var.secret_files[path].text }],
    )
    secrets          = [for number, path in sort(keys(var.secret_files)) : { name = "SECRET_${number}", valueFrom = var.secret_files[path].secret }]
    mountPoints      = [{ sourceVolume = "files", containerPath = var.files_folder, readOnly = false }]
    logConfiguration = local.log
  }]

  main = merge(
    {
      name                   = var.name
      image                  = var.image
      essential              = true
      environment            = [for name, value in var.environment : { name = name, value = value }]
      secrets                = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
      logConfiguration       = local.log
      stopTimeout            = 120 # what Fargate allows at most: work in flight is handed back
      readonlyRootFilesystem = var.readonly_root
      linuxParameters        = { initProcessEnabled = true }
      portMappings           = var.port == null ? [] : [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
      mountPoints            = !local.has_files ? [] : [{ sourceVolume = "files", containerPath = var.files_folder, readOnly = true }]
      dependsOn              = !local.has_files ? [] : [{ containerName = "files", condition = "SUCCESS" }]
    },
    var.command == null ? {} : { command = var.command },
    var.health == null ? {} : {
      healthCheck = { command = var.health.command, interval = 30, timeout = 5, retries = 3, startPeriod = var.health.grace }
    },
  )
}
