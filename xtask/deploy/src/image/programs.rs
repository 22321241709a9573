//! The programs of an image: static, so that they need nothing else in it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions keep the certificate authorities: Debian, Fedora, SUSE, Alpine and macOS.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The package of the programs.
const PACKAGE: &str = "cve-monitor-bins";
/// The program header of ELF that names a dynamic linker.
const PT_INTERP: u32 = 3;

/// A program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// What programs are built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// As rustc calls it.
    pub(crate) triple: String,
    /// As images call it.
    pub(crate) architecture: &'static str,
}

impl Target {
    /// A target that images are made for.
    pub(crate) fn parse(triple: &str) -> Result<Self, String> {
        let architecture = match triple.split('-').next() {
            Some("x86_64") => "amd64",
            Some("aarch64") => "arm64",
            _ => {
                return Err(format!(
                    "`{triple}` is no target of images: x86_64-… or aarch64-…-linux-gnu or -musl"
                ));
            }
        };
        if !triple.contains("-linux-") {
            return Err(format!("`{triple}` is not Linux: name a target such as x86_64-unknown-linux-gnu"));
        }
        Ok(Self { triple: triple.to_owned(), architecture })
    }

    /// That of this machine, in Linux's form: elsewhere another linker has to be there, which preflight asks for.
    pub(crate) fn of_this_machine() -> Self {
        let (arch, architecture) =
            if cfg!(target_arch = "aarch64") { ("aarch64", "arm64") } else { ("x86_64", "amd64") };
        Self { triple: format!("{arch}-unknown-linux-gnu"), architecture }
    }

    /// Whether this toolchain has it.
    pub(crate) fn is_installed(&self) -> bool {
        let asked =
            Command::new("rustc").args(["--print", "target-libdir", "--target", &self.triple]).output();
        asked.is_ok_and(|answer| {
            answer.status.success() && Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir()
        })
    }
}

/// Builds programs, static and for release; answers the folder that they are in.
pub(crate) fn build(root: &Path, target: &Target, names: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--release", "--locked", "--package", PACKAGE]);
    // With a target given, build scripts and macros are not touched by the flags.
    cargo.args(["--target", &target.triple]);
    cargo.args(names.iter().flat_map(|name| ["--bin", name]));
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    cargo.env("RUSTFLAGS", format!("{flags} -C target-feature=+crt-static").trim());
    let status = cargo.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !status.success() {
        return Err(format!("the programs could not be built for {} ({status})", target.triple));
    }
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    Ok(folder.join(&target.triple).join("release"))
}

/// Reads programs, and makes sure that they run in an image without anything else.
pub(crate) fn read(folder: &Path, names: &[&str], target: &Target) -> Result<Vec<Program>, String> {
    let read = |name: &&str| {
        let path = folder.join(name);
        let bytes =
            std::fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        check_static(&bytes, target.architecture)
            .map_err(|problem| format!("{}: {problem}", path.display()))?;
        Ok(Program { name: (*name).to_owned(), bytes })
    };
    names.iter().map(read).collect()
}

/// The certificate authorities of this machine.
pub(crate) fn authorities() -> Result<Vec<u8>, String> {
    let found =
        AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok().filter(|bytes| !bytes.is_empty()));
    found.ok_or_else(|| format!("no certificate authorities in {}", AUTHORITIES.join(", ")))
}

/// Whether a file is a program of ELF for this architecture that asks for no dynamic linker.
fn check_static(bytes: &[u8], architecture: &str) -> Result<(), String> {
    let number = |at: usize, size: usize| -> Option<u64> {
        let field = bytes.get(at..at.checked_add(size)?)?;
        Some(field.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
    };
    let at = |at: usize, size: usize| number(at, size).ok_or("the file is cut off");
    // 64 bits, little-endian.
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return Err("not a 64-bit program for Linux".to_owned());
    }
    let machine = match at(0x12, 2)? {
        0x3e => "amd64",
        0xb7 => "arm64",
        _ => "another architecture",
    };
    if machine != architecture {
        return Err(format!("for {machine}, not for {architecture}"));
    }
    let (table, size, count) = (at(0x20, 8)?, at(0x36, 2)?, at(0x38, 2)?);
    for entry in 0..count {
        let place = usize::try_from(table + entry * size).map_err(|error| error.to_string())?;
        if at(place, 4)? == u64::from(PT_INTERP) {
            return Err("not static: it asks for a dynamic linker, which the image does not have".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of nothing but headers.
    fn elf(machine: u8, segments: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 0x40];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (bytes[0x12], bytes[0x20], bytes[0x36], bytes[0x38]) =
            (machine, 0x40, 56, u8::try_from(segments.len()).unwrap());
        for kind in segments {
            let mut segment = vec![0; 56];
            segment[..4].copy_from_slice(&kind.to_le_bytes());
            bytes.extend(segment);
        }
        bytes
    }

    #[test]
    fn static_programs_of_the_architecture_alone_are_taken() {
        assert_eq!(check_static(&elf(0x3e, &[1, 2]), "amd64"), Ok(()));
        for (bytes, architecture, problem) in [
            (elf(0x3e, &[1, PT_INTERP]), "amd64", "not static"),
            (elf(0x3e, &[1]), "arm64", "for amd64"),
            (b"#!/bin/sh\n".to_vec(), "amd64", "64-bit"),
            (elf(0x3e, &[1, 1])[..0x60].to_vec(), "amd64", "cut off"),
        ] {
            let told = check_static(&bytes, architecture);
            assert!(told.clone().err().unwrap_or_default().contains(problem), "{told:?}");
        }
    }

    #[test]
    fn this_program_is_not_static() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(check_static(&own, Target::of_this_machine().architecture).is_err());
    }

    #[test]
    fn targets_are_of_linux_on_two_architectures() {
        assert_eq!(Target::parse("aarch64-unknown-linux-musl").unwrap().architecture, "arm64");
        for wrong in ["aarch64-apple-darwin", "riscv64gc-unknown-linux-gnu"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
