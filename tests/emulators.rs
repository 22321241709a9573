//! What stands in for AWS, raised once for all tests of a process. It ends with the process, however that ends.

use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use xtask::aws::Emulator;

/// The region that tests work in.
pub(crate) const REGION: &str = "eu-west-1";

/// The configuration for an emulator that all tests share: each takes names of its own. Or what this machine lacks to
/// raise it; one that does not start is no such lack.
pub(crate) async fn config(emulator: Emulator) -> Result<SdkConfig, String> {
    // Raising blocks, for half a minute where something has to be fetched.
    let raised = tokio::task::spawn_blocking(move || {
        let installed = emulator.install(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))?;
        Ok::<_, String>(emulator.shared(&installed).unwrap_or_else(|problem| panic!("{problem}")))
    });
    Ok(config_for(&raised.await.expect("it starts")?).await)
}

/// The configuration for an endpoint that takes any credentials.
pub(crate) async fn config_for(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("testing", "testing", None, None, "tests"))
        .load()
        .await
}
