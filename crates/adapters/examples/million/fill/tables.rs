//! The tables as the adapters leave them.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{Filled, ImageRows, Layer};
use crate::Failure;
use crate::layers::{LayerRow, bytes_of, coded, format};
use crate::world::{SYSTEM_PACKAGES, World, package_name};

/// Nobody reads the file meanwhile, and a run that breaks off begins again.
const IN_BULK: &str = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
     PRAGMA cache_size = -1500000; BEGIN";
const AS_BEFORE: &str = "COMMIT; PRAGMA journal_mode = WAL; PRAGMA locking_mode = NORMAL";

/// How many layers, and how many images, have each package.
#[derive(Debug, Default)]
pub(super) struct Popularity {
    pub(super) layers: Vec<u32>,
    pub(super) images: Vec<u32>,
}

/// The file, and which numbers were given.
pub(super) struct Tables<'a> {
    connection: Connection,
    bases: &'a [LayerRow],
    /// The number of each base layer; 0 where no image had it yet.
    base_numbers: Vec<i64>,
    /// The number of each package; 0 where no layer had it yet.
    package_numbers: Vec<i64>,
    postings: Vec<(u32, u32)>,
    popularity: Popularity,
    layers: i64,
    packages: i64,
    images: i64,
    heads: i64,
    events: i64,
    written: u64,
}

impl<'a> Tables<'a> {
    pub(super) fn open(file: &Path, world: &World, bases: &'a [LayerRow]) -> Result<Self, Failure> {
        let connection = Connection::open(file)?;
        let last = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let heads = last("SELECT max(id) FROM heads")?.unwrap_or(0);
        let events = last("SELECT max(seq) FROM events")?.unwrap_or(0);
        if last("SELECT max(id) FROM layer_images")?.is_some() {
            return Err("the file holds images already".into());
        }
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch(IN_BULK)?;
        let packages = usize::try_from(world.packages())?;
        Ok(Self {
            base_numbers: vec![0; bases.len()],
            package_numbers: vec![0; packages],
            popularity: Popularity { layers: vec![0; packages], images: vec![0; packages] },
            postings: vec![],
            bases,
            connection,
            layers: 0,
            packages: 0,
            images: 0,
            heads,
            events,
            written: 0,
        })
    }

    pub(super) fn put(&mut self, rows: ImageRows) -> Result<(), Failure> {
        let numbers = self.put_layers(&rows.layers)?;
        self.count(&rows.layers);
        self.images += 1;
        let image = self.images;
        self.connection
            .prepare_cached("INSERT INTO layer_images (id, image) VALUES (?1, ?2)")?
            .execute(params![image, rows.image.to_string()])?;
        let mut index =
            self.connection.prepare_cached("INSERT INTO layer_index (key, image) VALUES (?1, ?2)")?;
        for number in &numbers {
            index.execute([*number, image])?;
        }
        drop(index);
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.connection
            .prepare_cached("INSERT INTO scanner_images (manifest, layers) VALUES (?1, ?2)")?
            .execute(params![bytes_of(&rows.image.digest), numbers])?;
        self.put_history(rows)
    }

