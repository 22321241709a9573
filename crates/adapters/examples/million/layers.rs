//! What the scanner keeps of a layer: its own reader's record, and the numbers of the packages in it.

use cve_monitor_core::vocabulary::Digest;
use cve_monitor_scanner::{ExpectedBlob, Extraction, RECORD_FORMAT, read_layer};

use crate::Failure;
use crate::world::{Blob, package_number};

/// As the adapter compresses records and bodies.
const ZSTD_LEVEL: i32 = 3;

/// A layer as it lies in its row.
#[derive(Debug, Clone)]
pub(crate) struct LayerRow {
    pub(crate) blob: Blob,
    pub(crate) record_bytes: i64,
    pub(crate) record: Vec<u8>,
    pub(crate) packages: Vec<u32>,
}

/// What no row of a layer differs in.
pub(crate) fn format() -> (u32, &'static str) {
    (RECORD_FORMAT, Extraction::default().version())
}

impl LayerRow {
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, Failure> {
        let digest = Digest::of(bytes);
        let expected = ExpectedBlob {
            digest: digest.to_string(),
            size: Some(bytes.len() as u64),
            media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
        };
        let record = read_layer(bytes, &expected, &Extraction::default())?;
        let keys = record.posting_keys();
        let packages: Option<Vec<u32>> = keys.iter().map(|key| package_number(&key.name)).collect();
        let json = serde_json::to_vec(&record)?;
        Ok(Self {
            blob: (digest, bytes.len()),
            record_bytes: i64::try_from(json.len())?,
            record: zstd::bulk::compress(&json, ZSTD_LEVEL)?,
            packages: packages.ok_or("a layer holds a package that nobody made up")?,
        })
    }
}

/// A body as the adapter stores it: its coding (1: one zstd frame, 0: as it is) and its bytes.
pub(crate) fn coded(body: Vec<u8>) -> Result<(i64, Vec<u8>), Failure> {
    let compressed = zstd::bulk::compress(&body, ZSTD_LEVEL)?;
    Ok(if compressed.len() < body.len() { (1, compressed) } else { (0, body) })
}

/// The 32 bytes of a digest.
pub(crate) fn bytes_of(digest: &Digest) -> Vec<u8> {
    let digits = digest.hex();
    (0..digits.len() / 2).filter_map(|n| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}
