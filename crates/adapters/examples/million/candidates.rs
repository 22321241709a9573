//! From a change of the advisories to every image that it may affect, through the ports, on the persisted index.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use cve_monitor_adapters::embedded::SqliteLayerIndex;
use cve_monitor_core::ports::{ChangeFeed, Cursor, LayerIndex, Next};
use cve_monitor_core::vocabulary::ImageId;
use serde_json::{Value, json};

use crate::Failure;
use crate::home::Home;

/// Candidate keys, and images, that are read at a time: as the notifier reads them.
const KEYS_PAGE: usize = 1_000;
const IMAGES_PAGE: usize = 10_000;
/// Of all images, the most that a change affects.
const MOST: f64 = 0.4;

/// A package by how many images have it.
struct Package {
    name: String,
    images: u64,
}

/// What one change took.
struct Sample {
    images: u64,
    keys: u64,
    next_s: f64,
    keys_s: f64,
    images_s: f64,
}

/// Measures so many changes of every popularity, evenly spread between one image and the most.
pub(crate) async fn measure(folder: &Path, changes: usize) -> Result<Value, Failure> {
    let chosen = chosen(folder, changes)?;
    let home = Home::open(folder)?.aside()?;
    home.refresh().await?;
    let (feed, index) = (home.feed(), SqliteLayerIndex::new(home.database.clone()));
    let mut samples = vec![];
    for (number, package) in chosen.iter().enumerate() {
        let id = format!("CANDIDATE-{number}");
        let ecosystem = if package.name.contains("-deb-") { "Debian:12" } else { "PyPI" };
        let before = home.advisories.status().await?.ok_or("there are no advisories")?.cursor;
        home.advise(&id, ecosystem, &package.name)?;
        home.refresh().await?;
        samples.push(sample(&feed, &index, &before).await?);
        home.retract(&id)?;
        home.refresh().await?;
        let after = home.advisories.status().await?.ok_or("there are no advisories")?.cursor;
        feed.followed(&after).await?;
    }
    Ok(figures(&chosen, &samples))
}

async fn sample(feed: &dyn ChangeFeed, index: &dyn LayerIndex, before: &Cursor) -> Result<Sample, Failure> {
    let began = Instant::now();
    let Next::Change { to, .. } = feed.next(Some(before.clone())).await? else {
        return Err("the feed tells of no change".into());
    };
    let next_s = began.elapsed().as_secs_f64();
    let (mut after, mut keys_s, mut keys) = (None, 0.0, 0);
    // Each image once, as a person would count them; it is no part of what is measured.
    let mut found: BTreeSet<ImageId> = BTreeSet::new();
    let mut images_s = 0.0;
    loop {
        let began = Instant::now();
        let page = feed.candidates(before, &to, after, KEYS_PAGE).await?;
        keys_s += began.elapsed().as_secs_f64();
        keys += page.items.len() as u64;
        let mut within = None;
        loop {
            let began = Instant::now();
            let images = index.images_of_any(&page.items, within, IMAGES_PAGE).await?;
            images_s += began.elapsed().as_secs_f64();
            found.extend(images.items);
            within = images.next;
            if within.is_none() {
                break;
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(Sample { images: found.len() as u64, keys, next_s, keys_s, images_s })
}

fn chosen(folder: &Path, changes: usize) -> Result<Vec<Package>, Failure> {
    let csv = std::fs::read_to_string(folder.join("packages.csv"))?;
    let mut packages: Vec<Package> = csv.lines().skip(1).filter_map(package).collect();
    packages.sort_by(|a, b| (a.images, &a.name).cmp(&(b.images, &b.name)));
    let all = packages.iter().map(|package| package.images).max().unwrap_or_default();
    let most = all as f64 * MOST;
    let mut chosen = vec![];
    for number in 0..changes {
        let share = number as f64 / (changes.max(2) - 1) as f64;
        let wanted = most.powf(share);
        let at = packages.partition_point(|package| (package.images as f64) < wanted);
        let found = &packages[at.min(packages.len().saturating_sub(1))];
        chosen.push(Package { name: found.name.clone(), images: found.images });
    }
    Ok(chosen)
}

fn package(line: &str) -> Option<Package> {
    let mut fields = line.split(',');
    let name = fields.next()?.to_owned();
    Some(Package { name, images: fields.nth(1)?.parse().ok()? })
}

fn figures(chosen: &[Package], samples: &[Sample]) -> Value {
    let wrong =
        chosen.iter().zip(samples).filter(|(package, sample)| package.images != sample.images).count();
    let of = |value: &dyn Fn(&Sample) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get(((values.len() as f64 * share) as usize).min(values.len() - 1));
        json!({"median_ms": at(0.5), "p99_ms": at(0.99), "worst_ms": at(1.0)})
    };
    let points: Vec<Value> = samples
        .iter()
        .map(|s| json!([s.images, s.keys, (s.next_s + s.keys_s) * 1e3, s.images_s * 1e3]))
        .collect();
    json!({
        "changes": samples.len(), "not_as_counted": wrong,
        "keys": of(&|s| (s.next_s + s.keys_s) * 1e3),
        "images": of(&|s| (s.next_s + s.keys_s + s.images_s) * 1e3),
        "points": points,
    })
}
