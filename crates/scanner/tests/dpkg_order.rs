//! The version order against the program that defines it, and against the laws of an order.

use std::cmp::Ordering;
use std::process::Command;

use cve_monitor_scanner::version::dpkg::compare;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// Pairs compared by the program; each costs a process.
const PAIRS: u32 = 1500;

/// Valid versions that are hard to order: few characters, many signs.
fn valid_version() -> impl Strategy<Value = String> {
    let part = "[0-9][0-9a-bA~+.]{0,6}";
    prop_oneof![
        part.boxed(),
        (0..3u8, "[0-9][0-9a~+.:-]{0,5}[0-9a]").prop_map(|(epoch, rest)| format!("{epoch}:{rest}")).boxed(),
        ("[0-9][0-9a-b~+.-]{0,6}", "[0-9a~+.]{1,4}").prop_map(|(up, rev)| format!("{up}-{rev}")).boxed(),
        "0{0,3}[0-9]{1,25}(rc|~|\\+)?[0-9]{0,3}".boxed(),
    ]
}

/// Equal but for one change, so that the difference lies deep inside.
fn close_pair() -> impl Strategy<Value = (String, String)> {
    (
        valid_version(),
        any::<prop::sample::Index>(),
        prop::sample::select(vec!["~", "+", "0", "1", "a", ".", ""]),
    )
        .prop_map(|(version, at, insert)| {
            let at = 1 + at.index(version.len());
            (version.clone(), format!("{}{insert}{}", &version[..at], &version[at..]))
        })
}

fn dpkg_says(left: &str, operator: &str, right: &str) -> bool {
    let output = Command::new("dpkg").args(["--compare-versions", left, operator, right]).output().unwrap();
    output.status.success()
}

fn is_valid(version: &str) -> bool {
    Command::new("dpkg").args(["--validate-version", version]).output().unwrap().status.success()
}

#[test]
fn agrees_with_the_dpkg_program() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        println!("SKIPPED: there is no dpkg program here to compare with");
        return;
    }
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop_oneof![(valid_version(), valid_version()).boxed(), close_pair().boxed()];
    let mut compared = 0;
    for _ in 0..PAIRS {
        let (left, right) = strategy.new_tree(&mut runner).unwrap().current();
        let ours = compare(&left, &right);
        let operator = match ours {
            Ordering::Less => "lt",
            Ordering::Equal => "eq",
            Ordering::Greater => "gt",
        };
        if !dpkg_says(&left, operator, &right) {
            assert!(
                !is_valid(&left) || !is_valid(&right),
                "{left:?} {operator} {right:?} is not what dpkg says"
            );
            continue;
        }
        compared += 1;
    }
    println!("{compared} of {PAIRS} pairs agree; the others are no valid versions");
    assert!(compared > PAIRS * 9 / 10);
}

proptest! {
    // A failure prints its input, which is short enough to be pasted into a test.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn is_antisymmetric_and_reflexive_over_all_strings(left in "\\PC{0,12}", right in "[0-9a:~+.-]{0,12}") {
        prop_assert_eq!(compare(&left, &right), compare(&right, &left).reverse());
        prop_assert_eq!(compare(&left, &left), Ordering::Equal);
    }

    #[test]
    fn is_transitive(mut versions in prop::collection::vec("[0-9a:~+.-]{0,6}", 3)) {
        versions.sort_by(|left, right| compare(left, right));
        prop_assert!(compare(&versions[0], &versions[1]).is_le());
        prop_assert!(compare(&versions[1], &versions[2]).is_le());
        prop_assert!(compare(&versions[0], &versions[2]).is_le());
    }
}
