//! Files that are expected to be small.

use std::io;
use std::path::Path;

use tokio::io::AsyncReadExt as _;

/// Reads a file of at most `max` bytes; none where it is longer. It is bounded while it is read: what is no regular file says
/// nothing of its length, and another may grow meanwhile.
pub(super) async fn read_small(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = tokio::fs::File::open(path).await?;
    let mut bytes = vec![];
    let read = file.take(max + 1).read_to_end(&mut bytes).await?;
    Ok((read as u64 <= max).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_may_have_so_many_bytes_and_no_more_and_one_without_end_is_not_read_to_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "1234567").unwrap();
        assert_eq!(read_small(file.path(), 7).await.unwrap().as_deref(), Some(b"1234567".as_slice()));
        assert_eq!(read_small(file.path(), 6).await.unwrap(), None);
        assert_eq!(read_small(Path::new("/dev/zero"), 1000).await.unwrap(), None);
    }
}
