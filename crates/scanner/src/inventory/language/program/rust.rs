//! The list of crates that `cargo auditable` puts into a section of a program: JSON, packed by zlib.

use std::io::Read;

use flate2::bufread::ZlibDecoder;
use object::{Object, ObjectSection};

use super::{LanguagePackage, Parsed};
use crate::inventory::language::fields::{self, Member, Pick, PickEach};

/// The section's name as the table of names has it, its end included.
pub(super) const SECTION_NAME: &[u8] = b".dep-v0\0";
/// Bytes of the list, unpacked.
pub(super) const MAX_LIST_BYTES: usize = 8 << 20;

/// Reads the list of a whole program; none where it has no such section.
pub(super) fn read(program: &[u8]) -> Option<Parsed> {
    let file = object::File::parse(program).ok()?;
    let section = file.section_by_name_bytes(&SECTION_NAME[..SECTION_NAME.len() - 1])?;
    Some(section.data().ok().map_or_else(Parsed::malformed, unpack))
}

fn unpack(packed: &[u8]) -> Parsed {
    let mut list = Vec::new();
    let unpacked = ZlibDecoder::new(packed).take(MAX_LIST_BYTES as u64 + 1).read_to_end(&mut list);
    match unpacked {
        Err(_) => Parsed::malformed(),
        Ok(bytes) if bytes > MAX_LIST_BYTES => Parsed { over_limit: true, ..Parsed::default() },
        Ok(_) => crates(&list),
    }
}

/// The crates that are part of the program and come out of a registry: not what only built it, not its own.
fn crates(list: &[u8]) -> Parsed {
    let picked = PickEach(Pick(["name", "version", "source", "kind"]));
    let Some(entries) = fields::read(list, Member("packages", picked)) else { return Parsed::malformed() };
    let mut parsed = Parsed::default();
    for [name, version, source, kind] in entries {
        let is_built_in = matches!(kind.as_deref(), None | Some("runtime"));
        if is_built_in && matches!(source.as_deref(), Some("crates.io" | "registry")) {
            let package = name.zip(version);
            parsed.add(package.and_then(|(name, version)| LanguagePackage::new(&name, &version)));
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn pack(list: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(list).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn crates_of_a_registry_that_are_in_the_program_count() {
        let list = br#"{"packages":[
            {"name":"smallvec","version":"1.6.0","source":"crates.io"},
            {"name":"ours","version":"1.0.0","source":"registry","kind":"runtime","features":["x"]},
            {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
            {"name":"insta","version":"1.0.0","source":"crates.io","kind":"dev"},
            {"name":"forked","version":"1.0.0","source":"git"},
            {"name":"app","version":"0.3.1","source":"local","root":true,"dependencies":[0]}],"format":1}"#;
        let expected = [("smallvec", "1.6.0"), ("ours", "1.0.0")];
        let expected = expected.map(|(name, version)| LanguagePackage::new(name, version).unwrap());
        assert_eq!(unpack(&pack(list)), Parsed { packages: expected.into(), ..Parsed::default() });
    }

    #[test]
    fn what_is_no_list_is_malformed() {
        for broken in [&b"{}"[..], b"[]", b"", b"\xff"] {
            assert_eq!(unpack(&pack(broken)), Parsed::malformed());
        }
        assert_eq!(unpack(b"not packed"), Parsed::malformed());
        assert_eq!(unpack(&pack(br#"{"packages":[]}"#)[..8]), Parsed::malformed());
    }

    #[test]
    fn a_list_is_unpacked_up_to_the_limit() {
        let list = |bytes: usize| {
            let json = br#"{"packages":[]}"#;
            pack(&[&vec![b' '; bytes - json.len()], &json[..]].concat())
        };
        assert_eq!(unpack(&list(MAX_LIST_BYTES)), Parsed::default());
        assert!(unpack(&list(MAX_LIST_BYTES + 1)).over_limit);
    }

    #[test]
    fn what_is_no_program_has_no_list() {
        assert_eq!(read(b"\x7fELF and no more, .dep-v0\0"), None);
    }
}
