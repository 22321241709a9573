//! The record of a layer, or the inventory of an SBOM, as it lies in its row: JSON in one zstd frame.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// zstd's own default: lists of packages shrink to a fifth, at hundreds of MB a second.
const LEVEL: i32 = 3;
/// The longest record that is read back, in bytes of JSON: twice the text that a record may retain, with room for its
/// form.
const MAX_JSON_BYTES: usize = 256 << 20;

/// A record, compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded::scanner) struct StoredRecord {
    pub(in crate::embedded::scanner) json_bytes: i64,
    pub(in crate::embedded::scanner) zstd: Vec<u8>,
}

impl StoredRecord {
    /// # Errors
    /// Where the record is longer than what is read back.
    pub(in crate::embedded::scanner) fn of(record: &impl Serialize) -> Result<Self, String> {
        let json = serde_json::to_vec(record).map_err(|error| error.to_string())?;
        Self::of_json(&json, MAX_JSON_BYTES)
    }

    fn of_json(json: &[u8], max_bytes: usize) -> Result<Self, String> {
        if json.len() > max_bytes {
            return Err(format!("its record is {} bytes; at most {max_bytes} are kept", json.len()));
        }
        let zstd = zstd::bulk::compress(json, LEVEL).map_err(|error| error.to_string())?;
        Ok(Self { json_bytes: i64::try_from(json.len()).unwrap_or(i64::MAX), zstd })
    }

    /// The record; none where the row is damaged.
    pub(in crate::embedded::scanner) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let bytes = usize::try_from(self.json_bytes).ok().filter(|bytes| *bytes <= MAX_JSON_BYTES)?;
        serde_json::from_slice(&zstd::bulk::decompress(&self.zstd, bytes).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use cve_monitor_scanner::LayerRecord;

    use super::*;

    #[test]
    fn a_record_reads_back_the_same_and_one_past_the_bound_is_not_kept() {
        let record = serde_json::json!({
            "format": 1, "extractor": "1", "blob_digest": "sha256:0", "blob_bytes": 1, "diff_id": null,
            "content_bytes": 2, "members": 3
        });
        let record: LayerRecord = serde_json::from_value(record).unwrap();
        let stored = StoredRecord::of(&record).unwrap();
        assert_eq!(stored.read(), Some(record.clone()));
        let json = serde_json::to_vec(&record).unwrap();
        assert_eq!(StoredRecord::of_json(&json, json.len()), Ok(stored.clone()));
        assert!(StoredRecord::of_json(&json, json.len() - 1).is_err());
        let over = i64::try_from(MAX_JSON_BYTES + 1).unwrap();
        for claimed in [over, -1, 1] {
            assert_eq!(
                StoredRecord { json_bytes: claimed, ..stored.clone() }.read::<LayerRecord>(),
                None,
                "{claimed}"
            );
        }
    }
}
