//! Precedence, errors with their places and remedies, bounds at their edges, masking, and the table of keys.

mod aws;

use std::collections::BTreeSet;
use std::path::Path;

use cve_monitor_adapters::oci::{ArchiveForm, CredentialSource};

use super::Kind;
use super::places::MAX_PATH_BYTES;
use super::read::Reader;
use super::{
    ConfigError, Files, FilesForm, Loaded, Override, Overrides, RegistryAt, Reports, Variables, keys,
    load_with,
};

fn load(text: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    load_in(folder.path(), text, variables, flags)
}

fn load_in(
    folder: &Path,
    text: &str,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Loaded, ConfigError> {
    std::fs::write(folder.join("cve-monitor.toml"), text).unwrap();
    let one = |(key, value): &(&str, &str)| Override {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        flag: "--set".to_owned(),
    };
    let overrides = Overrides { file: None, settings: flags.iter().map(one).collect() };
    load_with(&overrides, &Variables::of(variables), folder)
}

fn problems(text: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    load(text, variables, flags).map(|_| vec![]).unwrap_or_else(|error| error.problems().to_vec())
}

/// That exactly one problem is found, and that it says all of this.
fn assert_problem(found: &[String], parts: &[&str]) {
    assert!(found.len() == 1 && parts.iter().all(|part| found[0].contains(part)), "{parts:?} in {found:#?}");
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let file = "[ingest]\nconcurrency = 5";
    let variable: &[(&str, &str)] = &[("CVE_MONITOR_INGEST_CONCURRENCY", "6")];
    let flag: &[(&str, &str)] = &[("ingest.concurrency", "7")];
    for (text, variables, flags, expected) in
        [("", &[][..], &[][..], 4), (file, &[], &[], 5), (file, variable, &[], 6), (file, variable, flag, 7)]
    {
        assert_eq!(load(text, variables, flags).unwrap().config.ingest.concurrency, expected);
    }
}

#[test]
fn what_listens_without_being_told_where_listens_to_this_machine_alone() {
    let config = load("", &[], &[]).unwrap().config;
    assert!(config.watch.listen.ip().is_loopback());
    assert_eq!(config.health.listen, None);
    let addresses = keys().filter(|key| key.kind == Kind::Address).map(|key| key.key).collect::<Vec<_>>();
    assert_eq!(addresses, ["watch.listen", "health.listen"], "each address is one of these two");
}

#[test]
fn every_kind_of_value_can_come_from_a_variable() {
    let variables = [
        ("CVE_MONITOR_ADVISORIES_ECOSYSTEMS", "Debian, Alpine"),
        ("CVE_MONITOR_ADVISORIES_INSECURE", "true"),
        ("CVE_MONITOR_RECONCILE_EVERY", "30m"),
        ("CVE_MONITOR_HEALTH_LISTEN", "[::1]:9000"),
        ("CVE_MONITOR_WATCH_POLL", ""),
    ];
    let config = load("", &variables, &[]).unwrap().config;
    assert_eq!(config.advisories.ecosystems, ["Debian", "Alpine"]);
    assert!(config.advisories.insecure);
    assert_eq!(config.reconcile.every.as_secs(), 1800);
    assert_eq!(config.health.listen, Some("[::1]:9000".parse().unwrap()));
    assert_eq!(config.watch.poll.as_secs(), 60, "an empty variable is one that is not given");
}

#[test]
fn the_log_variables_are_heard() {
    let level = |variables: &[(&str, &str)]| load("", variables, &[]).unwrap().config.log.level;
    assert_eq!(level(&[]), "info");
    assert_eq!(level(&[("RUST_LOG", "warn")]), "warn");
    assert_eq!(level(&[("RUST_LOG", "warn"), ("CVE_MONITOR_LOG", "debug")]), "debug");
    assert_eq!(level(&[("CVE_MONITOR_LOG", "debug"), ("CVE_MONITOR_LOG_LEVEL", "trace")]), "trace");
}

#[test]
fn what_is_unknown_is_named_with_its_place_and_the_nearest_key() {
    let found = problems("[store]\npth = \"a\"", &[], &[]);
    assert_problem(&found, &["unknown key `store.pth`", "cve-monitor.toml", "did you mean `store.path`?"]);
    let found = problems("[[registri]]\nname = \"a\"", &[], &[]);
    assert_problem(&found, &["unknown key `registri`", "did you mean `registry`?"]);
    let text = "[[registry]]\nname = \"r.example\"\nusrname = \"u\"";
    assert_problem(
        &problems(text, &[], &[]),
        &["unknown key `registry[0].usrname`", "did you mean `registry[].username`?"],
    );
    let found = problems("", &[("CVE_MONITOR_STORE_PTH", "a")], &[]);
    assert_problem(&found, &["unknown variable `CVE_MONITOR_STORE_PTH`", "`CVE_MONITOR_STORE_PATH`"]);
    let found = problems("", &[], &[("watch.lisen", "a")]);
    assert_problem(&found, &["unknown key `watch.lisen` in --set", "did you mean `watch.listen`?"]);
}

#[test]
fn all_problems_are_told_at_once() {
    let text =
        "[ingest]\nlease = \"2s\"\nconcurrency = \"many\"\n[watch]\nlisten = \"localhost\"\n[zebra]\na = 1";
    let found = problems(text, &[("CVE_MONITOR_INGEST_WAIT", "1w")], &[]);
    for part in
        ["`zebra`", "`ingest.lease`", "`ingest.concurrency`", "`watch.listen`", "env CVE_MONITOR_INGEST_WAIT"]
    {
        assert!(found.iter().any(|problem| problem.contains(part)), "{part}: {found:#?}");
    }
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn bounds_hold_at_their_edges() {
    for (key, inside, outside, named) in [
        ("ingest.lease", ["10s", "1h"], ["9999ms", "3601s"], "at least 10s, at most 1h"),
        ("ingest.wait", ["1s", "1m"], ["999ms", "61s"], "at least 1s, at most 1m"),
        ("ingest.concurrency", ["1", "64"], ["0", "65"], "at least 1, at most 64"),
        ("scope.newer_than", ["1h", "3650d"], ["59m", "3651d"], "at least 1h, at most 3650d"),
        ("advisories.refresh", ["1m", "7d"], ["59s", "8d"], "at least 1m, at most 7d"),
        ("advisories.max_shrink_percent", ["0", "100"], ["-1", "101"], "at least 0, at most 100"),
        ("watch.poll", ["1s", "1d"], ["0s", "25h"], "at least 1s, at most 1d"),
        ("reconcile.every", ["1m", "30d"], ["59s", "31d"], "at least 1m, at most 30d"),
        ("reconcile.sweep_after", ["1h", "365d"], ["59m", "366d"], "at least 1h, at most 365d"),
        ("reconcile.lists_per_second", ["1", "1000"], ["0", "1001"], "at least 1, at most 1000"),
        ("retention.report_bodies", ["1d", "3650d"], ["23h", "3651d"], "at least 1d, at most 3650d"),
        ("retention.dead_letters", ["1d", "3650d"], ["23h", "3651d"], "at least 1d, at most 3650d"),
    ] {
        for value in inside {
            assert!(problems("", &[], &[(key, value)]).is_empty(), "{key} {value}");
        }
        for value in outside {
            assert_problem(&problems("", &[], &[(key, value)]), &[key, named, "flag --set"]);
        }
    }
}

#[test]
fn registries_of_every_kind_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "s3cret\n").unwrap();
    let text = r#"
        [[registry]]
        name = "r.example"
        url = "https://mirror.example:5000"
        repositories = ["team/*", "one"]
        username = "u"
        password_file = "password"
        [[registry]]
        name = "hub.example"
        docker_config = true
        [[registry]]
        name = "local"
        kind = "oci-layout"
        path = "images/My App"
        [[registry]]
        name = "file"
        kind = "docker-archive"
        path = "/x/app.tar"
        repository = "team/app"
    "#;
    let loaded = load_in(folder.path(), text, &[("HOME", "/h")], &[]).unwrap();
    let [first, second, third, fourth] = loaded.config.registries.as_slice() else { panic!("four") };
    let RegistryAt::Distribution(first) = &first.at else { panic!("{first:?}") };
    assert_eq!(first.endpoint.as_ref().map(url::Url::as_str), Some("https://mirror.example:5000/"));
    assert!(matches!(&first.credentials, CredentialSource::Fixed(_)));
    assert!(!format!("{loaded:?}").contains("s3cret"));
    let RegistryAt::Distribution(second) = &second.at else { panic!("{second:?}") };
    assert!(matches!(&second.credentials, CredentialSource::Docker(_)));
    let RegistryAt::Files(Files { form: FilesForm::Layout, path, repository }) = &third.at else {
        panic!("{third:?}")
    };
    assert_eq!((path, repository.as_str()), (&folder.path().join("images/My App"), "my-app"));
    let RegistryAt::Files(Files { form: FilesForm::Archive(ArchiveForm::Docker), repository, .. }) =
        &fourth.at
    else {
        panic!("{fourth:?}")
    };
    assert_eq!(repository.as_str(), "team/app");
}

