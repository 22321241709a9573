//! Keys of where things are kept.

use super::{Key, Kind, NO, key};

pub(super) const STORAGE: &[Key] = &[
    key(
        "store.kind",
        Kind::Text,
        Some("\"sqlite\""),
        "Where events, the index of layers and the bodies of reports are kept: \"sqlite\" (in store.path) or \"dynamodb\" (tables, and a bucket for the bodies).",
    ),
    key(
        "store.path",
        Kind::Path,
        None,
        "The SQLite file of all that keeps something in one: this store, the queue, the scanner inside. Its folder is made where it is missing.",
    ),
    key(
        "store.one_machine",
        Kind::Flag,
        NO,
        "Your word that ingest, notifier and reconciler all run on this machine: needed where a part of what they share is on AWS, and the rest is a file or a folder here.",
    ),
    key(
        "store.table_prefix",
        Kind::Text,
        Some("\"cve-monitor\""),
        "DynamoDB: the tables are PREFIX-events, PREFIX-heads and PREFIX-layer-index. At most 60 letters, digits, - and _.",
    ),
    key(
        "store.archive_bucket",
        Kind::Text,
        None,
        "DynamoDB: the bucket that holds the bodies of reports. Required there.",
    ),
    key(
        "store.kms_key",
        Kind::Text,
        None,
        "DynamoDB: the KMS key (id, ARN or alias) that bodies are encrypted with. The bucket's own setting if not given.",
    ),
    key(
        "queue.kind",
        Kind::Text,
        Some("\"sqlite\""),
        "Where requests wait: \"sqlite\" (in store.path) or \"sqs\".",
    ),
    key(
        "queue.prefix",
        Kind::Text,
        Some("\"cve-monitor\""),
        "SQS: the queues are PREFIX-push, PREFIX-change, PREFIX-backfill, each with one that ends in -dead. At most 60 letters, digits, - and _.",
    ),
    key(
        "reports.kind",
        Kind::Text,
        Some("\"folder\""),
        "Where reports are delivered to: \"folder\" or \"s3\".",
    ),
    key("reports.folder", Kind::Path, None, "Folder: the folder."),
    key("reports.bucket", Kind::Text, None, "S3: the bucket. Required there."),
    key(
        "reports.kms_key",
        Kind::Text,
        None,
        "S3: the KMS key (id, ARN or alias) that reports are encrypted with. The bucket's own setting if not given.",
    ),
    key(
        "aws.region",
        Kind::Text,
        None,
        "The region of queues, tables and buckets. What the AWS SDK finds (AWS_REGION, its files, the instance) if not given.",
    ),
    key(
        "aws.endpoint_url",
        Kind::Text,
        None,
        "One address in place of those of AWS, for an emulator: scheme, host and port.",
    ),
    key("aws.insecure", Kind::Flag, NO, "Allow plain HTTP to another machine as aws.endpoint_url."),
    key(
        "aws.profile",
        Kind::Text,
        None,
        "A profile of the AWS SDK's files. What the SDK finds (AWS_PROFILE) if not given.",
    ),
];
