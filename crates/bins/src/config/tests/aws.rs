//! What is on AWS: kinds, keys that belong to one of them alone, bounds, and what a check notes.

use super::super::places::{MAX_KMS_KEY_CHARS, MAX_PREFIX_CHARS, MAX_REGION_CHARS, MAX_ROLE_ARN_CHARS};
use super::super::{Bucket, Config, EcrLayers, Queue, RegistryAt, Reports, StoreAt, checked};
use super::{assert_problem, load, problems};

const ALL: &str = r#"
    [store]
    kind = "dynamodb"
    archive_bucket = "example-archive"
    kms_key = "alias/reports"
    [queue]
    kind = "sqs"
    prefix = "scans"
    [reports]
    kind = "s3"
    bucket = "example-reports"
    [aws]
    region = "eu-central-1"
    [[registry]]
    kind = "ecr"
    name = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    [[registry]]
    kind = "ecr"
    name = "210987654321.dkr.ecr.us-gov-west-1.amazonaws.com"
    role_arn = "arn:aws-us-gov:iam::210987654321:role/scans/cve-monitor"
    external_id = "a/b=c"
    layers = "endpoint"
    lists_per_second = 3
"#;

fn config(text: &str) -> Config {
    load(text, &[], &[]).unwrap().config
}

#[test]
fn everything_can_be_on_aws() {
    let config = config(ALL);
    let archive = Bucket { name: "example-archive".to_owned(), kms_key: Some("alias/reports".to_owned()) };
    assert_eq!(config.store.at, StoreAt::DynamoDb { table_prefix: "cve-monitor".to_owned(), archive });
    assert_eq!(config.queue, Queue::Sqs { prefix: "scans".to_owned() });
    let reports = Bucket { name: "example-reports".to_owned(), kms_key: None };
    assert_eq!(config.reports, Reports::S3(reports));
    assert_eq!(config.reports.to_string(), "s3://example-reports");
    assert_eq!(config.aws.region.as_deref(), Some("eu-central-1"));
    let [first, second] = config.registries.as_slice() else { panic!("two") };
    let RegistryAt::Ecr(first) = &first.at else { panic!("{first:?}") };
    assert_eq!((first.role_arn.as_deref(), first.layers), (None, EcrLayers::Presigned));
    let RegistryAt::Ecr(second) = &second.at else { panic!("{second:?}") };
    assert_eq!(second.external_id.as_deref(), Some("a/b=c"));
    assert_eq!((second.layers, second.lists_per_second), (EcrLayers::Endpoint, Some(3)));
    assert_eq!(second.manifests_per_second, None);
}

#[test]
fn variables_and_flags_set_them_too() {
    let variables = [
        ("CVE_MONITOR_STORE_KIND", "dynamodb"),
        ("CVE_MONITOR_STORE_ARCHIVE_BUCKET", "example-archive"),
        ("CVE_MONITOR_AWS_ENDPOINT_URL", "http://127.0.0.1:5000"),
    ];
    let config = load("", &variables, &[("store.table_prefix", "p")]).unwrap().config;
    assert!(matches!(&config.store.at, StoreAt::DynamoDb { table_prefix, .. } if table_prefix == "p"));
    assert_eq!(config.aws.endpoint_url.as_ref().and_then(url::Url::port), Some(5000));
}

#[test]
fn what_belongs_to_another_kind_or_is_missing_is_named() {
    for (text, parts) in [
        ("[store]\nkind = \"postgres\"", &["store.kind", "`postgres`", "\"sqlite\" or \"dynamodb\""][..]),
        ("[queue]\nkind = \"kafka\"", &["queue.kind", "\"sqlite\" or \"sqs\""]),
        ("[reports]\nkind = \"gcs\"", &["reports.kind", "\"folder\" or \"s3\""]),
        ("[store]\ntable_prefix = \"p\"", &["store.table_prefix", "store.kind = \"sqlite\"", "remove it"]),
        ("[store]\narchive_bucket = \"abc\"", &["store.archive_bucket", "store.kind"]),
        ("[store]\nkms_key = \"a\"", &["store.kms_key", "store.kind"]),
        ("[store]\nkind = \"dynamodb\"", &["store.archive_bucket", "it is missing: name a bucket"]),
        ("[queue]\nprefix = \"p\"", &["queue.prefix", "queue.kind = \"sqlite\""]),
        ("[reports]\nbucket = \"abc\"", &["reports.bucket", "reports.kind = \"folder\""]),
        ("[reports]\nkind = \"s3\"", &["reports.bucket", "it is missing"]),
        ("[reports]\nkind = \"s3\"\nbucket = \"abc\"\nfolder = \"f\"", &["reports.folder", "remove it"]),
        ("[reports]\nkind = \"s3\"\nbucket = \"s3://a\"", &["reports.bucket", "without s3://"]),
        ("[reports]\nkind = \"s3\"\nbucket = \"abc\"\nkms_key = \"a b\"", &["reports.kms_key", "alias"]),
        ("[aws]\nregion = \"eu-central-1\"", &["aws.region", "nothing is on AWS"]),
        ("[queue]\nkind = \"sqs\"\n[aws]\nregion = \"Europe\"", &["aws.region", "eu-central-1"]),
        (
            "[queue]\nkind = \"sqs\"\n[aws]\nendpoint_url = \"http://moto.example:5000\"",
            &["aws.endpoint_url", "plain HTTP", "aws.insecure"],
        ),
    ] {
        assert_problem(&problems(text, &[], &[]), parts);
    }
    let insecure =
        "[queue]\nkind = \"sqs\"\n[aws]\nendpoint_url = \"http://moto.example:5000\"\ninsecure = true";
    assert!(problems(insecure, &[], &[]).is_empty());
}

