# What another account or region gives: events to the hub's bus, and the right to read images.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "210987654321" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::210987654321:role/mock" }
  }
}

variables {
  region            = "eu-west-1"
  event_bus_arn     = "arn:aws:events:us-east-1:123456789012:event-bus/hub"
  reader_principals = ["arn:aws:iam::123456789012:role/ingest", "arn:aws:iam::123456789012:role/reconciler"]
  external_id       = "cve-monitor-dev"
}

run "the_hub_may_read_and_is_told" {
  command = apply

  module {
    source = "./modules/source-account"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this.event_pattern) == { source = ["aws.ecr"], detail-type = ["ECR Image Action", "ECR Replication Action", "ECR Pull Through Cache Action"] }
    error_message = "All that the hub's rules look for is forwarded; the hub chooses."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == var.event_bus_arn && aws_cloudwatch_event_target.this.role_arn == "arn:aws:iam::210987654321:role/mock"
    error_message = "To the hub's bus, by a role, which buses of other accounts need."
  }

  assert {
    condition = toset(data.aws_iam_policy_document.reader.statement[0].actions) == toset([
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer",
    ])
    error_message = "Reading images, and nothing else."
  }

  assert {
    condition     = data.aws_iam_policy_document.reader.statement[0].resources == toset(["arn:aws:ecr:eu-west-1:210987654321:repository/*"])
    error_message = "Of this account in this region."
  }

  assert {
    condition = (
      one(data.aws_iam_policy_document.reader_trust.statement[0].condition).variable == "sts:ExternalId" &&
      one(data.aws_iam_policy_document.reader_trust.statement[0].condition).values == tolist(["cve-monitor-dev"]) &&
      one(data.aws_iam_policy_document.reader_trust.statement[0].principals).identifiers == toset(var.reader_principals)
    )
    error_message = "Only the hub's programs, and only with the external id."
  }
}

run "nonsense_is_refused" {
  command = plan

  module {
    source = "./modules/source-account"
  }

  variables {
    event_bus_arn     = "hub"
    reader_principals = ["*"]
    external_id       = "a b"
  }

  expect_failures = [var.event_bus_arn, var.reader_principals, var.external_id]
}
