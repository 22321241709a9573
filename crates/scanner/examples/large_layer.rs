//! Reads one layer of any size that is made while it is read: what a reading holds does not depend on the layer's size.
//!
//! `cargo run --release -p cve-monitor-scanner --example large_layer -- GIB`: one JSON object. The layer is gzip: a database
//! of packages, and files of 64 MiB each that repeat one block. The process is to be measured from outside.

use std::error::Error;
use std::io::{self, Read, Write as _};
use std::sync::Arc;
use std::time::Instant;

use cve_monitor_scanner::{ExpectedBlob, Extraction, fold, read_layer};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

const FILE_BYTES: usize = 64 << 20;
const TAR_BLOCK_BYTES: usize = 512;
/// Within the window of deflate, so that the file is small when compressed.
const REPEATED_BYTES: usize = 16 << 10;
const STATUS: &[u8] =
    b"Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.4\n\n";

fn main() -> Result<(), Box<dyn Error>> {
    let gib: u64 = std::env::args().nth(1).ok_or("usage: large_layer GIB")?.parse()?;
    let layer = Layer::of((gib << 30) / FILE_BYTES as u64)?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    let mut blob = layer.clone();
    loop {
        match blob.read(&mut buffer)? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = ExpectedBlob {
        digest: format!("sha256:{digest}"),
        size: Some(size),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
    };
    let start = Instant::now();
    let record = read_layer(layer, &expected, &Extraction::default())?;
    let read = start.elapsed().as_secs_f64();
    let inventory = fold(&[&record]);
    println!(
        "{}",
        json!({
            "tar_bytes": record.content_bytes,
            "blob_bytes": record.blob_bytes,
            "members": record.members,
            "packages": inventory.packages.len(),
            "problems": inventory.problems.len(),
            "read_layer_s": read,
        })
    );
    Ok(())
}

/// A blob of gzip members: the database, then a header and a content for each file, then the archive's end.
#[derive(Clone)]
struct Layer {
    database: Arc<[u8]>,
    header: Arc<[u8]>,
    content: Arc<[u8]>,
    end: Arc<[u8]>,
    files: u64,
    /// Which member is read, and how much of it has been.
    member: u64,
    read: usize,
}

impl Layer {
    fn of(files: u64) -> io::Result<Self> {
        let mut status = header("var/lib/dpkg/status", STATUS.len());
        status.extend_from_slice(STATUS);
        status.resize(status.len().next_multiple_of(TAR_BLOCK_BYTES), 0);
        // No repetition inside the block.
        let block: Vec<u8> =
            (0..REPEATED_BYTES / 32).flat_map(|n| Sha256::digest(n.to_le_bytes()).to_vec()).collect();
        Ok(Self {
            database: gzip(&status)?,
            header: gzip(&header("opt/large", FILE_BYTES))?,
            content: gzip(&block.repeat(FILE_BYTES / REPEATED_BYTES))?,
            end: gzip(&[0; 2 * TAR_BLOCK_BYTES])?,
            files,
            member: 0,
            read: 0,
        })
    }

    fn current(&self) -> Option<&[u8]> {
        match self.member {
            0 => Some(&self.database),
            member if member > 2 * self.files + 1 => None,
            member if member == 2 * self.files + 1 => Some(&self.end),
            member if member % 2 == 1 => Some(&self.header),
            _ => Some(&self.content),
        }
    }
}

impl Read for Layer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = self.current() {
            let rest = &member[self.read..];
            if !rest.is_empty() {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                self.read += count;
                return Ok(count);
            }
            (self.member, self.read) = (self.member + 1, 0);
        }
        Ok(0)
    }
}

/// A ustar header.
fn header(name: &str, size: usize) -> Vec<u8> {
    let mut block = vec![0; TAR_BLOCK_BYTES];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[148..156].fill(b' ');
    block[156] = b'0';
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn gzip(bytes: &[u8]) -> io::Result<Arc<[u8]>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into())
}
