//! Cases of the schema's evaluation, one line each.

use super::*;

fn evaluate(rule: &Rule, version: &str) -> Option<Fix> {
    super::evaluate(rule, VersionOrder::Dpkg, version)
}

fn rule(ranges: &str, versions: &str) -> Rule {
    serde_json::from_str(&format!(r#"{{"record":"X","ranges":{ranges},"versions":{versions}}}"#)).unwrap()
}

fn range(events: &str) -> Rule {
    rule(&format!(r#"[{{"type":"ECOSYSTEM","events":[{events}]}}]"#), "[]")
}

fn fixed(version: &str) -> Option<Fix> {
    Some(Fix::In(version.to_owned()))
}

#[test]
fn a_version_is_affected_from_introduction_to_fix() {
    let rule = range(r#"{"introduced":"1"},{"fixed":"2"}"#);
    for (version, expected) in
        [("0.9", None), ("1~rc1", None), ("1", fixed("2")), ("2~", fixed("2")), ("2", None), ("3", None)]
    {
        assert_eq!(evaluate(&rule, version), expected, "{version}");
    }
}

#[test]
fn zero_is_below_everything() {
    let rule = range(r#"{"introduced":"0"},{"fixed":"0~1"}"#);
    assert_eq!(evaluate(&rule, "0~0"), fixed("0~1"));
}

#[test]
fn a_range_without_end_has_no_fix() {
    assert_eq!(evaluate(&range(r#"{"introduced":"0"}"#), "99"), Some(Fix::None));
}

#[test]
fn last_affected_includes_its_version_and_names_no_fix() {
    let rule = range(r#"{"introduced":"0"},{"last_affected":"2"}"#);
    assert_eq!(evaluate(&rule, "2"), Some(Fix::Unsaid));
    assert_eq!(evaluate(&rule, "2.1"), None);
}

#[test]
fn several_episodes_in_any_order_of_events() {
    let rule = range(r#"{"fixed":"4"},{"introduced":"3"},{"fixed":"2"},{"introduced":"1"}"#);
    for (version, expected) in [("1.5", fixed("2")), ("2.5", None), ("3.5", fixed("4")), ("4", None)] {
        assert_eq!(evaluate(&rule, version), expected, "{version}");
    }
}

#[test]
fn a_range_whose_start_is_its_fix_is_empty() {
    assert_eq!(evaluate(&range(r#"{"fixed":"1"},{"introduced":"1"}"#), "1"), None);
}

#[test]
fn limits_bound_what_is_spoken_of() {
    let rule = range(r#"{"introduced":"0"},{"limit":"2"}"#);
    assert_eq!(evaluate(&rule, "1"), Some(Fix::None));
    assert_eq!(evaluate(&rule, "2"), None);
    assert_eq!(evaluate(&range(r#"{"introduced":"0"},{"limit":"*"}"#), "9"), Some(Fix::None));
}

#[test]
fn listed_versions_and_ranges_are_a_union() {
    let ranges = r#"[{"type":"ECOSYSTEM","events":[{"introduced":"2"},{"fixed":"3"}]}]"#;
    let rule = rule(ranges, r#"["1","9"]"#);
    assert_eq!(evaluate(&rule, "1"), fixed("3"));
    assert_eq!(evaluate(&rule, "2"), fixed("3"));
    assert_eq!(evaluate(&rule, "9"), Some(Fix::Unsaid));
    assert_eq!(evaluate(&rule, "1.0"), None);
}

#[test]
fn a_version_has_to_leave_every_range() {
    let ranges = |second: &str| {
        let first = r#"{"events":[{"introduced":"0"},{"fixed":"2"}]}"#;
        rule(&format!("[{first},{{\"events\":[{second}]}}]"), "[]")
    };
    assert_eq!(evaluate(&ranges(r#"{"introduced":"0"},{"fixed":"3"}"#), "1"), fixed("3"));
    assert_eq!(evaluate(&ranges(r#"{"introduced":"1"}"#), "1"), Some(Fix::None));
    assert_eq!(evaluate(&ranges(r#"{"introduced":"0"},{"last_affected":"1"}"#), "1"), Some(Fix::Unsaid));
}

#[test]
fn nothing_said_is_nothing_affected() {
    assert_eq!(evaluate(&rule("[]", "[]"), "1"), None);
}

#[test]
fn the_order_is_that_of_the_ecosystem() {
    let rule = range(r#"{"introduced":"1.0"},{"fixed":"1.0.post1"}"#);
    assert_eq!(super::evaluate(&rule, VersionOrder::Pep440, "1.0.0"), fixed("1.0.post1"));
    assert_eq!(super::evaluate(&rule, VersionOrder::Semver, "1.0.0-rc.1"), None);
    let listed = super::tests::rule("[]", r#"["6.2.0"]"#);
    assert_eq!(super::evaluate(&listed, VersionOrder::Pep440, "6.2"), Some(Fix::Unsaid));
    assert_eq!(super::evaluate(&listed, VersionOrder::Dpkg, "6.2"), None);
}

#[test]
fn what_lies_past_the_version_does_not_end_its_range() {
    let rule = range(r#"{"introduced":"1"},{"fixed":"2"},{"introduced":"3"},{"last_affected":"4"}"#);
    assert_eq!(evaluate(&rule, "1"), fixed("2"));
    assert_eq!(evaluate(&rule, "0"), None);
    assert_eq!(evaluate(&rule, "4"), Some(Fix::Unsaid));
    assert_eq!(evaluate(&rule, "5"), None);
}

#[test]
fn a_local_version_of_python_is_the_version_that_it_was_built_of() {
    let of = |rule: &Rule, version| super::evaluate(rule, VersionOrder::Pep440, version);
    let last = range(r#"{"introduced":"0"},{"last_affected":"2.6.0"}"#);
    let listed = rule("[]", r#"["2.6.0"]"#);
    for version in ["2.6.0", "2.6.0+cpu", "2.6+cu118.1"] {
        assert_eq!(of(&last, version), Some(Fix::Unsaid), "{version}");
        assert_eq!(of(&listed, version), Some(Fix::Unsaid), "{version}");
    }
    assert_eq!((of(&last, "2.6.1+cpu"), of(&listed, "2.6.0.post1+cpu")), (None, None));
    let other = rule("[]", r#"["2.6.0+rocm"]"#);
    assert_eq!(of(&other, "2.6.0+cpu"), None);
    assert_eq!(of(&range(r#"{"introduced":"0"},{"fixed":"2.6.0"}"#), "2.6.0+cpu"), None);
    assert_eq!(super::evaluate(&listed, VersionOrder::Dpkg, "2.6.0+cpu"), None);
}
