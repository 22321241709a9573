//! Which images are looked at. In one place: coverage, bootstrap and cost follow it.

use std::time::Duration;

use wildmatch::WildMatch;

use crate::vocabulary::{ImageId, Platform, RegistryName, RepositoryName, Tag, Timestamp};

/// Patterns (`*` any text, `?` any character) that must all match; an absent one matches everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    registry: Option<WildMatch>,
    repository: Option<WildMatch>,
    tag: Option<WildMatch>,
    platform: Option<WildMatch>,
}

/// Why a scope is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope rule names nothing: give it a registry, repository, tag or platform")]
pub struct InvalidScope;

impl Rule {
    /// A rule out of patterns.
    ///
    /// # Errors
    /// Where no pattern is given: such a rule would silently mean everything.
    pub fn new(
        registry: Option<&str>,
        repository: Option<&str>,
        tag: Option<&str>,
        platform: Option<&str>,
    ) -> Result<Self, InvalidScope> {
        let pattern = |text: Option<&str>| text.map(WildMatch::new);
        let rule = Self {
            registry: pattern(registry),
            repository: pattern(repository),
            tag: pattern(tag),
            platform: pattern(platform),
        };
        if rule == Self::default() { Err(InvalidScope) } else { Ok(rule) }
    }

    fn names_place(&self, registry: &RegistryName, repository: &RepositoryName) -> bool {
        matches(self.registry.as_ref(), registry.as_str())
            && matches(self.repository.as_ref(), repository.as_str())
    }

    fn names_tags(&self, tags: &[Tag]) -> bool {
        self.tag.is_none() || tags.iter().any(|tag| matches(self.tag.as_ref(), tag.as_str()))
    }
}

fn matches(pattern: Option<&WildMatch>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.matches(text))
}

/// What is included and what is excluded. Without includes everything is; an exclusion wins.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// At least one of these must match, where there are any.
    pub include: Vec<Rule>,
    /// None of these may match.
    pub exclude: Vec<Rule>,
    /// Images pushed longer ago than this are passed over when a registry is listed.
    pub newer_than: Option<Duration>,
}

impl Scope {
    /// Whether a repository may hold anything in scope.
    #[must_use]
    pub fn admits_repository(&self, registry: &RegistryName, repository: &RepositoryName) -> bool {
        let excluded = self.exclude.iter().any(|rule| {
            rule.tag.is_none() && rule.platform.is_none() && rule.names_place(registry, repository)
        });
        !excluded
            && (self.include.is_empty()
                || self.include.iter().any(|rule| rule.names_place(registry, repository)))
    }

    /// Whether an image with these tags is in scope. Without any tag only rules without a tag speak about it.
    #[must_use]
    pub fn admits(&self, image: &ImageId, tags: &[Tag]) -> bool {
        let says =
            |rule: &Rule| rule.names_place(&image.registry, &image.repository) && rule.names_tags(tags);
        let excluded = self.exclude.iter().any(|rule| rule.platform.is_none() && says(rule));
        !excluded && (self.include.is_empty() || self.include.iter().any(says))
    }

    /// Whether a platform of an image is in scope; an unknown one is.
    #[must_use]
    pub fn admits_platform(&self, image: &ImageId, platform: Option<&Platform>) -> bool {
        let Some(platform) = platform.map(ToString::to_string) else { return true };
        let says = |rule: &Rule| {
            rule.names_place(&image.registry, &image.repository) && matches(rule.platform.as_ref(), &platform)
        };
        let excluded =
            self.exclude.iter().any(|rule| rule.platform.is_some() && rule.tag.is_none() && says(rule));
        !excluded && (self.include.is_empty() || self.include.iter().any(says))
    }

    /// Whether an image pushed then is new enough; one without a date is.
    #[must_use]
    pub fn admits_age(&self, pushed: Option<Timestamp>, now: Timestamp) -> bool {
        match (self.newer_than, pushed) {
            (Some(newer_than), Some(pushed)) => now.since(pushed) <= newer_than,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Digest;

    fn image(repository: &str) -> ImageId {
        format!("r.example/{repository}@{}", Digest::of(b"m")).parse().unwrap_or_else(|e| panic!("{e}"))
    }

    fn rule(repository: Option<&str>, tag: Option<&str>, platform: Option<&str>) -> Rule {
        Rule::new(None, repository, tag, platform).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn without_rules_everything_is_in_scope() {
        assert!(Scope::default().admits(&image("a"), &[]));
        assert_eq!(Rule::new(None, None, None, None), Err(InvalidScope));
    }

    #[test]
    fn an_exclusion_wins_over_an_inclusion() {
        let scope = Scope {
            include: vec![rule(Some("team/*"), None, None)],
            exclude: vec![rule(Some("team/old*"), None, None), rule(None, Some("dev-*"), None)],
            newer_than: None,
        };
        let dev: Vec<Tag> = vec!["dev-1".parse().unwrap_or_else(|e| panic!("{e}"))];
        assert!(scope.admits(&image("team/app"), &[]));
        assert!(!scope.admits(&image("team/app"), &dev));
        assert!(!scope.admits(&image("team/old-app"), &[]));
        assert!(!scope.admits(&image("other"), &[]));
        assert!(!scope.admits_repository(&image("other").registry, &image("other").repository));
    }

    #[test]
    fn platforms_are_judged_once_they_are_known() {
        let arm = Platform { os: "linux".into(), architecture: "arm64".into(), variant: Some("v8".into()) };
        let scope = Scope { include: vec![rule(None, None, Some("linux/amd64*"))], ..Scope::default() };
        assert!(!scope.admits_platform(&image("a"), Some(&arm)));
        assert!(scope.admits_platform(&image("a"), None));
        assert!(
            scope.admits(&image("a"), &[]),
            "before the manifest is read nothing is known of its platform"
        );
    }

    #[test]
    fn age_counts_at_its_edge() {
        let scope = Scope { newer_than: Some(Duration::from_secs(10)), ..Scope::default() };
        let at = Timestamp::from_millis;
        assert!(scope.admits_age(Some(at(0)), at(10_000)) && !scope.admits_age(Some(at(0)), at(10_001)));
        assert!(scope.admits_age(None, at(10_001)));
    }
}
