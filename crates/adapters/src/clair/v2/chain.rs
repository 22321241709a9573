//! How layers are called at Clair v2, which identifies a layer by its name alone.
//!
//! * A layer is `<chain>.<blob>`: its chain id, and the digest of its blob. The same blob over another parent is another
//!   layer, since what Clair stores of it is the difference to its parent. The blob is in the name because Clair tells
//!   by name which layer brought a package in, and by nothing else.
//! * A layer above one that Clair could not read carries a third part: it stands on another parent than its chain says.
//! * An image is `<image>.image`: an empty layer on top of the others, called after the manifest's digest. It is posted
//!   last, and Clair deletes it with any layer below it: where it is, everything is.
//! * What Clair could not read is noted between the image and its topmost layer, by empty layers called
//!   `<image>.<blob>.<why>`.
//!
//! The version of Clair's engine is part of every id, and a generation that the operator may raise: a layer that is stored
//! under an older engine is not read anew when it is posted again, whatever Clair answers.

use std::fmt;

use cve_monitor_core::vocabulary::{Digest, LayerKey};
use sha2::{Digest as _, Sha256};

#[cfg(test)]
/// The longest name that fits into Clair's column, in characters.
const NAME_MAX: usize = 128;
/// Bytes of a SHA-256 that make an id: two of them with what comes after fit into [`NAME_MAX`].
const ID_BYTES: usize = 24;
/// Hexadecimal digits that tell apart on which parent a layer stands.
const FOOTING_DIGITS: usize = 14;
/// How many unread layers of one image are noted by name; the others are counted.
pub(super) const NOTED_LAYERS_MAX: usize = 8;

/// The version of what Clair reads out of layers: another one gives other names to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edition {
    /// The version of Clair's engine.
    pub(super) engine: u32,
    /// The operator's own count.
    pub(super) generation: u32,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.engine, self.generation)
    }
}

/// Identifies a layer with everything below it; what the feed calls it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChainId([u8; ID_BYTES]);

impl ChainId {
    fn of(text: &str) -> Self {
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&Sha256::digest(text.as_bytes())[..ID_BYTES]);
        Self(id)
    }

    /// The id in a layer's name; none where the layer is not one of ours.
    pub(super) fn in_name(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let (id, blob) = (parts.next()?, parts.next()?);
        blob_digest(blob)?;
        let mut bytes = [0; ID_BYTES];
        if id.len() != 2 * ID_BYTES || !is_hex(id) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(id.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    pub(super) fn key(self) -> LayerKey {
        LayerKey(self.to_string())
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The chain ids of these blobs, base first: each is made of the one below it.
pub(super) fn chain<'a>(edition: Edition, blobs: impl Iterator<Item = &'a Digest>) -> Vec<ChainId> {
    let mut parent = format!("edition {edition}");
    blobs
        .map(|blob| {
            let id = ChainId::of(&format!("{parent} {blob}"));
            parent = id.to_string();
            id
        })
        .collect()
}

/// The name of a layer. `unread` are the places of the layers below it that Clair could not read.
pub(super) fn layer_name(id: ChainId, blob: &Digest, unread: &[usize]) -> String {
    let name = format!("{id}.{}", blob.hex());
    if unread.is_empty() {
        return name;
    }
    let footing = Digest::of(format!("{unread:?}").as_bytes());
    format!("{name}.{}", &footing.hex()[..FOOTING_DIGITS])
}

/// The blob in a layer's name; none where the layer is not one of ours.
pub(super) fn blob_in_name(name: &str) -> Option<Digest> {
    blob_digest(name.split('.').nth(1)?)
}

fn blob_digest(hex: &str) -> Option<Digest> {
    format!("sha256:{hex}").parse().ok()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Why Clair could not read a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Compressed with zstd, says its media type: Clair v2 knows gzip, bzip2 and xz.
    Zstd,
    /// Neither a tar archive nor compressed in a way that it knows, or damaged.
    Archive,
    /// A package database is larger than it reads.
    TooLarge,
    /// Packages are in it, and neither it nor the layers below say of which distribution.
    System,
    /// The registry does not hold it, by the licence of its media type.
    Absent,
}

impl Unread {
    const ALL: [Self; 5] = [Self::Zstd, Self::Archive, Self::TooLarge, Self::System, Self::Absent];

    fn code(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Archive => "archive",
            Self::TooLarge => "too-large",
            Self::System => "system",
            Self::Absent => "absent",
        }
    }
}

/// What is noted about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// This layer was not read.
    Unread(Digest, Unread),
    /// So many more were not.
    More(usize),
}

/// What an image is called at Clair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageName(ChainId);

impl ImageName {
    pub(super) fn of(edition: Edition, manifest: &Digest) -> Self {
        Self(ChainId::of(&format!("edition {edition} image {manifest}")))
    }

