//! An image's inventory in the two formats that other tools read, and each package's name in their common one.
//!
//! The same inventory and the same [`Subject`] give the same bytes: whatever differs from one run to the next,
//! the time above all, is handed in.

mod cyclonedx;
mod purl;
mod read;
mod spdx;

use sha2::{Digest, Sha256};

use crate::inventory::ImageInventory;

pub use self::cyclonedx::cyclonedx;
pub use self::purl::package_url;
pub use self::read::{MAX_SBOM_BYTES, MAX_SBOM_PACKAGES, SBOM_READER_VERSION, read_sbom, without_sbom};
pub use self::spdx::spdx;

/// The program that is named as the one that made the document.
const TOOL: &str = "cve-monitor";

/// What a document is about, and when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The image's name, such as `registry.example/app:1.2`.
    pub image: &'a str,
    /// The digest of its manifest, `sha256:…`, where there is one.
    pub digest: Option<&'a str>,
    /// The digests of its layers' blobs, base first; may be empty where they are not known.
    pub layers: &'a [&'a str],
    /// Now, in UTC: `2026-01-31T12:00:00Z`.
    pub created: &'a str,
    /// The version of the program.
    pub tool_version: &'a str,
}

/// Why an inventory is not all that an image holds, a sentence each; empty where it is complete.
fn gaps(inventory: &ImageInventory) -> Vec<String> {
    let unread = inventory.unread.iter().map(|(kind, unread)| {
        format!("{} files of kind {kind} were not read, such as {}", unread.count, unread.example)
    });
    let problems = inventory.problems.iter().map(|(layer, problem)| {
        let what = problem.path().map_or(format!("layer {layer}"), |path| format!("{path} in layer {layer}"));
        format!("{what} was not read to its end: {}", problem.code())
    });
    let of_sbom = inventory.sbom.iter().flat_map(|sbom| &sbom.problems);
    let of_sbom = of_sbom.map(|problem| format!("the SBOM that it was taken from: {}", problem.code()));
    unread.chain(problems).chain(of_sbom).chain(of_system(inventory).map(str::to_owned)).collect()
}

/// What is not known of the distribution.
fn of_system(inventory: &ImageInventory) -> Option<&'static str> {
    if !inventory.has_package_database {
        Some("no package database was found, so that nothing is listed of the system")
    } else if !inventory.packages.iter().any(|package| package.kind.is_system()) {
        Some("the package database names no package")
    } else if inventory.distribution.is_none() {
        Some("the distribution is not known")
    } else {
        None
    }
}

/// An identifier that is the same for the same content, in the form of a UUID (RFC 9562, version 8).
fn identifier(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests;
