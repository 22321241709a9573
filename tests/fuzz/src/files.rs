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

/// A tar archive of these files.
#[must_use]
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(vec![]);
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, *content).expect("memory takes it");
    }
    archive.into_inner().expect("memory takes it")
}

/// The first byte picks one of these.
pub(crate) fn picked<'a>(bytes: &'a [u8], paths: &[&'static str]) -> Option<(&'static str, &'a [u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((paths.get(usize::from(*first) % paths.len())?, rest))
}

pub(crate) fn dpkg(bytes: &[u8]) {
    under("var/lib/dpkg/status", bytes, false);
}

pub(crate) fn apk(bytes: &[u8]) {
    under("lib/apk/db/installed", bytes, false);
}

/// Under the path that the first byte picks.
fn under_one_of(paths: &[&'static str], bytes: &[u8], lock_files: bool) {
    if let Some((path, content)) = picked(bytes, paths) {
        under(path, content, lock_files);
    }
}

/// The bytes tell which of the three kinds it is, whatever the path.
pub(crate) fn rpm(bytes: &[u8]) {
    let kinds = ["var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite"];
    under_one_of(&kinds, bytes, false);
}

pub(crate) fn jar(bytes: &[u8]) {
    under("app/log4j-core-2.14.1.jar", bytes, false);
}

pub(crate) fn program(bytes: &[u8]) {
    under("opt/app", &[b"\x7fELF", bytes].concat(), false);
}

pub(crate) fn os_release(bytes: &[u8]) {
    const PLACES: [&str; 5] = [
        "etc/os-release",
        "etc/alpine-release",
        "etc/redhat-release",
        "etc/lsb-release",
        "etc/debian_version",
    ];
    under_one_of(&PLACES, bytes, false);
}

pub(crate) fn metadata(bytes: &[u8]) {
    const PLACES: [&str; 8] = [
        "app/node_modules/x/package.json",
        "usr/lib/python3/site-packages/x-1.dist-info/METADATA",
        "usr/lib/ruby/specifications/x-1.gemspec",
        "srv/vendor/composer/installed.json",
        "app/a.deps.json",
        "usr/lib/python3/x-1-py3.egg",
        "var/lib/dpkg/status.d/x.md5sums",
        "var/lib/dpkg/info/x.list",
    ];
    under_one_of(&PLACES, bytes, false);
}

const LOCK_FILES: [&str; 10] = [
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

pub(crate) fn lock(bytes: &[u8]) {
    under_one_of(&LOCK_FILES, bytes, true);
}
