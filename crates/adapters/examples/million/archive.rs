//! Layers that exist nowhere: an archive of ordinary files of any length, made while it is read.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cve_monitor_adapters::embedded::EmbeddedScanner;
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{IndexRequest, Registry, Scanner as _};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{Digest, Manifest};
use cve_monitor_scanner::{ExpectedBlob, Extraction, read_layer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::Failure;
use crate::home::Home;
use crate::world::{REGISTRY, words};

/// The length of each file, a multiple of the archive's blocks.
const FILE_BYTES: u64 = 64 << 10;
const BLOCK: usize = 512;
/// What files are cut from, so that they compress as text does and no two neighbours are alike.
const TEXT_BYTES: usize = 4 << 20;
/// Read at once, as a scan does.
const PIECE_BYTES: usize = 256 << 10;
/// Of each of two layers that are read at once.
const TWIN_BYTES: u64 = 192 << 20;

/// The archive, from where it was last read.
struct Archive {
    text: Arc<[u8]>,
    files: u64,
    next: u64,
    header: [u8; BLOCK],
    /// Of the member under way: what is left of its header, then of its content; of the end, at last.
    header_left: usize,
    content_left: usize,
    end_left: usize,
}

impl Archive {
    fn of(bytes: u64) -> Self {
        let files = (bytes / FILE_BYTES).max(1);
        let text: Arc<[u8]> = words(TEXT_BYTES).into();
        Self {
            text,
            files,
            next: 0,
            header: [0; BLOCK],
            header_left: 0,
            content_left: 0,
            end_left: 2 * BLOCK,
        }
    }

    fn begin_member(&mut self) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("usr/share/made-up/{}/{}.txt", self.next / 1000, self.next))?;
        header.set_size(FILE_BYTES);
        header.set_mode(0o644);
        header.set_cksum();
        self.header = *header.as_bytes();
        self.header_left = BLOCK;
        self.content_left = usize::try_from(FILE_BYTES).map_err(io::Error::other)?;
        self.next += 1;
        Ok(())
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.header_left == 0 && self.content_left == 0 && self.next < self.files {
            self.begin_member()?;
        }
        if self.header_left > 0 {
            let count = buffer.len().min(self.header_left);
            let from = BLOCK - self.header_left;
            buffer[..count].copy_from_slice(&self.header[from..from + count]);
            self.header_left -= count;
            return Ok(count);
        }
        if self.content_left > 0 {
            // Each file begins elsewhere in the text, and ends within it.
            let room = self.text.len() - usize::try_from(FILE_BYTES).unwrap_or_default();
            let start = usize::try_from(self.next.wrapping_mul(7_919) % room as u64).unwrap_or_default();
            let from = start + usize::try_from(FILE_BYTES).unwrap_or_default() - self.content_left;
            let count = buffer.len().min(self.content_left);
            buffer[..count].copy_from_slice(&self.text[from..from + count]);
            self.content_left -= count;
            return Ok(count);
        }
        let count = buffer.len().min(self.end_left);
        buffer[..count].fill(0);
        self.end_left -= count;
        Ok(count)
    }
}

/// Writes an archive into a file.
pub(crate) fn write(path: &Path, megabytes: u64) -> Result<Value, Failure> {
    let mut file = BufWriter::new(File::create(path)?);
    let bytes = io::copy(&mut Archive::of(megabytes << 20), &mut file)?;
    file.flush()?;
    Ok(json!({ "bytes": bytes }))
}

/// Reads an archive of any length as a layer, and before that hashes it alone.
pub(crate) fn stream(megabytes: u64) -> Result<Value, Failure> {
    let began = Instant::now();
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0_u64, vec![0; PIECE_BYTES]);
    let mut archive = Archive::of(megabytes << 20);
    loop {
        let count = archive.read(&mut piece)?;
        if count == 0 {
            break;
        }
        hash.update(&piece[..count]);
        bytes += count as u64;
    }
    let alone_s = began.elapsed().as_secs_f64();
    let expected = ExpectedBlob {
        digest: Digest::from_hash(&hash.finalize()).to_string(),
        size: Some(bytes),
        media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
    };
    let began = Instant::now();
    let record = read_layer(Archive::of(megabytes << 20), &expected, &Extraction::default())?;
    Ok(json!({
        "bytes": bytes, "members": record.members, "problems": record.problems.len(),
        "hash_s": alone_s, "read_s": began.elapsed().as_secs_f64(),
    }))
}

/// Indexes an image of two layers of the same length.
pub(crate) async fn twins(folder: &Path) -> Result<Value, Failure> {
    let home = Home::open(folder)?;
    let registry = Arc::new(MemoryRegistry::new(REGISTRY.parse()?));
    let mut layers = vec![];
    for megabytes in [TWIN_BYTES >> 20, (TWIN_BYTES >> 20) + 1] {
        let mut layer = vec![];
        Archive::of(megabytes << 20).read_to_end(&mut layer)?;
        layers.push(layer);
    }
    let image = registry.put_image(&"team/twins".parse()?, None, &layers);
    drop(layers);
    let Manifest::Image(manifest) = registry.manifest(&image).await?.parse()? else {
        return Err("not an image".into());
    };
    let registries = Registries::new([registry as Arc<dyn Registry>]);
    let scanner = EmbeddedScanner::new(home.database.clone(), home.advisories.clone(), registries);
    let (cpu, began) = (cpu_seconds(), Instant::now());
    scanner.index(&IndexRequest { image, manifest, parents: vec![] }).await?;
    Ok(json!({ "wall_s": began.elapsed().as_secs_f64(), "cpu_s": cpu_seconds() - cpu }))
}

/// Of this process and all its threads, as Linux counts; zero elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
