//! Whose advisories speak for what packages of the distribution brought.

use std::collections::{BTreeMap, BTreeSet};

use super::wanted::wanted;
use crate::advisory::{Database, DatabaseError, Ecosystem};
use crate::{ImageInventory, PackageInstance, PackageKind};

/// The owners, such as `deb:python3-yaml`, that the distribution looks after, as far as its advisories tell: at least
/// one speaks of the package, whatever its version.
///
/// A package that somebody else built for the distribution owns its files too, but no advisory speaks of it: what it
/// brought is judged like anything that came by itself.
///
/// # Errors
///
/// [`DatabaseError`] where the database is damaged.
pub(super) fn looked_after<'a>(
    inventory: &'a ImageInventory,
    database: &Database,
) -> Result<BTreeSet<&'a str>, DatabaseError> {
    let distribution = inventory.distribution.as_ref();
    let distribution = distribution.and_then(|distribution| distribution.ecosystem.as_deref());
    let mut owners: BTreeMap<(PackageKind, &str), &str> = BTreeMap::new();
    for owner in inventory.packages.iter().filter_map(|package| package.owned_by.as_deref()) {
        if let Some((kind, name)) = owner.split_once(':')
            && let Some(kind) = PackageKind::from_name(kind)
        {
            owners.insert((kind, name), owner);
        }
    }
    let mut found = BTreeSet::new();
    for package in &inventory.packages {
        let Some(owner) = owners.get(&(package.kind, package.name.as_str())) else { continue };
        if !found.contains(owner) && is_spoken_of(package, distribution, database)? {
            found.insert(*owner);
        }
    }
    Ok(found)
}

fn is_spoken_of(
    package: &PackageInstance,
    distribution: Option<&str>,
    database: &Database,
) -> Result<bool, DatabaseError> {
    let ecosystem = Ecosystem::of(package.kind, distribution).filter(Ecosystem::is_system);
    let Some(ecosystem) = ecosystem else { return Ok(false) };
    for wanted in wanted(package, &ecosystem) {
        if !database.lookup(&ecosystem.name, &wanted.name)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
