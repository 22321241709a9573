//! The configuration of an image (OCI image-spec, config.md): its platform and the digests of its unpacked layers.

use cve_monitor_core::ports::{Registry, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, Platform, RepositoryName, Timestamp};
use futures::TryStreamExt as _;
use serde::Deserialize;

/// The longest configuration that is read, in bytes.
pub const MAX_IMAGE_CONFIG_BYTES: usize = 8 * 1024 * 1024;

/// What is read of an image's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageConfig {
    /// The platform; none where the configuration names no system or no processor.
    pub platform: Option<Platform>,
    /// What the layers hash to once decompressed, base first.
    pub diff_ids: Vec<Digest>,
    /// When the image was built, as it says itself.
    pub created: Option<Timestamp>,
}

/// Why bytes are no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageConfigError {
    /// Longer than [`MAX_IMAGE_CONFIG_BYTES`].
    #[error("the image's configuration is {0} bytes long; at most {MAX_IMAGE_CONFIG_BYTES} are read")]
    TooLong(u64),
    /// Not a configuration.
    #[error("the image's configuration cannot be read: {0}")]
    Malformed(String),
    /// The registry did not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

#[derive(Deserialize)]
struct Wire {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    created: Option<String>,
    rootfs: Option<WireRoot>,
}

#[derive(Deserialize)]
struct WireRoot {
    #[serde(default)]
    diff_ids: Vec<Digest>,
}

/// Reads a configuration.
///
/// # Errors
/// Where it is too long or malformed.
pub fn parse(bytes: &[u8]) -> Result<ImageConfig, ImageConfigError> {
    if bytes.len() > MAX_IMAGE_CONFIG_BYTES {
        return Err(ImageConfigError::TooLong(bytes.len() as u64));
    }
    let wire: Wire = serde_json::from_slice(bytes).map_err(|e| ImageConfigError::Malformed(e.to_string()))?;
    let named = |text: Option<String>| text.filter(|text| !text.is_empty());
    let platform = match (named(wire.os), named(wire.architecture)) {
        (Some(os), Some(architecture)) => Some(Platform { os, architecture, variant: named(wire.variant) }),
        _ => None,
    };
    Ok(ImageConfig {
        platform,
        diff_ids: wire.rootfs.map(|root| root.diff_ids).unwrap_or_default(),
        // A date that makes no sense says nothing about the rest.
        created: wire.created.and_then(|text| text.parse().ok()),
    })
}

/// Fetches and reads the configuration of an image.
///
/// # Errors
/// Where the registry does not give it, or it is too long or malformed.
pub async fn fetch(
    registry: &dyn Registry,
    repository: &RepositoryName,
    config: &Descriptor,
) -> Result<ImageConfig, ImageConfigError> {
    if config.size > MAX_IMAGE_CONFIG_BYTES as u64 {
        return Err(ImageConfigError::TooLong(config.size));
    }
    let mut stream = registry.blob(repository, config).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_IMAGE_CONFIG_BYTES {
            return Err(ImageConfigError::TooLong(bytes.len() as u64));
        }
    }
    parse(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_layers_and_date_are_read_and_the_rest_is_left_alone() {
        let layer = Digest::of(b"layer");
        let json = format!(
            r#"{{"os":"linux","architecture":"arm","variant":"v7","created":"2026-03-01T12:00:00.123456789Z",
                "rootfs":{{"type":"layers","diff_ids":["{layer}"]}},"config":{{"Env":["A=b"]}},"history":[]}}"#
        );
        let config = parse(json.as_bytes()).unwrap();
        assert_eq!(config.platform.map(|p| p.to_string()).as_deref(), Some("linux/arm/v7"));
        assert_eq!(config.diff_ids, [layer]);
        assert_eq!(config.created.map(|t| t.to_string()).as_deref(), Some("2026-03-01T12:00:00.123Z"));
    }

    #[test]
    fn what_is_missing_is_none_and_what_is_broken_is_an_error() {
        for poor in ["{}", r#"{"os":"","architecture":"amd64","created":"soon"}"#] {
            assert_eq!(parse(poor.as_bytes()), Ok(ImageConfig::default()), "{poor}");
        }
        for bad in ["", "[]", r#"{"rootfs":{"diff_ids":["sha256:1"]}}"#] {
            assert!(matches!(parse(bad.as_bytes()), Err(ImageConfigError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn the_bound_holds_at_its_edge() {
        let padded = |len: usize| {
            let mut json = b"{}".to_vec();
            json.resize(len, b' ');
            parse(&json)
        };
        assert_eq!(padded(MAX_IMAGE_CONFIG_BYTES), Ok(ImageConfig::default()));
        let over = MAX_IMAGE_CONFIG_BYTES + 1;
        assert_eq!(padded(over), Err(ImageConfigError::TooLong(over as u64)));
    }
}
