//! Numbers and pieces out of bytes that may end anywhere.

/// The bytes from `at`, `length` of them.
pub(super) fn piece(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// The byte at `at`.
pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Numbers of a byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    pub(super) fn u16_at(self, bytes: &[u8], at: usize) -> Option<usize> {
        let field = *bytes.get(at..)?.first_chunk()?;
        let number = match self {
            Self::Big => u16::from_be_bytes(field),
            Self::Little => u16::from_le_bytes(field),
        };
        Some(usize::from(number))
    }

    pub(super) fn u32_at(self, bytes: &[u8], at: usize) -> Option<usize> {
        let field = *bytes.get(at..)?.first_chunk()?;
        let number = match self {
            Self::Big => u32::from_be_bytes(field),
            Self::Little => u32::from_le_bytes(field),
        };
        usize::try_from(number).ok()
    }
}

/// Pages, each of which is looked at once: a chain of them ends, whatever it says.
#[derive(Debug)]
pub(super) struct Once {
    seen: Vec<bool>,
}

impl Once {
    /// For pages numbered from 0.
    pub(super) fn of(pages: usize) -> Self {
        Self { seen: vec![false; pages] }
    }

    /// Marks a page; none where it was looked at, or is not there.
    pub(super) fn visit(&mut self, page: usize) -> Option<()> {
        let seen = self.seen.get_mut(page)?;
        (!std::mem::replace(seen, true)).then_some(())
    }
}
