//! What must be known of each image, judged by what the registry has and the newest state of knowledge says.

use std::collections::BTreeSet;

use cve_monitor_core::pipeline::index_children;
use cve_monitor_core::scan::{AbandonReason, ImageState, MAX_PARENTS, Resolved};
use cve_monitor_core::vocabulary::{Digest, ImageId};

use super::Pass;
use super::streams::{found, ports};
use crate::world::{Kind, Known, Truth, World, now};

pub(super) fn judge(world: &World, lenient: &BTreeSet<ImageId>, pass: Pass, wrong: &mut Vec<String>) {
    let images = world.truth.lock().images.clone();
    for known in &images {
        let Some(id) = &known.id else { continue };
        if lenient.contains(id) || images.iter().any(|index| is_child_of(known, index, &images, lenient)) {
            continue;
        }
        let state = world.state_of(id);
        let problem = match (known.present, state) {
            (true, None) => is_listed(world, known, &images).then(|| "was never looked at".to_owned()),
            (false, None) => None,
            (true, Some(state)) => present(world, known, &images, &state, pass),
            (false, Some(_)) if pass == Pass::AtRest => None,
            (false, Some(state)) => absent(&images, &state),
        };
        wrong.extend(problem.map(|problem| format!("{id} {problem}")));
    }
}

/// A message of the index that has not been forgiven yet may be what this one waits for.
fn is_child_of(known: &Known, index: &Known, images: &[Known], lenient: &BTreeSet<ImageId>) -> bool {
    let Kind::Index(children) = &index.kind else { return false };
    index.id.as_ref().is_some_and(|id| lenient.contains(id))
        && children.iter().any(|child| images[*child].id == known.id)
}

/// Whether a listing names it, or names an index that does.
fn is_listed(world: &World, known: &Known, images: &[Known]) -> bool {
    let truth: &Truth = &world.truth.lock();
    let was_read = |index: &Known| {
        let state = index.id.as_ref().and_then(|id| world.state_of(id));
        state.is_none_or(|state| state.abandoned.is_none())
    };
    let by_index = images.iter().any(|index| match &index.kind {
        Kind::Index(children) => {
            index.present
                && !index.damaged
                && was_read(index)
                && (index.tagged || !truth.lists_tagged_only)
                && children.iter().any(|child| images[*child].id == known.id)
        }
        _ => false,
    });
    known.tagged || !truth.lists_tagged_only || by_index
}

/// The absence is asked about once a day; of the children of an index that is there it is believed that they are.
fn absent(images: &[Known], state: &ImageState) -> Option<String> {
    let is_there = |parent: &Digest| {
        images.iter().any(|index| index.present && index.id.as_ref().is_some_and(|id| id.digest == *parent))
    };
    let is_believed = state.parents.iter().any(is_there);
    (!state.deleted && !is_believed).then(|| "is gone from the registry, and nobody noticed".to_owned())
}

fn present(world: &World, known: &Known, images: &[Known], state: &ImageState, pass: Pass) -> Option<String> {
    if state.deleted {
        // A child that came back with its index is asked about as seldom as the sweep looks, if no event tells of it.
        let by_itself = known.tagged || !world.truth.lock().lists_tagged_only;
        let seen = by_itself || (pass == Pass::AfterTheSweep && is_listed(world, known, images));
        return seen.then(|| "is there, and is taken for deleted".to_owned());
    }
    if let Some(reason) = state.abandoned {
        return given_up(world, known, reason, pass);
    }
    match &known.kind {
        Kind::Artifact => {
            let told = matches!(state.resolved, Some(Resolved::Artifact(_)));
            (!told).then(|| "is an artifact, and is not known as one".to_owned())
        }
        Kind::Index(children) => {
            let expected: BTreeSet<Digest> =
                children.iter().filter_map(|child| Some(images[*child].id.clone()?.digest)).collect();
            let id = known.id.as_ref()?;
            let none = std::sync::Arc::default();
            let told = now(index_children(&ports(world, &none), id)).ok().flatten().unwrap_or_default();
            let told: BTreeSet<Digest> = told.into_iter().collect();
            (told != expected)
                .then(|| format!("is an index of {expected:?}, and is known as one of {told:?}"))
        }
        Kind::Image(_) => image(world, known, images, state),
    }
}

/// Given up is only what cannot be read; and what could not be read before, until it is tried again. There is a letter
/// about everything that a person could mend.
fn given_up(world: &World, known: &Known, reason: AbandonReason, pass: Pass) -> Option<String> {
    let justified = match reason {
        AbandonReason::Corrupt => known.damaged || pass < Pass::AfterTheSweep,
        AbandonReason::Archived => known.archived || pass < Pass::AfterTheSweep,
        AbandonReason::Denied | AbandonReason::AttemptsExhausted => pass < Pass::AfterTheSweep,
        AbandonReason::Failed | AbandonReason::OutOfScope => false,
    };
    if !justified {
        return Some(format!("was given up ({reason}) and nothing is wrong with it"));
    }
    let id = known.id.as_ref()?.digest.to_string();
    let told = reason == AbandonReason::Archived
        || world.queue.letters().iter().any(|letter| letter.body.contains(&id));
    (!told).then(|| format!("was given up ({reason}), and no letter says so"))
}

fn image(world: &World, known: &Known, images: &[Known], state: &ImageState) -> Option<String> {
    if let Some(open) = state.open {
        return Some(format!("has an open request since {}", open.since));
    }
    let Some(last) = &state.last_report else { return Some("has no report".to_owned()) };
    let truth = world.truth.lock();
    let latest = truth.states.len() as u64;
    let (findings, level, verdict) = truth.expected(known, latest);
    match found(world, &last.body) {
        Ok(told) if told == findings => {}
        Ok(told) => {
            return Some(format!(
                "has a last report that names {told:?}, where there is {findings:?} (state {latest})"
            ));
        }
        Err(problem) => return Some(format!("has a last report whose body {problem}")),
    }
    if (last.level, last.verdict) != (level, verdict) {
        return Some(format!(
            "is said to be {:?}, {:?}; it is {verdict:?}, {level:?}",
            last.verdict, last.level
        ));
    }
    drop(truth);
    parents(world, known, images, state)
}

/// It names the indexes that it belongs to, as many as are remembered.
fn parents(world: &World, known: &Known, images: &[Known], state: &ImageState) -> Option<String> {
    let all: BTreeSet<&Digest> = images
        .iter()
        .filter(|index| matches!(&index.kind, Kind::Index(c) if c.iter().any(|c| images[*c].id == known.id)))
        .filter_map(|index| index.id.as_ref().map(|id| &id.digest))
        .collect();
    let told: BTreeSet<&Digest> = state.parents.iter().collect();
    let is_read = |index: &&Known| {
        let state = index.id.as_ref().and_then(|id| world.state_of(id));
        index.present
            && index.tagged
            && state.is_some_and(|state| state.abandoned.is_none() && !state.deleted)
    };
    let living = images.iter().filter(is_read).filter_map(|index| index.id.as_ref().map(|id| &id.digest));
    let living: BTreeSet<&Digest> = living.filter(|digest| all.contains(digest)).collect();
    if !told.is_subset(&all) || (all.len() <= MAX_PARENTS && !living.is_subset(&told)) {
        return Some(format!("belongs to {living:?}, and is known to belong to {told:?}"));
    }
    None
}
