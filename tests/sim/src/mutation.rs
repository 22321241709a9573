//! Pipelines that are broken on purpose, by ports that do what a careless program would: the oracle must catch each.

mod asking;
mod keeping;
mod queue;
mod store;

use std::sync::Arc;

use cve_monitor_core::pipeline::{IngestSettings, Ports, Registries};
use cve_monitor_core::ports::{ChangeFeed, Scanner};

use self::asking::{BrokenFeed, BrokenRegistry, BrokenScanner};
use self::keeping::{BrokenArchive, BrokenIndex, BrokenSink, HeldKeys};
use self::queue::{BrokenQueue, HeldRequests};
use self::store::BrokenStore;
use crate::stage::Role;
use crate::world::World;

macro_rules! mutations {
    ($($(#[doc = $told:literal])+ $name:ident,)+) => {
        /// What is broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutation {
            $($(#[doc = $told])+ $name,)+
        }

        impl Mutation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// What it does, for people.
            #[must_use]
            pub fn told(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($told),+).trim_ascii(),)+
                }
            }
        }
    };
}

mutations! {
    /// A message is acknowledged when it is received.
    AcknowledgeOnReceipt,
    /// A message about an image that is in hand already is acknowledged at once.
    AcknowledgeWhenBusy,
    /// A message about an image that was looked at lately is acknowledged at once.
    MergeByImage,
    /// A message that was received before is taken for a duplicate, although it came back because nobody finished it.
    AnswerEachIdOnce,
    /// The cursor moves before the requests of the fan-out are queued.
    CursorBeforeFanOut,
    /// A batch that failed half way is taken for sent.
    HalfABatchIsSent,
    /// What is given up leaves no letter.
    BuryWithoutALetter,
    /// Attempts are counted by the queue.
    AttemptsOfTheQueue,
    /// An append that conflicts is made at the new version instead.
    AppendAtAnyVersion,
    /// An append whose answer is an error is taken for done.
    AppendUnheard,
    /// Nobody wakes what is due.
    NobodyWakes,
    /// Heads are read up to the first page.
    FirstPageOfHeads,
    /// A report is delivered before an event names it.
    DeliverBeforeAppend,
    /// The body is archived after the event that names it.
    BodyAfterTheEvent,
    /// What another process has rendered is rendered anew for its delivery.
    FreshBodyAfterACrash,
    /// Delivered is said before the sink has the report.
    DeliveredUnheard,
    /// The keys are recorded after the image was assessed.
    KeysAfterTheScan,
    /// The keys that only indexing tells are left out.
    KeysOfTheManifestAlone,
    /// The images of a key are read up to the first page.
    FirstPageOfImages,
    /// An answer that is older than the request asks for is accepted.
    AnswerBehindTheFeed,
    /// An assessment does not ask how far the feed was followed.
    AssessUnawareOfTheFeed,
    /// A scanner that is loading is taken to have found nothing.
    LoadingIsClean,
    /// What cannot be read is passed over.
    UnreadIsClean,
    /// What no listing names is taken for deleted.
    GoneByAbsence,
    /// Whatever the registry refuses is taken for deleted.
    RefusedIsGone,
    /// The feed tells the difference between the cursor and the newest state.
    NetDifference,
    /// A gap is passed over.
    GapPassedOver,
    /// Candidates are read up to the first page.
    FirstPageOfCandidates,
}

impl Mutation {
    /// Breaks the ports of one process.
    pub(crate) fn breaks(
        self,
        world: &Arc<World>,
        role: Role,
        ports: &mut Ports,
        feed: &mut Arc<dyn ChangeFeed>,
        settings: &mut IngestSettings,
    ) {
        let requests: HeldRequests = Arc::default();
        let keys: HeldKeys = Arc::default();
        match self {
            Self::AttemptsOfTheQueue => settings.max_deliveries = 1,
            Self::AssessUnawareOfTheFeed => {
                if let Role::Ingest(_) = role {
                    ports.feed = None;
                }
            }
            Self::NetDifference | Self::GapPassedOver | Self::FirstPageOfCandidates => {
                *feed = Arc::new(BrokenFeed::new(Arc::clone(feed), self, world));
            }
            Self::GoneByAbsence | Self::RefusedIsGone => {
                let names: Vec<_> = ports.registries.names().cloned().collect();
                let broken = names
                    .iter()
                    .filter_map(|name| ports.registries.get(name))
                    .map(|registry| Arc::new(BrokenRegistry::new(Arc::clone(registry), self)) as _);
                ports.registries = Registries::new(broken.collect::<Vec<_>>());
            }
            _ => {}
        }
        let queue = BrokenQueue::new(Arc::clone(&ports.queue), self, world, &requests);
        let index = BrokenIndex::new(Arc::clone(&ports.index), self, &keys);
        let archive = BrokenArchive::new(Arc::clone(&ports.archive), self, &ports.sinks);
        let scanner: Arc<dyn Scanner> = Arc::new(BrokenScanner::new(
            Arc::clone(&ports.scanner),
            self,
            world,
            Arc::clone(&ports.index),
            &keys,
        ));
        ports.store =
            Arc::new(BrokenStore::new(Arc::clone(&ports.store), self, Arc::clone(&ports.queue), &requests));
        let sinks = ports.sinks.iter().map(|sink| Arc::new(BrokenSink::new(Arc::clone(sink), self)) as _);
        ports.sinks = sinks.collect();
        (ports.queue, ports.index, ports.archive, ports.scanner) =
            (Arc::new(queue), Arc::new(index), Arc::new(archive), scanner);
    }
}
