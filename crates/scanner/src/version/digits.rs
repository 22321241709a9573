//! What most version orders share: runs of digits, and numbers of any length.

use std::cmp::Ordering;

/// Splits after the longest beginning of which every byte is kept.
pub(super) fn take_while(bytes: &[u8], keep: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| !keep(byte)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// Splits after the leading digits.
pub(super) fn take_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    take_while(bytes, |byte| byte.is_ascii_digit())
}

/// Numbers have no upper limit: without leading zeros, the longer is the larger. No digits are zero.
pub(super) fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let (_, left) = take_while(left, |byte| byte == b'0');
    let (_, right) = take_while(right, |byte| byte == b'0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Whether a run of digits is zero.
pub(super) fn is_zero(digits: &[u8]) -> bool {
    digits.iter().all(|&digit| digit == b'0')
}
