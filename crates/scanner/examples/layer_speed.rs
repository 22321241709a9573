//! Reads a layer file as a scan does, and compares with inflating and hashing it alone.
//!
//! `cargo run --release -p cve-monitor-scanner --example layer_speed -- layer.tar.gz`

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::time::Instant;

use cve_monitor_scanner::{ExpectedBlob, Limits, fold, read_layer};
use sha2::{Digest, Sha256};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: layer_speed <layer.tar.gz>")?;
    let mut blob = Vec::new();
    File::open(&path)?.read_to_end(&mut blob)?;
    let digest: String = Sha256::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = ExpectedBlob {
        digest: format!("sha256:{digest}"),
        size: Some(blob.len() as u64),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
    };
    let record = read_layer(&blob[..], &expected, &Limits::default())?;
    let inventory = fold(&[&record]);
    println!(
        "{} members, {} bytes of tar, {} packages, unread: {:?}, problems: {:?}, record {} bytes",
        record.members,
        record.content_bytes,
        inventory.packages.len(),
        inventory.unread,
        inventory.problems,
        serde_json::to_vec(&record)?.len(),
    );
    let mut best = [f64::MAX; 2];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        read_layer(&blob[..], &expected, &Limits::default())?;
        best[0] = best[0].min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        inflate_and_hash(&blob)?;
        best[1] = best[1].min(start.elapsed().as_secs_f64());
    }
    for (what, seconds) in [("read_layer", best[0]), ("sha256 + inflate + sha256", best[1])] {
        println!("{what}: {:.0} MB/s of tar (best of {ROUNDS})", record.content_bytes as f64 / 1e6 / seconds);
    }
    Ok(())
}

/// What no reader can leave out: both digests and the decompression.
fn inflate_and_hash(blob: &[u8]) -> Result<(), Box<dyn Error>> {
    Sha256::digest(blob);
    let mut content = flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(128 << 10, blob));
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    hash.finalize();
    Ok(())
}
