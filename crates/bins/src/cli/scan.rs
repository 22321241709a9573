//! Commands that scan: once, for good, or what is missing.

use std::net::SocketAddr;

use clap::Args;
use cve_monitor_adapters::embedded::SbomUse;
use cve_monitor_adapters::oci::ImageSource;
use cve_monitor_core::vocabulary::{Platform, RegistryName, Severity, Timestamp};

use super::values::{self, Format, SeverityFilter};
use crate::config::AdvisorySource;

const SCAN_HELP: &str = "\
An image is named as REFERENCE, oci:FOLDER[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:REF].

Examples:
  cve-monitor scan debian:12 alpine:3.20
  cve-monitor scan --severity high+ --fixed-only registry.example/team/app:v1
  cve-monitor scan --sbom prefer registry.example/team/app:v1
  cve-monitor scan --advisories ./advisories --offline docker-archive:app.tar
  cve-monitor scan --format json app:v1 | jq .Verdict

Exit codes:
  0  looked at everything that was named; whatever was found (without --fail-on)
  1  an image could not be looked at
  2  the command line or the configuration is wrong
  3  --fail-on: something of that severity or worse was found
  4  --fail-on or --fail-on-incomplete: nothing to fail on was found, but a look was not complete";

/// Look into images and print what is found.
///
/// Layers are read once: a second look at a known image reads none.
#[derive(Debug, Args)]
#[command(after_help = SCAN_HELP)]
pub struct Scan {
    /// The images
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<ImageSource>,
    /// Where advisories come from instead of those configured: a folder, a .zip or an address; repeatable
    #[arg(long, value_name = "DIR|ZIP|URL")]
    pub advisories: Vec<AdvisorySource>,
    /// Of an image for several platforms, look at these only, as in linux/arm64; repeatable or divided by commas
    #[arg(long, value_name = "OS/ARCH", value_parser = values::platform, value_delimiter = ',')]
    pub platform: Vec<Platform>,
    /// Show only these: a list as in critical,high, or the least as in high+; changes neither verdict nor exit code
    #[arg(long, value_name = "LIST|LEAST+")]
    pub severity: Option<SeverityFilter>,
    /// Show only what a published version fixes; changes neither verdict nor exit code
    #[arg(long)]
    pub fixed_only: bool,
    /// Exit with 3 where something of this severity or worse is found, with 4 where the look was not complete
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// Exit with 4 where the look was not complete
    #[arg(long)]
    pub fail_on_incomplete: bool,
    /// Judge dates, such as the end of a distribution's support, as of this date
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<Timestamp>,
    /// What to do with an SBOM that is attached to an image: ignore, prefer, require [config: scanner.sbom]
    #[arg(long, value_name = "USE", value_parser = SbomUse::read)]
    pub sbom: Option<SbomUse>,
    /// Do not fetch advisories: use what is here already. Images named by reference are still read from their registry
    #[arg(long)]
    pub offline: bool,
    /// How to print: a table, or the reports as JSON, one a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Speak plain HTTP with the registries of the images
    #[arg(long)]
    pub insecure: bool,
}

const INVENTORY_HELP: &str = "\
An image is named as for `scan`. Layers are read once; nothing is judged, and no advisories are needed.

Examples:
  cve-monitor inventory debian:12
  cve-monitor inventory --format cyclonedx app:v1 > app.cdx.json
  cve-monitor inventory --format json app:v1 | jq '.packages[] | select(.kind == \"npm\")'";

/// List what is in an image: packages, as a table, JSON, CycloneDX or SPDX.
#[derive(Debug, Args)]
#[command(after_help = INVENTORY_HELP)]
pub struct Inventory {
    /// The image
    #[arg(value_name = "IMAGE")]
    pub image: ImageSource,
    /// Of an image for several platforms, look at this one, as in linux/arm64 [default: that of this machine]
    #[arg(long, value_name = "OS/ARCH", value_parser = values::platform)]
    pub platform: Option<Platform>,
    /// What to do with an SBOM that is attached to an image: ignore, prefer, require [config: scanner.sbom]
    #[arg(long, value_name = "USE", value_parser = SbomUse::read)]
    pub sbom: Option<SbomUse>,
    /// The date that the document carries instead of now
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<Timestamp>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: InventoryFormat,
    /// Speak plain HTTP with the registry of the image
    #[arg(long)]
    pub insecure: bool,
}

/// How an inventory is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum InventoryFormat {
    /// For people
    #[default]
    Table,
    /// All that was read, as one JSON object an image
    Json,
    /// CycloneDX 1.6, JSON
    Cyclonedx,
    /// SPDX 2.3, JSON
    Spdx,
}

const WATCH_HELP: &str = "\
Runs until it is interrupted; a second interrupt does not wait for the work in flight, which is done again at the next start.

Examples:
  cve-monitor watch
  cve-monitor watch --listen 0.0.0.0:8080 --log-format json";

/// Look after the configured registries: receive notifications, scan, follow new advisories.
#[derive(Debug, Args)]
#[command(after_help = WATCH_HELP)]
pub struct Watch {
    /// Where push notifications are received [config: watch.listen]
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Do not compare with the registries: rely on notifications alone
    #[arg(long)]
    pub no_reconcile: bool,
}

const RECONCILE_HELP: &str = "\
Examples:
  cve-monitor reconcile --dry-run              list what would be queued, and why
  cve-monitor reconcile --registry ghcr.io";

/// Compare the registries with what is known, and queue what is missing.
///
/// The first round is how a registry's existing images come in. It can be interrupted and goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = RECONCILE_HELP)]
pub struct Reconcile {
    /// List what would be queued, and queue nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Only these of the configured registries; repeatable
    #[arg(long, value_name = "NAME")]
    pub registry: Vec<RegistryName>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
