//! The laws of [`LayerIndex`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Harness, Law, Outcome, Unmet, ensure, image, same};
use crate::ports::LayerIndex;
use crate::vocabulary::{ImageId, LayerKey, PageToken};

/// A fresh index.
pub trait LayerIndexHarness: Harness {
    /// The index.
    fn index(&self) -> Arc<dyn LayerIndex>;
}

/// The laws.
pub const LAWS: &[Law<dyn LayerIndexHarness>] = &[
    Law { id: "L1", title: "recording_twice_is_recording_once", check: |h| Box::pin(idempotent(h)) },
    Law { id: "L2", title: "what_was_recorded_is_read", check: |h| Box::pin(read_back(h)) },
    Law { id: "L3", title: "pages_visit_each_image_once", check: |h| Box::pin(pages(h)) },
    Law {
        id: "L3",
        title: "pages_survive_a_forgotten_image",
        check: |h| Box::pin(pages_while_forgetting(h)),
    },
    Law { id: "L4", title: "forgetting_removes_exactly_these", check: |h| Box::pin(forgets(h)) },
    Law { id: "L5", title: "recording_again_rebuilds_it", check: |h| Box::pin(rebuilds(h)) },
    Law { id: "L6", title: "images_of_any_key_are_those_of_each", check: |h| Box::pin(images_of_any(h)) },
    Law { id: "L7", title: "recording_all_is_recording_each", check: |h| Box::pin(record_all(h)) },
];

fn keys<const N: usize>(harness: &dyn LayerIndexHarness) -> [LayerKey; N] {
    std::array::from_fn(|_| LayerKey(format!("sha256:{}", harness.unique())))
}

fn images(harness: &dyn LayerIndexHarness, number: usize) -> Result<Vec<ImageId>, Unmet> {
    let registry = format!("{}.test", harness.unique());
    let mut images =
        (0..number).map(|n| image(&registry, &n.to_string())).collect::<Result<Vec<_>, Unmet>>()?;
    images.sort_by_key(ToString::to_string);
    Ok(images)
}

/// Every image of a key, page by page, then in the order of their written ids: twice what was listed twice.
async fn all(harness: &dyn LayerIndexHarness, key: &LayerKey, limit: usize) -> Result<Vec<ImageId>, Unmet> {
    let (mut found, mut after): (_, Option<PageToken>) = (vec![], None);
    loop {
        let page = harness.index().images(key, after, limit).await?;
        ensure(page.items.len() <= limit, || format!("{} images in a page of {limit}", page.items.len()))?;
        found.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => {
                found.sort_by_key(ToString::to_string);
                return Ok(found);
            }
        }
    }
}

async fn idempotent(harness: &dyn LayerIndexHarness) -> Outcome {
    let ([key], images) = (keys(harness), images(harness, 1)?);
    for _ in 0..3 {
        harness.index().record(&images[0], std::slice::from_ref(&key)).await?;
    }
    harness.index().record(&images[0], &[key.clone(), key.clone()]).await?;
    same("images of the key", &all(harness, &key, 10).await?, &images)
}

async fn read_back(harness: &dyn LayerIndexHarness) -> Outcome {
    let ([shared, own, unknown], images) = (keys(harness), images(harness, 2)?);
    harness.index().record(&images[0], &[shared.clone(), own.clone()]).await?;
    same("images of the key at once", &all(harness, &shared, 10).await?, &images[..1].to_vec())?;
    harness.index().record(&images[1], std::slice::from_ref(&shared)).await?;
    same("images of the shared key", &all(harness, &shared, 10).await?, &images)?;
    same("images of the first one's own key", &all(harness, &own, 10).await?, &images[..1].to_vec())?;
    same("images of an unknown key", &all(harness, &unknown, 10).await?, &vec![])
}

async fn pages(harness: &dyn LayerIndexHarness) -> Outcome {
    let ([key], images) = (keys(harness), images(harness, 25)?);
    for image in images.iter().rev() {
        harness.index().record(image, std::slice::from_ref(&key)).await?;
    }
    for limit in [1, 5, 7, 25, 100] {
        same(&format!("pages of {limit}"), &all(harness, &key, limit).await?, &images)?;
    }
    Ok(())
}

async fn pages_while_forgetting(harness: &dyn LayerIndexHarness) -> Outcome {
    let ([key], images) = (keys(harness), images(harness, 9)?);
    for image in &images {
        harness.index().record(image, std::slice::from_ref(&key)).await?;
    }
    // A fan-out lasts; images come and go meanwhile. Those that stay are visited, each once.
    let first = harness.index().images(&key, None, 4).await?;
    for gone in first.items.iter().step_by(2) {
        harness.index().forget(gone, std::slice::from_ref(&key)).await?;
    }
    let mut seen = first.items;
    let mut after = first.next;
    while let Some(token) = after {
        let page = harness.index().images(&key, Some(token), 4).await?;
        seen.extend(page.items);
        after = page.next;
    }
    seen.sort_by_key(ToString::to_string);
    same("images visited", &seen, &images)
}

