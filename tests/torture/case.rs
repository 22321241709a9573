//! An image, the verdict that it must end with, and why.

use cve_monitor_core::vocabulary::Digest;

use crate::image::Image;
use crate::layout::Layout;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// As [`crate::run::Verdict`] is written.
    pub(crate) expected: &'static str,
    pub(crate) why: &'static str,
    pub(crate) subject: Subject,
}

/// What is scanned.
#[derive(Debug)]
pub(crate) enum Subject {
    Image(Box<Image>),
    /// A manifest of any form, written together with what it needs.
    Manifest(fn(&mut Layout) -> Vec<u8>),
    /// A manifest that its layout holds under another digest.
    Misnamed(Box<Image>, fn(&[u8]) -> Digest),
}

/// A row about an image.
pub(crate) fn case(
    name: &'static str,
    expected: &'static str,
    why: &'static str,
    image: impl Into<Image>,
) -> Case {
    Case { name, expected, why, subject: Subject::Image(Box::new(image.into())) }
}

/// A row about a manifest of any form.
pub(crate) fn manifest(
    name: &'static str,
    expected: &'static str,
    why: &'static str,
    write: fn(&mut Layout) -> Vec<u8>,
) -> Case {
    Case { name, expected, why, subject: Subject::Manifest(write) }
}

impl Case {
    /// Writes what it is about, and names it.
    pub(crate) fn write(&self, layout: &mut Layout) -> Digest {
        let (bytes, digest) = match &self.subject {
            Subject::Image(image) => (image.write(layout), None),
            Subject::Manifest(write) => (write(layout), None),
            Subject::Misnamed(image, digest) => {
                let bytes = image.write(layout);
                let digest = digest(&bytes);
                (bytes, Some(digest))
            }
        };
        let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
        layout.put_as(&digest, &bytes);
        layout.name(self.name, &digest, bytes.len());
        digest
    }
}
