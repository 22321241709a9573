//! What was known about an image, and when.

use super::QuestionError;
use crate::pipeline::Ports;
use crate::ports::{ArchiveError, StoreError};
use crate::scan::{Assessed, Event, ImageEvent, StreamId, finding_keys};
use crate::vocabulary::{Digest, FindingKey, ImageId, Timestamp};

const PAGE: usize = 200;

/// A report in the series of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it was recorded.
    pub at: Timestamp,
    /// The report.
    pub report: Assessed,
    /// What it has that the one before had not; none where a body is no longer kept.
    pub new: Option<Vec<FindingKey>>,
    /// What the one before had and it has not; none where a body is no longer kept.
    pub gone: Option<Vec<FindingKey>>,
    /// Which sinks have it, since when.
    pub delivered: Vec<(String, Timestamp)>,
}

async fn events(ports: &Ports, image: &ImageId) -> Result<Vec<(Timestamp, ImageEvent)>, StoreError> {
    let stream = StreamId::image(image);
    let (mut all, mut from) = (vec![], 1);
    loop {
        let page = ports.store.read(&stream, from, PAGE).await?;
        let full = page.len() == PAGE;
        from += page.len() as u64;
        all.extend(page.into_iter().filter_map(|recorded| match recorded.event {
            Event::Image(event) => Some((recorded.at, event)),
            _ => None,
        }));
        if !full {
            return Ok(all);
        }
    }
}

/// The series of an image's reports, oldest first.
///
/// # Errors
/// Where the stream or the archive cannot be read.
pub async fn history(ports: &Ports, image: &ImageId) -> Result<Vec<HistoryEntry>, QuestionError> {
    let mut series: Vec<HistoryEntry> = vec![];
    let mut before = Some(std::collections::BTreeSet::new());
    for (at, event) in events(ports, image).await? {
        match event {
            ImageEvent::Assessed(report) => {
                let keys = match ports.archive.get(&report.body).await {
                    Ok(body) => body.and_then(|body| finding_keys(&body).ok()),
                    Err(ArchiveError::Corrupt(_)) => None,
                    Err(error) => return Err(error.into()),
                };
                let both = before.as_ref().zip(keys.as_ref());
                let new = both.map(|(before, now)| now.difference(before).cloned().collect());
                let gone = both.map(|(before, now)| before.difference(now).cloned().collect());
                series.push(HistoryEntry { at, report: *report, new, gone, delivered: vec![] });
                before = keys;
            }
            ImageEvent::Delivered(delivered) => {
                if let Some(entry) =
                    series.iter_mut().rev().find(|entry| entry.report.report == delivered.report)
                {
                    entry.delivered.push((delivered.sink, at));
                }
            }
            _ => {}
        }
    }
    Ok(series)
}

/// The children of an index, as it was last resolved; none where the image is no index.
///
/// # Errors
/// Where the stream cannot be read.
pub async fn index_children(ports: &Ports, image: &ImageId) -> Result<Option<Vec<Digest>>, QuestionError> {
    Ok(events(ports, image).await?.into_iter().rev().find_map(|(_, event)| match event {
        ImageEvent::IndexResolved { children } => Some(children),
        _ => None,
    }))
}
