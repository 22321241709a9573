//! Credentials of a role, for the registries of other accounts.

use std::fmt;

use aws_config::Region;
use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::trouble::{Kind, Trouble, trouble};
use crate::Secret;

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSettings {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy demands as `sts:ExternalId`, where it does.
    pub external_id: Option<Secret>,
    /// The name of the session, as CloudTrail shows it.
    pub session_name: String,
}

/// The same configuration with the credentials of a role, in a region. They are fetched when first needed, and again before
/// they expire; where that fails, the call that needed them fails, and says which role it was.
///
/// STS is asked where `config` says: its endpoint where it names one (all of AWS' services behind one address, as
/// emulators have it), else the region's.
pub async fn assume_role(config: &SdkConfig, role: &RoleSettings, region: &str) -> SdkConfig {
    let region = Region::new(region.to_owned());
    let mut builder = AssumeRoleProvider::builder(&role.arn)
        .configure(config)
        .region(region.clone())
        .session_name(&role.session_name);
    if let Some(id) = &role.external_id {
        builder = builder.external_id(id.expose());
    }
    let provider = Named { arn: role.arn.clone(), provider: builder.build().await };
    let provider = SharedCredentialsProvider::new(provider);
    config.to_builder().region(region).credentials_provider(provider).build()
}

/// Why a role could not be assumed.
#[derive(Debug, thiserror::Error)]
#[error("the role {arn} cannot be assumed ({trouble}); look at its trust policy and at the external id")]
pub(super) struct RoleTrouble {
    arn: String,
    pub(super) trouble: Trouble,
}

struct Named {
    arn: String,
    provider: AssumeRoleProvider,
}

/// The provider's own would print the external id.
impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssumeRole").field("arn", &self.arn).finish_non_exhaustive()
    }
}

impl ProvideCredentials for Named {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.provider.provide_credentials().await.map_err(|error| self.named(&error))
        })
    }
}

impl Named {
    fn named(&self, error: &CredentialsError) -> CredentialsError {
        let asked = std::error::Error::source(error)
            .and_then(|source| source.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
        let trouble = match asked {
            Some(asked) => trouble("AssumeRole", asked),
            // The call was not made: there are no credentials to assume a role with, perhaps not yet.
            None => Trouble {
                kind: Kind::Transient,
                code: String::new(),
                operation: "AssumeRole",
                detail: error.to_string(),
            },
        };
        CredentialsError::provider_error(RoleTrouble { arn: self.arn.clone(), trouble })
    }
}
