//! Everything in the corpus, and random mutations of it that are the same each time, goes through its body.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cve_monitor_fuzz::{Body, TARGETS};

/// Mutations for each body, shared by the files of its corpus, and the fewest of one file.
const MUTATIONS: usize = 1_500;
const FEWEST_MUTATIONS: usize = 16;
/// The longest file that is mutated, in bytes: longer ones are slow, and short ones reach as far.
const MAX_MUTATED_BYTES: usize = 16 << 10;
/// What a mutation puts in: edges of numbers, and what separates and ends.
const PIECES: [&[u8]; 12] = [
    b"\0",
    b"\xff",
    b"\n",
    b"\n\n",
    b"\"",
    b"{",
    b"]",
    b":",
    b"/../",
    b"99999999999999999999",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
];

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// xorshift64*, so that a run can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % bound.max(1)
    }
}

fn mutated(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let until = at + random.below(bytes.len() - at + 1).min(32);
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..until)),
            2 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())),
            3 => {
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let from = random.below(other.len());
                let piece = &other[from..(from + 64).min(other.len())];
                bytes.splice(at..until, piece.iter().copied());
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
    bytes
}

/// Names the input that a body panics of, and where it was left.
fn survives(target: &str, body: Body, input: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| body(input))).is_err() {
        let left = std::env::temp_dir().join(format!("cve-monitor-fuzz-{target}"));
        fs::write(&left, input).unwrap();
        panic!("{target} panics of {what}; the input lies in {}", left.display());
    }
}

#[test]
fn bodies_survive_the_corpus_and_its_mutations() {
    for &(target, body) in TARGETS {
        let files = corpus(target);
        assert!(!files.is_empty(), "{target} has no corpus");
        let mut tried = 0_u64;
        for (n, (path, bytes)) in files.iter().enumerate() {
            survives(target, body, bytes, &path.display().to_string());
            tried += 1;
            if bytes.len() > MAX_MUTATED_BYTES {
                continue;
            }
            let other = &files[(n * 7 + 1) % files.len()].1;
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (n as u64 + 1));
            for mutation in 0..(MUTATIONS / files.len()).max(FEWEST_MUTATIONS) {
                let input = mutated(bytes, other, &mut random);
                survives(target, body, &input, &format!("mutation {mutation} of {}", path.display()));
                tried += 1;
            }
        }
        println!("{target}: {} files, {tried} inputs", files.len());
    }
}

#[test]
fn every_folder_of_the_corpus_belongs_to_a_body() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(cve_monitor_fuzz::target(&name).is_some(), "no body is named {name}");
    }
}
