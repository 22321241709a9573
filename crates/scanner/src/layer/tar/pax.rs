//! PAX extended header records: `<length> <key>=<value>\n`.

use super::TarError;
use super::header::is_blank;

/// The fields of extended headers that a walk needs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct PaxFields {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link_path: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) sparse: bool,
    /// A sparse file whose map stands in front of its content.
    pub(crate) sparse_map_in_content: bool,
}

/// Reads the records; an empty value takes a field back, as POSIX says.
pub(crate) fn parse(mut records: &[u8]) -> Result<PaxFields, TarError> {
    const MALFORMED: TarError = TarError::Malformed("a PAX header has a record of the wrong length");
    // The real name of a sparse file wins over the placeholder in `path`, in whatever order they come.
    let mut sparse_name = None;
    let mut fields = PaxFields::default();
    while records.first().is_some_and(|first| *first != 0) {
        let space = memchr::memchr(b' ', records).ok_or(MALFORMED)?;
        let length = decimal(&records[..space]).ok_or(MALFORMED)?;
        let length = usize::try_from(length).map_err(|_| MALFORMED)?;
        if length <= space + 1 || length > records.len() || records[length - 1] != b'\n' {
            return Err(MALFORMED);
        }
        let record = &records[space + 1..length - 1];
        let equals = memchr::memchr(b'=', record).ok_or(MALFORMED)?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        let text = || (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => fields.path = text(),
            b"linkpath" => fields.link_path = text(),
            b"size" if value.is_empty() => fields.size = None,
            b"size" => {
                let size = decimal(value).ok_or(TarError::Malformed("a PAX size is not a number"))?;
                fields.size = Some(size);
            }
            b"GNU.sparse.name" => sparse_name = text(),
            b"GNU.sparse.major" => {
                fields.sparse = true;
                fields.sparse_map_in_content = value != b"0";
            }
            key if key.starts_with(b"GNU.sparse.") => fields.sparse = true,
            _ => {}
        }
        records = &records[length..];
    }
    // Some readers end at a NUL, others do not.
    if !is_blank(records) {
        return Err(MALFORMED);
    }
    if sparse_name.is_some() {
        fields.sparse = true;
        fields.path = sparse_name;
    }
    Ok(fields)
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &byte| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_interest_are_kept_and_others_passed_over() {
        let fields = parse(b"11 path=ab\n30 SCHILY.xattr.user.x=\x00\n\xff=yz\n12 size=345\n").unwrap();
        assert_eq!(fields.path.as_deref(), Some(&b"ab"[..]));
        assert_eq!(fields.size, Some(345));
        assert!(!fields.sparse);
    }

    #[test]
    fn a_sparse_file_has_its_real_name() {
        let fields = parse(b"22 GNU.sparse.name=ab\n10 path=p\n").unwrap();
        assert_eq!(fields.path.as_deref(), Some(&b"ab"[..]));
        assert!(fields.sparse);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for records in [
            &b"12 path=ab\n"[..],
            b"9 path=ab\n",
            b"path=ab\n",
            b"0 =\n",
            b"99999999999999999999 a=b\n",
            b"11 path=ab\n\0x",
        ] {
            assert!(parse(records).is_err());
        }
    }
}
