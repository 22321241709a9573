//! Whether a difference that the slow sweep found had been announced by the feed, or will be.

use super::perform::Workbench;
use crate::scan::{FeedState, ImageState};
use crate::vocabulary::{Generation, Lane};

/// Whether nothing announces the difference between an image's last report and this newer assessment of it, which was begun
/// after the feed was in this state: then the feed has missed a change, or followed it to the wrong images.
///
/// Said only where it is certain. Not of the first report; not where anything but the slow sweep asked, or the image was
/// read anew; not where the scanner is ahead of the feed, which gets there yet; not where a gap's sweep has not reached the
/// image yet; not where requests of changes are still under way; never of scanners whose data has no generation.
pub(super) async fn is_unannounced(
    bench: &Workbench<'_>,
    state: &ImageState,
    feed: &FeedState,
    known: Option<Generation>,
) -> bool {
    let routine = state.last_report.is_some() && state.open.is_some_and(|open| open.routine);
    let followed = known.zip(feed.generation).is_some_and(|(known, followed)| known <= followed);
    let swept = feed.last_gap.is_none_or(|gap| {
        state.assessed.is_some_and(|at| at >= gap.since)
            && state.generation.is_some_and(|known| known >= gap.generation)
    });
    routine && followed && swept && is_quiet(bench).await
}

/// Whether no request of a change is under way. Those that were sent before the feed was read, and are done, stand in the image's
/// stream: they would have made this look more than routine, or the append of its answer a conflict.
async fn is_quiet(bench: &Workbench<'_>) -> bool {
    // An attempt that failed before is woken in the lane of changes.
    let own = u64::from(bench.lane == Lane::Change);
    bench.ports.queue.depth(Lane::Change).await.is_ok_and(|depth| depth.ready == 0 && depth.leased <= own)
}
