//! What an image's configuration says it runs on.

use futures::StreamExt as _;
use serde::Deserialize;

use crate::ports::{BlobStream, RegistryError};
use crate::vocabulary::Platform;

/// The longest image configuration that is read, in bytes; of a longer one the platform is not known.
pub const MAX_CONFIG_BYTES: usize = 8 * 1024 * 1024;
/// The longest names of system and architecture, together, in bytes: they stand in the head.
const MAX_PLATFORM_BYTES: usize = 64;
/// The longest variant of an architecture, in bytes.
const MAX_VARIANT_BYTES: usize = 16;

#[derive(Deserialize)]
struct Config {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// The platform; none where the configuration does not tell.
pub(super) async fn read(mut stream: BlobStream) -> Result<Option<Platform>, RegistryError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > MAX_CONFIG_BYTES {
            return Ok(None);
        }
    }
    let config: Option<Config> = serde_json::from_slice(&bytes).ok();
    let fits = |c: &Config| !c.os.is_empty() && c.os.len() + c.architecture.len() <= MAX_PLATFORM_BYTES;
    Ok(config.filter(fits).map(|c| Platform {
        os: c.os,
        architecture: c.architecture,
        variant: c.variant.filter(|v| !v.is_empty() && v.len() <= MAX_VARIANT_BYTES),
    }))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn read_of(config: &str, length: usize) -> Option<Platform> {
        let mut bytes = config.as_bytes().to_vec();
        bytes.resize(length.max(bytes.len()), b' ');
        let chunks: Vec<_> = bytes.chunks(1 << 20).map(|chunk| Ok(chunk.to_vec().into())).collect();
        read(futures::stream::iter(chunks).boxed()).now_or_never().unwrap().unwrap()
    }

    fn config(os: usize, variant: usize) -> String {
        let (os, variant) = ("o".repeat(os), "v".repeat(variant));
        format!(r#"{{"os":"{os}","architecture":"amd64","variant":"{variant}"}}"#)
    }

    #[test]
    fn a_configuration_may_have_so_many_bytes_and_no_more() {
        assert!(read_of(&config(5, 2), MAX_CONFIG_BYTES).is_some());
        assert_eq!(read_of(&config(5, 2), MAX_CONFIG_BYTES + 1), None);
    }

    #[test]
    fn names_that_are_too_long_for_a_head_are_none() {
        let os = MAX_PLATFORM_BYTES - "amd64".len();
        assert_eq!(read_of(&config(os, 0), 0).map(|found| found.os.len()), Some(os));
        assert_eq!(read_of(&config(os + 1, 0), 0), None);
        let variant = |length| read_of(&config(5, length), 0).and_then(|found| found.variant);
        assert_eq!(variant(MAX_VARIANT_BYTES).map(|text| text.len()), Some(MAX_VARIANT_BYTES));
        assert_eq!(variant(MAX_VARIANT_BYTES + 1), None);
        assert_eq!(variant(0), None);
    }
}
