//! The repositories of a registry, out of pages in any order.

use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::RepositoryName;

use super::read_name;

/// The most repositories of a registry. ECR's quota is 100,000 unless it was raised.
const MAX_REPOSITORIES: usize = 500_000;

/// The repositories on the pages so far.
#[derive(Debug, Default)]
pub(super) struct Listed {
    names: Vec<RepositoryName>,
    entries: usize,
}

impl Listed {
    /// Takes a page in; an error where there are more than [`MAX_REPOSITORIES`]. A page without any counts as one: it costs a
    /// call, and pages that never end would otherwise be read for ever.
    pub(super) fn take(&mut self, page: &[String]) -> Result<(), RegistryError> {
        self.entries += page.len().max(1);
        if self.entries > MAX_REPOSITORIES {
            return Err(RegistryError::Unsupported(format!(
                "the repositories: more than {MAX_REPOSITORIES}"
            )));
        }
        self.names.extend(page.iter().filter_map(|name| read_name(name, "repository")));
        Ok(())
    }

    pub(super) fn sorted(mut self) -> Vec<RepositoryName> {
        self.names.sort();
        self.names.dedup();
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_may_have_so_many_repositories_and_no_more() {
        let mut listed = Listed::default();
        let page = |count: usize| vec!["team/app".to_owned(); count];
        listed.take(&page(MAX_REPOSITORIES - 1)).unwrap();
        listed.take(&page(0)).unwrap();
        assert_eq!(listed.names.len(), MAX_REPOSITORIES - 1);
        for more in [0, 1] {
            let refused = listed.take(&page(more));
            assert!(matches!(refused, Err(RegistryError::Unsupported(_))), "{refused:?}");
        }
    }
}
