# What each program may do: the calls of its adapters on the resources of this stack, and no more. Held against the code, both ways,
# by tests/terraform, where calls.toml says which call needs which right.
locals {
  lanes      = values(module.queues.arns)
  dead       = values(module.queues.dead_arns)
  tables     = module.store.table_arns
  archive    = module.store.archive_bucket_arn
  reports    = module.lake.report_bucket_arn
  own_images = [for registry in local.own : "arn:${local.partition}:ecr:${registry.region}:${registry.account_id}:repository/*"]

  heads        = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], resources = [local.tables.heads] }
  events       = { actions = ["dynamodb:PutItem", "dynamodb:Query"], resources = [local.tables.events] }
  known_queues = { actions = ["sqs:GetQueueUrl"], resources = concat(local.lanes, local.dead) }
  depths       = { actions = ["sqs:GetQueueAttributes"], resources = local.lanes }
  fill_lanes   = { actions = ["sqs:SendMessage"], resources = local.lanes }
  assume       = { actions = ["sts:AssumeRole"], resources = local.by_role }
  key          = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = compact([var.kms_key_arn]) }

  # Without the right to list a bucket S3 says "denied" of an object that is not there.
  read_archive  = { actions = ["s3:GetObject"], resources = ["${local.archive}/*"] }
  write_archive = { actions = ["s3:PutObject"], resources = ["${local.archive}/*"] }
  list_archive  = { actions = ["s3:ListBucket"], resources = [local.archive] }

  grants = {
    ingest = {
      KnownQueues  = local.known_queues
      Depths       = local.depths
      WorkOff      = { actions = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"], resources = local.lanes }
      FillLanes    = local.fill_lanes
      Bury         = { actions = ["sqs:SendMessage"], resources = local.dead }
      Heads        = local.heads
      Events       = local.events
      LayerIndex   = { actions = ["dynamodb:BatchWriteItem"], resources = [local.tables["layer-index"]] }
      ReadArchive  = local.read_archive
      WriteArchive = local.write_archive
      ListArchive  = local.list_archive
      Reports      = { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.reports}/*"] }
      ListReports  = { actions = ["s3:ListBucket"], resources = [local.reports] }
      Images       = { actions = ["ecr:BatchGetImage", "ecr:DescribeImages"], resources = local.own_images }
      Layers       = { actions = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"], resources = local.own_images }
      Assume       = local.assume
      Key          = local.key
    }

    notifier = {
      KnownQueues   = local.known_queues
      Depths        = local.depths
      FillLanes     = local.fill_lanes
      Heads         = local.heads
      DueHeads      = { actions = ["dynamodb:Query"], resources = ["${local.tables.heads}/index/due"] }
      HeadsOfDue    = { actions = ["dynamodb:BatchGetItem"], resources = [local.tables.heads] }
      Events        = local.events
      LayerIndex    = { actions = ["dynamodb:Query"], resources = [local.tables["layer-index"]] }
      ReadArchive   = local.read_archive
      WriteArchive  = local.write_archive
      ForgetArchive = { actions = ["s3:DeleteObject"], resources = ["${local.archive}/*"] }
      ListArchive   = local.list_archive
      Key           = local.key
    }

    reconciler = {
      KnownQueues = local.known_queues
      FillLanes   = { actions = ["sqs:SendMessage"], resources = [module.queues.arns["backfill"]] }
      Heads       = local.heads
      Events      = local.events
      Listings    = { actions = ["ecr:DescribeImages", "ecr:DescribeRepositories"], resources = local.own_images }
      Assume      = local.assume
      Key         = local.key
    }
  }
}

data "aws_iam_policy_document" "worker" {
  for_each = local.grants

  dynamic "statement" {
    for_each = { for sid, grant in each.value : sid => grant if length(grant.resources) > 0 }

    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}
