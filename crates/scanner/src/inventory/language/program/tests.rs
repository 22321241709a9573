//! Programs in the ELF format, made by hand: one segment that holds the whole file, and a table of sections.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;

/// Where the segment lies in memory.
pub(super) const BASE: u64 = 0x40_0000;

/// Writes numbers of the width and byte order of a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    pub(super) wide: bool,
    pub(super) big: bool,
}

impl Machine {
    pub(super) const COMMON: Self = Self { wide: true, big: false };
    pub(super) const ALL: [Self; 4] = [
        Self::COMMON,
        Self { wide: true, big: true },
        Self { wide: false, big: false },
        Self { wide: false, big: true },
    ];

    pub(super) fn pointer(self, value: u64) -> Vec<u8> {
        let bytes = if self.wide { 8 } else { 4 };
        self.number(value, bytes)
    }

    fn number(self, value: u64, bytes: usize) -> Vec<u8> {
        if self.big {
            value.to_be_bytes()[8 - bytes..].to_vec()
        } else {
            value.to_le_bytes()[..bytes].to_vec()
        }
    }

    fn header_bytes(self) -> usize {
        if self.wide { 64 } else { 52 }
    }

    fn segment_bytes(self) -> usize {
        if self.wide { 56 } else { 32 }
    }

    fn section_bytes(self) -> usize {
        if self.wide { 64 } else { 40 }
    }

    /// Where content begins that is given to [`Self::program`].
    pub(super) fn content_at(self) -> u64 {
        (self.header_bytes() + self.segment_bytes()).next_multiple_of(16) as u64
    }

    /// A program of this content, with one section beside the table of names.
    pub(super) fn program(self, content: &[u8], section: &str, data: &[u8]) -> Vec<u8> {
        let content_at = usize::try_from(self.content_at()).unwrap();
        let names = format!("\0.shstrtab\0{section}\0").into_bytes();
        let data_at = content_at + content.len();
        let names_at = data_at + data.len();
        let sections_at = names_at + names.len();
        let mut file = self.header(sections_at);
        file.extend(self.segment(sections_at));
        file.resize(content_at, 0);
        file.extend([content, data, &names].concat());
        file.extend(vec![0; self.section_bytes()]);
        file.extend(self.section(1, 3, names_at, names.len()));
        file.extend(self.section(11, 1, data_at, data.len()));
        file
    }

    fn header(self, sections_at: usize) -> Vec<u8> {
        let mut file = b"\x7fELF".to_vec();
        file.extend([if self.wide { 2 } else { 1 }, if self.big { 2 } else { 1 }, 1, 0]);
        file.extend([0; 8]);
        file.extend([self.number(2, 2), self.number(62, 2), self.number(1, 4)].concat());
        file.extend([self.pointer(BASE), self.pointer(self.header_bytes() as u64)].concat());
        file.extend([self.pointer(sections_at as u64), self.number(0, 4)].concat());
        let sizes = [self.header_bytes(), self.segment_bytes(), 1, self.section_bytes(), 3, 1];
        file.extend(sizes.iter().flat_map(|size| self.number(*size as u64, 2)));
        file
    }

    fn segment(self, bytes: usize) -> Vec<u8> {
        let (kind, flags, bytes) = (self.number(1, 4), self.number(6, 4), self.pointer(bytes as u64));
        let place = [self.pointer(0), self.pointer(BASE), self.pointer(BASE), bytes.clone(), bytes].concat();
        let align = self.pointer(0x1000);
        if self.wide { [kind, flags, place, align].concat() } else { [kind, place, flags, align].concat() }
    }

    fn section(self, name: u64, kind: u64, at: usize, bytes: usize) -> Vec<u8> {
        let first = [self.number(name, 4), self.number(kind, 4), self.pointer(0), self.pointer(0)];
        let second =
            [self.pointer(at as u64), self.pointer(bytes as u64), self.number(0, 4), self.number(0, 4)];
        [first.concat(), second.concat(), self.pointer(1), self.pointer(0)].concat()
    }
}

