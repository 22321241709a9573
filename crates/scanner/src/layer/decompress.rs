//! The compression of a layer, told by its first bytes: media types lie more often than magic numbers.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::limits::MAX_ZSTD_WINDOW_LOG;

/// Compressed bytes buffered in front of a decoder.
const INPUT_BUFFER_BYTES: usize = 128 << 10;
/// A tar block, which is what the format is told from.
const SNIFF_BYTES: usize = 512;

type Input<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

/// A decompressing reader over a blob.
pub(crate) enum Decoder<R: Read> {
    Gzip(Box<MultiGzDecoder<Input<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Input<R>>>),
    Plain(Input<R>),
}

/// What the first bytes of a blob say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gzip,
    Zstd,
    Tar,
    Other(&'static str),
}

impl<R: Read> Decoder<R> {
    /// Opens the blob; `Ok(Err(name))` names a format that cannot be read.
    pub(crate) fn open(mut blob: R) -> io::Result<Result<Self, &'static str>> {
        let mut head = vec![0; SNIFF_BYTES];
        let mut filled = 0;
        while filled < head.len() {
            match blob.read(&mut head[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        head.truncate(filled);
        let format = detect(&head);
        let input = BufReader::with_capacity(INPUT_BUFFER_BYTES, Cursor::new(head).chain(blob));
        Ok(match format {
            Format::Gzip => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(input)))),
            Format::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
                Ok(Self::Zstd(Box::new(decoder)))
            }
            Format::Tar => Ok(Self::Plain(input)),
            Format::Other(name) => Err(name),
        })
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Plain(input) => input.read(buffer),
        }
    }
}

fn detect(head: &[u8]) -> Format {
    match head {
        // The name of an archive's first member may be made to look like the beginning of a compressed stream.
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]
            if super::tar::is_header(head) =>
        {
            Format::Other("both compressed and a tar archive")
        }
        [0x1f, 0x8b, ..] => Format::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Format::Zstd,
        // A skippable frame: a zstd stream may begin with one.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Format::Zstd,
        [b'B', b'Z', b'h', ..] => Format::Other("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Format::Other("xz"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Format::Other("lz4"),
        [0x5d, 0x00, 0x00, ..] => Format::Other("lzma"),
        [b'P', b'K', 3, 4, ..] => Format::Other("zip"),
        [] => Format::Tar,
        head if super::tar::looks_like_header(head) => Format::Tar,
        _ => Format::Other("neither gzip, zstd nor tar"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(detect(&[0x1f, 0x8b, 8, 0]), Format::Gzip);
        assert_eq!(detect(&[0x28, 0xb5, 0x2f, 0xfd]), Format::Zstd);
        assert_eq!(detect(&[0x50, 0x2a, 0x4d, 0x18]), Format::Zstd);
        assert_eq!(detect(&[0; 512]), Format::Tar);
        assert_eq!(detect(b""), Format::Tar);
        assert_eq!(detect(b"BZh9"), Format::Other("bzip2"));
        assert_eq!(detect(&[b'x'; 512]), Format::Other("neither gzip, zstd nor tar"));
    }
}
