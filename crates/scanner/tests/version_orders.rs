//! The version orders against the programs that define them, where those are installed, and against the laws of an
//! order.
//!
//! No program is needed: one that is missing is listed as skipped, with the reason.

#[path = "version_orders/reference.rs"]
mod reference;
#[path = "version_orders/scripts.rs"]
mod scripts;

use std::cmp::Ordering;

use cve_monitor_scanner::version::{VersionOrder, composer, maven, pep440, rpm, rubygems, semver};
use proptest::prelude::*;

use crate::reference::Reference;

#[test]
fn agrees_with_the_rpm_program() {
    let version = prop_oneof![
        "[0-9a-b.~^_+]{1,8}",
        "[0-3]:[0-9]{1,2}[0-9a.~^]{0,5}-[0-9]{1,2}[.a-z0-9_]{0,4}",
        "[0-9]{1,25}\\.[0-9](~rc|\\^git|\\.el)[0-9]{0,2}-[0-9]",
        "[1-9](\\.[0-9]{1,2}){1,3}-[0-9]{1,3}\\.el8(_[0-9])?",
    ];
    Reference::new("rpm", &["--eval", scripts::RPM]).agrees(version, rpm::compare);
}

#[test]
fn agrees_with_packaging_of_python() {
    let version = prop_oneof![
        "([0-2]!)?[0-9](\\.[0-9]{1,2}){0,3}(a|b|rc|c|alpha|-beta|\\.pre)?[0-9]{0,2}",
        "v?[0-9](\\.[0-9]){0,2}((\\.|-|_)?(post|r|dev|rev)[0-9]?){0,2}",
        "[0-9]\\.[0-9]((a|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[0-9a-b]{1,2}([.-][0-9a-b]{1,3}){0,2})?",
        "(0|20[0-9]{2})\\.(0|[0-9]{1,2})(\\.0){0,3}",
    ];
    Reference::new("python3", &["-c", scripts::PYTHON]).agrees(version, pep440::compare);
}

#[test]
fn agrees_with_semver_of_node() {
    let version = prop_oneof![
        "v?(0|[1-9][0-9]{0,2})\\.(0|[1-9])\\.(0|[1-9])",
        "[0-2]\\.[0-2]\\.[0-2]-[0-9a-b]{1,3}(\\.(0|[1-9][0-9]?|[a-b-]{1,3})){0,3}",
        "[0-1]\\.[0-1]\\.[0-1](-(0|[1-9]|rc|beta)(\\.[1-9][0-9]?)?)?(\\+[a-z0-9.]{0,2}[a-z])?",
    ];
    Reference::new("node", &["-e", scripts::NODE]).agrees(version, semver::compare);
}

#[test]
fn agrees_with_gem_version_of_ruby() {
    let version = prop_oneof![
        "[0-9]{1,2}(\\.[0-9a-b]{1,3}){0,4}",
        "[0-3](\\.[0-2]){0,3}(\\.(a|b|pre|rc)[0-9]?){0,2}(-(0|1|beta|a\\.0))?",
        "[0-9]{1,24}(\\.0){0,3}(\\.[A-Ba-b]){0,1}(\\.0){0,2}",
    ];
    Reference::new("ruby", &["-e", scripts::RUBY]).agrees(version, rubygems::compare);
}

#[test]
fn agrees_with_composer_of_php() {
    let version = prop_oneof![
        "v?[0-9]{1,2}(\\.[0-9]{1,2}){0,3}",
        "[0-2](\\.[0-2]){0,3}[._-]?(alpha|beta|b|a|RC|rc|patch|pl|p|stable)[.-]?[0-9]{0,2}(-dev|dev)?",
        "[0-2](\\.[0-2x]){0,2}(\\.x)?-dev",
        "20[0-9]{2}[.:-]?[0-9]{2}[.:-]?[0-9]{2}([.:-]?[0-9]{1,3})?(-(beta|p)[0-9]?)?",
        "[0-2]\\.[0-2](\\+[a-z]{1,3}|@dev|@beta)?",
    ];
    // Branches by name have no order: Composer refuses to compare them.
    Reference::new("php", &["-r", scripts::PHP]).agrees(version, composer::compare);
}

#[test]
fn agrees_with_comparable_version_of_maven() {
    let version = prop_oneof![
        "[0-9]{1,2}(\\.[0-9]{1,2}){0,3}(-(alpha|beta|rc|cr|SNAPSHOT|sp|ga|Final|jre|[0-9]))?(-?[0-9])?",
        "[0-2]([.-](0|1|a|b|m|x|rc|ga|sp|final|release)){0,4}",
        "[0-2a-b.-]{1,7}",
        "[0-9]{1,20}\\.(a|m|foo)?[0-9]{0,2}([.-]0){0,3}",
    ];
    let jars = ["/usr/share/maven/lib/maven-artifact-3.x.jar", "/usr/share/java/maven3-artifact-3.x.jar"];
    let libraries = "/usr/share/java/commons-lang3.jar:/usr/share/maven/lib/commons-lang3.jar";
    let class_path = format!("{}:{libraries}", jars.join(":"));
    let class = "org.apache.maven.artifact.versioning.ComparableVersion";
    let java = Reference::new("java", &["-cp", &class_path, class]).by_arguments();
    java.agrees(version, maven::compare);
}

proptest! {
    // A failure prints its input, which is short enough to be pasted into a test.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_antisymmetric_and_reflexive_over_all_strings(
        left in "\\PC{0,12}",
        right in "v?[0-9a-bdx:~^_@ +.-]{0,12}",
    ) {
        for &order in VersionOrder::ALL {
            prop_assert_eq!(order.compare(&left, &right), order.compare(&right, &left).reverse(), "{:?}", order);
            prop_assert_eq!(order.compare(&left, &left), Ordering::Equal, "{:?}", order);
            prop_assert_eq!(order.compare(&right, &right), Ordering::Equal, "{:?}", order);
        }
    }

    #[test]
    fn every_order_is_transitive(versions in prop::collection::vec("[0-2]([.-]?(0|1|a|rc|p|_p|~|\\^|-r)){0,4}", 3)) {
        // Maven's own order is not, where words and numbers stand in lists of different depth.
        for &order in VersionOrder::ALL.iter().filter(|order| **order != VersionOrder::Maven) {
            let [a, b, c] = &versions[..] else { unreachable!() };
            if order.compare(a, b).is_le() && order.compare(b, c).is_le() {
                prop_assert!(order.compare(a, c).is_le(), "{order:?}: {a} {b} {c}");
            }
        }
    }
}