#[test]
fn what_is_wrong_with_a_registry_of_ecr_is_named() {
    for (name, keys, parts) in [
        ("ghcr.io", "", &["registry[0].name", "dkr.ecr"][..]),
        ("", "username = \"u\"", &["registry[0].username", "kind ecr has no such key"]),
        ("", "path = \"p\"", &["registry[0].path", "kind ecr has no such key"]),
        (
            "",
            "role_arn = \"arn:aws:iam::1:role/a\"",
            &["registry[0].role_arn", "arn:aws:iam::123456789012:role"],
        ),
        ("", "external_id = \"id\"", &["registry[0].external_id", "role_arn"]),
        ("", "layers = \"s3\"", &["registry[0].layers", "presigned"]),
        ("", "endpoint = \"http://127.0.0.1:1\"", &["registry[0].endpoint", "insecure = true"]),
        ("", "url = \"http://127.0.0.1:1\"", &["registry[0].url", "insecure = true"]),
        ("", "lists_per_second = 1001", &["registry[0].lists_per_second", "at most 1000"]),
        ("", "manifests_per_second = 2001", &["registry[0].manifests_per_second", "at most 2000"]),
        ("", "layers_per_second = 0", &["registry[0].layers_per_second", "at least 1"]),
    ] {
        let name = if name.is_empty() { "123456789012.dkr.ecr.eu-west-1.amazonaws.com" } else { name };
        let text = format!("[[registry]]\nkind = \"ecr\"\nname = \"{name}\"\n{keys}");
        assert_problem(&problems(&text, &[], &[]), parts);
    }
    let foreign = "[[registry]]\nname = \"r.example\"\nrole_arn = \"a\"";
    assert_problem(&problems(foreign, &[], &[]), &["registry[0].role_arn", "kind distribution"]);
}

#[test]
fn names_hold_at_their_bounds() {
    let good = |text: &str| problems(text, &[], &[]).is_empty();
    let queue = |prefix: &str| format!("[queue]\nkind = \"sqs\"\nprefix = \"{prefix}\"");
    assert!(
        good(&queue(&"p".repeat(MAX_PREFIX_CHARS)))
            && !good(&queue(&"p".repeat(MAX_PREFIX_CHARS + 1)))
            && !good(&queue("a.b"))
    );
    let bucket = |name: &str| format!("[reports]\nkind = \"s3\"\nbucket = \"{name}\"");
    for (name, expected) in [("abc", true), ("ab", false), ("a-", false), ("A-b", false), ("a.b-c", true)] {
        assert_eq!(good(&bucket(name)), expected, "{name}");
    }
    assert!(good(&bucket(&"b".repeat(63))) && !good(&bucket(&"b".repeat(64))));
    let key = |name: &str| format!("{}\nkms_key = \"{name}\"", bucket("abc"));
    assert!(good(&key(&"k".repeat(MAX_KMS_KEY_CHARS))) && !good(&key(&"k".repeat(MAX_KMS_KEY_CHARS + 1))));
    let ecr = |keys: &str| {
        format!(
            "[[registry]]\nkind = \"ecr\"\nname = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com\"\n{keys}"
        )
    };
    let role = |external: &str| {
        ecr(&format!("role_arn = \"arn:aws:iam::123456789012:role/a\"\nexternal_id = \"{external}\""))
    };
    assert!(good(&role("ab")) && !good(&role("a")) && !good(&role("a b")));
    assert!(good(&role(&"e".repeat(1224))) && !good(&role(&"e".repeat(1225))));
    let region = |name: &str| format!("{}\n[aws]\nregion = \"{name}\"", queue("p"));
    for (length, expected) in [(MAX_REGION_CHARS, true), (MAX_REGION_CHARS + 1, false)] {
        assert_eq!(good(&region(&format!("a-{}", "b".repeat(length - 2)))), expected, "{length}");
    }
    let front = "arn:aws:iam::123456789012:role/";
    for (length, expected) in [(MAX_ROLE_ARN_CHARS, true), (MAX_ROLE_ARN_CHARS + 1, false)] {
        let role = format!("role_arn = \"{front}{}\"", "r".repeat(length - front.len()));
        assert_eq!(good(&ecr(&role)), expected, "{length}");
    }
}

#[test]
fn a_check_notes_what_is_not_done_and_what_ties_it_to_one_machine() {
    let text = |toml: &str| checked(&load(toml, &[], &[]).unwrap());
    let all = text(ALL);
    for part in ["retention.report_bodies", "retention.dead_letters", "the scanner inside", "this machine"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let clair =
        text(&format!("{ALL}[scanner]\nkind = \"clair-v4\"\n[clair]\nurl = \"https://clair.example\""));
    assert!(!clair.contains("this machine"), "{clair}");
    let polled =
        text("[[registry]]\nkind = \"ecr\"\nname = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com\"");
    assert!(polled.contains("announces its pushes through SQS alone"), "{polled}");
    assert!(!text("").contains("this machine"));
}
