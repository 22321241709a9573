//! The laws of [`Scanner`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{Harness, Law, Outcome, Unmet, ensure, provided, same};
use crate::ports::{IndexRequest, MAX_FURTHER_KEYS, Readiness, Scanner, ScannerError};
use crate::scan::ContentHash;
use crate::vocabulary::{Assessment, Generation, Level};

/// A scanner with its data loaded, and images that it can reach. A fixture is none where the backend cannot
/// provide it.
#[async_trait]
pub trait ScannerHarness: Harness {
    /// The scanner.
    fn scanner(&self) -> Arc<dyn Scanner>;

    /// An image in which the scanner's data finds something.
    async fn vulnerable(&self) -> Option<IndexRequest>;

    /// An image with something in it that the scanner cannot read, in which its data finds nothing.
    async fn unreadable(&self) -> Option<IndexRequest>;

    /// A scanner whose data is not loaded, and an image.
    async fn loading(&self) -> Option<(Arc<dyn Scanner>, IndexRequest)>;

    /// How many bytes of layers were fetched for the scanner so far.
    async fn layer_bytes(&self) -> Option<u64>;
}

/// The laws.
pub const LAWS: &[Law<dyn ScannerHarness>] = &[
    Law { id: "S1", title: "indexing_twice_is_harmless", check: |h| Box::pin(indexed_twice(h)) },
    Law { id: "S2", title: "assessing_reads_no_layers", check: |h| Box::pin(no_layers(h)) },
    Law { id: "S3", title: "the_same_knowledge_says_the_same", check: |h| Box::pin(repeatable(h)) },
    Law { id: "S4", title: "what_it_cannot_read_is_told", check: |h| Box::pin(unreadable(h)) },
    Law { id: "S5", title: "not_loaded_is_loading", check: |h| Box::pin(loading(h)) },
    Law { id: "S6", title: "older_knowledge_is_behind", check: |h| Box::pin(behind(h)) },
    Law { id: "S7", title: "never_indexed_is_not_indexed", check: |h| Box::pin(not_indexed(h)) },
];

async fn vulnerable(harness: &dyn ScannerHarness) -> Result<IndexRequest, Unmet> {
    provided(harness.vulnerable().await, "an image with a known vulnerability")
}

fn content(assessment: &Assessment) -> ContentHash {
    ContentHash::of(assessment, &[])
}

async fn indexed_twice(harness: &dyn ScannerHarness) -> Outcome {
    let (scanner, request) = (harness.scanner(), vulnerable(harness).await?);
    let first = scanner.index(&request).await?;
    let once = scanner.assess(&request.image, None).await?;
    let again = scanner.index(&request).await?;
    same("the keys that indexing answers", &again, &first)?;
    ensure(first.len() <= MAX_FURTHER_KEYS, || format!("indexing answers {} keys", first.len()))?;
    let twice = scanner.assess(&request.image, None).await?;
    same("the content after indexing twice", &content(&twice), &content(&once))?;
    ensure(!once.findings.is_empty(), || "nothing was found in a vulnerable image".to_owned())?;
    same("its keys", &scanner.keys(&request), &scanner.keys(&request))?;
    ensure(!scanner.keys(&request).is_empty(), || "no change could ever name the image".to_owned())
}

async fn no_layers(harness: &dyn ScannerHarness) -> Outcome {
    let (scanner, request) = (harness.scanner(), vulnerable(harness).await?);
    let before = provided(harness.layer_bytes().await, "a count of layer bytes")?;
    scanner.index(&request).await?;
    let indexed = provided(harness.layer_bytes().await, "a count of layer bytes")?;
    ensure(indexed > before, || "indexing read no layer: the count proves nothing".to_owned())?;
    for _ in 0..3 {
        scanner.assess(&request.image, None).await?;
    }
    let assessed = provided(harness.layer_bytes().await, "a count of layer bytes")?;
    same("layer bytes read by assessing", &(assessed - indexed), &0)
}

async fn repeatable(harness: &dyn ScannerHarness) -> Outcome {
    let (scanner, request) = (harness.scanner(), vulnerable(harness).await?);
    scanner.index(&request).await?;
    let first = scanner.assess(&request.image, None).await?;
    let second = scanner.assess(&request.image, None).await?;
    if first.knowledge.id.is_none() {
        return provided(None, "knowledge that has an identity");
    }
    same("the knowledge", &second.knowledge, &first.knowledge)?;
    same("the content", &content(&second), &content(&first))?;
    same("the completeness", &second.completeness, &first.completeness)
}

async fn unreadable(harness: &dyn ScannerHarness) -> Outcome {
    let request = provided(harness.unreadable().await, "an image that it cannot wholly read")?;
    let scanner = harness.scanner();
    scanner.index(&request).await?;
    let assessment = scanner.assess(&request.image, None).await?;
    let completeness = &assessment.completeness;
    ensure(completeness.level() != Level::Complete, || "the look is said to be complete".to_owned())?;
    ensure(completeness.reasons().next().is_some(), || "no reason is given".to_owned())
}

async fn loading(harness: &dyn ScannerHarness) -> Outcome {
    let (scanner, request) = provided(harness.loading().await, "a scanner whose data is not loaded")?;
    let readiness = scanner.readiness().await?;
    ensure(matches!(readiness, Readiness::Loading(_)), || format!("its readiness: {readiness:?}"))?;
    // Loading blocks assessing, never indexing.
    scanner.index(&request).await?;
    let answer = scanner.assess(&request.image, None).await;
    ensure(matches!(answer, Err(ScannerError::Loading(_))), || format!("assessing: {answer:?}"))
}

async fn behind(harness: &dyn ScannerHarness) -> Outcome {
    let (scanner, request) = (harness.scanner(), vulnerable(harness).await?);
    scanner.index(&request).await?;
    let Readiness::Ready(knowledge) = scanner.readiness().await? else {
        return provided(None, "loaded data");
    };
    let Generation(known) = provided(knowledge.generation, "knowledge that has generations")?;
    let assessment = scanner.assess(&request.image, Some(Generation(known))).await?;
    let answered = assessment.knowledge.generation.map_or(0, |generation| generation.0);
    ensure(answered >= known, || format!("asked for {known}, answered from {answered}"))?;
    let answer = scanner.assess(&request.image, Some(Generation(u64::MAX / 2))).await;
    same("asked for newer knowledge than there is", &answer.err(), &Some(ScannerError::Behind))
}

async fn not_indexed(harness: &dyn ScannerHarness) -> Outcome {
    let (scanner, request) = (harness.scanner(), vulnerable(harness).await?);
    let never = super::image("never.test", &harness.unique())?;
    same("an unknown image", &scanner.assess(&never, None).await.err(), &Some(ScannerError::NotIndexed))?;
    scanner.index(&request).await?;
    scanner.assess(&request.image, None).await.map(drop).map_err(Unmet::from)
}
