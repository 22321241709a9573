//! What the embedded scanner keeps in the tables `scanner_layers`, `scanner_records`, `scanner_packages`,
//! `scanner_postings` and `scanner_images`.

mod record;

use cve_monitor_core::vocabulary::Digest;
use cve_monitor_scanner::sbom::SBOM_READER_VERSION;
use cve_monitor_scanner::{PackageKey, RECORD_FORMAT};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::embedded::DatabaseError;

pub(super) use record::StoredRecord;

/// A layer that is to be stored.
#[derive(Debug)]
pub(super) struct NewLayer {
    pub(super) digest: Digest,
    /// The version of the extractor that read it.
    pub(super) extractor: &'static str,
    pub(super) record: StoredRecord,
    pub(super) packages: Vec<PackageKey>,
    /// Its bytes came from a registry. False: no registry holds them, and the record says so.
    pub(super) fetched: bool,
}

/// The layers of an image, each once, and their order.
#[derive(Debug)]
pub(super) struct ImageLayers {
    pub(super) layers: Vec<(Digest, StoredRecord)>,
    /// Indexes into `layers`, base first.
    pub(super) order: Vec<usize>,
    /// What is stored is no layer, but the inventory that an SBOM stands for.
    pub(super) is_sbom: bool,
}

fn bytes_of(digest: &Digest) -> Vec<u8> {
    // A digest's text is checked where it is made: 64 hexadecimal digits.
    let digits = digest.hex();
    (0..digits.len() / 2).filter_map(|n| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}

fn digest_of(bytes: &[u8]) -> Result<Digest, DatabaseError> {
    match bytes.len() {
        32 => Ok(Digest::from_hash(bytes)),
        other => Err(DatabaseError::Damaged(format!("a digest of {other} bytes is stored"))),
    }
}

/// Whether this version of the extractor has read the layer, or found that it is held nowhere where that is enough.
pub(super) fn is_stored(
    state: &Connection,
    digest: &Digest,
    extractor: &str,
    must_be_fetched: bool,
) -> Result<bool, DatabaseError> {
    let mut statement = state.prepare_cached(
        "SELECT 1 FROM scanner_layers WHERE digest = ?1 AND format = ?2 AND extractor = ?3 AND fetched >= ?4",
    )?;
    Ok(statement.exists(params![bytes_of(digest), RECORD_FORMAT, extractor, must_be_fetched])?)
}

/// Stores the record and the postings of a layer. What was fetched is not replaced by what was not.
pub(super) fn put_layer(tx: &Connection, new: &NewLayer) -> Result<(), DatabaseError> {
    if !new.fetched && is_stored(tx, &new.digest, new.extractor, true)? {
        return Ok(());
    }
    let mut put = tx.prepare_cached(
        "INSERT INTO scanner_layers (digest, format, extractor, fetched) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (digest) DO UPDATE SET format = ?2, extractor = ?3, fetched = ?4
         RETURNING id",
    )?;
    let row = params![bytes_of(&new.digest), RECORD_FORMAT, new.extractor, new.fetched];
    let layer: i64 = put.query_row(row, |row| row.get(0))?;
    let StoredRecord { json_bytes, zstd } = &new.record;
    tx.prepare_cached("INSERT OR REPLACE INTO scanner_records (layer, bytes, record) VALUES (?1, ?2, ?3)")?
        .execute(params![layer, json_bytes, zstd])?;
    let mut post =
        tx.prepare_cached("INSERT OR IGNORE INTO scanner_postings (package, layer) VALUES (?1, ?2)")?;
    for key in &new.packages {
        let package = match package_number(tx, key)? {
            Some(number) => number,
            None => tx
                .prepare_cached("INSERT INTO scanner_packages (kind, name) VALUES (?1, ?2)")?
                .insert([key.kind.as_str(), &key.name])?,
        };
        post.execute([package, layer])?;
    }
    Ok(())
}

/// Has the layer read anew: its record cannot be read.
pub(super) fn distrust_layer(tx: &Connection, digest: &Digest) -> Result<(), DatabaseError> {
    tx.prepare_cached("UPDATE scanner_layers SET extractor = '' WHERE digest = ?1")?
        .execute([bytes_of(digest)])?;
    Ok(())
}

/// Stores the layers of an image, base first, under its manifest's digest, or under that by which what its SBOM says is
/// kept; all of them are stored already.
pub(super) fn put_image(tx: &Connection, manifest: &Digest, layers: &[Digest]) -> Result<(), DatabaseError> {
    let mut numbers = Vec::with_capacity(layers.len() * 8);
    let mut find = tx.prepare_cached("SELECT id FROM scanner_layers WHERE digest = ?1")?;
    for layer in layers {
        let number: Option<i64> = find.query_row([bytes_of(layer)], |row| row.get(0)).optional()?;
        let number = number.ok_or_else(|| {
            DatabaseError::Unavailable(format!("layer {layer} went away while its image was stored"))
        })?;
        numbers.extend(number.to_le_bytes());
    }
    tx.prepare_cached("INSERT OR REPLACE INTO scanner_images (manifest, layers) VALUES (?1, ?2)")?
        .execute(params![bytes_of(manifest), numbers])?;
    Ok(())
}

/// The layers of an image as [`put_image`] stored them; none where it was never stored.
pub(super) fn layers_of(state: &Connection, manifest: &Digest) -> Result<Option<Vec<i64>>, DatabaseError> {
    let mut find = state.prepare_cached("SELECT layers FROM scanner_images WHERE manifest = ?1")?;
    let stored: Option<Vec<u8>> = find.query_row([bytes_of(manifest)], |row| row.get(0)).optional()?;
    let Some(stored) = stored else { return Ok(None) };
    let (numbers, rest) = stored.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(DatabaseError::Damaged(format!("the layers of {manifest} are {} bytes", stored.len())));
    }
    Ok(Some(numbers.iter().map(|number| i64::from_le_bytes(*number)).collect()))
}

