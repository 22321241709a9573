//! The processes of an installation: each has adapters of its own on what all share.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use cve_monitor_adapters::Secret;
use cve_monitor_adapters::aws::assume_role::{RoleSettings, assume_role};
use cve_monitor_adapters::aws::dynamodb::{DynamoEventStore, DynamoLayerIndex};
use cve_monitor_adapters::aws::ecr_registry::{EcrRegistry, EcrSettings};
use cve_monitor_adapters::aws::s3::{S3Archive, S3Sink};
use cve_monitor_adapters::aws::sqs_queue::{SqsQueue, SqsSettings};
use cve_monitor_adapters::embedded::advisories::{AdvisoryStore, EmbeddedFeed};
use cve_monitor_adapters::embedded::{Database, EmbeddedScanner};
use cve_monitor_core::pipeline::{
    Ingest, IngestSettings, Notifier, Ports, Pump, ReconcileMode, ReconcileSettings, Reconciler, Registries,
    Scope, history,
};
use cve_monitor_core::ports::{ChangeFeed, Registry};
use cve_monitor_core::vocabulary::{ImageId, Lane, RegistryName};
use cve_monitor_terraform::rights::Program;

use crate::clock::SkippingClock;
use crate::stage::{EXTERNAL_ID, Stage, registry_name, role};

/// How long a message is hidden from others while nobody says that it is worked on. A message whose end was not heard
/// comes back after that, and has to be waited for.
const LEASE: Duration = Duration::from_secs(5);
/// Between two looks at what is left.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// How long everything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(240);
/// Further than any wait of ours reaches.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A machine with each of the programs, and somebody who looks: all of them with what is theirs, and names of their own in
/// their calls.
pub(crate) struct Worker {
    /// Who looks.
    pub(crate) ports: Arc<Ports>,
    ingest: Arc<Ports>,
    notifier: Arc<Ports>,
    reconciler: Arc<Ports>,
    pub(crate) scanner: Arc<EmbeddedScanner>,
    feed: Arc<EmbeddedFeed>,
    clock: Arc<SkippingClock>,
}

impl Worker {
    pub(crate) async fn start(stage: &Stage) -> Self {
        // A file and a folder that several processes of a machine have open.
        let database = Database::open(stage.folder.path().join("scanner.db")).unwrap();
        let advisories = AdvisoryStore::open(stage.advisory_folder()).unwrap();
        let at_work = stage.config_of(Program::Ingest);
        let registries = registries(stage, &at_work).await;
        let scanner = EmbeddedScanner::new(database.clone(), advisories.clone(), registries.clone());
        let (scanner, feed) = (Arc::new(scanner), Arc::new(EmbeddedFeed::new(database, advisories)));
        let of = |program| ports(stage, stage.config_of(program), Arc::clone(&scanner), &feed);
        Self {
            ports: of(Program::Commands).await,
            ingest: of(Program::Ingest).await,
            notifier: of(Program::Notifier).await,
            reconciler: of(Program::Reconciler).await,
            clock: Arc::clone(&stage.clock),
            scanner: Arc::clone(&scanner),
            feed: Arc::clone(&feed),
        }
    }

    /// Works until nothing can be received.
    pub(crate) async fn empty_the_queue(&self) {
        let settings = IngestSettings { concurrency: 4, lease: LEASE, ..IngestSettings::default() };
        Ingest::new(Arc::clone(&self.ingest), settings).run_until_idle().await;
    }

    /// Works until nothing is left, in the queue or in waits of images: those are skipped.
    pub(crate) async fn work(&self) {
        let work = async {
            loop {
                self.empty_the_queue().await;
                self.clock.skip(A_DAY);
                let woken = Pump::new(Arc::clone(&self.notifier)).round().await;
                match (woken, self.left().await) {
                    (Ok(0), Some(0)) => return,
                    _ => tokio::time::sleep(BETWEEN_LOOKS).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, work).await.expect("it comes to an end");
    }

    /// Messages in the lanes, hidden ones as well; none where a call failed.
    async fn left(&self) -> Option<u64> {
        let mut left = 0;
        for lane in Lane::ALL {
            let depth = self.ports.queue.depth(lane).await.ok()?;
            left += depth.ready + depth.leased;
        }
        Some(left)
    }

    /// Follows the feed, again where a call failed, until a look finds nothing new.
    pub(crate) async fn follow(&self) {
        let notifier =
            Notifier::new(Arc::clone(&self.notifier), Arc::clone(&self.feed) as Arc<dyn ChangeFeed>);
        let follow = async {
            while let Err(error) = notifier.follow().await {
                println!("following: {error}");
            }
        };
        tokio::time::timeout(PATIENCE, follow).await.expect("the feed is followed");
    }

    /// Queues what a registry lists and we do not know.
    pub(crate) async fn reconcile(&self, name: &RegistryName) {
        let reconciler = Reconciler::new(Arc::clone(&self.reconciler), ReconcileSettings::default());
        reconciler.round(name, ReconcileMode::Apply, &mut |_, _| {}).await.unwrap();
    }

    /// How many reports an image has, each delivered once.
    pub(crate) async fn reports(&self, image: &ImageId) -> usize {
        let series = history(&self.ports, image).await.unwrap();
        assert!(series.iter().all(|entry| entry.delivered.len() == 1), "{image}: {series:?}");
        series.len()
    }

    /// Messages that were given up.
    pub(crate) async fn dead_letters(&self) -> usize {
        self.ports.queue.dead_letters(None, 100).await.unwrap().items.len()
    }
}

async fn ports(
    stage: &Stage,
    config: SdkConfig,
    scanner: Arc<EmbeddedScanner>,
    feed: &EmbeddedFeed,
) -> Arc<Ports> {
    Arc::new(Ports {
        store: Arc::new(DynamoEventStore::new(&config, &stage.prefix)),
        queue: Arc::new(queue(stage, &config).await),
        index: Arc::new(DynamoLayerIndex::new(&config, &stage.prefix)),
        archive: Arc::new(S3Archive::new(&config, stage.archive())),
        scanner,
        registries: registries(stage, &config).await,
        sinks: vec![Arc::new(S3Sink::new(&config, stage.lake()))],
        scope: Scope::default(),
        feed: Some(feed.name()),
        clock: Arc::clone(&stage.clock) as _,
    })
}

async fn queue(stage: &Stage, config: &SdkConfig) -> SqsQueue {
    loop {
        let settings = SqsSettings { prefix: stage.prefix.clone() };
        match SqsQueue::open(config, settings, Arc::clone(&stage.clock) as _).await {
            Ok(queue) => return queue,
            // As a program does that is started while something is away.
            Err(error) => println!("opening: {error}"),
        }
    }
}

async fn registries(stage: &Stage, config: &SdkConfig) -> Registries {
    let mut registries = stage.others.clone();
    for home in &stage.homes {
        registries.push(registry(config, *home).await);
    }
    Registries::new(registries)
}

async fn registry(config: &SdkConfig, home: (&'static str, &'static str)) -> Arc<dyn Registry> {
    let (account, region) = home;
    let role = RoleSettings {
        arn: role(account),
        external_id: Some(Secret::new(EXTERNAL_ID.to_owned())),
        session_name: "scenario".to_owned(),
    };
    let config = assume_role(config, &role, region).await;
    Arc::new(EcrRegistry::new(&config, EcrSettings::new(registry_name(home))).unwrap())
}
