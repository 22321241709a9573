//! What the system says about this process; nothing where it does not say.

use std::fs;

/// Resident memory, in bytes.
pub(super) fn resident_memory() -> Option<u64> {
    memory_in(&fs::read_to_string("/proc/self/status").ok()?)
}

fn memory_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Open file descriptors, but for the one that looks.
pub(super) fn open_files() -> Option<u64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(open).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_its_line_alone() {
        assert_eq!(memory_in("VmPeak:\t  900 kB\nVmRSS:\t   12 kB\n"), Some(12 * 1024));
        assert_eq!(memory_in("VmPeak:\t  900 kB\n"), None);
        assert_eq!(memory_in("VmRSS:\t many kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_linux_both_are_told_and_an_open_file_counts() {
        assert!(resident_memory().is_some_and(|bytes| bytes > 100_000));
        assert!(open_files().is_some_and(|open| open >= 3));
    }
}
