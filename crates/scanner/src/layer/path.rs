//! Names of archive members, brought to one spelling: no leading `/` or `./`, no `.` or `..` inside.

use std::fmt::Write as _;

/// What a member's name means once it is cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemberPath {
    /// A path inside the image's root; empty for the root itself.
    Inside(String),
    /// A name that climbs out of the root; holds the path that a careless unpacker would write.
    Escapes(String),
}

/// Stands for what is no text.
const NO_TEXT: char = '\u{fffd}';

/// A name as text. Of bytes that are no UTF-8, and of the character that stands for those, each becomes that character
/// and two hexadecimal digits: two names never become one.
pub(crate) fn text(name: Vec<u8>) -> String {
    let bytes = match String::from_utf8(name) {
        Ok(text) if !text.contains(NO_TEXT) => return text,
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    let escape = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{NO_TEXT}{byte:02x}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for (at, part) in chunk.valid().split(NO_TEXT).enumerate() {
            if at > 0 {
                escape(&mut text, NO_TEXT.to_string().as_bytes());
            }
            text.push_str(part);
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

/// Cleans the name of a member.
pub(crate) fn clean(name: &str) -> MemberPath {
    let mut parts: Vec<&str> = Vec::new();
    let mut escapes = false;
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => escapes |= parts.pop().is_none(),
            other => parts.push(other),
        }
    }
    let path = parts.join("/");
    if escapes { MemberPath::Escapes(path) } else { MemberPath::Inside(path) }
}

/// Joins a symlink's target to the directory that holds it, never above the root (as `chroot` would).
pub(crate) fn join_target(directory: &str, target: &str) -> String {
    let base = if target.starts_with('/') { "" } else { directory };
    match clean(&format!("{base}/{target}")) {
        MemberPath::Inside(path) | MemberPath::Escapes(path) => path,
    }
}

/// The directory part of a cleaned path; empty at the top.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The last component of a cleaned path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether a path is named like a shared library: links of such names are many, and nothing lies below them.
pub(crate) fn is_library(path: &str) -> bool {
    let name = file_name(path);
    name.ends_with(".so") || name.contains(".so.")
}

/// The folders that a path lies in, the topmost first.
pub(crate) fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Whether `path` is `ancestor` or lies below it. Everything lies below the root (the empty path).
pub(crate) fn is_at_or_below(path: &str, ancestor: &str) -> bool {
    ancestor.is_empty()
        || path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one_path() {
        for name in ["etc/os-release", "/etc/os-release", "./etc/os-release", "etc//x/../os-release/"] {
            assert_eq!(clean(name), MemberPath::Inside("etc/os-release".into()), "{name}");
        }
        assert_eq!(clean("./"), MemberPath::Inside(String::new()));
    }

    #[test]
    fn a_name_that_climbs_out_is_told_apart() {
        assert_eq!(clean("../../var/x"), MemberPath::Escapes("var/x".into()));
        assert_eq!(clean("a/../../b"), MemberPath::Escapes("b".into()));
    }

    #[test]
    fn no_two_names_have_one_text() {
        assert_eq!(text(b"plain/\xc3\xa9".to_vec()), "plain/\u{e9}");
        assert_eq!(text(b"a\xffb".to_vec()), "a\u{fffd}ffb");
        assert_eq!(text("a\u{fffd}ffb".into()), "a\u{fffd}ef\u{fffd}bf\u{fffd}bdffb");
        let names: [&[u8]; 5] =
            [b"\xff", b"\xfe", b"\xff\xfe", "\u{fffd}".as_bytes(), "\u{fffd}ff".as_bytes()];
        let texts: std::collections::BTreeSet<_> = names.map(|name| text(name.to_vec())).into();
        assert_eq!(texts.len(), names.len());
    }

    #[test]
    fn targets_stay_under_the_root() {
        assert_eq!(join_target("var/lib/dpkg", "../../../data/status"), "data/status");
        assert_eq!(join_target("etc", "../../../usr/lib/os-release"), "usr/lib/os-release");
        assert_eq!(join_target("etc", "/usr/lib/os-release"), "usr/lib/os-release");
    }

    #[test]
    fn below_means_whole_components() {
        assert!(is_at_or_below("var/lib", "var"));
        assert!(is_at_or_below("var", "var"));
        assert!(!is_at_or_below("variable", "var"));
        assert!(is_at_or_below("anything", ""));
    }
}
