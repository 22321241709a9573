//! The build information of a Go program, as the package `debug/buildinfo` of Go's library reads it.
//!
//! A header of 32 bytes at an address divisible by 16: the marker, the size of pointers, flags. Since Go 1.18 the
//! version of Go and the list of modules follow it, each behind its length; before, the header points at both.

use memchr::memmem::Finder;
use object::{Object, ObjectSegment};

use super::{LanguagePackage, Parsed};

const MARKER: &[u8] = b"\xff Go buildinf:";
const ALIGNMENT: u64 = 16;
const HEADER_BYTES: usize = 32;
const POINTER_SIZE: usize = 14;
const FLAGS: usize = 15;
const BIG_ENDIAN: u8 = 1;
const WRITTEN_OUT: u8 = 2;
/// Bytes of a version of Go. `go1.24.1 X:…` names its experiments.
const MAX_VERSION_BYTES: usize = 1024;
/// Bytes of a list of modules.
pub(super) const MAX_MODULES_BYTES: usize = 8 << 20;
/// Bytes of a length, in groups of seven bits.
const MAX_LENGTH_BYTES: usize = 10;
/// What is needed from the marker on to tell whether it is a header.
const PROBE_BYTES: usize = HEADER_BYTES + MAX_LENGTH_BYTES + MAX_VERSION_BYTES;
/// Text in front of the list of modules and behind it, without meaning here.
const FRAME_BYTES: usize = 16;

/// The version of Go and the list of modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuildInfo {
    version: String,
    modules: String,
}

/// What a stream held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No marker.
    Nothing,
    Info(BuildInfo),
    /// A header that points elsewhere.
    Pointers,
    /// A list beyond [`MAX_MODULES_BYTES`].
    TooLarge,
}

/// Looks for build information in a program as it streams by, and keeps no more of it than that.
#[derive(Debug)]
pub(super) struct StreamReader {
    marker: Finder<'static>,
    /// What may still be part of a header; its first byte stands at `offset` in the program.
    pending: Vec<u8>,
    offset: u64,
    /// `pending` begins with a header.
    in_header: bool,
    found: Found,
}

impl StreamReader {
    pub(super) fn new() -> Self {
        let marker = Finder::new(MARKER);
        Self { marker, pending: Vec::new(), offset: 0, in_header: false, found: Found::Nothing }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        if !self.is_settled() {
            self.pending.extend_from_slice(piece);
            self.look(false);
        }
    }

    pub(super) fn finish(mut self) -> Found {
        if !self.is_settled() {
            self.look(true);
        }
        self.found
    }

    fn is_settled(&self) -> bool {
        matches!(self.found, Found::Info(_) | Found::TooLarge)
    }

    fn look(&mut self, at_end: bool) {
        // What lies behind is forgotten once, however many markers there are in it.
        let mut from = 0;
        while !self.in_header {
            let Some(at) = self.marker.find(&self.pending[from..]) else {
                let kept = (self.pending.len() - from).min(MARKER.len() - 1);
                return self.forget(self.pending.len() - kept);
            };
            from += at;
            let rest = &self.pending[from..];
            if rest.len() < PROBE_BYTES && !at_end {
                return self.forget(from);
            }
            let is_aligned = (self.offset + from as u64).is_multiple_of(ALIGNMENT);
            match probe(rest).filter(|_| is_aligned) {
                Some(Form::WrittenOut) => self.in_header = true,
                Some(Form::Pointers) => {
                    self.found = Found::Pointers;
                    from += MARKER.len();
                }
                None => from += MARKER.len(),
            }
        }
        self.forget(from);
        self.read_header(at_end);
    }

    fn read_header(&mut self, at_end: bool) {
        match written_out(&self.pending) {
            Some(info) => self.found = Found::Info(info),
            // All of the list was seen, or as much as there will ever be room for.
            None if at_end || self.pending.len() > PROBE_BYTES + MAX_LENGTH_BYTES + MAX_MODULES_BYTES => {
                self.found = Found::TooLarge;
            }
            None => return,
        }
        self.pending = Vec::new();
    }

    fn forget(&mut self, bytes: usize) {
        self.pending.drain(..bytes);
        self.offset += bytes as u64;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    WrittenOut,
    Pointers,
}

/// Whether bytes that begin with the marker are a header: programs that read such headers hold the marker, too.
fn probe(bytes: &[u8]) -> Option<Form> {
    let flags = *bytes.get(FLAGS)?;
    if flags & WRITTEN_OUT != 0 {
        let (version, _) = text(bytes.get(HEADER_BYTES..)?, MAX_VERSION_BYTES)?;
        return is_version(version).then_some(Form::WrittenOut);
    }
    let pointers = flags & !BIG_ENDIAN == 0 && matches!(bytes[POINTER_SIZE], 4 | 8);
    pointers.then_some(Form::Pointers)
}

fn is_version(text: &[u8]) -> bool {
    (text.starts_with(b"go") || text.starts_with(b"devel"))
        && text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Reads what follows a header; none where it is not all there.
fn written_out(bytes: &[u8]) -> Option<BuildInfo> {
    let (version, rest) = text(bytes.get(HEADER_BYTES..)?, MAX_VERSION_BYTES)?;
    let (modules, _) = text(rest, MAX_MODULES_BYTES)?;
    Some(BuildInfo::of(version, modules))
}

/// A text behind its length.
fn text(bytes: &[u8], max_bytes: usize) -> Option<(&[u8], &[u8])> {
    let mut length = 0;
    for (at, byte) in bytes.iter().take(MAX_LENGTH_BYTES).enumerate() {
        length |= u64::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).ok().filter(|length| *length <= max_bytes)?;
            return bytes[at + 1..].split_at_checked(length);
        }
    }
    None
}

