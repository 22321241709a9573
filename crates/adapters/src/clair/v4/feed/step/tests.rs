//! The rule on single lists, and on any history with polls in any order.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::cursor::Place;
use super::*;

const SETTLE: Duration = Duration::from_secs(120);

fn name(number: u32) -> OperationRef {
    format!("00000000-0000-4000-8000-{number:012}").try_into().unwrap()
}

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_millis(i64::from(seconds) * 1000)
}

fn place(number: u32, seconds: u32) -> Place {
    Place { name: name(number), date: at(seconds) }
}

/// Updaters with their operations, newest first: number and date.
fn list(updaters: &[(&str, &[(u32, u32)])]) -> Operations {
    let lists: serde_json::Map<String, Value> = updaters
        .iter()
        .map(|(updater, operations)| {
            let written = operations.iter().map(|(n, date)| json!({"ref": name(*n), "date": at(*date)}));
            ((*updater).to_owned(), written.collect())
        })
        .collect();
    serde_json::from_value(Value::Object(lists)).unwrap()
}

fn places(places: &[(&str, u32, u32)]) -> Places {
    places.iter().map(|(updater, number, date)| ((*updater).to_owned(), place(*number, *date))).collect()
}

/// All that is listed has settled.
fn settled(operations: &Operations, ours: Option<&Places>) -> Step {
    let mut seen = FirstSeen::default();
    seen.note(operations, at(0));
    step(operations, ours, &seen, SETTLE, at(1_000_000))
}

#[test]
fn an_operation_is_followed_only_when_it_has_settled() {
    let operations = list(&[("debian", &[(2, 20), (1, 10)])]);
    let ours = places(&[("debian", 1, 10)]);
    let mut seen = FirstSeen::default();
    let next = |seen: &FirstSeen, now| step(&operations, Some(&ours), seen, SETTLE, now);
    assert_eq!(next(&seen, at(5000)), Step::UpToDate, "never seen");
    seen.note(&operations, at(5000));
    assert_eq!(next(&seen, at(5119)), Step::UpToDate);
    seen.note(&operations, at(5119));
    assert_eq!(next(&seen, at(5120)), Step::Change { to: places(&[("debian", 2, 20)]) });
}

#[test]
fn the_oldest_operation_of_all_updaters_comes_first_and_one_at_a_time() {
    let operations = list(&[("a", &[(3, 30), (2, 20), (1, 10)]), ("b", &[(5, 15), (4, 1)])]);
    let mut ours = places(&[("a", 1, 10), ("b", 4, 1)]);
    let mut order = vec![];
    while let Step::Change { to } = settled(&operations, Some(&ours)) {
        let (updater, _, new) = moved(&ours, &to).unwrap();
        order.push((updater, new.as_str()[35..].to_owned()));
        ours = to;
    }
    assert_eq!(order, [("b", "5"), ("a", "2"), ("a", "3")].map(|(u, n)| (u.to_owned(), n.to_owned())));
}

#[test]
fn nothing_followed_yet_is_a_gap_to_the_newest_that_settled() {
    assert_eq!(settled(&Operations::default(), None), Step::UpToDate);
    let before = list(&[("a", &[(1, 10)])]);
    let mut seen = FirstSeen::default();
    seen.note(&before, at(100));
    let operations = list(&[("a", &[(2, 20), (1, 10)]), ("b", &[(3, 30)])]);
    seen.note(&operations, at(200));
    let gap = Step::Gap { updaters: vec![], to: places(&[("a", 1, 10)]) };
    assert_eq!(step(&operations, None, &seen, SETTLE, at(250)), gap);
    assert_eq!(step(&operations, None, &seen, SETTLE, at(150)), Step::UpToDate);
}

#[test]
fn updaters_that_are_new_and_places_that_were_collected_join_in_one_gap() {
    let operations = list(&[("a", &[(7, 70), (6, 60)]), ("b", &[(3, 30)]), ("c", &[(5, 5), (4, 4)])]);
    let ours = places(&[("a", 1, 10), ("c", 4, 4), ("gone", 9, 9)]);
    let Step::Gap { updaters, to } = settled(&operations, Some(&ours)) else { panic!("no gap") };
    assert_eq!(updaters, ["a", "b"]);
    assert_eq!(to, places(&[("a", 7, 70), ("b", 3, 30), ("c", 4, 4), ("gone", 9, 9)]));
    assert!(matches!(settled(&operations, Some(&to)), Step::Change { .. }));
}