#[test]
fn what_is_wrong_with_a_registry_is_named() {
    for (keys, parts) in [
        ("kind = \"distribution\"", &["registry[0].name", "it is missing"][..]),
        ("name = \"r\"\nkind = \"docker\"", &["registry[0].kind", "`docker`", "oci-layout"]),
        ("name = \"r\"\nkind = \"oci-layout\"", &["registry[0].path", "it is missing"]),
        ("name = \"r\"\npath = \"a\"", &["registry[0].path", "remove it"]),
        ("name = \"r\"\nurl = \"http://r\"", &["registry[0].url", "insecure = true"]),
        ("name = \"r\"\nurl = \"https://u:s3cret@r\"", &["registry[0].url", "carries credentials"]),
        ("name = \"r\"\nurl = \"https://r/v2\"", &["registry[0].url", "a scheme, a host and a port"]),
        ("name = \"r\"\nrepositories = []", &["registry[0].repositories", "the list is empty"]),
        ("name = \"r\"\nrepositories = [\"A\"]", &["registry[0].repositories"]),
        ("name = \"r\"\nusername = \"u\"", &["registry[0].username", "password_file or password_env"]),
        ("name = \"r\"\nusername = \"u\"\npassword_env = \"s3cret\"", &["password_env", "is not set"]),
        ("name = \"r\"\nusername = \"u\"\npassword_file = \"none\"", &["password_file", "cannot be opened"]),
        ("name = \"r\"\npassword_env = \"HOME\"", &["registry[0].username", "missing beside a password"]),
        ("name = \"r\"\ndocker_config = true\nusername = \"u\"", &["docker_config", "excludes"]),
        ("name = \"r\"\npassword = \"s3cret\"", &["registry[0].password", "did you mean"]),
        ("name = \"r\"\n[[registry]]\nname = \"r\"", &["two registries are named r"]),
    ] {
        let found = problems(&format!("[[registry]]\n{keys}"), &[("HOME", "/h")], &[]);
        assert_problem(&found, parts);
        assert!(!found[0].contains("s3cret"), "{found:?}");
    }
}

