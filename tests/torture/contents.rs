//! What images hold: systems, databases of packages, archives, programs.

use std::io::{Cursor, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::ZlibEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::archive::Tar;

pub(crate) const OS_RELEASE: &str = "etc/os-release";
pub(crate) const STATUS: &str = "var/lib/dpkg/status";
pub(crate) const INSTALLED: &str = "lib/apk/db/installed";
pub(crate) const DEBIAN_12: &str = "ID=debian\nVERSION_ID=\"12\"\n";
pub(crate) const ALPINE_20: &str = "ID=alpine\nVERSION_ID=3.20.3\n";
pub(crate) const ALMA_8: &str = "ID=almalinux\nVERSION_ID=8.5\n";
/// The path of a package that npm installed.
pub(crate) const LODASH: &str = "app/node_modules/lodash/package.json";
pub(crate) const LODASH_OLD: &str = r#"{"name":"lodash","version":"4.17.20"}"#;
pub(crate) const LODASH_NEW: &str = r#"{"name":"lodash","version":"4.17.21"}"#;

/// A stanza of dpkg.
pub(crate) fn stanza(package: &str, version: &str) -> String {
    format!("Package: {package}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
}

/// A database of dpkg with a flawed openssl.
pub(crate) fn old_status() -> String {
    stanza("zlib1g", "1:1.2.13.dfsg-1") + &stanza("openssl", "3.0.9-1")
}

/// The same with a mended openssl.
pub(crate) fn new_status() -> String {
    stanza("zlib1g", "1:1.2.13.dfsg-1") + &stanza("openssl", "3.0.15-1~deb12u1")
}

/// The database of apk with openssl of a version.
pub(crate) fn installed(version: &str) -> String {
    format!(
        "C:Q1a=\nP:libssl3\nV:{version}\nA:x86_64\no:openssl\nF:lib\nR:libssl.so.3\n\n\
         C:Q1b=\nP:zlib\nV:1.3.1-r1\nA:x86_64\n\n"
    )
}

/// A layer of Debian 12 in which nothing is to be found.
pub(crate) fn sound_debian() -> Tar {
    Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, new_status())
}

/// A layer of Debian 12 with a flawed openssl.
pub(crate) fn flawed_debian() -> Tar {
    Tar::default().file(OS_RELEASE, DEBIAN_12).file(STATUS, old_status())
}

/// A layer of Alpine 3.20 with openssl of a version.
pub(crate) fn alpine(version: &str) -> Tar {
    Tar::default().file(OS_RELEASE, ALPINE_20).file(INSTALLED, installed(version))
}

/// A database of rpm out of the test data of the scanner.
pub(crate) fn rpm(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/scanner/src/inventory/os/rpm/testdata");
    let packed = std::fs::read(format!("{folder}/{name}.gz")).unwrap();
    let mut content = vec![];
    GzDecoder::new(packed.as_slice()).read_to_end(&mut content).unwrap();
    content
}

/// A zip archive, such as a jar.
pub(crate) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    zipped_by(CompressionMethod::Deflated, members)
}

pub(crate) fn zipped_by(method: CompressionMethod, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(vec![]));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Where Maven puts what an archive is.
pub(crate) const POM: &str = "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties";

/// log4j-core of a version.
pub(crate) fn log4j(version: &str) -> Vec<u8> {
    let properties =
        format!("groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion={version}\n").into_bytes();
    zipped(&[(POM, properties.as_slice()), ("org/apache/A.class", b"\xca\xfe\xba\xbe")])
}

/// A program of Go that is made of x/crypto of a version.
pub(crate) fn go_program(version: &str) -> Vec<u8> {
    let modules = format!(
        "path\texample.org/app\nmod\texample.org/app\t(devel)\t\ndep\tgolang.org/x/crypto\t{version}\th1:x\n"
    );
    let framed = [&[0x30; 16], modules.as_bytes(), &[0xf9; 16]].concat();
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(64, 0);
    program.extend(b"\xff Go buildinf:\x08\x02");
    program.resize(96, 0);
    for text in [b"go1.23.4".as_slice(), &framed] {
        let mut length = text.len();
        while length >= 0x80 {
            program.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        program.push(u8::try_from(length).unwrap());
        program.extend(text);
    }
    program
}

/// A program with one section beside the table of names.
pub(crate) fn program_with_section(section: &str, data: &[u8]) -> Vec<u8> {
    let names = format!("\0.shstrtab\0{section}\0").into_bytes();
    let (data_at, names_at) = (64, 64 + data.len());
    let sections_at = names_at + names.len();
    let wide = |value: usize| (value as u64).to_le_bytes();
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    file.extend([wide(0), wide(0), wide(sections_at)].concat());
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 0, 0, 64, 0, 3, 0, 1, 0]);
    file.extend([data, &names].concat());
    file.extend([0; 64]);
    for (name, kind, at, bytes) in [(1_u32, 3_u32, names_at, names.len()), (11, 1, data_at, data.len())] {
        file.extend([name.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend([wide(0), wide(0), wide(at), wide(bytes), wide(0), wide(1), wide(0)].concat());
    }
    file
}

/// The section of `cargo auditable` about smallvec of a version.
pub(crate) fn crates(version: &str) -> Vec<u8> {
    let list =
        format!(r#"{{"packages":[{{"name":"smallvec","version":"{version}","source":"crates.io"}}]}}"#);
    let mut encoder = ZlibEncoder::new(vec![], Compression::fast());
    encoder.write_all(list.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
