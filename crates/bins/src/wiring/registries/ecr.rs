//! Registries of ECR, each with its own credentials.

use std::num::NonZeroU32;
use std::sync::Arc;

use cve_monitor_adapters::aws::assume_role::{RoleSettings, assume_role};
use cve_monitor_adapters::aws::ecr_registry::{EcrRegistry, EcrSettings, LayerSource};
use cve_monitor_adapters::oci::Secret;
use cve_monitor_core::ports::Registry;
use cve_monitor_core::vocabulary::RegistryName;
use futures::FutureExt as _;

use super::super::WiringError;
use super::super::aws::Aws;
use crate::config::{Ecr, EcrLayers, Environment};

/// By which CloudTrail of the other account knows us.
const SESSION: &str = "cve-monitor";

/// Nothing is sent yet: a role that is denied is that registry's trouble, once it is asked.
pub(super) async fn registry(
    name: &RegistryName,
    settings: &Ecr,
    aws: &Aws,
    environment: &Environment,
) -> Result<Arc<dyn Registry>, WiringError> {
    let mut sdk = aws.anywhere().await.clone();
    if let Some(url) = &settings.endpoint {
        sdk = sdk.into_builder().endpoint_url(url.as_str()).build();
    }
    if let Some(arn) = &settings.role_arn {
        let role = RoleSettings {
            arn: arn.clone(),
            external_id: settings.external_id.clone().map(Secret::new),
            session_name: SESSION.to_owned(),
        };
        sdk = assume_role(&sdk, &role, &settings.region).boxed().await;
    }
    let mut ecr = EcrSettings::new(name.clone());
    ecr.layers = match settings.layers {
        EcrLayers::Presigned => LayerSource::Presigned,
        EcrLayers::Endpoint => LayerSource::Endpoint,
    };
    ecr.registry_endpoint.clone_from(&settings.url);
    ecr.ca_file.clone_from(&settings.ca_file);
    ecr.allow_private = settings.allow_private;
    ecr.proxy = environment.proxy.clone();
    let given = |budget: &mut NonZeroU32, calls: Option<u32>| {
        // The configuration takes none that is 0.
        *budget = calls.and_then(NonZeroU32::new).unwrap_or(*budget);
    };
    given(&mut ecr.budget.lists_per_second, settings.lists_per_second);
    given(&mut ecr.budget.manifests_per_second, settings.manifests_per_second);
    given(&mut ecr.budget.layers_per_second, settings.layers_per_second);
    Ok(Arc::new(EcrRegistry::new(&sdk, ecr).map_err(WiringError::of)?))
}