#[test]
fn sources_and_rules_that_cannot_be_used_are_named() {
    for (text, parts) in [
        ("[advisories]\nsources = [\"http://a.example\"]", &["advisories.sources", "insecure = true"][..]),
        ("[advisories]\nsources = [\"https://u:s3cret@a.example\"]", &["advisories.sources", "credentials"]),
        ("[advisories]\nsources = [\"s3://a\"]", &["advisories.sources", "`s3:` is not spoken"]),
        ("[[scope.include]]", &["scope.include[0]", "is empty"]),
        ("[store", &["is not TOML at line 1"]),
        ("store = 1", &["`store`", "write [store]"]),
        ("registry = 1", &["`registry`", "write [[registry]]"]),
        ("[log]\nformat = \"xml\"", &["log.format", "`xml`", "\"json\""]),
    ] {
        let found = problems(text, &[], &[]);
        assert_problem(&found, parts);
        assert!(!found[0].contains("s3cret"), "{found:?}");
    }
}

#[test]
fn paths_in_the_file_are_meant_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let config = load_in(folder.path(), "[store]\npath = \"data/s.db\"", &[], &[]).unwrap().config;
    assert_eq!(config.store.path, folder.path().join("data/s.db"));
    assert_eq!(config.reports, Reports::Folder(folder.path().join("data/reports")));
    let beside =
        load_in(folder.path(), "[store]\npath = \"data/s.db\"", &[("HOME", "/h")], &[]).unwrap().config;
    assert_eq!(beside.advisories.folder, folder.path().join("data/advisories"));
    let config = load("", &[("HOME", "/h"), ("XDG_DATA_HOME", "relative")], &[]).unwrap().config;
    assert_eq!(config.store.path, Path::new("/h/.local/share/cve-monitor/state.db"));
    assert_eq!(config.advisories.folder, Path::new("/h/.cache/cve-monitor/advisories"));
    let config = load("", &[], &[]).unwrap().config;
    assert_eq!(config.advisories.folder, Path::new("cve-monitor-data/advisories"));
}

