//! The scope that the settings describe.

use cve_monitor_core::pipeline::{Rule, Scope};

use super::WiringError;
use crate::config::{ScopeRule, ScopeSettings};

pub(super) fn scope(settings: &ScopeSettings) -> Result<Scope, WiringError> {
    let rules = |rules: &[ScopeRule]| -> Result<Vec<Rule>, WiringError> {
        let rule = |rule: &ScopeRule| {
            Rule::new(
                rule.registry.as_deref(),
                rule.repository.as_deref(),
                rule.tag.as_deref(),
                rule.platform.as_deref(),
            )
        };
        rules.iter().map(rule).collect::<Result<_, _>>().map_err(WiringError::of)
    };
    Ok(Scope {
        include: rules(&settings.include)?,
        exclude: rules(&settings.exclude)?,
        newer_than: settings.newer_than,
    })
}
