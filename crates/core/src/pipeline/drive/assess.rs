//! The step that makes reports: ask the scanner, compare with the last report, archive the body.

use std::collections::BTreeSet;

use super::announced::is_unannounced;
use super::failure::permanent;
use super::perform::Workbench;
use crate::ports::{ArchiveError, RegistryError};
use crate::scan::{
    Assessed, Command, ContentHash, Failure, FeedState, HeadState, ImageState, LastReport, ParentIndex,
    ReportFacts, ReportId, Resolved, StreamId, finding_keys, render_report,
};
use crate::vocabulary::{
    Assessment, Finding, FindingKey, Generation, ImageId, SeverityCounts, Tag, Timestamp, Verdict,
};

/// Assesses, and says whether that makes a report. The body is archived before any event names it.
pub(super) async fn assess(
    bench: &Workbench<'_>,
    state: &ImageState,
    at_least: Option<Generation>,
) -> Result<Command, Failure> {
    // A change is followed through the layer index: an image that was recorded there only after its fan-out is
    // reached by no request, so its first assessment must know what the feed has followed by now.
    let feed = feed_state(bench).await?;
    // A change whose fan-out is under way may have passed this image's keys already.
    let followed = feed
        .as_ref()
        .and_then(|feed| feed.fan_out.as_ref().map(|fan_out| fan_out.generation).max(feed.generation));
    let started = bench.ports.clock.now();
    let assessment = bench.ports.scanner.assess(bench.image, at_least.max(followed)).await?;
    let content = ContentHash::of(&assessment, &state.parents);
    let generation = assessment.knowledge.generation;
    match &state.last_report {
        Some(last) if last.content == content => Ok(Command::Verified { started, generation, content }),
        last => {
            let unannounced = match &feed {
                Some(feed) => is_unannounced(bench, state, feed, generation).await,
                None => false,
            };
            let mut assessed = report(bench, state, last.as_ref(), started, &assessment, content).await?;
            assessed.unannounced = unannounced;
            Ok(Command::Assessed(Box::new(assessed)))
        }
    }
}

async fn feed_state(bench: &Workbench<'_>) -> Result<Option<FeedState>, Failure> {
    let Some(feed) = &bench.ports.feed else { return Ok(None) };
    let head = bench.ports.store.head(&StreamId::feed(feed)).await?;
    Ok(head.and_then(|head| match head.state {
        HeadState::Feed(state) => Some(state),
        _ => None,
    }))
}

async fn report(
    bench: &Workbench<'_>,
    state: &ImageState,
    last: Option<&LastReport>,
    started: Timestamp,
    assessment: &Assessment,
    content: ContentHash,
) -> Result<Assessed, Failure> {
    let Some(Resolved::Image(resolved)) = &state.resolved else {
        return Err(permanent("only an image is assessed".to_owned()));
    };
    let before = match last {
        Some(last) => archived_findings(bench, last).await?,
        None => BTreeSet::new(),
    };
    let now: BTreeSet<FindingKey> = assessment.findings.iter().map(Finding::key).collect();
    let new: Vec<FindingKey> = now.difference(&before).cloned().collect();
    let gone: Vec<FindingKey> = before.difference(&now).cloned().collect();

    let scanner = &bench.policy.scanner;
    let previous = last.map(|last| last.id.clone());
    let id = ReportId::after(previous.as_ref(), bench.image, &scanner.name, &content);
    let mut parents = Vec::with_capacity(state.parents.len());
    for digest in &state.parents {
        let tags = current_tags(bench, &bench.image.sibling(digest.clone())).await?;
        parents.push(ParentIndex { digest: digest.clone(), tags });
    }
    let body = render_report(&ReportFacts {
        id: &id,
        previous: previous.as_ref(),
        image: bench.image,
        resolved,
        registry: &bench.registry.identity(),
        tags: &current_tags(bench, bench.image).await?,
        parents: &parents,
        scanner,
        started,
        assessment,
        new: &new,
        gone: &gone,
    });
    let body = bench.ports.archive.put(&body).await?;
    let count = |keys: &[FindingKey]| u32::try_from(keys.len()).unwrap_or(u32::MAX);
    Ok(Assessed {
        started,
        scanner: scanner.clone(),
        knowledge: assessment.knowledge.id.clone(),
        generation: assessment.knowledge.generation,
        content,
        report: id,
        previous,
        body,
        verdict: Verdict::over(assessment.findings.len(), &assessment.completeness),
        level: assessment.completeness.level(),
        counts: SeverityCounts::of(&assessment.findings),
        new: count(&new),
        gone: count(&gone),
        unannounced: false,
    })
}

/// A body that is lost or damaged must not stop the series: then everything counts as new, and a person is told.
async fn archived_findings(
    bench: &Workbench<'_>,
    last: &LastReport,
) -> Result<BTreeSet<FindingKey>, Failure> {
    let problem = match bench.ports.archive.get(&last.body).await {
        Ok(Some(body)) => match finding_keys(&body) {
            Ok(keys) => return Ok(keys),
            Err(problem) => problem,
        },
        Ok(None) => "it is not there".to_owned(),
        Err(ArchiveError::Corrupt(_)) => "it is damaged".to_owned(),
        Err(error) => return Err(error.into()),
    };
    tracing::error!(image = %bench.image, body = %last.body, problem, "the archived previous report cannot be read");
    Ok(BTreeSet::new())
}

/// Tags are an attribute: where the registry does not tell them, the report goes without.
async fn current_tags(bench: &Workbench<'_>, image: &ImageId) -> Result<Vec<Tag>, Failure> {
    match bench.registry.tags(image).await {
        Ok(tags) => Ok(tags),
        Err(
            RegistryError::NotFound(_)
            | RegistryError::Denied(_)
            | RegistryError::Archived(_)
            | RegistryError::Unsupported(_),
        ) => Ok(vec![]),
        Err(error) => Err(error.into()),
    }
}
