//! Build information in its two forms.

use super::super::tests::{BASE, MODULES, Machine, framed, parse, written_out};
use super::super::{MAX_PROGRAM_BYTES, ParsedProgram};
use super::*;

/// Build information as Go 1.17 and earlier wrote it: the header, two texts' places, the texts.
pub(in super::super) fn with_pointers(machine: Machine, version: &str, modules: &str) -> Vec<u8> {
    let size = machine.pointer(0).len();
    let start = BASE + machine.content_at();
    let modules = framed(modules);
    let places = start + 32;
    let texts = places + 4 * size as u64;
    let mut bytes = b"\xff Go buildinf:".to_vec();
    bytes.extend([u8::try_from(size).unwrap(), u8::from(machine.big)]);
    bytes.extend([machine.pointer(places), machine.pointer(places + 2 * size as u64)].concat());
    bytes.resize(32, 0);
    bytes.extend([machine.pointer(texts), machine.pointer(version.len() as u64)].concat());
    bytes.extend(
        [machine.pointer(texts + version.len() as u64), machine.pointer(modules.len() as u64)].concat(),
    );
    [bytes, version.as_bytes().to_vec(), modules].concat()
}

fn rows(info: &BuildInfo) -> Vec<String> {
    let row = |package: LanguagePackage| format!("{} {}", package.name, package.version);
    info.parsed().packages.into_iter().map(row).collect()
}

fn modules(text: &str) -> Vec<String> {
    rows(&BuildInfo { version: "go1.20".to_owned(), modules: text.to_owned() })
}

fn streamed(bytes: &[u8], piece: usize) -> Found {
    let mut reader = StreamReader::new();
    bytes.chunks(piece).for_each(|piece| reader.push(piece));
    reader.finish()
}

#[test]
fn old_programs_point_at_their_lists() {
    for machine in Machine::ALL {
        let program = machine.program(&with_pointers(machine, "go1.15.15", MODULES), ".data", b"");
        let parsed = parse(&program, 100, MAX_PROGRAM_BYTES).go.unwrap();
        let names: Vec<_> = parsed.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["golang.org/x/text", "stdlib"], "{machine:?}");
        let too_large = parse(&program, 100, program.len() - 1).go.unwrap();
        assert!(too_large.over_limit, "{machine:?}");
    }
}

#[test]
fn pointers_that_lead_nowhere_are_told() {
    let machine = Machine::COMMON;
    let mut content = with_pointers(machine, "go1.15.15", MODULES);
    content[16..24].copy_from_slice(&machine.pointer(u64::MAX - 3));
    let program = machine.program(&content, ".data", b"");
    let expected = ParsedProgram { go: Some(Parsed::malformed()), rust: None };
    assert_eq!(parse(&program, 100, MAX_PROGRAM_BYTES), expected);
}

#[test]
fn a_marker_that_is_no_header_is_passed_over() {
    let decoys: [&[u8]; 4] = [
        b"\xff Go buildinf:\x08\x02 a text that speaks of such headers...",
        b"0123456\xff Go buildinf:\x08\x02",
        b"\xff Go buildinf:\xff\xff",
        b"\xff Go buildinf:",
    ];
    for decoy in decoys {
        let mut program = decoy.to_vec();
        program.resize(decoy.len().next_multiple_of(16) + 4096, 0);
        program.extend(written_out("go1.21.3", MODULES));
        for piece in [1, 16, 33, 5000] {
            assert!(matches!(streamed(&program, piece), Found::Info(_)), "{decoy:?} {piece}");
        }
    }
}

#[test]
fn a_flood_of_markers_is_passed_over() {
    let mut program = MARKER.repeat(600_000);
    program.resize(program.len().next_multiple_of(16), 0);
    program.extend(written_out("go1.21.3", MODULES));
    for piece in [program.len(), 4096] {
        assert!(matches!(streamed(&program, piece), Found::Info(_)), "{piece}");
    }
}

#[test]
fn a_header_stands_at_an_aligned_address() {
    let program = [&[0; 8][..], &written_out("go1.21.3", MODULES)].concat();
    assert_eq!(streamed(&program, 100), Found::Nothing);
}

