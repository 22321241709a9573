//! Which kind of file system a path lies on, as far as the machine says.

use std::path::Path;

/// File systems over a network, where SQLite's locks and shared memory do not hold (sqlite.org/wal.html: "All processes
/// using a database must be on the same host computer").
const NETWORK: &[&str] = &[
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuse.cephfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb3",
    "smbfs",
];
/// Those that may or may not be one host's: a warning, no refusal.
const DOUBTFUL: &[&str] = &["9p", "virtiofs"];

/// What is known of the place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A local disk, or a machine that does not say.
    Local,
    /// Perhaps shared with another machine.
    Doubtful(String),
    /// Shared with other machines.
    Network(String),
}

/// The place of an absolute path. Linux says so; elsewhere every place passes for local.
pub(super) fn place_of(path: &Path) -> Place {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    classify(&kind_of(path, &mounts).unwrap_or_default())
}

fn classify(kind: &str) -> Place {
    if NETWORK.contains(&kind) {
        Place::Network(kind.to_owned())
    } else if DOUBTFUL.contains(&kind) || kind.starts_with("fuse.") {
        Place::Doubtful(kind.to_owned())
    } else {
        Place::Local
    }
}

/// The type of the mount that the path lies under (proc(5), `/proc/pid/mountinfo`: the mount point is the fifth field,
/// the type the first one after the lone hyphen). Later mounts cover earlier ones of the same point.
fn kind_of(path: &Path, mountinfo: &str) -> Option<String> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let point = left.split(' ').nth(4)?.replace("\\040", " ");
            let kind = right.split(' ').next()?;
            path.starts_with(&point).then(|| (point.len(), kind.to_owned()))
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /mnt/share rw - nfs4 server:/export rw
41 40 0:36 / /mnt/share/local\\040disk rw - xfs /dev/sdb1 rw
42 22 0:37 / /home rw - 9p host rw";

    #[test]
    fn the_longest_mount_that_covers_a_path_says_its_kind() {
        let kind = |path: &str| kind_of(Path::new(path), MOUNTS).unwrap_or_default();
        assert_eq!(kind("/var/lib/monitor.db"), "ext4");
        assert_eq!(kind("/mnt/share/monitor.db"), "nfs4");
        assert_eq!(kind("/mnt/shared/monitor.db"), "ext4");
        assert_eq!(kind("/mnt/share/local disk/monitor.db"), "xfs");
    }

    #[test]
    fn network_kinds_are_refused_doubtful_ones_named_and_others_taken() {
        assert_eq!(classify("nfs4"), Place::Network("nfs4".to_owned()));
        assert_eq!(classify("9p"), Place::Doubtful("9p".to_owned()));
        assert_eq!(classify("fuse.unknown"), Place::Doubtful("fuse.unknown".to_owned()));
        assert_eq!(classify("ext4"), Place::Local);
        assert_eq!(classify(""), Place::Local);
    }
}
