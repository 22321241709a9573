//! How AWS is reached: the SDK's configuration, loaded once and handed to every adapter.

mod init;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use futures::FutureExt as _;
use tokio::sync::OnceCell;

use super::WiringError;
use crate::config;

pub use init::{Made, Resources};

/// How often a call is tried, with the SDK's backoff in between. Lasting trouble is for the adapters and the pipelines.
const MAX_ATTEMPTS: u32 = 5;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an attempt may wait for the first byte of its answer, the sending included: longer than the longest poll of
/// SQS (20 s), and enough for the longest body (256 MiB) at 5 MiB a second.
const READ: Duration = Duration::from_secs(60);
/// How long a call may take with all its attempts.
const OPERATION: Duration = Duration::from_secs(300);

/// The SDK's configuration, loaded by the first who needs it. Credentials are looked up with the first call.
#[derive(Debug)]
pub(super) struct Aws {
    settings: config::Aws,
    loaded: OnceCell<SdkConfig>,
}

impl Aws {
    pub(super) fn new(settings: config::Aws) -> Self {
        Self { settings, loaded: OnceCell::new() }
    }

    /// For queues, tables and buckets, which are in one region.
    pub(super) async fn in_region(&self) -> Result<&SdkConfig, WiringError> {
        let sdk = self.anywhere().await;
        match sdk.region() {
            Some(_) => Ok(sdk),
            None => {
                Err(WiringError::of("no region of AWS is known: set aws.region, or the variable AWS_REGION"))
            }
        }
    }

    /// For who brings a region.
    pub(super) async fn anywhere(&self) -> &SdkConfig {
        self.loaded.get_or_init(|| load(&self.settings)).await
    }
}

/// The version of the SDK's behaviour is named: an update of the SDK changes nothing silently.
async fn load(settings: &config::Aws) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).operation_timeout(OPERATION);
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .timeout_config(timeouts.build());
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url.as_str());
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    // The SDK's futures are nested so deep that a compiler gives up on those that hold them.
    loader.load().boxed().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_configuration_says_wins_and_nothing_waits_for_ever() {
        let settings = config::Aws {
            region: Some("eu-central-1".to_owned()),
            endpoint_url: Some("http://127.0.0.1:1".parse().unwrap()),
            profile: None,
        };
        let aws = Aws::new(settings);
        let sdk = aws.in_region().await.unwrap();
        assert_eq!(sdk.region().map(Region::as_ref), Some("eu-central-1"));
        assert_eq!(sdk.endpoint_url(), Some("http://127.0.0.1:1/"));
        assert_eq!(sdk.retry_config().map(RetryConfig::max_attempts), Some(MAX_ATTEMPTS));
        let timeouts = sdk.timeout_config().unwrap();
        assert!(timeouts.connect_timeout().is_some() && timeouts.operation_timeout().is_some());
        assert!(timeouts.read_timeout() > Some(Duration::from_secs(20)), "a poll of SQS takes that long");
    }
}
