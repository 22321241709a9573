//! Makes what the configuration names on AWS: for a trial. For real there are the terraform modules.

use cve_monitor_adapters::aws::Created;
use cve_monitor_adapters::aws::dynamodb::{create_tables, table_names};
use cve_monitor_adapters::aws::s3::create_bucket;
use cve_monitor_adapters::aws::sqs_queue::create_queues;
use cve_monitor_adapters::aws::trouble::{Kind, Trouble};
use cve_monitor_core::vocabulary::Lane;
use futures::FutureExt as _;

use super::super::WiringError;
use super::Aws;
use crate::config::{Config, Queue, Reports, StoreAt};

/// Queues, tables and buckets of a configuration.
#[derive(Debug)]
pub struct Resources<'a> {
    config: &'a Config,
}

/// What came of one kind of them.
#[derive(Debug)]
pub struct Made {
    /// "queue", "table" or "bucket".
    pub kind: &'static str,
    /// Those that are there now, and whether they were before; or why not all of them are.
    pub made: Result<Vec<Created>, WiringError>,
}

impl<'a> Resources<'a> {
    /// Those of this configuration.
    #[must_use]
    pub fn of(config: &'a Config) -> Self {
        Self { config }
    }

    /// Their kinds and names; nothing is asked.
    #[must_use]
    pub fn names(&self) -> Vec<(&'static str, String)> {
        let mut names = vec![];
        if let Some(prefix) = self.queues() {
            let lanes = Lane::ALL.into_iter().flat_map(|lane| [lane.to_string(), format!("{lane}-dead")]);
            names.extend(lanes.map(|name| ("queue", format!("{prefix}-{name}"))));
        }
        if let Some(prefix) = self.tables() {
            names.extend(table_names(prefix).into_iter().map(|name| ("table", name)));
        }
        names.extend(self.buckets().into_iter().map(|name| ("bucket", name.to_owned())));
        names
    }

    /// Makes those that are missing; one kind that cannot be made keeps no other from being made.
    ///
    /// # Errors
    /// Where no region is known.
    pub async fn make(&self) -> Result<Vec<Made>, WiringError> {
        let aws = Aws::new(self.config.aws.clone());
        let sdk = aws.in_region().await?;
        let mut all = vec![];
        if let Some(prefix) = self.queues() {
            all.push(made("queue", create_queues(sdk, prefix).boxed().await));
        }
        if let Some(prefix) = self.tables() {
            all.push(made("table", create_tables(sdk, prefix).boxed().await));
        }
        for bucket in self.buckets() {
            all.push(made("bucket", create_bucket(sdk, bucket).boxed().await.map(|created| vec![created])));
        }
        Ok(all)
    }

    fn queues(&self) -> Option<&'a str> {
        match &self.config.queue {
            Queue::Sqlite => None,
            Queue::Sqs { prefix } => Some(prefix),
        }
    }

    fn tables(&self) -> Option<&'a str> {
        match &self.config.store.at {
            StoreAt::Sqlite => None,
            StoreAt::DynamoDb { table_prefix, .. } => Some(table_prefix),
        }
    }

    /// Each once: the archive and the reports may share one.
    fn buckets(&self) -> Vec<&'a str> {
        let archive = match &self.config.store.at {
            StoreAt::Sqlite => None,
            StoreAt::DynamoDb { archive, .. } => Some(archive.name.as_str()),
        };
        let reports = match &self.config.reports {
            Reports::Folder(_) => None,
            Reports::S3(bucket) => Some(bucket.name.as_str()),
        };
        archive.into_iter().chain(reports.filter(|reports| Some(*reports) != archive)).collect()
    }
}

fn made(kind: &'static str, made: Result<Vec<Created>, Trouble>) -> Made {
    let told = |trouble: Trouble| match trouble.kind {
        Kind::Throttled | Kind::Transient => WiringError::away(trouble),
        Kind::Denied => WiringError::of(format!(
            "{trouble}; allow that action, or let somebody who may apply the terraform modules"
        )),
        Kind::Refused => WiringError::of(trouble),
    };
    Made { kind, made: made.map_err(told) }
}
