//! Which files of an image its distribution's packages brought.

use std::collections::{BTreeMap, HashMap};

use super::Present;
use super::overlay::Overlay;
use super::visible::Visible;
use crate::inventory::extractor::lies_anywhere;
use crate::inventory::kind::PackageKind;
use crate::inventory::os::dpkg;
use crate::inventory::record::{InstalledPackage, NodeContent};
use crate::inventory::unread::merge_usr;

/// The owned files of an image, as far as they may be evidence of packages.
#[derive(Debug)]
pub(super) struct Ownership<'a> {
    owners: HashMap<&'a str, Owner>,
}

/// A package of the distribution.
#[derive(Debug, Clone)]
struct Owner {
    kind: PackageKind,
    name: String,
    /// The layer since which it is there.
    since: usize,
}

impl<'a> Ownership<'a> {
    pub(super) fn of(overlay: &Overlay<'a>, visible: &Visible<'a>, present: &Present<'a>) -> Self {
        let mut since = BTreeMap::new();
        for ((_, package), layer) in present {
            let newest = since.entry((package.kind, package.name.as_str())).or_insert(*layer);
            *newest = (*newest).max(*layer);
        }
        // Lists stay behind when packages go: what is not there owns nothing.
        let owner = |kind: PackageKind, name: &str| {
            let since = since.get(&(kind, name)).copied()?;
            Some(Owner { kind, name: name.to_owned(), since })
        };
        let mut owners = HashMap::new();
        for folder in [dpkg::INFO_FOLDER, dpkg::STATUS_FOLDER] {
            for (list, content, _) in overlay.children(folder) {
                let NodeContent::Owner { paths } = content else { continue };
                let Some(owner) = owner(PackageKind::Deb, dpkg::owner_of_list(list)) else { continue };
                owners.extend(paths.iter().map(|path| (path.as_str(), owner.clone())));
            }
        }
        for database in &visible.databases {
            let NodeContent::Packages { kinds, owned, .. } = database else { continue };
            let Some(kind) = kinds.first() else { continue };
            for files in owned {
                let Some(owner) = owner(*kind, &files.package) else { continue };
                owners.extend(files.paths.iter().map(|path| (path.as_str(), owner.clone())));
            }
        }
        Self { owners }
    }

    /// Whether any package owns a file.
    pub(super) fn is_owned(&self, path: &str) -> bool {
        self.owners.contains_key(merge_usr(path).as_str())
    }

    /// Whether a package brought a file that is there since a layer, and nothing was put over it since then.
    pub(super) fn has_brought(&self, path: &str, since: usize) -> bool {
        self.owners.get(merge_usr(path).as_str()).is_some_and(|owner| since <= owner.since)
    }

    /// The package that brought a language's package which is there since a layer. One that came later than the
    /// package that owns its file was put over it by something else.
    pub(super) fn owner_of(
        &self,
        package: &InstalledPackage,
        location: &str,
        since: usize,
    ) -> Option<String> {
        if !lies_anywhere(package.kind) {
            return None;
        }
        let file = location.strip_suffix(package.inside.as_str()).unwrap_or(location);
        let owner = self.owners.get(merge_usr(file).as_str()).filter(|owner| since <= owner.since)?;
        Some(format!("{}:{}", owner.kind, owner.name))
    }
}