    /// The name of a note about it.
    pub(super) fn note(&self, note: &Note) -> String {
        match note {
            Note::Unread(blob, why) => format!("{}.{}.{}", self.0, blob.hex(), why.code()),
            Note::More(count) => format!("{}.more.{count}", self.0),
        }
    }

    /// The note that a layer is; none where it is not one of this image's.
    pub(super) fn read_note(&self, name: &str) -> Option<Note> {
        let (what, why) = name.strip_prefix(&self.0.to_string())?.strip_prefix('.')?.split_once('.')?;
        if what == "more" {
            return why.parse().ok().map(Note::More);
        }
        let why = Unread::ALL.into_iter().find(|known| known.code() == why)?;
        Some(Note::Unread(blob_digest(what)?, why))
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.image", self.0)
    }
}

/// The notes about an image of which these layers were not read, in the order in which they are posted: each once.
pub(super) fn notes(unread: &[(Digest, Unread)]) -> Vec<Note> {
    let mut notes: Vec<Note> = vec![];
    for (blob, why) in unread {
        let note = Note::Unread(blob.clone(), *why);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let rest = notes.len().saturating_sub(NOTED_LAYERS_MAX);
    if rest > 0 {
        notes.truncate(NOTED_LAYERS_MAX);
        notes.push(Note::More(rest));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(seed: &str) -> Digest {
        Digest::of(seed.as_bytes())
    }

    fn edition(engine: u32) -> Edition {
        Edition { engine, generation: 1 }
    }

    fn ids(engine: u32, seeds: &[&str]) -> Vec<ChainId> {
        let blobs: Vec<Digest> = seeds.iter().map(|seed| blob(seed)).collect();
        chain(edition(engine), blobs.iter())
    }

    #[test]
    fn the_same_blob_over_another_parent_or_read_by_another_engine_is_another_layer() {
        let (one, other) = (ids(3, &["a", "b"]), ids(3, &["c", "b"]));
        assert_ne!(one[1], other[1]);
        assert_eq!(one[0], ids(3, &["a", "z"])[0], "a shared base has one name");
        assert_ne!(one, ids(4, &["a", "b"]));
        let twice = ids(3, &["a", "a"]);
        assert_ne!(twice[0], twice[1]);
        assert_ne!(ImageName::of(edition(3), &blob("m")), ImageName::of(edition(4), &blob("m")));
        let raised = Edition { generation: 2, ..edition(3) };
        assert_ne!(chain(raised, [&blob("a")].into_iter())[0], one[0]);
        assert_ne!(ImageName::of(edition(3), &blob("m")), ImageName::of(raised, &blob("m")));
    }

    #[test]
    fn a_layers_name_tells_its_key_and_its_blob_and_fits_where_clair_keeps_it() {
        let (id, blob) = (ids(3, &["a"])[0], blob("a"));
        for unread in [&[][..], &[0], &[0, 4095]] {
            let name = layer_name(id, &blob, unread);
            assert!(name.len() <= NAME_MAX, "{name}");
            assert_eq!(ChainId::in_name(&name), Some(id));
            assert_eq!(blob_in_name(&name), Some(blob.clone()));
            assert_eq!(id.key().0, id.to_string());
        }
        assert_eq!(layer_name(id, &blob, &[0]).len(), NAME_MAX);
        assert_ne!(layer_name(id, &blob, &[0]), layer_name(id, &blob, &[1]));
        let manifest = ImageName::of(edition(3), &blob);
        for foreign in ["x7", "", "a.b", &blob.hex()[..48], &manifest.to_string(), blob.hex()] {
            assert_eq!(ChainId::in_name(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn notes_read_back_and_belong_to_one_image() {
        let (image, other) = (ImageName::of(edition(3), &blob("m")), ImageName::of(edition(3), &blob("n")));
        let noted = Unread::ALL.map(|why| Note::Unread(blob("a"), why));
        for note in noted.into_iter().chain([Note::More(4000)]) {
            let name = image.note(&note);
            assert!(name.len() <= NAME_MAX, "{name}");
            assert_eq!((image.read_note(&name), other.read_note(&name)), (Some(note), None));
        }
        assert_eq!(image.read_note(&layer_name(ids(3, &["a"])[0], &blob("a"), &[])), None);
        assert_eq!(image.read_note(&image.to_string()), None);
    }

    #[test]
    fn many_unread_layers_are_named_up_to_the_bound_and_counted_beyond_it() {
        let unread = |n: usize| (0..n).map(|i| (blob(&i.to_string()), Unread::Zstd)).collect::<Vec<_>>();
        assert_eq!(notes(&unread(NOTED_LAYERS_MAX)).len(), NOTED_LAYERS_MAX);
        let many = notes(&unread(NOTED_LAYERS_MAX + 3));
        assert_eq!((many.len(), many.last()), (NOTED_LAYERS_MAX + 1, Some(&Note::More(3))));
        let twice = [(blob("a"), Unread::Zstd), (blob("a"), Unread::Zstd)];
        assert_eq!(notes(&twice).len(), 1, "a blob that an image holds twice is noted once");
    }
}
