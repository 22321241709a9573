locals {
  # The one definition of the tables; the programs that make them without terraform read the same.
  tables = { for table in jsondecode(file("${path.module}/tables.json")).tables : table.name => table }

  # Every attribute that is a key of the table or of one of its indexes, once.
  attributes = {
    for name, table in local.tables : name => merge([
      for keys in concat([table], table.indexes) : {
        (keys.hash_key.name)  = keys.hash_key.type
        (keys.range_key.name) = keys.range_key.type
      }
    ]...)
  }
}

resource "aws_dynamodb_table" "this" {
  for_each                    = local.tables
  name                        = "${var.prefix}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash_key.name
  range_key                   = each.value.range_key.name
  deletion_protection_enabled = var.protect_data

  dynamic "attribute" {
    for_each = local.attributes[each.key]

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name            = global_secondary_index.value.name
      hash_key        = global_secondary_index.value.hash_key.name
      range_key       = global_secondary_index.value.range_key.name
      projection_type = global_secondary_index.value.projection
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  # Without a key of one's own the tables are encrypted with one that AWS owns, which costs nothing.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

# Bodies of reports and documents that events name by their hash. Nothing is ever overwritten; versions guard against deletion.
module "archive" {
  source = "../bucket"

  name         = var.archive_bucket
  protect_data = var.protect_data
  versioned    = var.protect_data
  kms_key_arn  = var.kms_key_arn
}