async fn forgets(harness: &dyn LayerIndexHarness) -> Outcome {
    let ([one, two], images) = (keys(harness), images(harness, 2)?);
    for image in &images {
        harness.index().record(image, &[one.clone(), two.clone()]).await?;
    }
    for _ in 0..2 {
        harness.index().forget(&images[0], std::slice::from_ref(&one)).await?;
    }
    same("images of the forgotten key", &all(harness, &one, 10).await?, &images[1..].to_vec())?;
    same("images of the other key", &all(harness, &two, 10).await?, &images)
}

async fn rebuilds(harness: &dyn LayerIndexHarness) -> Outcome {
    let (keys, images) = (keys::<4>(harness), images(harness, 4)?);
    let facts: Vec<_> = images.iter().zip(1..).map(|(image, n)| (image, &keys[..n])).collect();
    let mut before = vec![];
    for (image, keys) in &facts {
        harness.index().record(image, keys).await?;
    }
    for key in &keys {
        before.push(all(harness, key, 10).await?);
    }
    for (image, keys) in &facts {
        harness.index().forget(image, keys).await?;
    }
    for (image, keys) in facts.iter().rev() {
        harness.index().record(image, keys).await?;
    }
    let mut after = vec![];
    for key in &keys {
        after.push(all(harness, key, 10).await?);
    }
    same("images of each key", &after, &before)?;
    let distinct: BTreeSet<_> = before[0].iter().collect();
    same("images of the key of all", &distinct.len(), &images.len())
}

async fn images_of_any(harness: &dyn LayerIndexHarness) -> Outcome {
    let ([many, one, unknown, shared, other], images) = (keys(harness), images(harness, 14)?);
    for (n, image) in images.iter().enumerate() {
        let has: Vec<LayerKey> = match n {
            0..=6 => vec![many.clone(), shared.clone()],
            7 => vec![one.clone(), other.clone()],
            8..=10 => vec![shared.clone()],
            _ => vec![other.clone()],
        };
        harness.index().record(image, &has).await?;
    }
    let of_two = [many.clone(), shared.clone()];
    let asked = [
        (vec![one.clone(), many.clone(), unknown.clone()], images[..8].to_vec()),
        (vec![many.clone(), shared.clone(), one.clone()], images[..11].to_vec()),
        (vec![unknown.clone(), many, unknown, one, shared, other], images.clone()),
        (vec![], vec![]),
    ];
    for (keys, expected) in asked {
        for limit in [2, 5, 100] {
            let (mut found, mut after) = (BTreeSet::new(), None);
            loop {
                let page = harness.index().images_of_any(&keys, after, limit).await?;
                ensure(page.items.len() <= limit, || format!("{} in a page of {limit}", page.items.len()))?;
                found.extend(page.items.iter().map(ToString::to_string));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let expected: BTreeSet<_> = expected.iter().map(ToString::to_string).collect();
            same(&format!("images of {} keys, in pages of {limit}", keys.len()), &found, &expected)?;
        }
    }
    // A fan-out lasts; images go meanwhile. Those that stay are named.
    let mut page = harness.index().images_of_any(&of_two, None, 4).await?;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut is_first = true;
    loop {
        for gone in page.items.iter().step_by(2).filter(|_| is_first) {
            harness.index().forget(gone, &of_two).await?;
        }
        is_first = false;
        seen.extend(page.items.iter().map(ToString::to_string));
        let Some(after) = page.next else { break };
        page = harness.index().images_of_any(&of_two, Some(after), 4).await?;
    }
    let expected: BTreeSet<_> =
        images[..11].iter().filter(|image| **image != images[7]).map(ToString::to_string).collect();
    same("images of two keys, while some are forgotten", &seen, &expected)
}

async fn record_all(harness: &dyn LayerIndexHarness) -> Outcome {
    let (keys, images) = (keys::<4>(harness), images(harness, 9)?);
    harness.index().record(&images[2], &keys[..1]).await?;
    // Images in no order, one of them twice; keys of many and of one; one that is known.
    let facts: Vec<_> =
        [5, 0, 7, 2, 8, 0].into_iter().map(|n| (images[n].clone(), keys[n % 4..].to_vec())).collect();
    for _ in 0..2 {
        harness.index().record_all(&facts).await?;
        for (key, expected) in keys.iter().zip([&[0, 2, 8][..], &[0, 5, 8], &[0, 2, 5, 8], &[0, 2, 5, 7, 8]])
        {
            let expected: Vec<_> = expected.iter().map(|n| images[*n].clone()).collect();
            same("images of a key", &all(harness, key, 2).await?, &expected)?;
        }
    }
    harness.index().record_all(&[]).await?;
    same("images of the last key", &all(harness, &keys[3], 10).await?.len(), &5)
}