#[test]
fn an_updater_that_vanished_keeps_its_place_and_an_emptied_clair_is_no_change() {
    let ours = places(&[("a", 1, 10), ("b", 2, 20)]);
    assert_eq!(settled(&Operations::default(), Some(&ours)), Step::UpToDate);
    assert_eq!(vanished(&Operations::default(), &ours), ["a", "b"]);
    let back = list(&[("a", &[(1, 10)]), ("b", &[(8, 80)])]);
    let Step::Gap { updaters, .. } = settled(&back, Some(&ours)) else { panic!("no gap") };
    assert_eq!((updaters, vanished(&back, &ours)), (vec!["b".to_owned()], vec![]));
}

#[test]
fn an_updater_that_vanished_counts_no_longer_as_what_is_known() {
    let operations = list(&[("a", &[(1, 10)]), ("b", &[(2, 20)])]);
    let ours = places(&[("a", 1, 10), ("b", 2, 20), ("later", 3, 30), ("latest", 4, 40), ("old", 5, 5)]);
    let Step::Change { to: first } = settled(&operations, Some(&ours)) else { panic!("no change") };
    assert_eq!(moved(&ours, &first), Ok(("later".to_owned(), name(3), name(3))));
    let Step::Change { to: second } = settled(&operations, Some(&first)) else { panic!("no change") };
    assert_eq!(
        second,
        places(&[("a", 1, 10), ("b", 2, 20), ("later", 3, 20), ("latest", 4, 20), ("old", 5, 5)])
    );
    assert_eq!(settled(&operations, Some(&second)), Step::UpToDate);
}

#[test]
fn an_operation_that_ends_late_behind_our_place_was_never_reported_from() {
    // 2 began before 3 and ended after it: reports were made from 3 all along.
    let operations = list(&[("a", &[(3, 30), (2, 20), (1, 10)])]);
    assert_eq!(settled(&operations, Some(&places(&[("a", 3, 30)]))), Step::UpToDate);
    // Where it shows before we went past it, it is gone through.
    let next = settled(&operations, Some(&places(&[("a", 1, 10)])));
    assert_eq!(next, Step::Change { to: places(&[("a", 2, 20)]) });
}

#[test]
fn places_that_differ_in_no_or_in_several_updaters_are_no_step() {
    let ours = places(&[("a", 1, 10), ("b", 2, 20)]);
    assert_eq!(moved(&ours, &ours), Err(String::new()));
    assert_eq!(moved(&ours, &places(&[("a", 3, 10), ("b", 4, 20)])), Err("a, b".to_owned()));
    assert_eq!(moved(&places(&[]), &places(&[("a", 3, 10)])), Err("a".to_owned()));
}

/// What may happen between Clair and us.
#[derive(Debug, Clone)]
enum Happening {
    /// An operation of this updater begins; it is not seen yet.
    Begin(u8),
    /// The nth operation that is under way ends: it is listed, in the place of its beginning.
    End(usize),
    /// Of this updater all but the newest so many are collected.
    Collect(u8, usize),
    /// Clair is restarted empty: what was under way is lost too.
    Empty,
    /// This updater vanishes.
    Vanish(u8),
    /// So many seconds pass.
    Pass(u32),
    /// We look, and follow one step.
    Poll,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Happening::Begin),
        4 => (0..4_usize).prop_map(Happening::End),
        1 => (0..3_u8, 1..4_usize).prop_map(|(updater, keep)| Happening::Collect(updater, keep)),
        1 => Just(Happening::Empty),
        1 => (0..3_u8).prop_map(Happening::Vanish),
        3 => prop_oneof![Just(30), Just(130)].prop_map(Happening::Pass),
        6 => Just(Happening::Poll),
    ]
}

/// A Clair of which we know everything.
#[derive(Default)]
struct World {
    now: u32,
    last: u32,
    under_way: Vec<(u8, u32, u32)>,
    /// Per updater: number and date, newest first.
    listed: BTreeMap<u8, Vec<(u32, u32)>>,
    /// Per updater the numbers of the operations that reports were made from at some time.
    reported: BTreeMap<u8, Vec<u32>>,
}