#[test]
fn a_list_is_read_up_to_the_limit() {
    let frames = 2 * FRAME_BYTES;
    let list = |bytes: usize| format!("{}\n", "x".repeat(bytes - frames - 1));
    let at = written_out("go1.21.3", &list(MAX_MODULES_BYTES));
    assert!(matches!(streamed(&at, 100_000), Found::Info(_)));
    let past = written_out("go1.21.3", &list(MAX_MODULES_BYTES + 1));
    assert_eq!(streamed(&past, 100_000), Found::TooLarge);
}

#[test]
fn a_version_of_go_is_read_up_to_the_limit() {
    let version = |bytes: usize| format!("go{}", "1".repeat(bytes - 2));
    assert!(matches!(streamed(&written_out(&version(MAX_VERSION_BYTES), MODULES), 100), Found::Info(_)));
    assert_eq!(streamed(&written_out(&version(MAX_VERSION_BYTES + 1), MODULES), 100), Found::Nothing);
}

#[test]
fn a_length_is_read_up_to_so_many_groups() {
    let padded = |groups: usize| [&vec![0x80; groups - 1][..], &[0], b"rest"].concat();
    assert_eq!(text(&padded(MAX_LENGTH_BYTES), 10), Some((&b""[..], &b"rest"[..])));
    assert_eq!(text(&padded(MAX_LENGTH_BYTES + 1), 10), None);
}

#[test]
fn a_list_that_breaks_off_is_told() {
    let program = written_out("go1.21.3", MODULES);
    assert_eq!(streamed(&program[..program.len() - 1], 10), Found::TooLarge);
}

#[test]
fn a_program_without_modules_still_has_gos_library_and_is_told() {
    let info = |modules: &str| BuildInfo { version: "go1.21.3".to_owned(), modules: modules.to_owned() };
    assert_eq!((info("").parsed().malformed_parts, info("path\tcmd/go\n").parsed().malformed_parts), (1, 0));
    let mut program = written_out("go1.21.3", "");
    assert!(matches!(streamed(&program, 10), Found::Info(info) if rows(&info) == ["stdlib 1.21.3"]));
    program.truncate(32);
    program.extend([8, b'g', b'o', b'1', b'.', b'2', b'1', b'.', b'3', 0]);
    assert!(matches!(streamed(&program, 10), Found::Info(info) if rows(&info) == ["stdlib 1.21.3"]));
}

#[test]
fn a_replacement_counts_and_not_what_it_replaces() {
    let text = "path\tx\nmod\tx\tv1.2.3\th1:a\ndep\ta.org/old\tv1.0.0\n=>\tb.org/new\tv2.0.0\th1:b\n\
                dep\ta.org/local\tv1.0.0\n=>\t./local\t(devel)\t\ndep\ta.org/plain\tv3.2.0+incompatible\th1:c\n\
                build\t-ldflags=dep\tno\tv9\n";
    let expected = ["x v1.2.3", "b.org/new v2.0.0", "a.org/plain v3.2.0+incompatible", "stdlib 1.20"];
    assert_eq!(modules(text), expected);
}

#[test]
fn main_modules_without_a_version_are_left_out() {
    assert_eq!(modules("path\tx\nmod\tx\t(devel)\t\n"), ["stdlib 1.20"]);
    assert_eq!(modules("mod\tx\t\t\n"), ["stdlib 1.20"]);
    assert_eq!(modules("mod\tx\tv1.0.0+dirty\t\n"), ["x v1.0.0+dirty", "stdlib 1.20"]);
}

#[test]
fn the_librarys_version_is_a_semantic_one() {
    for (text, version) in [
        ("go1.19.8", Some("1.19.8")),
        ("go1.20", Some("1.20")),
        ("go1.20.12 X:strictfipsruntime", Some("1.20.12")),
        ("go1.26.0-X:nodwarf5", Some("1.26.0")),
        ("go1.26.5 (Red Hat 1.26.5-1.el9)", Some("1.26.5")),
        ("go1.21rc2", Some("1.21.0-rc.2")),
        ("go1.21.0rc1", Some("1.21.0-rc.1")),
        ("go1.9beta1", Some("1.9.0-beta.1")),
        ("go1.18.10b7", Some("1.18.10")),
        ("devel go1.23-0123abc Tue Jan 2 2024", Some("1.23-0123abc")),
        ("devel +0123abc Tue Jan 2 2018", None),
        ("gopher", None),
    ] {
        assert_eq!(library_version(text).as_deref(), version, "{text}");
    }
}