/// The records of an image's layers; none where the image or a layer is to be indexed.
pub(super) fn image_layers(
    state: &Connection,
    manifest: &Digest,
    extractor: &str,
) -> Result<Option<ImageLayers>, DatabaseError> {
    let Some(numbers) = layers_of(state, manifest)? else { return Ok(None) };
    let mut distinct = numbers.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let mut find = state.prepare_cached(
        "SELECT digest, bytes, record, extractor = ?4 FROM scanner_layers CROSS JOIN scanner_records ON layer = id
         WHERE id = ?1 AND format = ?2 AND extractor IN (?3, ?4)",
    )?;
    let mut layers = Vec::with_capacity(distinct.len());
    let mut is_sbom = false;
    for number in &distinct {
        let row = find.query_row(params![number, RECORD_FORMAT, extractor, SBOM_READER_VERSION], |row| {
            let record = StoredRecord { json_bytes: row.get(1)?, zstd: row.get(2)? };
            Ok((row.get::<_, Vec<u8>>(0)?, record, row.get::<_, bool>(3)?))
        });
        let Some((digest, record, is_inventory)) = row.optional()? else { return Ok(None) };
        is_sbom |= is_inventory;
        layers.push((digest_of(&digest)?, record));
    }
    // Every number is among the distinct ones.
    let order = numbers.iter().filter_map(|number| distinct.binary_search(number).ok()).collect();
    Ok(Some(ImageLayers { layers, order, is_sbom }))
}

fn package_number(state: &Connection, key: &PackageKey) -> Result<Option<i64>, DatabaseError> {
    let mut find = state.prepare_cached("SELECT id FROM scanner_packages WHERE kind = ?1 AND name = ?2")?;
    Ok(find.query_row([key.kind.as_str(), &key.name], |row| row.get(0)).optional()?)
}

/// The numbers of those packages that any layer ever held.
pub(in crate::embedded) fn package_numbers(
    state: &Connection,
    keys: &[PackageKey],
) -> Result<Vec<i64>, DatabaseError> {
    keys.iter().filter_map(|key| package_number(state, key).transpose()).collect()
}

/// The layers after a number in which a package was found, ascending, so many at the most.
pub(in crate::embedded) fn next_layers(
    state: &Connection,
    package: i64,
    after: i64,
    limit: usize,
) -> Result<Vec<i64>, DatabaseError> {
    let mut find = state.prepare_cached(
        "SELECT layer FROM scanner_postings WHERE package = ?1 AND layer > ?2 ORDER BY layer LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(find.query_map([package, after, limit], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The digest of a layer by its number.
pub(in crate::embedded) fn layer_digest(state: &Connection, layer: i64) -> Result<Digest, DatabaseError> {
    let mut find = state.prepare_cached("SELECT digest FROM scanner_layers WHERE id = ?1")?;
    let digest: Option<Vec<u8>> = find.query_row([layer], |row| row.get(0)).optional()?;
    digest_of(
        &digest.ok_or_else(|| DatabaseError::Damaged(format!("layer {layer} is posted and not stored")))?,
    )
}