    fn put_history(&mut self, rows: ImageRows) -> Result<(), Failure> {
        let history = rows.history;
        self.heads += 1;
        self.connection
            .prepare_cached("INSERT INTO heads (id, stream, version, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.heads, history.stream, i64::try_from(history.version)?, history.head])?;
        let mut event = self.connection.prepare_cached(
            "INSERT INTO events (seq, stream, version, id, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (version, row) in (1_i64..).zip(&history.events) {
            self.events += 1;
            event.execute(params![self.events, self.heads, version, row.id, row.at, row.body])?;
        }
        self.written += history.version;
        let size = i64::try_from(history.body.len())?;
        let (coding, body) = coded(history.body)?;
        self.connection
            .prepare_cached(
                "INSERT INTO bodies (digest, put_at, size, coding, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![history.body_digest.hex(), history.put_at, size, coding, body])?;
        Ok(())
    }

    /// The numbers of the layers, base first. New ones are numbered in the order of their digests.
    fn put_layers(&mut self, layers: &[Layer]) -> Result<Vec<i64>, Failure> {
        let bases = self.bases;
        let mut sorted: Vec<(usize, &Layer)> = layers.iter().enumerate().collect();
        sorted.sort_unstable_by_key(|(_, layer)| &layer.row(bases).blob.0);
        let mut numbers = vec![0; layers.len()];
        for (at, layer) in sorted {
            numbers[at] = match layer {
                Layer::Own(row) => self.put_layer(row)?,
                Layer::Base(base) => {
                    let base = usize::try_from(*base)?;
                    if self.base_numbers[base] == 0 {
                        self.base_numbers[base] = self.put_layer(&bases[base])?;
                    }
                    self.base_numbers[base]
                }
            };
        }
        Ok(numbers)
    }

    fn put_layer(&mut self, row: &LayerRow) -> Result<i64, Failure> {
        self.layers += 1;
        let digest = bytes_of(&row.blob.0);
        self.connection
            .prepare_cached("INSERT INTO layer_keys (id, key) VALUES (?1, ?2)")?
            .execute(params![self.layers, digest])?;
        let (format, extractor) = format();
        self.connection
            .prepare_cached(
                "INSERT INTO scanner_layers (id, digest, format, extractor, fetched) VALUES (?1, ?2, ?3, ?4, 1)",
            )?
            .execute(params![self.layers, digest, format, extractor])?;
        self.connection
            .prepare_cached("INSERT INTO scanner_records (layer, bytes, record) VALUES (?1, ?2, ?3)")?
            .execute(params![self.layers, row.record_bytes, row.record])?;
        for package in &row.packages {
            let number = self.package(*package)?;
            self.postings.push((u32::try_from(number)?, u32::try_from(self.layers)?));
            self.popularity.layers[usize::try_from(*package)?] += 1;
        }
        Ok(self.layers)
    }

    fn package(&mut self, package: u32) -> Result<i64, Failure> {
        let at = usize::try_from(package)?;
        if self.package_numbers[at] == 0 {
            self.packages += 1;
            self.package_numbers[at] = self.packages;
            let kind = if package < SYSTEM_PACKAGES { "deb" } else { "pypi" };
            self.connection
                .prepare_cached("INSERT INTO scanner_packages (id, kind, name) VALUES (?1, ?2, ?3)")?
                .execute(params![self.packages, kind, package_name(package)])?;
        }
        Ok(self.package_numbers[at])
    }

    fn count(&mut self, layers: &[Layer]) {
        let mut packages: Vec<u32> =
            layers.iter().flat_map(|layer| &layer.row(self.bases).packages).copied().collect();
        packages.sort_unstable();
        packages.dedup();
        for package in packages {
            self.popularity.images[package as usize] += 1;
        }
    }

    /// Writes what is written fastest in order.
    pub(super) fn finish(&mut self) -> Result<Popularity, Failure> {
        self.postings.sort_unstable();
        let mut posting =
            self.connection.prepare("INSERT INTO scanner_postings (package, layer) VALUES (?1, ?2)")?;
        for (package, layer) in &self.postings {
            posting.execute([package, layer])?;
        }
        drop(posting);
        self.connection
            .execute_batch("INSERT OR IGNORE INTO scanner_ecosystems (name) VALUES ('Debian'), ('PyPI');")?;
        self.connection.flush_prepared_statement_cache();
        self.connection.execute_batch(AS_BEFORE)?;
        Ok(std::mem::take(&mut self.popularity))
    }

    pub(super) fn written(&self) -> Filled {
        Filled {
            images: 0,
            layers: u64::try_from(self.layers).unwrap_or_default(),
            postings: self.postings.len() as u64,
            events: self.written,
            seconds: 0.0,
        }
    }
}