/// Follows the pointers of the first header in a whole program that has them.
pub(super) fn read_pointers(program: &[u8]) -> Option<BuildInfo> {
    let file = object::File::parse(program).ok()?;
    let headers = Finder::new(MARKER);
    let aligned = |at: &usize| (*at as u64).is_multiple_of(ALIGNMENT);
    headers.find_iter(program).filter(aligned).find_map(|at| {
        let header = program.get(at..at + HEADER_BYTES)?;
        (probe(header)? == Form::Pointers).then(|| pointed_at(&file, header))?
    })
}

fn pointed_at(file: &object::File<'_>, header: &[u8]) -> Option<BuildInfo> {
    let size = usize::from(header[POINTER_SIZE]);
    let big = header[FLAGS] & BIG_ENDIAN != 0;
    let number = |bytes: &[u8]| {
        let mut wide = [0; 8];
        if big {
            wide[8 - size..].copy_from_slice(bytes);
            u64::from_be_bytes(wide)
        } else {
            wide[..size].copy_from_slice(bytes);
            u64::from_le_bytes(wide)
        }
    };
    // A text of Go's is an address and a length.
    let text_at = |pointer: u64, max_bytes: usize| {
        let text = data(file, pointer, 2 * size as u64)?;
        let (address, length) = (number(&text[..size]), number(&text[size..]));
        (length <= max_bytes as u64).then(|| data(file, address, length))?
    };
    let pointers = &header[FLAGS + 1..];
    let version = text_at(number(&pointers[..size]), MAX_VERSION_BYTES).filter(|text| is_version(text))?;
    let modules = text_at(number(&pointers[size..2 * size]), MAX_MODULES_BYTES).unwrap_or_default();
    Some(BuildInfo::of(version, modules))
}

fn data<'a>(file: &object::File<'a>, address: u64, bytes: u64) -> Option<&'a [u8]> {
    file.segments().find_map(|segment| segment.data_range(address, bytes).ok()?)
}

impl BuildInfo {
    fn of(version: &[u8], modules: &[u8]) -> Self {
        // Anything without its frame is no list, as it is in programs that were built without modules.
        let framed = modules.len() > 2 * FRAME_BYTES && modules[modules.len() - FRAME_BYTES - 1] == b'\n';
        let modules = if framed { &modules[FRAME_BYTES..modules.len() - FRAME_BYTES] } else { &[] };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { version: text(version), modules: text(modules) }
    }

    /// Whether there is no list of modules at all: what such a program is made of is not known.
    fn lacks_modules(&self) -> bool {
        self.modules.is_empty()
    }

    /// Go's own library, and the modules, of which a replacement counts and not what it replaces. A module
    /// without a version (the main one as `go build` made it, one replaced by a folder) is none to judge.
    pub(super) fn parsed(&self) -> Parsed {
        let mut modules: Vec<(&str, &str)> = Vec::new();
        for line in self.modules.lines() {
            let mut fields = line.split('\t');
            let (word, path, version) = (fields.next(), fields.next(), fields.next().unwrap_or_default());
            match (word, path) {
                (Some("mod" | "dep"), Some(path)) => modules.push((path, version)),
                (Some("=>"), Some(path)) => {
                    modules.pop();
                    modules.push((path, version));
                }
                _ => {}
            }
        }
        let mut parsed = Parsed { malformed_parts: u64::from(self.lacks_modules()), ..Parsed::default() };
        for (path, version) in modules {
            if !version.is_empty() && version != "(devel)" && !path.starts_with(['.', '/']) {
                parsed.add(LanguagePackage::new(path, version));
            }
        }
        parsed.packages.extend(
            library_version(&self.version).and_then(|version| LanguagePackage::new("stdlib", &version)),
        );
        parsed
    }
}

/// The version of Go's library in the form of semantic versions: `go1.21rc2 X:x` is `1.21.0-rc.2`. A build of
/// no release, `devel +0123abc`, has none.
fn library_version(text: &str) -> Option<String> {
    let word = text.split(' ').find_map(|word| word.strip_prefix("go"))?;
    let version = word.split("-X:").next()?;
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let numbers = version.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(version.len());
    let (numbers, rest) = version.split_at(numbers);
    let early = ["rc", "beta"].iter().find_map(|word| Some((word, rest.strip_prefix(word)?)));
    Some(match early {
        Some((word, count)) => {
            let patch = if numbers.matches('.').count() < 2 { ".0" } else { "" };
            format!("{numbers}{patch}-{word}.{count}")
        }
        // `b7` marks a build with another cryptographic library.
        None if rest.starts_with('b') => numbers.to_owned(),
        None => version.to_owned(),
    })
}

#[cfg(test)]
pub(super) mod tests;
