//! The command lines hold together, and say what the configuration is to be.

use clap::{CommandFactory as _, Parser as _};
use cve_monitor_core::vocabulary::Severity;

use super::{
    Cli, Command, EXIT_ERROR, EXIT_FAIL_ON, EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE, IngestCli, NotifierCli,
    Queue, QueueCommand, ReconcilerCli, SeverityFilter,
};

fn parse(line: &str) -> Result<Cli, String> {
    Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())
}

#[test]
fn the_definitions_hold_together() {
    Cli::command().debug_assert();
    IngestCli::command().debug_assert();
    NotifierCli::command().debug_assert();
    ReconcilerCli::command().debug_assert();
}

#[test]
fn exit_codes_are_told_apart_and_told() {
    assert_eq!([EXIT_OK, EXIT_ERROR, EXIT_USAGE, EXIT_FAIL_ON, EXIT_INCOMPLETE], [0, 1, 2, 3, 4]);
    let help = Cli::command().find_subcommand_mut("scan").map(|scan| scan.render_long_help().to_string());
    let help = help.unwrap_or_default();
    for part in ["--fail-on", "  3  ", "  4  ", "Examples:"] {
        assert!(help.contains(part), "{help}");
    }
    let error = Cli::try_parse_from(["cve-monitor", "scan"]).unwrap_err();
    assert_eq!(error.exit_code(), i32::from(EXIT_USAGE));
}

#[test]
fn a_scan_takes_images_and_what_to_do_with_them() {
    let line = "cve-monitor scan --advisories a.zip --advisories https://m.example --platform linux/arm64/v8,linux/amd64 \
                --severity high+ --fail-on critical --as-of 2026-03-01 --offline --format json debian:12 oci:a/b:v1";
    let Command::Scan(scan) = parse(line).unwrap().command else { panic!("another command") };
    assert_eq!((scan.images.len(), scan.advisories.len()), (2, 2));
    let platforms: Vec<String> = scan.platform.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/arm64/v8", "linux/amd64"]);
    assert_eq!(scan.fail_on, Some(Severity::Critical));
    assert_eq!(scan.as_of.map(|at| at.to_string()).as_deref(), Some("2026-03-01T00:00:00.000Z"));
    assert!(scan.offline && !scan.fixed_only && !scan.insecure);
}

#[test]
fn what_a_flag_cannot_mean_is_told() {
    for (line, part) in [
        ("cve-monitor scan ./app.tar", "docker-archive:FILE"),
        ("cve-monitor scan --severity bad debian:12", "expected critical, high"),
        ("cve-monitor scan --platform arm64 debian:12", "expected OS/ARCH"),
        ("cve-monitor scan --as-of soon debian:12", "RFC 3339"),
        ("cve-monitor --set ingest scan debian:12", "expected KEY=VALUE"),
        ("cve-monitor queue redrive", "required"),
        ("cve-monitor queue redrive --all id", "cannot be used with"),
    ] {
        let error = parse(line).err().unwrap_or_default();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn severities_are_a_list_or_the_least() {
    let admitted = |text: &str| {
        let filter: SeverityFilter = text.parse().unwrap();
        Severity::ALL.into_iter().filter(|severity| filter.admits(*severity)).collect::<Vec<_>>()
    };
    assert_eq!(admitted("low,critical"), [Severity::Critical, Severity::Low]);
    assert_eq!(admitted("high+"), [Severity::Critical, Severity::High]);
    assert_eq!(admitted("high"), [Severity::High]);
    assert_eq!(admitted("unknown+").len(), 6);
}

#[test]
fn flags_become_values_of_the_configuration() {
    let line = "cve-monitor watch --listen 0.0.0.0:80 --set ingest.concurrency=8 --log-format json -vv --config c.toml";
    let overrides = parse(line).unwrap().overrides();
    let given: Vec<(&str, &str, &str)> =
        overrides.settings.iter().map(|o| (o.key.as_str(), o.value.as_str(), o.flag.as_str())).collect();
    assert_eq!(
        given,
        [
            ("ingest.concurrency", "8", "--set"),
            ("log.format", "json", "--log-format"),
            ("log.level", "trace", "-vv"),
            ("watch.listen", "0.0.0.0:80", "--listen"),
        ]
    );
    assert_eq!(overrides.file, Some("c.toml".into()));
    let reconciler = ReconcilerCli::try_parse_from(["reconciler", "--every", "90m"]).unwrap().overrides();
    assert_eq!(reconciler.settings.first().map(|o| o.value.as_str()), Some("90m"));
    assert!(ReconcilerCli::try_parse_from(["reconciler", "--every", "90m", "--once"]).is_err());
    assert!(NotifierCli::try_parse_from(["notifier", "--once"]).unwrap().once);
    assert!(IngestCli::try_parse_from(["ingest"]).unwrap().overrides().settings.is_empty());
}

#[test]
fn a_redrive_names_one_or_all() {
    let Command::Queue(Queue { command: QueueCommand::Redrive { id, all } }) =
        parse("cve-monitor queue redrive 17").unwrap().command
    else {
        panic!("another command")
    };
    assert_eq!((id.as_deref(), all), (Some("17"), false));
}

#[test]
fn completions_name_the_commands() {
    let script = String::from_utf8(super::completions(clap_complete::Shell::Bash)).unwrap();
    for command in ["scan", "watch", "reconcile", "coverage", "history", "affected", "redrive"] {
        assert!(script.contains(command), "{command}");
    }
}
