//! The trend: on each day, of each image the newest report up to then.

use std::collections::{BTreeMap, HashMap};

use cve_monitor_adapters::lake::LakeError;
use futures::TryStreamExt as _;
use serde_json::json;

use super::answers::{Asked, Told};
use super::day::Day;
use super::question::Row;
use super::reading;
use super::said::Said;
use crate::wiring::Lake;

/// Registry and repository.
type Place = (String, String);

/// What is known up to a day. A place is kept once, an image as its number.
#[derive(Debug, Default)]
struct Known {
    places: BTreeMap<Place, usize>,
    totals: Vec<Total>,
    images: HashMap<u128, (usize, Said)>,
}

#[derive(Debug, Default, Clone)]
struct Total {
    images: u64,
    by_severity: [u64; 6],
}

pub(super) async fn answer(
    lake: &Lake,
    asked: &Asked,
    days: &[Day],
    told: &mut Told,
    tell: &mut (dyn FnMut(Row) + Send),
) -> Result<(), LakeError> {
    let first = asked.first().unwrap_or(asked.until);
    let (mut known, mut days) = (Known::default(), days.iter().copied().peekable());
    let mut shown = first;
    while shown <= asked.until {
        while let Some(day) = days.next_if(|day| *day <= shown) {
            let mut objects = reading::day(lake, day, asked);
            while let Some(read) = objects.try_next().await? {
                told.take(read).into_iter().for_each(|said| known.learn(said));
            }
        }
        known.rows(shown).into_iter().for_each(&mut *tell);
        shown = shown.next();
    }
    Ok(())
}

impl Known {
    fn learn(&mut self, mut said: Said) {
        let Some(counts) = &said.counts else { return };
        if self.images.get(&said.image).is_some_and(|(_, other)| !said.supersedes(other)) {
            return;
        }
        if let Some((place, old)) = self.images.remove(&said.image) {
            self.add(place, &old, false);
        }
        let number = self.places.len();
        let place = (counts.registry.clone(), counts.repository.clone());
        let place = *self.places.entry(place).or_insert(number);
        self.add(place, &said, true);
        // The names are kept once.
        if let Some(counts) = &mut said.counts {
            (counts.registry, counts.repository) = (String::new(), String::new());
        }
        self.images.insert(said.image, (place, said));
    }

    fn add(&mut self, place: usize, said: &Said, more: bool) {
        let Some(counts) = &said.counts else { return };
        if self.totals.len() <= place {
            self.totals.resize(place + 1, Total::default());
        }
        let Some(total) = self.totals.get_mut(place) else { return };
        let change = |sum: &mut u64, by: u64| *sum = if more { *sum + by } else { sum.saturating_sub(by) };
        change(&mut total.images, 1);
        total.by_severity.iter_mut().zip(counts.by_severity).for_each(|(sum, by)| change(sum, by));
    }

    fn rows(&self, day: Day) -> Vec<Row> {
        let places =
            self.places.iter().filter_map(|(place, number)| Some((place, self.totals.get(*number)?)));
        let row = |((registry, repository), total): (&Place, &Total)| {
            let mut row =
                vec![json!(day.to_string()), json!(registry), json!(repository), json!(total.images)];
            row.extend(total.by_severity.map(|sum| json!(sum)));
            row
        };
        places.filter(|(_, total)| total.images > 0).map(row).collect()
    }
}
