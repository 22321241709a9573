//! Reads layer files as a scan does, and compares with inflating and hashing them alone.
//!
//! `cargo run --release -p cve-monitor-scanner --example layer_speed -- LAYER…`: one JSON object a line and layer.
//! Both readings run in one thread, in turns; the best of each counts. Seconds are those of the processor where the
//! kernel tells them, so that other work on the machine does not count.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::time::Instant;

use cve_monitor_scanner::{ExpectedBlob, Extraction, LayerRecord, fold, read_layer};
use serde_json::json;
use sha2::{Digest, Sha256};

const ROUNDS: usize = 5;
/// Seconds after which a layer has been read often enough.
const ENOUGH_SECONDS: f64 = 10.0;
/// The thread's time on a processor, in nanoseconds, is the first number in it.
const ON_PROCESSOR: &str = "/proc/thread-self/schedstat";
/// Bytes asked for at once, as a scan does.
const PIECE_BYTES: usize = 256 << 10;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        return Err("usage: layer_speed LAYER…".into());
    }
    for path in &paths {
        let mut blob = Vec::new();
        File::open(path)?.read_to_end(&mut blob)?;
        let digest: String = Sha256::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = ExpectedBlob {
            digest: format!("sha256:{digest}"),
            size: Some(blob.len() as u64),
            // The bytes tell how they are compressed.
            media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
        };
        let record = read_layer(&blob[..], &expected, &Extraction::default())?;
        let (mut read, mut alone) = (f64::MAX, f64::MAX);
        let (mut rounds, mut spent) = (0, 0.0);
        while rounds < ROUNDS && spent < ENOUGH_SECONDS {
            rounds += 1;
            read = read.min(seconds(|| read_layer(&blob[..], &expected, &Extraction::default()).map(drop))?);
            alone = alone.min(seconds(|| inflate_and_hash(&blob))?);
            spent += read + alone;
        }
        println!("{}", line(&record, read, alone)?);
    }
    Ok(())
}

fn seconds<E: Into<Failure>>(run: impl FnOnce() -> Result<(), E>) -> Result<f64, Failure> {
    let (start, before) = (Instant::now(), on_processor());
    run().map_err(Into::into)?;
    let wall = start.elapsed().as_secs_f64();
    Ok(before.zip(on_processor()).map_or(wall, |(before, after)| after - before))
}

fn on_processor() -> Option<f64> {
    let text = fs::read_to_string(ON_PROCESSOR).ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(std::time::Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn line(record: &LayerRecord, read: f64, alone: f64) -> Result<serde_json::Value, Failure> {
    let inventory = fold(&[record]);
    Ok(json!({
        "layer": record.blob_digest,
        "members": record.members,
        "tar_bytes": record.content_bytes,
        "packages": inventory.packages.len(),
        "problems": inventory.problems.len(),
        "record_bytes": serde_json::to_vec(record)?.len(),
        "read_layer_s": read,
        "inflate_and_hash_s": alone,
    }))
}

/// What no reader can leave out: both digests and the decompression.
fn inflate_and_hash(blob: &[u8]) -> Result<(), Failure> {
    Sha256::digest(blob);
    match blob {
        [0x1f, 0x8b, ..] => {
            let buffered = BufReader::with_capacity(128 << 10, blob);
            hash(flate2::bufread::MultiGzDecoder::new(buffered))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => hash(zstd::stream::read::Decoder::new(blob)?),
        _ => hash(blob),
    }
}

fn hash(mut content: impl Read) -> Result<(), Failure> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    hash.finalize();
    Ok(())
}