#[test]
fn the_first_file_that_is_there_counts_and_a_named_one_has_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir_all(home.join(".config/cve-monitor")).unwrap();
    std::fs::write(home.join(".config/cve-monitor/config.toml"), "[ingest]\nconcurrency = 9").unwrap();
    std::fs::write(folder.path().join("named.toml"), "[ingest]\nconcurrency = 8").unwrap();
    let home = home.to_str().unwrap();
    let concurrency = |variables: &[(&str, &str)], file: Option<&str>| {
        let overrides = Overrides { file: file.map(Into::into), settings: vec![] };
        load_with(&overrides, &Variables::of(variables), folder.path()).map(|l| l.config.ingest.concurrency)
    };
    assert_eq!(concurrency(&[("HOME", home)], None), Ok(9));
    assert_eq!(concurrency(&[("HOME", home), ("CVE_MONITOR_CONFIG", "named.toml")], None), Ok(8));
    assert_eq!(concurrency(&[("CVE_MONITOR_CONFIG", "none.toml")], Some("named.toml")), Ok(8));
    let error = concurrency(&[("CVE_MONITOR_CONFIG", "none.toml")], None).unwrap_err();
    assert_problem(error.problems(), &["none.toml", "CVE_MONITOR_CONFIG", "config init"]);
}

#[test]
fn what_is_shown_has_its_origin_and_no_secret() {
    let text = "[advisories]\nsources = [\"/a\"]\n[[registry]]\nname = \"r.example\"\nusername = \"u\"\npassword_env = \"PW\"";
    let variables =
        [("PW", "s3cret"), ("HTTPS_PROXY", "http://u:s3cret@p"), ("CVE_MONITOR_INGEST_WAIT", "5s")];
    let loaded = load(text, &variables, &[("log.level", "warn")]).unwrap();
    let shown = super::show(&loaded);
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
    assert!(line("ingest.lease").ends_with("= \"2m\"  # default"), "{shown}");
    assert!(line("ingest.wait").ends_with("= \"5s\"  # env CVE_MONITOR_INGEST_WAIT"), "{shown}");
    assert!(line("log.level").ends_with("= \"warn\"  # flag --set"), "{shown}");
    assert!(line("registry[0].name").contains("# file "), "{shown}");
    assert!(!shown.contains("s3cret") && !format!("{loaded:?}").contains("s3cret"));
}

#[test]
fn users_and_passwords_in_addresses_are_masked() {
    let mut loaded = load("", &[], &[]).unwrap();
    let sources =
        toml::Value::Array(vec!["https://u:s3cret@a.example/x@y".into(), "https://b.example/@".into()]);
    loaded.settings.set("advisories.sources", sources, super::Origin::Default);
    let shown = super::show(&loaded);
    assert!(shown.contains("https://***@a.example/x@y") && shown.contains("https://b.example/@"), "{shown}");
    assert!(!shown.contains("s3cret"));
}

