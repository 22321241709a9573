//! Tar archives written block by block, so that they may say what no tool would.

const BLOCK: usize = 512;

/// An archive that grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

/// One header block.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) size: [u8; 12],
    pub(crate) link: Vec<u8>,
    pub(crate) magic: [u8; 8],
    pub(crate) prefix: Vec<u8>,
    /// Added to the checksum that is right.
    pub(crate) checksum_off_by: u64,
}

/// A size as twelve octal digits, which leave no room for more than 64 GiB.
pub(crate) fn octal(size: u64) -> [u8; 12] {
    format!("{size:011o}\0").into_bytes().try_into().unwrap()
}

impl Header {
    /// A regular file.
    pub(crate) fn file(name: impl AsRef<[u8]>, size: usize) -> Self {
        Self::of(b'0', name, size)
    }

    /// A member of any type.
    pub(crate) fn of(kind: u8, name: impl AsRef<[u8]>, size: usize) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            kind,
            size: octal(size as u64),
            link: vec![],
            magic: *b"ustar\x0000",
            prefix: vec![],
            checksum_off_by: 0,
        }
    }

    fn block(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..self.name.len()].copy_from_slice(&self.name);
        block[100..108].copy_from_slice(b"0000755\0");
        block[124..136].copy_from_slice(&self.size);
        block[148..156].copy_from_slice(b"        ");
        block[156] = self.kind;
        block[157..157 + self.link.len()].copy_from_slice(&self.link);
        block[257..265].copy_from_slice(&self.magic);
        block[345..345 + self.prefix.len()].copy_from_slice(&self.prefix);
        let sum = block.iter().map(|&byte| u64::from(byte)).sum::<u64>() + self.checksum_off_by;
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

/// A record of a PAX header, its length counted in.
fn pax_record((key, value): &(&str, &[u8])) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let length = (1..6).map(|digits| rest.len() + digits).find(|n| n.to_string().len() + rest.len() == *n);
    [length.unwrap().to_string().as_bytes(), &rest].concat()
}

impl Tar {
    /// A header and the content behind it, padded.
    pub(crate) fn entry(mut self, header: &Header, content: impl AsRef<[u8]>) -> Self {
        self.0.extend(header.block());
        self.0.extend(content.as_ref());
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        self
    }

    /// A regular file.
    pub(crate) fn file(self, name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Header::file(name, content.as_ref().len()), content)
    }

    /// A folder.
    pub(crate) fn folder(self, name: &str) -> Self {
        self.entry(&Header::of(b'5', name, 0), b"")
    }

    /// A symbolic link.
    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(&Header { link: target.into(), ..Header::of(b'2', name, 0) }, b"")
    }

    /// A hard link.
    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(&Header { link: target.into(), ..Header::of(b'1', name, 0) }, b"")
    }

    /// Removes what lower layers have at a path.
    pub(crate) fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        self.file(format!("{folder}/.wh.{name}").trim_start_matches('/'), b"")
    }

    /// Hides what lower layers have in a folder.
    pub(crate) fn opaque(self, folder: &str) -> Self {
        self.file(format!("{folder}/.wh..wh..opq").trim_start_matches('/'), b"")
    }

    /// A PAX header for the next member.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        self.extended(b'x', "PaxHeaders.0/x", &records.iter().flat_map(pax_record).collect::<Vec<_>>())
    }

    /// A PAX header for all members that follow.
    pub(crate) fn global(self, records: &[(&str, &[u8])]) -> Self {
        self.extended(b'g', "pax_global_header", &records.iter().flat_map(pax_record).collect::<Vec<_>>())
    }

    /// A long name, or with `K` a long link, of GNU for the next member.
    pub(crate) fn gnu(self, kind: u8, name: impl AsRef<[u8]>) -> Self {
        self.extended(kind, "././@LongLink", &[name.as_ref(), b"\0"].concat())
    }

    /// An extended header of any content.
    pub(crate) fn extended(self, kind: u8, name: &str, content: &[u8]) -> Self {
        self.entry(&Header::of(kind, name, content.len()), content)
    }

    /// Bytes as they are.
    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend(bytes.as_ref());
        self
    }

    /// As many blocks of zeros.
    pub(crate) fn zeros(mut self, blocks: usize) -> Self {
        self.0.resize(self.0.len() + blocks * BLOCK, 0);
        self
    }

    /// The archive with the two blocks that end it.
    pub(crate) fn end(self) -> Vec<u8> {
        self.zeros(2).0
    }

    /// The archive as it is.
    pub(crate) fn open_end(self) -> Vec<u8> {
        self.0
    }
}
