//! Every combination of store, queue, reports, scanner and registry that the configuration can name is put together, and
//! each of its rooms answers. The kinds are the configuration's own lists: one more kind, and it is here.
//!
//! What is on AWS needs moto: where it cannot be raised, those combinations are *ignored*.

#[path = "../../fakes/clair_v2.rs"]
#[expect(dead_code, unused_imports, reason = "other tests use more of it")]
mod fake_clair_v2;
mod rooms;
mod stage;

use std::path::Path;
use std::process::{Command, ExitCode};

use cve_monitor_bins::config::{QueueKind, RegistryKind, ReportsKind, ScannerKind, StoreKind};
use cve_monitor_bins::wiring::{Resources, System};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use xtask::aws::Emulator;

use stage::Stage;

/// One of each.
#[derive(Debug, Clone, Copy)]
struct Combination {
    store: StoreKind,
    queue: QueueKind,
    reports: ReportsKind,
    scanner: ScannerKind,
    registry: RegistryKind,
}

impl Combination {
    fn all() -> impl Iterator<Item = Self> {
        let kinds =
            StoreKind::ALL.iter().flat_map(|store| QueueKind::ALL.iter().map(move |queue| (store, queue)));
        let kinds = kinds.flat_map(|(s, q)| ReportsKind::ALL.iter().map(move |reports| (s, q, reports)));
        let kinds =
            kinds.flat_map(|(s, q, r)| ScannerKind::ALL.iter().map(move |scanner| (s, q, r, scanner)));
        kinds.flat_map(|(&store, &queue, &reports, &scanner)| {
            let with = move |&registry| Self { store, queue, reports, scanner, registry };
            RegistryKind::ALL.iter().map(with)
        })
    }

    fn name(self) -> String {
        let Self { store, queue, reports, scanner, registry } = self;
        let (store, queue, reports) = (store.as_str(), queue.as_str(), reports.as_str());
        format!("boots::{store}+{queue}+{reports}+{}+{}", scanner.as_str(), registry.as_str())
    }

    /// Whether queues, tables or buckets are needed.
    fn needs_aws(self) -> bool {
        self.store == StoreKind::DynamoDb || self.queue == QueueKind::Sqs || self.reports == ReportsKind::S3
    }

    /// Whether anything is kept in a SQLite file.
    fn needs_file(self) -> bool {
        self.store == StoreKind::Sqlite
            || self.queue == QueueKind::Sqlite
            || self.scanner == ScannerKind::Embedded
    }
}

async fn boots(combination: Combination, number: usize, aws: Option<String>) {
    let stage = Stage::raise(combination, number, aws.as_deref()).await;
    let loaded = stage.loaded();
    if combination.needs_aws() {
        let named = Resources::of(&loaded.config).names();
        let mut made = vec![];
        for kind in Resources::of(&loaded.config).make().await.expect("a region") {
            let all = kind.made.unwrap_or_else(|problem| panic!("{problem}"));
            made.extend(all.into_iter().map(|one| (kind.kind, one.name)));
        }
        made.sort();
        let mut expected = named;
        expected.sort();
        assert_eq!(made, expected, "a dry run names what is made");
    }
    let system = System::open(&loaded).await.unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(system.database.is_some(), combination.needs_file());
    rooms::answer(&system.ports, &stage).await;
}

/// moto's address; or why there is none.
fn moto() -> Result<String, String> {
    let installed = Emulator::Moto.install(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))?;
    Ok(Emulator::Moto.shared(&installed).unwrap_or_else(|problem| panic!("{problem}")))
}

fn trial(combination: Combination, number: usize) -> Trial {
    Trial::ignorable_test(combination.name(), move || {
        let aws = match combination.needs_aws().then(moto).transpose() {
            Ok(aws) => aws,
            Err(why) => return Ok(Completion::ignored_with(why)),
        };
        tokio::runtime::Runtime::new()?.block_on(boots(combination, number, aws));
        Ok(Completion::Completed)
    })
}

/// A second look at what is there already makes nothing and changes nothing.
fn made_twice() -> Result<Completion, Failed> {
    let aws = match moto() {
        Ok(aws) => aws,
        Err(why) => return Ok(Completion::ignored_with(why)),
    };
    let on_aws = |c: &Combination| {
        c.store == StoreKind::DynamoDb && c.queue == QueueKind::Sqs && c.reports == ReportsKind::S3
    };
    let combination = Combination::all().find(on_aws).ok_or("no combination is on AWS")?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let stage = Stage::raise(combination, usize::MAX, Some(&aws)).await;
        let loaded = stage.loaded();
        for existed in [false, true] {
            for kind in Resources::of(&loaded.config).make().await.expect("a region") {
                let made = kind.made.unwrap_or_else(|problem| panic!("{problem}"));
                assert!(!made.is_empty() && made.iter().all(|one| one.existed == existed), "{made:?}");
            }
        }
    });
    Ok(Completion::Completed)
}

/// The SDK takes credentials from the environment, which a process cannot change for itself.
fn main() -> ExitCode {
    const KEY: (&str, &str) = ("AWS_ACCESS_KEY_ID", "testing");
    if std::env::var(KEY.0).as_deref() != Ok(KEY.1) {
        let program = std::env::current_exe().expect("this program");
        let mut again = Command::new(program);
        again.args(std::env::args_os().skip(1)).env(KEY.0, KEY.1).env("AWS_SECRET_ACCESS_KEY", KEY.1);
        again.env("AWS_EC2_METADATA_DISABLED", "true");
        for variable in
            ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"]
        {
            again.env_remove(variable);
        }
        for variable in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            again.env(variable, "/dev/null");
        }
        return match again.status() {
            Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
            Err(error) => panic!("{error}"),
        };
    }
    let arguments = Arguments::from_args();
    let trials = Combination::all().enumerate().map(|(number, combination)| trial(combination, number));
    let twice = Trial::ignorable_test("boots::what_is_there_is_left_alone", made_twice);
    libtest_mimic::run(&arguments, trials.chain([twice]).collect()).exit_code()
}