#[test]
fn the_file_to_start_from_holds_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cve-monitor.toml");
    super::init(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for key in keys() {
        let name = key.key.rsplit('.').next().unwrap();
        assert!(text.contains(&format!("# {name} = ")), "{name}");
    }
    assert!(load_with(&Overrides::default(), &Variables::default(), folder.path()).is_ok());
    std::fs::write(&path, "mine").unwrap();
    let error = super::init(&path).unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn the_table_of_keys_is_what_is_read() {
    let text = "[store]\nkind = \"dynamodb\"\narchive_bucket = \"abc\"\n[reports]\nkind = \"s3\"\nbucket = \"abc\"\n\
                [[registry]]\nname = \"a\"\n[[registry]]\nname = \"b\"\nkind = \"oci-layout\"\npath = \"b\"\n\
                [[registry]]\nname = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com\"\nkind = \"ecr\"\n\
                [[scope.include]]\ntag = \"a\"\n[[scope.exclude]]\ntag = \"b\"";
    let loaded = load(text, &[], &[]).unwrap();
    let mut reader = Reader::new(&loaded.settings);
    super::sections::read(&mut reader, &Variables::default(), &loaded.environment).unwrap();
    let known: BTreeSet<String> = keys().map(|key| key.key.to_owned()).collect();
    assert_eq!(reader.asked, known);
    assert_eq!(known.len(), keys().count(), "no key twice");
}

#[test]
fn every_default_of_the_table_is_toml_and_in_force() {
    let loaded = load("", &[], &[]).unwrap();
    for key in keys().filter(|key| key.variable().is_some()) {
        let value = key
            .initial
            .map(|text| format!("v = {text}").parse::<toml::Table>().unwrap().remove("v").unwrap());
        if let Some(value) = value {
            assert_eq!(
                loaded.settings.get(key.key).map(|setting| &setting.value),
                Some(&value),
                "{}",
                key.key
            );
        }
    }
}

#[test]
fn the_page_tells_the_defaults_variables_and_descriptions_of_the_table() {
    let page = include_str!("../../../../docs/config.md");
    for key in keys() {
        let row = super::text::page_row(key);
        assert!(page.lines().any(|line| line == row), "docs/config.md lacks: {row}");
    }
}

#[test]
fn programs_that_need_a_registry_say_so() {
    let error = load("", &[], &[]).unwrap().config.require_registries().unwrap_err();
    assert_problem(error.problems(), &["no registry is configured", "[[registry]]", "config init"]);
}

#[test]
fn a_check_notes_what_is_allowed_but_risky() {
    let loaded = load("[watch]\nlisten = \"0.0.0.0:80\"\n[advisories]\nsources = []", &[], &[]).unwrap();
    let text = super::checked(&loaded);
    for part in ["valid", "webhook_token_file", "sources is empty", "no [[registry]]"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_clair_needs_its_address_and_tells_what_it_is_trusted_with() {
    let loaded = load("[scanner]\nkind = \"clair-v4\"\n[clair]\nurl = \"http://127.0.0.1:6060\"", &[], &[]);
    let scanner = loaded.unwrap().config.scanner;
    let clair = scanner.clair().unwrap();
    assert_eq!(clair.matcher_url, clair.url);
    assert_eq!(clair.settle, std::time::Duration::from_secs(120));
    let problems = |text: &str| load(text, &[], &[]).unwrap_err().problems().to_vec();
    assert_problem(&problems("[scanner]\nkind = \"clair-v2\""), &["clair.url", "missing", "clair-v2"]);
    assert_problem(&problems("[scanner]\nkind = \"trivy\""), &["scanner.kind", "trivy", "clair-v4"]);
    assert_problem(&problems("[clair]\nurl = \"https://clair.example\""), &["clair.url", "scanner.kind"]);
    let afar = "[scanner]\nkind = \"clair-v4\"\n[clair]\nurl = \"http://clair.example:6060\"";
    assert_problem(&problems(afar), &["clair.url", "plain HTTP", "clair.insecure"]);
    let with_locks =
        "[scanner]\nkind = \"clair-v4\"\nlock_files = true\n[clair]\nurl = \"http://127.0.0.1:6060\"";
    assert_problem(&problems(with_locks), &["scanner.lock_files", "Clair"]);
    let with_sbom =
        "[scanner]\nkind = \"clair-v4\"\nsbom = \"prefer\"\n[clair]\nurl = \"http://127.0.0.1:6060\"";
    assert_problem(&problems(with_sbom), &["scanner.sbom", "Clair"]);
    assert_problem(&problems("[scanner]\nsbom = \"yes\""), &["scanner.sbom", "yes", "require"]);
    for path in ["webhooks", "/readyz", "/{a}", "/"] {
        assert_problem(&problems(&format!("[clair]\nwebhook_path = \"{path}\"")), &["clair.webhook_path"]);
    }
}

#[test]
fn files_are_read_up_to_their_bounds_and_no_further() {
    for (more, good) in [(0, true), (1, false)] {
        let text = "#".repeat(usize::try_from(super::MAX_FILE_BYTES).unwrap() + more);
        let found = problems(&text, &[], &[]);
        assert!(if good { found.is_empty() } else { found[0].contains("is longer than 1048576 bytes") });
        let folder = tempfile::tempdir().unwrap();
        let secret = "s".repeat(usize::try_from(super::read::MAX_SECRET_BYTES).unwrap() + more);
        std::fs::write(folder.path().join("secret"), &secret).unwrap();
        let text = "[[registry]]\nname = \"r.example\"\nusername = \"u\"\npassword_file = \"secret\"";
        let loaded = load_in(folder.path(), text, &[], &[]);
        let found = loaded.map(|_| vec![]).unwrap_or_else(|error| error.problems().to_vec());
        match good {
            true => assert!(found.is_empty(), "{found:#?}"),
            false => assert_problem(&found, &["password_file", "is longer than 65536 bytes"]),
        }
    }
}

#[test]
fn the_path_of_a_webhook_may_have_so_many_bytes_and_no_more() {
    for (length, good) in [(MAX_PATH_BYTES, true), (MAX_PATH_BYTES + 1, false)] {
        let path = format!("/{}", "p".repeat(length - 1));
        let text = format!(
            "[scanner]\nkind = \"clair-v4\"\n[clair]\nurl = \"https://c.example\"\nwebhook_path = \"{path}\""
        );
        assert_eq!(problems(&text, &[], &[]).is_empty(), good, "{:#?}", problems(&text, &[], &[]));
    }
}
