//! Everything of one run: the backends, the programs, and the judgement at the end.

#[path = "stage/s3.rs"]
mod s3;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use cve_monitor_adapters::aws::dynamodb::DynamoEventStore;
use cve_monitor_adapters::embedded::{Database, SqliteEventStore};
use cve_monitor_core::ports::EventStore;
use cve_monitor_core::vocabulary::ImageId;
use serde_json::Value;
use xtask::aws::Emulator;

use crate::bench::chance::{Chance, number};
use crate::bench::oracle::{Contents, json_lines, latest, repeated, scanned};
use crate::bench::{Bench, until};
use crate::crew::Crew;
use crate::disk::Disk;
use crate::faults::Faults;
use crate::gate;
use crate::ledger;
use crate::line::Line;
use crate::world::{REPOSITORY, World};
use s3::Bucket;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");
const SECONDS: u64 = 60;
const SEED: u64 = 7;
/// The longest pause between two happenings, in milliseconds.
const LONGEST_PAUSE: u64 = 600;
/// Of so many happenings one comes with a fault.
const ONE_FAULT_IN: u64 = 3;
/// How long the last report may take once everything is mended: an image that has failed again and again waits longer each
/// time before it is tried once more.
const QUIET_WITHIN: Duration = Duration::from_secs(1200);
/// How many dead letters are printed, at most.
const SHOWN: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

pub(crate) struct Stage {
    // Ends in this order.
    crew: Crew,
    faults: Faults,
    world: World,
    bench: Bench,
    variables: Vec<(&'static str, String)>,
    /// Where pushes are announced.
    announce_at: SocketAddr,
    /// Where reports are, if not in the folder.
    s3: Option<Bucket>,
}

/// An address that nobody listens on at the moment.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Stage {
    /// One SQLite file and a folder of reports, on a disk of their own where this user may mount one.
    pub(crate) fn on_one_machine() -> Result<Self, String> {
        let bench = Bench::new("");
        let folder = bench.path("disk");
        std::fs::create_dir(&folder).unwrap();
        let disk = Disk::mount(&folder).inspect_err(|why| println!("no disk is filled: {why}")).ok();
        let store = folder.join("state.db").display().to_string();
        std::os::unix::fs::symlink(folder.join("reports"), bench.path("reports")).unwrap();
        Ok(Self::raise(bench, vec![("CVE_MONITOR_STORE_PATH", store)], vec![], disk, None))
    }

