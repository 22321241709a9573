//! What is allowed, and what whoever has configured it should know.

use cve_monitor_adapters::clair::v2::{NOTIFICATIONS, Proof};

use super::super::{Config, Queue, RegistryAt, ScannerSettings, StoreAt, write_duration};

pub(super) fn notes(config: &Config) -> Vec<String> {
    let mut notes = vec![];
    if config.registries.is_empty() {
        notes.push("no [[registry]]: only `cve-monitor scan` has something to do".to_owned());
    }
    if config.watch.webhook_token.is_none() && !config.watch.listen.ip().is_loopback() {
        notes.push(
            "watch.listen is reachable from outside and there is no watch.webhook_token_file: anyone may ask for scans"
                .to_owned(),
        );
    }
    notes.extend(of_the_scanner(config));
    notes.extend(of_one_machine(config));
    notes.extend(of_aws(config));
    notes
}

/// What the choice of the scanner means.
fn of_the_scanner(config: &Config) -> Vec<String> {
    match &config.scanner {
        ScannerSettings::Embedded(_) if config.advisories.sources.is_empty() => {
            vec!["advisories.sources is empty: nothing will ever be found".to_owned()]
        }
        ScannerSettings::Embedded(_) => vec![],
        ScannerSettings::ClairV4(clair) if clair.psk.is_none() && !clair.webhook_unsigned => vec![format!(
            "there is no clair.psk_file: Clair's bells are refused, its changes are seen every {}",
            write_duration(clair.poll)
        )],
        ScannerSettings::ClairV4(_) => vec![],
        ScannerSettings::ClairV2(clair) => {
            let proof = if clair.assume_ready { Proof::Word } else { Proof::Metrics };
            let address =
                format!("its notifications are received at {}{}", config.watch.listen, clair.webhook_path);
            vec![address, NOTIFICATIONS.to_owned(), proof.means().to_owned()]
        }
    }
}

/// What ties the programs to one machine while something else of them could be shared by many.
fn of_one_machine(config: &Config) -> Option<String> {
    let local = config.tied_to_this_machine();
    (!local.is_empty())
        .then(|| format!("{}: ingest, notifier and reconciler have to run on this machine", local.join("; ")))
}

/// What is not done on AWS.
fn of_aws(config: &Config) -> Vec<String> {
    let mut notes = vec![];
    if let StoreAt::DynamoDb { archive, .. } = &config.store.at {
        notes.push(format!(
            "retention.report_bodies is not applied: nothing is removed from s3://{}, and no lifecycle rule of \
             its own may remove the latest body of an image",
            archive.name
        ));
    }
    if config.queue != Queue::Sqlite {
        notes.push(
            "retention.dead_letters is not applied: SQS removes dead letters when their queue's retention says so"
                .to_owned(),
        );
    } else {
        let unheard = config.registries.iter().filter(|registry| matches!(registry.at, RegistryAt::Ecr(_)));
        notes.extend(unheard.map(|registry| {
            format!(
                "{} announces its pushes through SQS alone: without queue.kind = \"sqs\" they are found by comparing",
                registry.name
            )
        }));
    }
    notes
}
