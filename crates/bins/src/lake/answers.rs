//! Answers: which reports decide, and what they say.

use std::collections::{HashMap, HashSet};

use cve_monitor_adapters::lake::LakeError;
use futures::TryStreamExt as _;

use super::day::Day;
use super::question::{Question, Row};
use super::reading::{self, Problem, Read};
use super::said::Said;
use super::trend;
use crate::wiring::Lake;

/// How many problems are kept to be named; the others are counted.
const MAX_NAMED: usize = 100;

/// A question with all that it takes.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question.
    pub question: Question,
    /// The vulnerability that `where` is about: its name, an alias, or the id of an advisory.
    pub cve: Option<String>,
    /// The first day that counts; none for the question's own: see [`Question::days`].
    pub since: Option<Day>,
    /// The last day that counts: the answer is as of that day.
    pub until: Day,
    /// After how many days without a report an image is stale.
    pub stale_days: u32,
}

/// What an answer was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Days of which there are reports, whether they were asked about or not.
    pub days: usize,
    /// Reports that were read.
    pub reports: u64,
    /// What could not be read, or does not belong there: the first hundred of it.
    pub problems: Vec<Problem>,
    /// How many more problems there were.
    pub more_problems: u64,
}

impl Asked {
    /// The first day that counts, where there is one.
    pub(super) fn first(&self) -> Option<Day> {
        self.since.or_else(|| Some(self.until.minus(self.question.days()?.saturating_sub(1))))
    }
}

impl Told {
    /// Whether nothing was passed over.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }

    fn note(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            if self.problems.len() < MAX_NAMED {
                self.problems.push(problem);
            } else {
                self.more_problems += 1;
            }
        }
    }

    /// Counts what was read; what was said in it.
    pub(super) fn take(&mut self, read: Read) -> Vec<Said> {
        self.reports += read.said.len() as u64;
        self.note(read.problems);
        read.said
    }
}

/// Answers a question, row by row: the newest day first, by image within it; the trend from its first day on.
///
/// # Errors
/// Where something could not be listed or read at all. What is broken is noted, and the rest is answered.
pub async fn answer(
    lake: &Lake,
    asked: &Asked,
    tell: &mut (dyn FnMut(Row) + Send),
) -> Result<Told, LakeError> {
    let mut told = Told::default();
    let (mut days, foreign) = reading::days(lake).await?;
    told.note(foreign);
    told.days = days.len();
    days.retain(|day| *day <= asked.until);
    if asked.question == Question::Trend {
        trend::answer(lake, asked, &days, &mut told, tell).await?;
        return Ok(told);
    }
    days.retain(|day| asked.first().is_none_or(|first| *day >= first));
    let mut decided = HashSet::new();
    for day in days.into_iter().rev() {
        let mut rows = if asked.question.is_about_the_newest() {
            newest(lake, day, asked, &mut decided, &mut told).await?
        } else {
            every(lake, day, asked, &mut told).await?
        };
        // Rows begin with the image. The order is that of their text, whatever the order of reading was.
        rows.sort_by_cached_key(|row| serde_json::to_string(row).unwrap_or_default());
        rows.into_iter().for_each(&mut *tell);
    }
    Ok(told)
}

/// The rows of the images whose newest report is of this day: days come latest first.
async fn newest(
    lake: &Lake,
    day: Day,
    asked: &Asked,
    decided: &mut HashSet<u128>,
    told: &mut Told,
) -> Result<Vec<Row>, LakeError> {
    let mut of_day: HashMap<u128, Said> = HashMap::new();
    let mut objects = reading::day(lake, day, asked);
    while let Some(read) = objects.try_next().await? {
        for said in told.take(read) {
            if decided.contains(&said.image) {
                continue;
            }
            if of_day.get(&said.image).is_none_or(|other| said.supersedes(other)) {
                of_day.insert(said.image, said);
            }
        }
    }
    decided.extend(of_day.keys());
    Ok(of_day.into_values().flat_map(|said| said.rows).collect())
}

async fn every(lake: &Lake, day: Day, asked: &Asked, told: &mut Told) -> Result<Vec<Row>, LakeError> {
    let (mut rows, mut objects) = (vec![], reading::day(lake, day, asked));
    while let Some(read) = objects.try_next().await? {
        rows.extend(told.take(read).into_iter().flat_map(|said| said.rows));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_problems_are_named_and_the_others_are_counted() {
        let problem = Problem { place: "lake/a.json".to_owned(), line: None, what: "is broken".to_owned() };
        let mut told = Told::default();
        told.note(vec![problem.clone(); MAX_NAMED]);
        assert_eq!((told.problems.len(), told.more_problems), (MAX_NAMED, 0));
        told.note(vec![problem]);
        assert_eq!((told.problems.len(), told.more_problems), (MAX_NAMED, 1));
    }
}
