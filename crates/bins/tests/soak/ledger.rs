//! What the events say of images that are gone, held against what was done to the registry.

use cve_monitor_core::ports::EventStore;
use cve_monitor_core::scan::{Event, ImageEvent, StreamId};
use cve_monitor_core::vocabulary::ImageId;

use Fact::{Deleted, Reported, Served, Verified};

/// Events of an image that are read at a time.
const PAGE: usize = 100;

/// What was done to an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    /// The registry has it at the end.
    pub(crate) is_there: bool,
    /// The registry has been without it.
    pub(crate) was_deleted: bool,
}

/// What an event says of whether an image is there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact {
    /// The registry has served it.
    Served,
    /// It counts as deleted.
    Deleted,
    /// It got a report.
    Reported,
    /// It was assessed, and its report stands.
    Verified,
}

/// Of the events of an image, in order: whether it counts as deleted at the end, and what must not be. They are judged by what
/// they are, and not by what the programs fold them into.
pub(crate) fn reckon(fate: Fate, facts: &[Fact]) -> (bool, Vec<&'static str>) {
    let (mut is_gone, mut wrong) = (false, vec![]);
    for fact in facts {
        match fact {
            Deleted => {
                is_gone = true;
                if !fate.was_deleted {
                    wrong.push("was never deleted, and was taken for deleted");
                }
            }
            Served => is_gone = false,
            Reported if is_gone => wrong.push("got a report after its deletion"),
            Verified if is_gone => wrong.push("was assessed after its deletion"),
            Reported | Verified => {}
        }
    }
    if is_gone && fate.is_there {
        wrong.push("is there, and is taken for deleted");
    }
    (is_gone, wrong)
}

/// What the stream of an image says.
pub(crate) async fn facts(store: &dyn EventStore, image: &ImageId) -> Vec<Fact> {
    let (stream, mut read, mut facts) = (StreamId::image(image), 0, vec![]);
    loop {
        let page = store.read(&stream, read + 1, PAGE).await.unwrap();
        if page.is_empty() {
            return facts;
        }
        read += page.len() as u64;
        facts.extend(page.iter().filter_map(|recorded| match &recorded.event {
            Event::Image(ImageEvent::ManifestResolved(_)) => Some(Served),
            Event::Image(ImageEvent::ImageDeleted) => Some(Deleted),
            Event::Image(ImageEvent::Assessed(_)) => Some(Reported),
            Event::Image(ImageEvent::Verified { .. }) => Some(Fact::Verified),
            _ => None,
        }));
    }
}

/// Of histories that are made up, those that must not be are noticed, and no others.
pub(crate) fn what_must_not_be_is_noticed() {
    let lives = Fate { is_there: true, was_deleted: false };
    let is_back = Fate { is_there: true, was_deleted: true };
    let is_gone = Fate { is_there: false, was_deleted: true };
    let good: [(Fate, &[Fact], bool); 6] = [
        (lives, &[Served, Reported, Verified, Reported], false),
        (is_back, &[Served, Reported, Deleted, Served, Verified, Reported], false),
        (is_gone, &[Served, Reported, Deleted], true),
        (is_gone, &[Deleted], true),
        // Nobody has noticed yet: once a day an image is asked about that the listing does not name.
        (is_gone, &[Served, Reported, Reported], false),
        (is_gone, &[], false),
    ];
    for (fate, facts, gone) in good {
        assert_eq!(reckon(fate, facts), (gone, vec![]), "{fate:?} {facts:?}");
    }
    let bad: [(Fate, &[Fact], &str); 5] = [
        (is_gone, &[Served, Reported, Deleted, Reported], "got a report after"),
        (is_back, &[Served, Deleted, Verified, Served], "was assessed after"),
        (is_back, &[Served, Deleted, Served, Reported, Deleted, Reported, Served], "got a report after"),
        (lives, &[Served, Reported, Deleted, Served, Reported], "was never deleted"),
        (is_back, &[Served, Reported, Deleted], "is there, and"),
    ];
    for (fate, facts, what) in bad {
        let (_, wrong) = reckon(fate, facts);
        assert!(matches!(wrong[..], [one] if one.starts_with(what)), "{fate:?} {facts:?}: {wrong:?}");
    }
}
