//! A row: the types of its columns, then their values.

/// Columns that are looked at: those of the table that lists the others are five.
const MAX_COLUMNS: usize = 5;

/// The value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    Other,
}

/// The first columns of a row.
pub(super) fn columns(row: &[u8]) -> Option<Vec<Value<'_>>> {
    let (front_bytes, _) = varint(row)?;
    let (front, mut values) = row.split_at_checked(usize::try_from(front_bytes).ok()?)?;
    let (_, mut types) = varint(front)?;
    let mut columns = Vec::with_capacity(MAX_COLUMNS);
    while !types.is_empty() && columns.len() < MAX_COLUMNS {
        let (kind, rest) = varint(types)?;
        let (value, behind) = values.split_at_checked(value_bytes(kind)?)?;
        columns.push(match kind {
            0 => Value::Null,
            1..=6 => Value::Integer(integer(value)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. if kind % 2 == 0 => Value::Blob(value),
            12.. => Value::Text(value),
            _ => Value::Other,
        });
        (types, values) = (rest, behind);
    }
    Some(columns)
}

fn value_bytes(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        12.. => usize::try_from((kind - 12) / 2).ok(),
        _ => None,
    }
}

fn integer(value: &[u8]) -> i64 {
    let sign = if value.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    value.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

/// A number of one to nine bytes, seven bits each but for the ninth; and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if at == 8 {
            return Some((number << 8 | u64::from(*byte), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        assert_eq!(varint(&[0x7f, 9]), Some((127, &[9][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0xff; 8]), None);
        assert_eq!(varint(&[]), None);
        assert_eq!(integer(&[0xff, 0xfe]), -2);
        assert_eq!(integer(&[0x01, 0x00]), 256);
    }

    #[test]
    fn a_row_is_read_up_to_its_end() {
        // NULL, a blob of two bytes, a text of one.
        let row = [4, 0, 16, 15, 7, 8, b'x'];
        assert_eq!(columns(&row).unwrap(), [Value::Null, Value::Blob(&[7, 8]), Value::Text(b"x")]);
        assert_eq!(columns(&row[..5]), None);
        assert_eq!(columns(&[9, 0]), None);
        for count in [MAX_COLUMNS, MAX_COLUMNS + 1] {
            let row = [vec![1 + count as u8], vec![0; count]].concat();
            assert_eq!(columns(&row).unwrap(), vec![Value::Null; MAX_COLUMNS], "{count}");
        }
    }
}
