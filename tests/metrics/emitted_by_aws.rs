//! Metrics of AWS that alarms and dashboard use, with the dimensions under which AWS emits them. An alarm about a name or a
//! dimension that is not AWS' is accepted, and stays silent for ever.

/// Namespace, name, dimensions in alphabetical order.
pub(crate) type Emitted = (&'static str, &'static str, &'static [&'static str]);

pub(crate) const EMITTED_BY_AWS: &[Emitted] = &[
    // Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS": the one dimension is QueueName.
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", &["QueueName"]),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", &["QueueName"]),
    ("AWS/SQS", "NumberOfMessagesDeleted", &["QueueName"]),
    // Amazon EventBridge User Guide, "Monitoring Amazon EventBridge": RuleName, and with it EventBusName for rules of other buses
    // than the default one.
    ("AWS/Events", "FailedInvocations", &["RuleName"]),
    ("AWS/Events", "FailedInvocations", &["EventBusName", "RuleName"]),
    // Amazon ECS, "Container Insights metrics": by cluster, and by cluster and service.
    ("ECS/ContainerInsights", "RunningTaskCount", &["ClusterName", "ServiceName"]),
    // Amazon RDS User Guide, "Amazon CloudWatch instance-level metrics for Amazon RDS".
    ("AWS/RDS", "CPUUtilization", &["DBInstanceIdentifier"]),
    ("AWS/RDS", "FreeStorageSpace", &["DBInstanceIdentifier"]),
    // Amazon DynamoDB Developer Guide, "DynamoDB metrics and dimensions".
    ("AWS/DynamoDB", "ReadThrottleEvents", &["TableName"]),
    ("AWS/DynamoDB", "WriteThrottleEvents", &["TableName"]),
];
