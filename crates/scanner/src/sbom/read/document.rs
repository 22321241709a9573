//! A document of either format, read in one pass; of what it says, only that is held which names packages.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::component::Components;
use super::package::{Relationship, SpdxPackage};
use super::seeds::Each;
use super::{Found, MAX_SBOM_PACKAGES, SbomProblem, unreadable};

const TOO_MANY: &str = "too many packages";

/// What a document says of the system that its packages are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct System {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) pretty_name: String,
}

#[derive(Debug, Default)]
pub(super) struct Document {
    /// Such as `CycloneDX 1.6`; empty where it is neither.
    pub(super) format: String,
    pub(super) packages: Vec<Found>,
    pub(super) systems: Vec<System>,
    pub(super) is_incomplete: bool,
    /// The names of what the document as a whole is about.
    pub(super) subjects: BTreeSet<String>,
    /// What the statement around it is about, in hexadecimal digits; nothing where there is none.
    pub(super) about: Vec<String>,
    /// Pairs of an owner and what it brought.
    owned: Vec<(String, String)>,
    is_over_limit: bool,
}

impl Document {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, SbomProblem> {
        let mut document = Self::default();
        let mut json = serde_json::Deserializer::from_slice(bytes);
        match Whole(&mut document).deserialize(&mut json).and_then(|()| json.end()) {
            Ok(()) => Ok(document),
            Err(_) if document.is_over_limit => {
                Err(SbomProblem::TooManyPackages { limit_packages: MAX_SBOM_PACKAGES as u64 })
            }
            Err(error) => Err(unreadable(error)),
        }
    }

    pub(super) fn package(&mut self, found: Found) -> Result<(), &'static str> {
        let is_full = self.packages.len() == MAX_SBOM_PACKAGES;
        self.bounded(is_full, |document| document.packages.push(found))
    }

    pub(super) fn system(&mut self, system: System) {
        // More than two say no more than two: that it is not known.
        if self.systems.len() < 2 && !self.systems.contains(&system) {
            self.systems.push(system);
        }
    }

    pub(super) fn subject(&mut self, name: String) -> Result<(), &'static str> {
        let is_full = self.subjects.len() == MAX_SBOM_PACKAGES;
        self.bounded(is_full, |document| {
            document.subjects.insert(name);
        })
    }

    pub(super) fn owns(&mut self, owner: String, owned: String) -> Result<(), &'static str> {
        let is_full = self.owned.len() == MAX_SBOM_PACKAGES;
        self.bounded(is_full, |document| document.owned.push((owner, owned)))
    }

    /// The owner of each package that has one, by the package's name in the document.
    pub(super) fn owners(&self) -> HashMap<&str, &Found> {
        if self.owned.is_empty() {
            return HashMap::new();
        }
        let named: HashMap<&str, &Found> =
            self.packages.iter().map(|found| (found.id.as_str(), found)).collect();
        let owner = |(owner, owned): &'_ (String, String)| Some((owned.clone(), *named.get(owner.as_str())?));
        let pairs: HashMap<String, &Found> = self.owned.iter().filter_map(owner).collect();
        self.packages.iter().filter_map(|found| Some((found.id.as_str(), *pairs.get(&found.id)?))).collect()
    }

    fn bounded(&mut self, is_full: bool, add: impl FnOnce(&mut Self)) -> Result<(), &'static str> {
        if is_full {
            self.is_over_limit = true;
            return Err(TOO_MANY);
        }
        add(self);
        Ok(())
    }
}

/// The object that a document is, whichever: their fields have different names.
struct Whole<'a>(&'a mut Document);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let document = self.0;
        let (mut is_cyclonedx, mut version) = (false, String::new());
        while let Some(key) = fields.next_key::<Cow<'_, str>>()? {
            match &*key {
                "bomFormat" => is_cyclonedx = fields.next_value::<String>()? == "CycloneDX",
                "specVersion" => version = fields.next_value()?,
                "components" => fields.next_value_seed(Components(&mut *document))?,
                "compositions" => fields.next_value_seed(Each::of(|composition: Composition<'_>| {
                    document.is_incomplete |= composition.aggregate.starts_with("incomplete");
                    Ok(())
                }))?,
                "spdxVersion" => {
                    let version: String = fields.next_value()?;
                    if let Some(number) = version.strip_prefix("SPDX-2") {
                        document.format = format!("SPDX 2{number}");
                    }
                }
                "packages" => {
                    fields.next_value_seed(Each::of(|package: SpdxPackage| package.give(&mut *document)))?
                }
                "relationships" => fields
                    .next_value_seed(Each::of(|relation: Relationship| relation.give(&mut *document)))?,
                "documentDescribes" => {
                    fields.next_value_seed(Each::of(|name: String| document.subject(name)))?;
                }
                "comment" => {
                    let comment: Option<Cow<'_, str>> = fields.next_value()?;
                    document.is_incomplete |=
                        comment.is_some_and(|comment| comment.starts_with("This inventory is not complete."));
                }
                // Of an in-toto statement, https://github.com/in-toto/attestation/tree/main/spec/v1.
                "subject" => fields.next_value_seed(Each::of(|subject: Subject| {
                    if document.about.len() == MAX_SBOM_PACKAGES {
                        return Err("it is about too many things");
                    }
                    document.about.extend(subject.digest.sha256);
                    Ok(())
                }))?,
                "predicate" => fields.next_value_seed(Whole(&mut *document))?,
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        if is_cyclonedx {
            document.format = format!("CycloneDX {version}");
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Composition<'a> {
    #[serde(borrow, default)]
    aggregate: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: SubjectDigest,
}

#[derive(Deserialize, Default)]
struct SubjectDigest {
    sha256: Option<String>,
}

/// A signed envelope (<https://github.com/secure-systems-lab/dsse>).
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(rename = "payloadType")]
    _kind: IgnoredAny,
    payload: String,
}

impl Envelope {
    /// What a document holds that is an envelope; none where it is none.
    pub(super) fn payload(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let Ok(envelope) = serde_json::from_slice::<Self>(bytes) else { return Ok(None) };
        // Either alphabet may stand there, says the specification.
        let payload = STANDARD.decode(&envelope.payload).or_else(|_| URL_SAFE.decode(&envelope.payload));
        payload.map(Some).map_err(|error| format!("the envelope's payload: {error}"))
    }
}
