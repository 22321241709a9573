//! Brings together what is to be compiled: folders and archives as they are, of mirrors an archive per ecosystem.

use std::collections::{BTreeMap, BTreeSet};

use cve_monitor_scanner::advisory::{Source, SourceLocation};
use url::Url;

use super::{AdvisoryError, Ask, Before, Ecosystems, Order, Problem, Step};
use crate::embedded::advisories::store::Answer;
use crate::embedded::advisories::{AdvisoryMirror, AdvisorySource, Fetched, MirrorError};

/// What is to be compiled.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) inputs: Vec<Input>,
    pub(super) answers: BTreeMap<String, Answer>,
    pub(super) problems: Vec<Problem>,
}

/// A source, and what its content is known by; empty where only reading it tells.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) source: Source,
    known_by: String,
}

/// What a mirror has of an ecosystem.
enum Had {
    Archive(Fetched),
    NotOffered,
    /// It did not answer, and nothing is kept.
    Nothing,
}

impl Gathered {
    pub(super) fn known_by(inputs: &[Input]) -> BTreeMap<String, String> {
        inputs.iter().map(|input| (input.source.name.clone(), input.known_by.clone())).collect()
    }

    fn add(&mut self, source: Source, known_by: String) {
        self.inputs.push(Input { source, known_by });
    }
}

/// What a gathering works with.
struct Gathering<'a> {
    before: &'a Before,
    order: &'a Order,
    ask: &'a Ask,
    mirror: &'a AdvisoryMirror,
    told: &'a (dyn Fn(Step<'_>) + Send + Sync),
}

pub(super) async fn gather(
    before: &Before,
    order: &Order,
    wanted: &BTreeSet<String>,
    ask: &Ask,
    mirror: &AdvisoryMirror,
    told: &(dyn Fn(Step<'_>) + Send + Sync),
) -> Result<Gathered, AdvisoryError> {
    let gathering = Gathering { before, order, ask, mirror, told };
    let mut gathered = Gathered::default();
    let mut unanswered: BTreeSet<&String> = BTreeSet::new();
    for source in &order.sources {
        let name = source.to_string();
        let location = match source {
            AdvisorySource::Folder(path) => SourceLocation::Folder(path.clone()),
            AdvisorySource::Archive(path) => SourceLocation::Zip(path.clone()),
            AdvisorySource::Mirror(base) => {
                for ecosystem in wanted {
                    let had = gathering.of_mirror(source, base, ecosystem, &mut gathered.problems).await?;
                    let answer = gathered.answers.entry(ecosystem.clone()).or_insert(Answer::NotOffered);
                    match had {
                        Had::NotOffered => {}
                        Had::Nothing => drop(unanswered.insert(ecosystem)),
                        Had::Archive(fetched) => {
                            *answer = Answer::Included;
                            let name = format!("{name}/{ecosystem}");
                            let location = SourceLocation::Zip(fetched.path);
                            let source = Source { name, location, only: Some(ecosystem.clone()) };
                            gathered.add(source, fetched.digest.to_string());
                        }
                    }
                }
                continue;
            }
        };
        gathered.add(Source { name, location, only: None }, String::new());
    }
    gathered.answers.retain(|ecosystem, _| !unanswered.contains(ecosystem));
    Ok(gathered)
}

impl Gathering<'_> {
    async fn of_mirror(
        &self,
        source: &AdvisorySource,
        base: &Url,
        ecosystem: &str,
        problems: &mut Vec<Problem>,
    ) -> Result<Had, AdvisoryError> {
        if !self.ask.is_for(ecosystem) {
            let known = self.before.coverage.ecosystems.get(ecosystem);
            match self.mirror.kept(base, ecosystem).await? {
                Some(kept) => return Ok(Had::Archive(kept)),
                None if known == Some(&Answer::NotOffered) => return Ok(Had::NotOffered),
                None => {}
            }
        }
        (self.told)(Step::Asking { source, ecosystem });
        let progress = |progress: crate::embedded::advisories::Progress<'_>| {
            (self.told)(Step::Transferring(progress));
        };
        let error = match self.mirror.fetch(base, ecosystem, &progress).await {
            Ok(fetched) => return Ok(Had::Archive(fetched)),
            Err(error) if error.is_of_the_moment() => error,
            Err(error) => return Err(error.into()),
        };
        let is_gone = matches!(error, MirrorError::NotFound { .. });
        let name = format!("{source}/{ecosystem}");
        let accepted = &self.order.policy.accepted;
        if is_gone && (accepted.contains(&name) || accepted.contains(ecosystem)) {
            return Ok(Had::NotOffered);
        }
        let ecosystem = ecosystem.to_owned();
        if let Some(kept) = self.mirror.kept(base, &ecosystem).await? {
            problems.push(Problem { ecosystem, error, kept: Some(kept.checked) });
            return Ok(Had::Archive(kept));
        }
        let is_listed = matches!(self.order.ecosystems, Ecosystems::Listed(_));
        let is_final = is_gone || self.order.is_cut_off && matches!(error, MirrorError::Offline { .. });
        // What is in the current state may not silently go.
        if is_listed || self.before.sources.contains(&name) {
            return Err(error.into());
        }
        if is_final {
            return Ok(Had::NotOffered);
        }
        problems.push(Problem { ecosystem, error, kept: None });
        Ok(Had::Nothing)
    }
}
