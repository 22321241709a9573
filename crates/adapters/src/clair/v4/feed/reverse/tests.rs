//! Questions as Clair's indexer understands them.

use super::*;

fn lookup(advisory: &Value) -> Lookup {
    Lookup::of(&Advisory::read(advisory.to_string().as_bytes()).unwrap())
}

fn ask(advisory: &Value) -> Value {
    match lookup(advisory) {
        Lookup::Ask(question) => serde_json::from_str(&question.0).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn of(did: &str, version: &str, pretty: &str) -> Value {
    let distribution = json!({"did": did, "version": version, "pretty_name": pretty});
    json!({"package": {"name": "openssl"}, "distribution": distribution, "repository": {"cpe": ""}})
}

#[test]
fn a_release_is_written_as_the_scanners_write_it() {
    let debian = ask(&of("debian", "12 (bookworm)", ""));
    assert_eq!(
        debian["distribution"],
        json!({
            "did": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)", "version_id": "12",
            "version_code_name": "bookworm", "pretty_name": "Debian GNU/Linux 12 (bookworm)",
            "arch": "", "cpe": ""
        })
    );
    let ubuntu = ask(&of("ubuntu", "22.04 (Jammy)", ""));
    assert_eq!(ubuntu["distribution"]["version_code_name"], "jammy");
    assert_eq!(ubuntu["distribution"]["pretty_name"], "Ubuntu 22.04");
    for (pretty, version) in [("Alpine Linux v3.20", "3.20"), ("Alpine Linux edge", "edge")] {
        let alpine = ask(&of("alpine", "", pretty));
        assert_eq!(alpine["distribution"]["version"], version);
        assert_eq!(alpine["distribution"]["version_id"], "");
    }
}

#[test]
fn packages_that_are_built_from_a_source_of_another_version_are_asked_about_in_any_version() {
    for (did, version, asked) in
        [("debian", "12 (bookworm)", ""), ("ubuntu", "22.04 (Jammy)", ""), ("amzn", "2023", "1.2-3")]
    {
        let mut advisory = of(did, version, "");
        advisory["fixed_in_version"] = json!("1.2-3");
        assert_eq!(ask(&advisory)["fixed_in_version"], asked, "{did}");
    }
}

#[test]
fn what_cannot_be_rewritten_is_asked_as_it_is() {
    for (did, version) in [("debian", "sid"), ("ubuntu", ""), ("alpine", ""), ("amzn", "2023")] {
        let advisory = of(did, version, "");
        assert_eq!(ask(&advisory)["distribution"], advisory["distribution"], "{did}");
    }
}

#[test]
fn what_the_indexer_does_not_answer_the_truth_about_is_looked_up_by_its_package() {
    let own = |ecosystem: &str| Lookup::Own {
        ecosystem: ecosystem.to_owned(),
        key: LayerKey(format!("package:{ecosystem}:openssl")),
    };
    for did in ["ol", "sles", "photon", "rhel", "something-new"] {
        assert_eq!(lookup(&of(did, "8", "")), own(did));
    }
    for name in ["go", "npm", "maven", "rubygems"] {
        let mut advisory = of("", "", "");
        advisory["repository"] = json!({"name": name, "uri": "https://example.test/"});
        assert_eq!(lookup(&advisory), own(name));
    }
    for (key, ecosystem) in [("rhel-cpe-repository", "rhel"), ("rhcc-container-repository", "rhcc")] {
        let mut red_hat = of("", "", "");
        red_hat["repository"] = json!({"name": "cpe:2.3:o:redhat", "key": key});
        assert_eq!(lookup(&red_hat), own(ecosystem));
    }
}

#[test]
fn an_advisory_about_no_package_or_of_no_ecosystem_is_looked_up_nowhere() {
    assert_eq!(lookup(&of("", "", "")), Lookup::Unknown);
    let mut new = of("debian", "12 (bookworm)", "");
    new["repository"] = json!({"name": "a-new-one"});
    assert_eq!(lookup(&new), Lookup::Unknown);
    for package in [Value::Null, json!({}), json!({"name": ""})] {
        let mut nameless = of("debian", "12 (bookworm)", "");
        nameless["package"] = package;
        assert_eq!(lookup(&nameless), Lookup::Unknown);
    }
}

#[test]
fn texts_are_not_asked_and_members_that_clair_takes_for_granted_are_there() {
    let advisory = json!({
        "id": "1", "updater": "u", "name": "CVE", "description": "d", "links": "l", "issued": "i",
        "severity": "s", "normalized_severity": "High", "package": {"name": "flask", "kind": "binary"},
        "repository": {"name": "pypi", "uri": "https://pypi.org/"}, "fixed_in_version": "fixed=1", "range": {},
    });
    assert_eq!(
        ask(&advisory),
        json!({
            "package": {"name": "flask", "kind": "binary"}, "distribution": {}, "range": {},
            "repository": {"name": "pypi", "uri": PYPI}, "fixed_in_version": "fixed=1",
        })
    );
}

#[test]
fn questions_stand_in_one_request_each_under_its_own_id() {
    let Lookup::Ask(question) = lookup(&of("debian", "12 (bookworm)", "")) else { panic!("no question") };
    let request = Question::request(&[question.clone(), question.of_any_version(), Question::control()]);
    let request: Value = serde_json::from_slice(&request).unwrap();
    let ids: Vec<_> = request["vulnerabilities"].as_array().unwrap().iter().map(|v| &v["id"]).collect();
    assert_eq!(ids, ["0", "1", "2"]);
    assert_eq!(request["vulnerabilities"][1]["fixed_in_version"], "");
    assert_eq!(
        serde_json::from_slice::<Value>(&Question::request(&[])).unwrap()["vulnerabilities"],
        json!([])
    );
}