impl World {
    fn operations(&self) -> Operations {
        let names: Vec<_> = self.listed.keys().map(|updater| format!("u{updater}")).collect();
        let lists: Vec<_> = names.iter().zip(self.listed.values()).collect();
        let lists: Vec<_> = lists.iter().map(|(name, list)| (name.as_str(), list.as_slice())).collect();
        list(&lists)
    }

    fn happens(&mut self, happening: &Happening) {
        match *happening {
            Happening::Begin(updater) => {
                self.last += 1;
                self.under_way.push((updater, self.last, self.now));
            }
            Happening::End(nth) if nth < self.under_way.len() => {
                let (updater, number, date) = self.under_way.remove(nth);
                let list = self.listed.entry(updater).or_default();
                let behind = list.iter().position(|(other, _)| *other < number).unwrap_or(list.len());
                list.insert(behind, (number, date));
                let newest = list[0].0;
                let reported = self.reported.entry(updater).or_default();
                if reported.last() != Some(&newest) {
                    reported.push(newest);
                }
            }
            Happening::Collect(updater, keep) => {
                if let Some(list) = self.listed.get_mut(&updater) {
                    list.truncate(keep);
                }
            }
            Happening::Empty => {
                self.listed.clear();
                self.under_way.clear();
            }
            Happening::Vanish(updater) => {
                self.listed.remove(&updater);
                self.under_way.retain(|(other, ..)| *other != updater);
            }
            Happening::Pass(seconds) => self.now += seconds,
            Happening::End(_) | Happening::Poll => {}
        }
    }

    /// The numbers between two that reports were made from.
    fn skipped(&self, updater: u8, from: u32, to: u32) -> Vec<u32> {
        let reported = self.reported.get(&updater).into_iter().flatten();
        reported.copied().filter(|number| from < *number && *number < to).collect()
    }
}

fn number(name: &OperationRef) -> u32 {
    name.as_str()[24..].parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: between two places that a change leads over, there is no operation that a
    /// report was ever made from; every other move is a gap of that updater; and in the end we are at the newest of all,
    /// and no assessment is behind that.
    #[test]
    fn every_operation_is_passed_through_or_a_gap_is_announced(
        history in proptest::collection::vec(happening(), 1..60)
    ) {
        let (mut world, mut seen) = (World::default(), FirstSeen::default());
        let mut ours: Option<Places> = None;
        let ends = (0..4).map(|_| Happening::End(0)).collect::<Vec<_>>();
        let settle = [Happening::Poll, Happening::Pass(130)];
        let polls = std::iter::repeat_n(Happening::Poll, 80);
        for happening in history.into_iter().chain(ends).chain(settle).chain(polls) {
            world.happens(&happening);
            if !matches!(happening, Happening::Poll) {
                continue;
            }
            let (operations, now) = (world.operations(), at(world.now));
            seen.note(&operations, now);
            match step(&operations, ours.as_ref(), &seen, SETTLE, now) {
                Step::UpToDate => {}
                Step::Change { to } => {
                    let from = ours.as_ref().expect("a change is from somewhere");
                    let (updater, old, new) = moved(from, &to).expect("one updater at a time");
                    let (old, new) = (number(&old), number(&new));
                    prop_assert!(old <= new, "{updater} goes back from {old} to {new}");
                    prop_assert!(old < new || operations.of(&updater).is_empty(), "{updater} stays at {old}");
                    let skipped = world.skipped(updater[1..].parse().unwrap(), old, new);
                    prop_assert!(skipped.is_empty(), "{updater} from {old} to {new} skips {skipped:?}");
                    ours = Some(to);
                }
                Step::Gap { updaters, to } => {
                    if let Some(from) = &ours {
                        for (updater, place) in &to {
                            let is_named = updaters.contains(updater);
                            prop_assert_eq!(from.get(updater) != Some(place), is_named, "{}", updater);
                        }
                    }
                    ours = Some(to);
                }
            }
        }
        let ours = ours.unwrap_or_default();
        let operations = world.operations();
        for (updater, newest) in operations.latest() {
            prop_assert_eq!(ours.get(updater).map(|place| &place.name), Some(&newest.name), "{}", updater);
        }
        if let Some(known) = operations.latest().map(|(_, newest)| newest.date).max() {
            let followed = ours.values().map(|place| place.date).max();
            prop_assert_eq!(followed, Some(known), "assessments know what was followed");
        }
    }
}