    /// What stands in for AWS, behind a line that can be cut.
    pub(crate) fn on_aws() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let installed = Emulator::Moto.install(&root)?;
        let moto = Emulator::Moto.start(&installed).unwrap_or_else(|problem| panic!("{problem}"));
        let line = Line::to(gate::before(moto.address));
        let text = |text: &str| text.to_owned();
        let variables = vec![
            ("AWS_ACCESS_KEY_ID", text("testing")),
            ("AWS_SECRET_ACCESS_KEY", text("testing")),
            ("CVE_MONITOR_AWS_REGION", text("eu-west-1")),
            ("CVE_MONITOR_AWS_ENDPOINT_URL", format!("http://{}", line.address)),
            ("CVE_MONITOR_STORE_KIND", text("dynamodb")),
            ("CVE_MONITOR_STORE_ARCHIVE_BUCKET", text("archive")),
            ("CVE_MONITOR_STORE_ONE_MACHINE", text("true")),
            ("CVE_MONITOR_QUEUE_KIND", text("sqs")),
            ("CVE_MONITOR_REPORTS_KIND", text("s3")),
            ("CVE_MONITOR_REPORTS_BUCKET", text(s3::REPORTS)),
        ];
        let bench = Bench::new("");
        let made = bench.run_with(PROGRAM, &["aws", "init"], &variables);
        assert!(made.status.success(), "{made:?}");
        Ok(Self::raise(bench, variables, vec![line], None, Some(Bucket::of(moto))))
    }

    fn raise(
        bench: Bench,
        variables: Vec<(&'static str, String)>,
        mut lines: Vec<Line>,
        disk: Option<Disk>,
        s3: Option<Bucket>,
    ) -> Self {
        let (world, announce_at) = (World::raise(&bench), free());
        lines.push(Line::to(world.address()));
        let registry = lines[lines.len() - 1].address;
        bench.configure(&format!(
            "wait = \"1s\"\n[watch]\nlisten = \"{announce_at}\"\n[reconcile]\nevery = \"60s\"\n\
             [[registry]]\nname = \"{registry}\"\ninsecure = true\n"
        ));
        let crew = Crew::start(&bench, variables.clone());
        let faults = Faults::of(lines, disk);
        Self { crew, faults, world, bench, variables, announce_at, s3 }
    }

    /// Lets things happen, mends everything, and judges.
    pub(crate) fn play(mut self) {
        let seed = number("CVE_MONITOR_SOAK_SEED", SEED);
        let seconds = number("CVE_MONITOR_SOAK_SECONDS", SECONDS);
        let (mut chance, began) = (Chance(seed), Instant::now());
        while began.elapsed() < Duration::from_secs(seconds) {
            let changes = self.world.happened.changes;
            self.world.go_on(&self.bench, &mut chance, self.announce_at);
            if self.world.happened.changes > changes {
                // May fail, as everything may: the next one brings in what there is then.
                let _ = self.run(&["advisories", "update"]);
            }
            if chance.below(ONE_FAULT_IN) == 0 {
                self.faults.strike(&self.bench, &mut chance, &mut self.crew);
            }
            std::thread::sleep(Duration::from_millis(chance.below(LONGEST_PAUSE)));
            self.faults.heal(&self.crew);
            self.crew.look_after(&self.bench);
        }
        self.faults.heal_all(&self.crew);
        self.judge(seed, seconds);
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.bench.run_with(PROGRAM, arguments, &self.variables);
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn reports(&self) -> Vec<Value> {
        self.s3.as_ref().map_or_else(|| self.bench.reports(), Bucket::reports)
    }

    fn judge(mut self, seed: u64, seconds: u64) {
        self.bench.advisories("second");
        until("the advisories are brought in", || self.run(&["advisories", "update"]).is_ok());
        let once = |stage: &Self| {
            let reconciler = env!("CARGO_BIN_EXE_reconciler");
            stage.bench.run_with(reconciler, &["--once"], &stage.variables).status.success()
        };
        let (wanted, live) = (self.expected(), self.world.live());
        assert_eq!(wanted.len(), live.len());
        let of_live = |reports: Vec<Value>| -> Contents {
            latest(reports).into_iter().filter(|(image, _)| live.contains(image)).collect()
        };
        until("a whole comparison with the registry", || once(&self));
        let mended = Instant::now();
        while of_live(self.reports()) != wanted {
            if mended.elapsed() > QUIET_WITHIN {
                self.complain(&lost(&of_live(self.reports()), &wanted));
            }
            self.crew.look_after(&self.bench);
            std::thread::sleep(BETWEEN_LOOKS);
        }
        println!("everything was said {} s after all was mended", mended.elapsed().as_secs());
        until("every lane is empty", || {
            let lanes = json_lines(&self.run(&["queue", "stats", "--format", "json"]).unwrap_or_default());
            lanes.len() == 3 && lanes.iter().all(|lane| lane["ready"] == 0 && lane["leased"] == 0)
        });
        self.reckon();
        let reports = self.reports();
        let (lost, twice) = (lost(&of_live(reports.clone()), &wanted), repeated(reports.clone()));
        let letters = json_lines(&self.run(&["queue", "dead", "--format", "json"]).unwrap());
        let mut reasons = BTreeMap::<&str, usize>::new();
        for letter in &letters {
            let reason = letter["reason"].as_str().filter(|reason| !reason.is_empty());
            *reasons.entry(reason.unwrap_or_else(|| panic!("no reason: {letter}"))).or_default() += 1;
        }
        self.tell(seed, seconds, reports.len(), (lost.len(), twice.len(), &reasons));
        letters.iter().take(SHOWN).for_each(|letter| println!("{letter}"));
        assert_eq!((&lost[..], &twice[..]), (&[][..], &[][..]), "lost, and said twice");
        self.crew.assert_flat();
        for name in ["reconciler", "notifier", "ingest", "ingest-survivor"] {
            assert_eq!(self.crew.stop(name), Some(0), "{name}");
        }
    }

    /// What the events say of deletions is what was done, and no image has a report that is later than its deletion.
    fn reckon(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (store, registry) = (self.store(), self.registry());
        let (mut gone, mut noticed, mut wrong) = (0, 0, vec![]);
        for (digest, fate) in self.world.fates() {
            let image: ImageId = format!("{registry}/{REPOSITORY}@{digest}").parse().unwrap();
            let facts = runtime.block_on(ledger::facts(&*store, &image));
            let (is_gone, problems) = ledger::reckon(fate, &facts);
            gone += u64::from(!fate.is_there);
            noticed += u64::from(is_gone);
            wrong.extend(problems.into_iter().map(|problem| format!("{image} {problem}: {facts:?}")));
        }
        println!("{gone} images are gone, {noticed} of them count as deleted");
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(gone == 0 || noticed > 0, "no deletion was noticed");
    }

    /// The events, as they are kept.
    fn store(&self) -> Box<dyn EventStore> {
        match &self.s3 {
            Some(bucket) => Box::new(DynamoEventStore::new(&bucket.emulator(), "cve-monitor")),
            None => {
                let database = Database::open(self.bench.path("disk/state.db")).unwrap();
                Box::new(SqliteEventStore::new(database))
            }
        }
    }

    /// Ends with what is known of images that lack their last report.
    fn complain(&self, images: &[String]) {
        let registry = self.registry();
        for image in images {
            let asked = format!("{registry}/{REPOSITORY}@{image}");
            let told = self.run(&["history", &asked]).map(|told| String::from_utf8_lossy(&told).into_owned());
            println!("{}", told.unwrap_or_else(|problem| problem));
        }
        panic!("not within {} s: the last reports of {images:?}", QUIET_WITHIN.as_secs());
    }

    /// As programs know it.
    fn registry(&self) -> SocketAddr {
        self.faults.lines[self.faults.lines.len() - 1].address
    }

    /// What a scan by itself says of what the registry has now.
    fn expected(&self) -> Contents {
        let registry = self.registry();
        let images: Vec<String> =
            self.world.live().iter().map(|digest| format!("{registry}/{REPOSITORY}@{digest}")).collect();
        let source = self.bench.path("source").display().to_string();
        let mut arguments = vec!["scan", "--format", "json", "--advisories", &source];
        arguments.extend(images.iter().map(String::as_str));
        scanned(&self.bench.run(PROGRAM, &arguments).stdout)
    }

    fn tell(
        &self,
        seed: u64,
        seconds: u64,
        reports: usize,
        (lost, twice, letters): (usize, usize, &BTreeMap<&str, usize>),
    ) {
        let (happened, counted) = (&self.world.happened, &self.faults.counted);
        let [memory, files] = self.crew.most();
        println!(
            "seed {seed}, {seconds} s: {} pushes, {} deletions, {} changes of the advisories; {} announcements \
             taken, {} lost; {reports} reports out\n\
             {} kills, {} stops, {} cuts, {} times a full disk, {} ends by themselves\n\
             lost {lost}, duplicates {twice}, dead letters {letters:?}\n\
             memory at most {} MiB in the first quarter, {} MiB after; open files {}, {}",
            happened.pushes,
            happened.deletions,
            happened.changes,
            happened.announced,
            happened.unannounced,
            counted.kills,
            counted.stops,
            counted.cuts,
            counted.disk_full,
            self.crew.ended,
            memory[0] / 1024,
            memory[1] / 1024,
            files[0],
            files[1],
        );
    }
}

/// The images whose last report is not what it should be.
fn lost(found: &Contents, wanted: &Contents) -> Vec<String> {
    wanted
        .iter()
        .filter(|(image, content)| found.get(*image) != Some(*content))
        .map(|(i, _)| i.clone())
        .collect()
}
