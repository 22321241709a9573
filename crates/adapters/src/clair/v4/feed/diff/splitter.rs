//! Takes a diff apart as it arrives: the entries of its two lists, one at a time, whatever the length of the whole.

/// The longest entry, in bytes. An advisory with a long text has some 100 KB.
pub(super) const MAX_ENTRY_BYTES: usize = 1024 * 1024;
/// The names at the top of a diff are short; of a longer one only this much is kept, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// Which list an entry is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What only the later operation has.
    Added,
    /// What only the earlier operation has.
    Removed,
}

/// Why a body is no diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SplitError {
    /// It is something else.
    #[error("it is not a diff of update operations")]
    Shape,
    /// It ended too early.
    #[error("it ends in the middle")]
    Cut,
    /// An entry is too long.
    #[error("an entry is longer than {MAX_ENTRY_BYTES} bytes")]
    TooLong,
}

/// What is expected at the top of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Name,
    Value,
}

/// The state between two chunks. What it holds is bounded by one entry.
#[derive(Debug)]
pub(super) struct Splitter {
    depth: u32,
    in_string: bool,
    escaped: bool,
    expected: Expected,
    name: Vec<u8>,
    list: Option<Side>,
    entry: Vec<u8>,
    ended: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            depth: 0,
            in_string: false,
            escaped: false,
            expected: Expected::Name,
            name: vec![],
            list: None,
            entry: vec![],
            ended: false,
        }
    }
}

impl Splitter {
    /// Takes the next bytes, and hands out each entry that they complete. What is inside an entry is its reader's to
    /// check.
    pub(super) fn take<E: From<SplitError>>(
        &mut self,
        bytes: &[u8],
        mut entry: impl FnMut(Side, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for &byte in bytes {
            let side = if self.depth > 2 { self.list } else { None };
            if self.in_string {
                self.in_text(byte);
            } else {
                self.outside(byte)?;
            }
            // An entry's own braces are at the edge of its depth: the first is taken after it was opened.
            let Some(side) = side.or(if self.depth > 2 { self.list } else { None }) else { continue };
            if self.entry.len() == MAX_ENTRY_BYTES {
                return Err(SplitError::TooLong.into());
            }
            self.entry.push(byte);
            if self.depth == 2 {
                entry(side, &self.entry)?;
                self.entry.clear();
            }
        }
        Ok(())
    }

    /// The end of the body.
    pub(super) fn end(self) -> Result<(), SplitError> {
        if self.ended { Ok(()) } else { Err(SplitError::Cut) }
    }

    fn in_text(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
        let of_name = self.in_string && self.depth == 1 && self.expected == Expected::Name;
        if of_name && self.name.len() < MAX_NAME_BYTES {
            self.name.push(byte);
        }
    }

    fn outside(&mut self, byte: u8) -> Result<(), SplitError> {
        let at_top = self.depth == 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => Ok(()),
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(),
            _ if self.depth == 0 => Err(SplitError::Shape),
            b'"' => {
                self.in_string = true;
                if at_top && self.expected == Expected::Name {
                    self.name.clear();
                    return Ok(());
                }
                self.scalar(byte)
            }
            b':' if at_top => {
                self.expected = Expected::Value;
                Ok(())
            }
            b',' if at_top => {
                self.expected = Expected::Name;
                Ok(())
            }
            _ => self.scalar(byte),
        }
    }

    fn open(&mut self, byte: u8) -> Result<(), SplitError> {
        match self.depth {
            0 if byte == b'[' || self.ended => return Err(SplitError::Shape),
            1 if self.expected == Expected::Name => return Err(SplitError::Shape),
            // Escaped, a name may be that of a list, which must not be passed over. Clair escapes none.
            1 if self.name.contains(&b'\\') => return Err(SplitError::Shape),
            1 => {
                self.list = self.side();
                if self.list.is_some() && byte != b'[' {
                    return Err(SplitError::Shape);
                }
            }
            2 if self.list.is_some() && byte != b'{' => return Err(SplitError::Shape),
            _ => {}
        }
        self.depth = self.depth.checked_add(1).ok_or(SplitError::Shape)?;
        Ok(())
    }

    fn close(&mut self) -> Result<(), SplitError> {
        self.depth = self.depth.checked_sub(1).ok_or(SplitError::Shape)?;
        match self.depth {
            0 => self.ended = true,
            1 => self.list = None,
            _ => {}
        }
        Ok(())
    }

