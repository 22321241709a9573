//! Making a bucket.

use aws_config::SdkConfig;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::aws::Created;
use crate::aws::trouble::{Kind, Trouble, trouble};

/// The region that must not be named when a bucket is made there (API reference, `CreateBucket`).
const UNNAMED_REGION: &str = "us-east-1";

/// Makes a bucket in the region of the configuration, where it is not there yet. It is closed to the public and encrypted by
/// S3, as new buckets are.
///
/// # Errors
/// What the service says: `BucketAlreadyExists` where the name is somebody else's.
pub async fn create_bucket(config: &SdkConfig, bucket: &str) -> Result<Created, Trouble> {
    let (client, name) = (super::client(config), bucket.to_owned());
    // Asked first: of one's own bucket, `us-east-1` says that it was made.
    match client.head_bucket().bucket(bucket).send().await {
        Ok(_) => return Ok(Created { name, existed: true }),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => {}
        Err(error) => {
            let problem = trouble("HeadBucket", &error);
            // S3 says no more to those who may not know: somebody else's, most likely.
            let is_foreign = problem.kind == Kind::Denied;
            let hint =
                if is_foreign { "; names of buckets are global: is this one somebody else's?" } else { "" };
            return Err(Trouble { detail: format!("`{bucket}`: {}{hint}", problem.detail), ..problem });
        }
    }
    let mut creation = client.create_bucket().bucket(bucket);
    if let Some(region) = config.region().map(AsRef::as_ref).filter(|region| *region != UNNAMED_REGION) {
        let place = CreateBucketConfiguration::builder();
        let place = place.location_constraint(BucketLocationConstraint::from(region));
        creation = creation.create_bucket_configuration(place.build());
    }
    match creation.send().await {
        Ok(_) => Ok(Created { name, existed: false }),
        Err(error)
            if error.as_service_error().is_some_and(|error| error.is_bucket_already_owned_by_you()) =>
        {
            Ok(Created { name, existed: true })
        }
        Err(error) => {
            let problem = trouble("CreateBucket", &error);
            Err(Trouble { detail: format!("`{bucket}`: {}", problem.detail), ..problem })
        }
    }
}
