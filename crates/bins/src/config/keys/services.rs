//! Keys of the services.

use super::{Key, Kind, NO, key};

pub(super) const SERVICES: &[Key] = &[
    key("ingest.concurrency", Kind::Count, Some("4"), "How many images are worked on at once."),
    key(
        "ingest.lease",
        Kind::Duration,
        Some("\"2m\""),
        "How long a message is kept from other workers before it is handed out again; it is extended while work goes on.",
    ),
    key("ingest.wait", Kind::Duration, Some("\"20s\""), "How long one look into an empty queue lasts."),
    key(
        "watch.listen",
        Kind::Address,
        Some("\"127.0.0.1:8080\""),
        "Where push notifications of registries are received.",
    ),
    key(
        "watch.poll",
        Kind::Duration,
        Some("\"60s\""),
        "How often the registries are looked at for what no notification announced.",
    ),
    key(
        "watch.webhook_token_file",
        Kind::Path,
        None,
        "A file that holds the bearer token that notifications must carry. Without it everyone who can connect may send them.",
    ),
    key(
        "reconcile.every",
        Kind::Duration,
        Some("\"6h\""),
        "How often the registries are compared with what is known.",
    ),
    key(
        "reconcile.sweep_after",
        Kind::Duration,
        Some("\"7d\""),
        "An image that nothing has verified for so long is assessed again.",
    ),
    key(
        "reconcile.lists_per_second",
        Kind::Count,
        Some("10"),
        "How many pages of listings are asked for in a second, at most.",
    ),
    key(
        "retention.report_bodies",
        Kind::Duration,
        Some("\"90d\""),
        "SQLite store: how long superseded report bodies are kept; the latest of each image is always kept. Nothing is removed from a bucket.",
    ),
    key(
        "retention.dead_letters",
        Kind::Duration,
        Some("\"30d\""),
        "SQLite queue: how long requests that were given up are kept. SQS keeps them as long as their queue says, at most 14 days.",
    ),
    key(
        "health.listen",
        Kind::Address,
        None,
        "Where health and metrics are served. Not served if not given.",
    ),
    key(
        "metrics.cloudwatch",
        Kind::Flag,
        NO,
        "Print numbers for CloudWatch on the standard output, in its Embedded Metric Format: CloudWatch Logs makes metrics of them.",
    ),
    key("metrics.namespace", Kind::Text, Some("\"cve-monitor\""), "CloudWatch's namespace for them."),
    key("metrics.every", Kind::Duration, Some("\"60s\""), "How often CloudWatch is told."),
    key("log.format", Kind::Text, Some("\"text\""), "\"text\" or \"json\"."),
    key(
        "log.level",
        Kind::Text,
        Some("\"info\""),
        "\"error\", \"warn\", \"info\", \"debug\", \"trace\", or directives as in \"info,cve_monitor_core=debug\".",
    ),
];