    /// A byte of a text, a number, `true`, `null`, or a comma in a list: where a list of entries is expected, only
    /// `null` may stand, and only commas between entries.
    fn scalar(&mut self, byte: u8) -> Result<(), SplitError> {
        let fits = match (self.depth, self.list) {
            (1, _) if self.side().is_some() => b"null".contains(&byte),
            (2, Some(_)) => byte == b',',
            _ => true,
        };
        if fits { Ok(()) } else { Err(SplitError::Shape) }
    }

    /// The list that the name at the top is that of.
    fn side(&self) -> Option<Side> {
        match self.name.as_slice() {
            b"added" => Some(Side::Added),
            b"removed" => Some(Side::Removed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(body: &[u8], chunk: usize) -> Result<Vec<(Side, String)>, SplitError> {
        let mut splitter = Splitter::default();
        let mut found = vec![];
        for part in body.chunks(chunk) {
            splitter.take::<SplitError>(part, |side, entry| {
                found.push((side, String::from_utf8(entry.to_vec()).unwrap()));
                Ok(())
            })?;
        }
        splitter.end()?;
        Ok(found)
    }

    const DIFF: &str = r#" {"prev":{"added":[{"x":1}],"n":[[]]},"cur":{"ref":"}]\"","f":null},
        "added" : [{"a":"]}\\\"{","b":{"c":[1,{}]}}, {}], "more":"added","removed":[{"d":2}] }
    "#;

    #[test]
    fn the_entries_of_both_lists_are_found_wherever_the_body_is_cut_into_chunks() {
        let expected = [
            (Side::Added, r#"{"a":"]}\\\"{","b":{"c":[1,{}]}}"#),
            (Side::Added, "{}"),
            (Side::Removed, r#"{"d":2}"#),
        ]
        .map(|(side, entry)| (side, entry.to_owned()));
        for chunk in [1, 2, 3, 7, 1000] {
            assert_eq!(split(DIFF.as_bytes(), chunk).as_deref(), Ok(&expected[..]), "chunks of {chunk}");
        }
    }

    #[test]
    fn null_and_absent_lists_are_empty() {
        for body in [r#"{"prev":{},"cur":{},"added":null,"removed":null}"#, r#"{"added":[]}"#, "{}"] {
            assert_eq!(split(body.as_bytes(), 5), Ok(vec![]), "{body}");
        }
    }

    #[test]
    fn a_body_that_ends_anywhere_before_its_end_is_cut() {
        let body = DIFF.trim_end();
        for end in 0..body.len() {
            assert_eq!(split(&body.as_bytes()[..end], 64), Err(SplitError::Cut), "{}", &body[..end]);
        }
    }

    #[test]
    fn what_is_no_diff_is_refused() {
        for body in [
            "<html>oops</html>",
            "[]",
            "null",
            "{} {}",
            "{}}",
            r#"{"added":{}}"#,
            r#"{"added":[1]}"#,
            r#"{"added":["text"]}"#,
            r#"{"added":[[]]}"#,
            r#"{"removed":17}"#,
            r#"{"removed":"text"}"#,
            r#"{{}}"#,
            r#"{"\u0061dded":[{"a":1}]}"#,
        ] {
            assert_eq!(split(body.as_bytes(), 3), Err(SplitError::Shape), "{body}");
        }
    }

    #[test]
    fn of_a_name_so_much_is_kept_and_no_more() {
        for (length, kept) in [(MAX_NAME_BYTES, MAX_NAME_BYTES), (MAX_NAME_BYTES + 1, MAX_NAME_BYTES)] {
            let mut splitter = Splitter::default();
            let body = format!("{{\"{}\":1", "n".repeat(length));
            splitter.take::<SplitError>(body.as_bytes(), |_, _| Ok(())).unwrap();
            assert_eq!(splitter.name.len(), kept);
        }
    }

    #[test]
    fn an_entry_may_have_so_many_bytes_and_no_more() {
        let with = |bytes: usize| format!(r#"{{"added":[{{"a":"{}"}}]}}"#, "x".repeat(bytes - 8));
        assert_eq!(split(with(MAX_ENTRY_BYTES).as_bytes(), 4096).unwrap()[0].1.len(), MAX_ENTRY_BYTES);
        assert_eq!(split(with(MAX_ENTRY_BYTES + 1).as_bytes(), 4096), Err(SplitError::TooLong));
    }
}
