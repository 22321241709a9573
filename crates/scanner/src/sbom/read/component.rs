//! A component of CycloneDX (<https://cyclonedx.org/docs/1.6/json/#components>), with those inside it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Found;
use super::document::{Document, System};
use super::seeds::Each;

/// A list of components.
pub(super) struct Components<'a>(pub(super) &'a mut Document);

impl<'de> DeserializeSeed<'de> for Components<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Components<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of components")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_element_seed(One(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct One<'a>(&'a mut Document);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a component")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut component = Component::default();
        while let Some(key) = fields.next_key::<Cow<'_, str>>()? {
            let text = |fields: &mut A| fields.next_value::<Option<String>>().map(Option::unwrap_or_default);
            match &*key {
                "type" => component.kind = text(&mut fields)?,
                "group" => component.group = text(&mut fields)?,
                "name" => component.name = text(&mut fields)?,
                "version" => component.version = text(&mut fields)?,
                "description" => component.description = text(&mut fields)?,
                "purl" => component.purl = text(&mut fields)?,
                "properties" => fields.next_value_seed(Each::of(|each| component.property(each)))?,
                "evidence" => component.evidence = fields.next_value()?,
                // What it is made of is installed as well. How deep that goes is bounded by the reader of JSON.
                "components" => fields.next_value_seed(Components(&mut *self.0))?,
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        component.give(self.0).map_err(A::Error::custom)
    }
}

#[derive(Deserialize)]
struct Property<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct Evidence {
    #[serde(default)]
    occurrences: FirstOccurrence,
}

#[derive(Default)]
struct FirstOccurrence(String);

impl<'de> Deserialize<'de> for FirstOccurrence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Occurrence {
            #[serde(default)]
            location: String,
        }
        let mut first = String::new();
        Each::of(|occurrence: Occurrence| {
            if first.is_empty() {
                first = occurrence.location;
            }
            Ok(())
        })
        .deserialize(deserializer)?;
        Ok(Self(first))
    }
}

#[derive(Default)]
struct Component {
    kind: String,
    group: String,
    name: String,
    version: String,
    description: String,
    purl: String,
    evidence: Option<Evidence>,
    location: String,
    owner: Option<String>,
    source: [String; 4],
}

impl Component {
    fn property(&mut self, property: Property<'_>) -> Result<(), &'static str> {
        let value = property.value.unwrap_or_default().into_owned();
        match &*property.name {
            "cve-monitor:owned-by" => self.owner = Some(value),
            "syft:location:0:path" | "aquasecurity:trivy:FilePath" => self.location = value,
            "aquasecurity:trivy:SrcName" => self.source[0] = value,
            "aquasecurity:trivy:SrcEpoch" => self.source[1] = value,
            "aquasecurity:trivy:SrcVersion" => self.source[2] = value,
            "aquasecurity:trivy:SrcRelease" => self.source[3] = value,
            _ => {}
        }
        Ok(())
    }

    fn give(self, document: &mut Document) -> Result<(), &'static str> {
        let source = self.source();
        let Self { kind, group, name, version, description, purl, evidence, location, owner, .. } = self;
        if kind == "operating-system" {
            document.system(System { id: name, version, pretty_name: description });
            return Ok(());
        }
        // An application without a URL only holds others together.
        if purl.is_empty() && !matches!(kind.as_str(), "library" | "framework") {
            return Ok(());
        }
        let occurrence = evidence.map(|evidence| evidence.occurrences.0).unwrap_or_default();
        let location = if occurrence.is_empty() { location } else { occurrence };
        let separator = if purl.starts_with("pkg:maven/") { ':' } else { '/' };
        let name = if group.is_empty() { name } else { format!("{group}{separator}{name}") };
        document.package(Found { id: String::new(), name, purl, location, owner, source })
    }

    /// The source as Trivy writes it: a name, and the parts of its version.
    fn source(&self) -> Option<(String, String)> {
        let [name, epoch, version, release] = &self.source;
        if name.is_empty() {
            return None;
        }
        let epoch = if epoch.is_empty() || epoch == "0" { String::new() } else { format!("{epoch}:") };
        let release = if release.is_empty() { String::new() } else { format!("-{release}") };
        Some((name.clone(), format!("{epoch}{version}{release}")))
    }
}
