//! Judges the world at rest: what must be true, whatever went wrong before.

mod images;
mod series;
mod streams;

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::{DeadLetterReason, ImageId};

pub(crate) use self::series::Series;
use crate::world::{Kind, Known, World};

/// When the world is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pass {
    /// Nothing is left to do.
    AtRest,
    /// What is absent has been asked about again.
    ADayLater,
    /// Everything has been looked at again, and what was given up has been tried again.
    AfterTheSweep,
}

/// Judges everything; images of `lenient` need not be up to date yet.
pub(crate) fn judge(world: &World, pass: Pass, lenient: &BTreeSet<ImageId>) {
    let mut wrong = vec![];
    streams::judge(world, &mut wrong);
    images::judge(world, lenient, pass, &mut wrong);
    letters(world, &mut wrong);
    for what in wrong {
        world.stage.violated(format!("{pass:?}: {what}"));
    }
}

/// The sweep looks at everything again. It must find nothing that no change had announced.
/// What was given up before, it tries again: that image, and the children of such an index, may have more to say.
pub(crate) fn nothing_was_missed(world: &World, before: &Series, lenient: &BTreeSet<ImageId>) {
    for image in before.changed_since(&Series::of(world)) {
        let is_retried = before.was_unfollowed(&image)
            || indexes_of(world, &image).any(|index| before.was_unfollowed(&index));
        if !lenient.contains(&image) && !is_retried {
            world.stage.violated(format!("only the sweep found out about {image}"));
        }
    }
}

/// The indexes that name an image.
fn indexes_of(world: &World, image: &ImageId) -> impl Iterator<Item = ImageId> {
    let images = world.truth.lock().images.clone();
    let is_it = |child: &usize| images[*child].id.as_ref() == Some(image);
    let names_it = |known: &&Known| matches!(&known.kind, Kind::Index(c) if c.iter().any(is_it));
    let indexes: Vec<ImageId> = images.iter().filter(names_it).filter_map(|known| known.id.clone()).collect();
    indexes.into_iter()
}

/// Every letter has a reason that is true; what was no request lies there as it came.
fn letters(world: &World, wrong: &mut Vec<String>) {
    let letters = world.queue.letters();
    for letter in &letters {
        if letter.detail.is_empty() || letter.body.is_empty() {
            wrong.push(format!("letter {} tells no reason, or has no body", letter.id));
        }
        if letter.reason == DeadLetterReason::KillsWorkers {
            wrong.push(format!("letter {}: {}", letter.id, letter.detail));
        }
    }
    let buried: BTreeSet<&String> = letters.iter().map(|letter| &letter.body).collect();
    let truth = world.truth.lock();
    let lost = world.queue.lost_garbage();
    let missing = truth.garbage.iter().filter(|body| !buried.contains(body) && !lost.contains(*body));
    wrong.extend(missing.map(|body| format!("`{body}` came by the queue and lies nowhere")));
}

/// The story with the names of the catalogue in place of digests.
pub(crate) fn named(world: &World, mut story: Vec<String>) -> Vec<String> {
    let truth = world.truth.lock();
    let names: Vec<(String, String)> = truth
        .images
        .iter()
        .filter_map(|known| {
            let id = known.id.as_ref()?;
            Some((id.digest.to_string(), format!("{}#{}", known.repository, known.tag)))
        })
        .collect();
    for line in &mut story {
        for (digest, name) in &names {
            if line.contains(digest) {
                *line = line.replace(digest, name);
            }
        }
    }
    story
}
