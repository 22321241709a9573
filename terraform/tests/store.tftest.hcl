# The tables and the archive.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  prefix         = "t"
  archive_bucket = "t-archive"
  protect_data   = true
}

run "tables_have_the_keys_that_the_programs_use" {
  command = plan

  module {
    source = "./modules/store"
  }

  assert {
    condition     = output.table_names == { events = "t-events", heads = "t-heads", layer-index = "t-layer-index" }
    error_message = "The tables are PREFIX-events, -heads and -layer-index."
  }

  assert {
    condition = { for name, table in aws_dynamodb_table.this : name => [table.hash_key, table.range_key] } == {
      events      = ["stream", "first"]
      heads       = ["partition", "rest"]
      layer-index = ["key", "image"]
    }
    error_message = "The keys of the tables are those of the adapters."
  }

  assert {
    condition = toset([for attribute in aws_dynamodb_table.this["heads"].attribute : "${attribute.name}:${attribute.type}"]) == toset([
      "partition:S", "rest:S", "due_shard:S", "due_at:N",
    ])
    error_message = "The table of heads declares the keys of its index, too."
  }

  assert {
    condition = one([
      for index in aws_dynamodb_table.this["heads"].global_secondary_index : [index.name, index.hash_key, index.range_key, index.projection_type]
    ]) == ["due", "due_shard", "due_at", "KEYS_ONLY"]
    error_message = "What is due is found by an index that holds keys only."
  }

  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.this :
      table.billing_mode == "PAY_PER_REQUEST" && table.deletion_protection_enabled && table.point_in_time_recovery[0].enabled
    ])
    error_message = "Tables are paid by request, protected, and can be restored to any second."
  }
}

run "a_bucket_is_closed_and_encrypted" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    name         = "t-bucket"
    versioned    = true
    protect_data = true
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "The public is kept out in each of the four ways."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "Everything belongs to the bucket's owner."
  }
}

run "a_trial_can_be_destroyed" {
  command = plan

  module {
    source = "./modules/store"
  }

  variables {
    protect_data = false
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : !table.deletion_protection_enabled])
    error_message = "Without protect_data nothing stands in the way."
  }
}
