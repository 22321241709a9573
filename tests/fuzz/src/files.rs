//! Files of a layer, each under a path at which it is read.

use crate::layers::{folded, read};

/// Reads a layer of this one file, twice over an os-release so that it is judged as a system.
fn under(path: &str, content: &[u8], lock_files: bool) {
    let release = b"ID=debian\nVERSION_ID=12\n".as_slice();
    let blob = archive(&[("etc/os-release", release), (path, content)]);
    let record = read(&blob, lock_files);
    assert!(record.diff_id.is_some(), "the archive itself is sound");
    folded(&[record.clone(), record]);
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = vec![];
    for (name, content) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// The first byte picks one of these.
fn picked<'a>(bytes: &'a [u8], paths: &[&'static str]) -> Option<(&'static str, &'a [u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((paths.get(usize::from(*first) % paths.len())?, rest))
}

pub(crate) fn dpkg(bytes: &[u8]) {
    under("var/lib/dpkg/status", bytes, false);
}

pub(crate) fn apk(bytes: &[u8]) {
    under("lib/apk/db/installed", bytes, false);
}

/// The bytes tell which of the three kinds it is, whatever the path.
pub(crate) fn rpm(bytes: &[u8]) {
    let kinds = ["var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite"];
    if let Some((path, content)) = picked(bytes, &kinds) {
        under(path, content, false);
    }
}

pub(crate) fn jar(bytes: &[u8]) {
    under("app/log4j-core-2.14.1.jar", bytes, false);
}

pub(crate) fn program(bytes: &[u8]) {
    under("opt/app", &[b"\x7fELF", bytes].concat(), false);
}

pub(crate) fn os_release(bytes: &[u8]) {
    let places = [
        "etc/os-release",
        "etc/alpine-release",
        "etc/redhat-release",
        "etc/lsb-release",
        "etc/debian_version",
    ];
    if let Some((path, content)) = picked(bytes, &places) {
        under(path, content, false);
    }
}

pub(crate) fn metadata(bytes: &[u8]) {
    let places = [
        "app/node_modules/x/package.json",
        "usr/lib/python3/site-packages/x-1.dist-info/METADATA",
        "usr/lib/ruby/specifications/x-1.gemspec",
        "srv/vendor/composer/installed.json",
        "app/a.deps.json",
        "usr/lib/python3/x-1-py3.egg",
        "var/lib/dpkg/status.d/x.md5sums",
        "var/lib/dpkg/info/x.list",
    ];
    if let Some((path, content)) = picked(bytes, &places) {
        under(path, content, false);
    }
}

pub(crate) fn lock(bytes: &[u8]) {
    let places = [
        "app/package-lock.json",
        "app/yarn.lock",
        "app/pnpm-lock.yaml",
        "app/poetry.lock",
        "app/uv.lock",
        "app/Pipfile.lock",
        "app/Cargo.lock",
        "app/Gemfile.lock",
        "app/composer.lock",
        "app/go.mod",
    ];
    if let Some((path, content)) = picked(bytes, &places) {
        under(path, content, true);
    }
}
