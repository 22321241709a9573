//! An inventory out of somebody's SBOM: CycloneDX or SPDX 2, as JSON, by itself, in an in-toto statement, or in a
//! signed envelope around that (DSSE). Signatures are not verified.

mod component;
mod distribution;
mod document;
mod identify;
mod package;
mod seeds;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::distribution::distribution;
use self::document::{Document, Envelope};
use self::identify::{Identified, identify};
use crate::inventory::{ImageInventory, PackageInstance, PackageKind, SbomProblem, SbomSource, Unread};

/// Changes whenever what is taken from an SBOM changes.
pub const SBOM_READER_VERSION: &str = "sbom-1";
/// The longest document, in bytes; the same for what an envelope holds.
pub const MAX_SBOM_BYTES: usize = 64 << 20;
/// The most packages of a document.
pub const MAX_SBOM_PACKAGES: usize = 100_000;
/// From how many of a distribution's packages on it is not by chance that none names another package as its source.
const MIN_SYSTEM_PACKAGES: usize = 10;

/// What is known of one package of a document.
#[derive(Debug, Default)]
struct Found {
    /// Its name in the document, where others speak of it.
    id: String,
    name: String,
    purl: String,
    /// Where it was found in the image.
    location: String,
    /// The package of the distribution that brought it.
    owner: Option<String>,
    /// The name and version of its source, where its URL does not say.
    source: Option<(String, String)>,
}

/// Reads a document whose bytes hash to `digest`. A statement has to be about the image with the manifest `image`.
///
/// # Errors
/// Where nothing can be taken from it. What can be taken only in part is an inventory whose source names problems.
pub fn read_sbom(bytes: &[u8], digest: &str, image: &str) -> Result<ImageInventory, SbomProblem> {
    let document = opened(bytes, image)?;
    if document.format.is_empty() {
        return Err(unreadable("it is neither CycloneDX nor SPDX 2 in JSON"));
    }
    let mut taken = Taken::default();
    let owners = document.owners();
    for found in &document.packages {
        if !document.subjects.contains(&found.id) || !found.purl.is_empty() {
            taken.take(found, owners.get(found.id.as_str()).copied());
        }
    }
    let Taken { mut packages, unread, unknown, systems } = taken;
    packages.sort_by(|left, right| place(left).cmp(&place(right)).then_with(|| left.cmp(right)));
    packages.dedup();
    let mut problems: Vec<SbomProblem> = unknown
        .into_iter()
        .map(|(kind, (count, example))| SbomProblem::UnknownPackages { kind, count, example })
        .collect();
    if document.is_incomplete {
        problems.push(SbomProblem::Incomplete);
    }
    if hides_sources(&packages) {
        problems.push(SbomProblem::NoSourcePackages);
    }
    problems.sort();
    let looked_at: BTreeSet<PackageKind> = packages.iter().map(|package| package.kind).collect();
    Ok(ImageInventory {
        distribution: distribution(&document.systems, &systems),
        has_package_database: packages.iter().any(|package| package.kind.is_system()),
        packages,
        unread,
        problems: Vec::new(),
        looked_at: looked_at.into_iter().collect(),
        sbom: Some(SbomSource { digest: Some(digest.to_owned()), format: document.format, problems }),
    })
}

/// What is known of an image whose SBOM is missing, or tells nothing.
pub fn without_sbom(digest: Option<&str>, problem: SbomProblem) -> ImageInventory {
    let digest = digest.map(str::to_owned);
    ImageInventory {
        distribution: None,
        packages: Vec::new(),
        unread: BTreeMap::new(),
        problems: Vec::new(),
        looked_at: Vec::new(),
        has_package_database: false,
        sbom: Some(SbomSource { digest, format: String::new(), problems: vec![problem] }),
    }
}

fn opened(bytes: &[u8], image: &str) -> Result<Document, SbomProblem> {
    if bytes.len() > MAX_SBOM_BYTES {
        return Err(SbomProblem::TooLong { limit_bytes: MAX_SBOM_BYTES as u64 });
    }
    let payload = Envelope::payload(bytes).map_err(unreadable)?;
    let document = Document::read(payload.as_deref().unwrap_or(bytes))?;
    if !document.about.is_empty() && !document.about.iter().any(|digest| image.ends_with(digest)) {
        return Err(SbomProblem::OtherImage);
    }
    Ok(document)
}

fn unreadable(reason: impl std::fmt::Display) -> SbomProblem {
    SbomProblem::Unreadable { reason: reason.to_string() }
}

fn place(package: &PackageInstance) -> (&str, &str, &str) {
    (&package.location, &package.name, &package.arch)
}

/// Advisories of Debian, Alpine and their kin speak of source packages: a tool that does not name them hides nearly
/// everything.
fn hides_sources(packages: &[PackageInstance]) -> bool {
    let of_system =
        || packages.iter().filter(|package| matches!(package.kind, PackageKind::Apk | PackageKind::Deb));
    of_system().count() >= MIN_SYSTEM_PACKAGES && of_system().all(|package| package.source == package.name)
}

/// What was taken from a document.
#[derive(Default)]
struct Taken {
    packages: Vec<PackageInstance>,
    unread: BTreeMap<PackageKind, Unread>,
    unknown: BTreeMap<String, (u64, String)>,
    /// The distributions that packages say they are of.
    systems: BTreeSet<String>,
}

impl Taken {
    fn take(&mut self, found: &Found, owner: Option<&Found>) {
        match identify(found) {
            Identified::Package { mut package, system } => {
                package.owned_by = found.owner.clone().or_else(|| owner.and_then(owner_name));
                self.systems.extend(system);
                self.packages.push(*package);
            }
            Identified::Unread(kind) => {
                let example = found.purl.clone();
                self.unread.entry(kind).or_insert(Unread { count: 0, example }).count += 1;
            }
            Identified::Unknown(kind) => {
                let example = if found.purl.is_empty() { &found.name } else { &found.purl };
                self.unknown.entry(kind).or_insert_with(|| (0, example.clone())).0 += 1;
            }
            Identified::NoPackage => {}
        }
    }
}

/// A package of the distribution as an owner, such as `deb:python3-yaml`; none where it is none of it.
fn owner_name(owner: &Found) -> Option<String> {
    match identify(owner) {
        Identified::Package { package, .. } if package.kind.is_system() => {
            Some(format!("{}:{}", package.kind, package.name))
        }
        _ => None,
    }
}