pub(super) const MODULES: &str = "path\texample.org/app\nmod\texample.org/app\t(devel)\t\n\
                                  dep\tgolang.org/x/text\tv0.3.6\th1:x\n";

/// A list of modules in its frame.
pub(super) fn framed(modules: &str) -> Vec<u8> {
    [&[0x30; 16], modules.as_bytes(), &[0xf9; 16]].concat()
}

pub(super) fn with_length(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut length = text.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend(text);
    bytes
}

/// Build information as Go 1.18 and later write it.
pub(super) fn written_out(version: &str, modules: &str) -> Vec<u8> {
    let mut bytes = b"\xff Go buildinf:\x08\x02".to_vec();
    bytes.resize(32, 0);
    [bytes, with_length(version.as_bytes()), with_length(&framed(modules))].concat()
}

/// A crate list's section.
fn auditable() -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let list = br#"{"packages":[{"name":"smallvec","version":"1.6.0","source":"crates.io"}]}"#;
    encoder.write_all(list).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn parse(program: &[u8], piece: usize, max_held_bytes: usize) -> ParsedProgram {
    let mut reader = ProgramReader::new(max_held_bytes);
    program.chunks(piece).for_each(|piece| reader.push(piece));
    reader.parsed()
}

fn rows(parsed: Option<&Parsed>) -> Vec<String> {
    let row = |package: &LanguagePackage| format!("{} {}", package.name, package.version);
    parsed.unwrap().packages.iter().map(row).collect()
}

#[test]
fn both_lists_are_found_whatever_the_pieces() {
    for machine in Machine::ALL {
        let program = machine.program(&written_out("go1.21.3", MODULES), ".dep-v0", &auditable());
        for piece in [1, 2, 7, 13, 64, 1000, program.len()] {
            let parsed = parse(&program, piece, MAX_PROGRAM_BYTES);
            assert_eq!(rows(parsed.go.as_ref()), ["golang.org/x/text v0.3.6", "stdlib 1.21.3"], "{piece}");
            assert_eq!(rows(parsed.rust.as_ref()), ["smallvec 1.6.0"], "{machine:?} {piece}");
        }
    }
}

#[test]
fn a_program_without_either_names_nothing() {
    let program = Machine::COMMON.program(b"text about .dep-v1 and Go buildinf:", ".text", b"x");
    assert_eq!(parse(&program, 5, MAX_PROGRAM_BYTES), ParsedProgram::default());
}

#[test]
fn a_text_that_holds_the_sections_name_is_no_section() {
    let program = Machine::COMMON.program(b"\0.dep-v0\0", ".text", b"x");
    assert_eq!(parse(&program, 5, MAX_PROGRAM_BYTES), ParsedProgram::default());
}

#[test]
fn a_program_is_held_up_to_the_limit() {
    let program = Machine::COMMON.program(&written_out("go1.21.3", MODULES), ".dep-v0", &auditable());
    let at = parse(&program, 100, program.len());
    assert_eq!(rows(at.rust.as_ref()), ["smallvec 1.6.0"]);
    let past = parse(&program, 100, program.len() - 1);
    assert!(past.rust.unwrap().over_limit);
    assert_eq!(rows(past.go.as_ref()), ["golang.org/x/text v0.3.6", "stdlib 1.21.3"], "it streams by");
}

proptest! {
    #[test]
    fn no_mutation_of_a_program_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..32),
        cut in any::<prop::sample::Index>(),
        piece in 1..300_usize,
        which in 0..4_usize,
    ) {
        let machine = Machine::ALL[which];
        let pointers = go::tests::with_pointers(machine, "go1.15", MODULES);
        let whole = [
            machine.program(&written_out("go1.21.3", MODULES), ".dep-v0", &auditable()),
            machine.program(&pointers, ".dep-v0", &auditable()),
        ];
        for mut program in whole {
            for (at, byte) in &changes {
                let at = at.index(program.len());
                program[at] = *byte;
            }
            let _ = parse(&program, piece, MAX_PROGRAM_BYTES);
            let _ = parse(&program[..cut.index(program.len())], piece, MAX_PROGRAM_BYTES);
        }
    }
}
