//! Advisories as they are needed: which ecosystems a mirror is asked for, what images wait for, and what stands in where
//! the mirror does not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use cve_monitor_adapters::embedded::advisories::{
    AdvisoryError, AdvisoryMirror, AdvisorySource, AdvisoryStore, Answer, Ask, Ecosystems, MirrorError,
    MirrorSettings, Order, Step, Updated,
};
use cve_monitor_adapters::embedded::{Database, EmbeddedScanner, needed_ecosystems};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{IndexRequest, Readiness, Registry, Scanner, ScannerError};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{Manifest, ReasonCode};
use tempfile::TempDir;

use crate::fake_server::{FakeServer, Reply};

/// What the mirror offers: a package of each ecosystem, with a flaw. None: it is out of order.
type Offer = Arc<Mutex<BTreeMap<&'static str, Option<&'static str>>>>;

struct Bench {
    server: FakeServer,
    offer: Offer,
    folder: TempDir,
    store: AdvisoryStore,
}

fn archive(ecosystem: &str, package: &str) -> Vec<u8> {
    let release = if ecosystem == "Debian" { "Debian:12" } else { ecosystem };
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("X-1.json", zip::write::SimpleFileOptions::default()).unwrap();
    write!(
        zip,
        r#"{{"id":"{ecosystem}-CVE-2026-1","modified":"2026-02-01T00:00:00Z","summary":"a flaw",
        "affected":[{{"package":{{"ecosystem":"{release}","name":"{package}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}},
        {{"package":{{"ecosystem":"PyPI","name":"shared"}},"versions":["1"]}}]}}"#
    )
    .unwrap();
    zip.finish().unwrap().into_inner()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Bench {
    async fn new(offered: &[(&'static str, &'static str)]) -> Self {
        let offer: Offer = Arc::new(Mutex::new(offered.iter().map(|(e, p)| (*e, Some(*p))).collect()));
        let offered = Arc::clone(&offer);
        let server = FakeServer::start(move |seen| {
            let ecosystem = seen.path().trim_start_matches("/osv/").trim_end_matches("/all.zip");
            match offered.lock().unwrap().get(ecosystem) {
                None => Reply::status(404),
                Some(None) => Reply::status(503),
                Some(Some(package)) if seen.header("if-none-match") == Some(*package) => Reply::status(304),
                Some(Some(package)) => Reply::ok(archive(ecosystem, package)).header("etag", *package),
            }
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let store = AdvisoryStore::open(folder.path().join("advisories")).unwrap();
        Self { server, offer, folder, store }
    }

    fn offers(&self, ecosystem: &'static str, package: Option<&'static str>) {
        self.offer.lock().unwrap().insert(ecosystem, package);
    }

    fn mirror(&self, offline: bool) -> AdvisoryMirror {
        let mut settings = MirrorSettings::new(self.folder.path().join("exports"));
        (settings.insecure, settings.offline) = (true, offline);
        AdvisoryMirror::new(settings).unwrap()
    }

    fn order(&self, ecosystems: Ecosystems) -> Order {
        let source = AdvisorySource::parse(&self.server.url("/osv")).unwrap();
        Order { sources: vec![source], ecosystems, ..Order::default() }
    }

    async fn update(&self, needed: &[&str], ask: Ask) -> Result<Updated, AdvisoryError> {
        let order = self.order(Ecosystems::AsNeeded(set(needed)));
        self.store.update(&self.mirror(false), &order, &ask, &|_| {}).await
    }

    /// What was asked for since the last time, with whether it was on condition.
    fn asked(&self, since: usize) -> Vec<(String, bool)> {
        let seen = self.server.seen();
        let of = |path: &str| path.trim_start_matches("/osv/").trim_end_matches("/all.zip").to_owned();
        seen[since..].iter().map(|s| (of(s.path()), s.header("if-none-match").is_some())).collect()
    }

    async fn ecosystems(&self) -> Vec<String> {
        let status = self.store.status().await.unwrap();
        status.map(|status| status.info.ecosystems.into_keys().collect()).unwrap_or_default()
    }
}

fn asked(names: &[(&str, bool)]) -> Vec<(String, bool)> {
    names.iter().map(|(name, conditional)| ((*name).to_owned(), *conditional)).collect()
}

#[tokio::test]
async fn only_what_is_needed_is_asked_for_and_what_is_known_already_is_not_compiled_again() {
    let bench = Bench::new(&[("Debian", "a"), ("Ubuntu", "u"), ("npm", "n")]).await;
    let none = bench.update(&[], Ask::All).await.unwrap();
    assert!(!none.changed && none.compiled.is_none() && none.coverage.as_needed);
    assert_eq!(bench.asked(0), []);

    let steps = Mutex::new(vec![]);
    let order = bench.order(Ecosystems::AsNeeded(set(&["Debian"])));
    let told = |step: Step<'_>| steps.lock().unwrap().push(format!("{step:?}"));
    let first = bench.store.update(&bench.mirror(false), &order, &Ask::All, &told).await.unwrap();
    assert!(first.changed && first.compiled.unwrap().records == 1);
    assert_eq!(bench.asked(0), asked(&[("Debian", false)]));
    for step in ["Asking", "Transferring", "Compiling"] {
        assert!(steps.lock().unwrap().iter().any(|told| told.starts_with(step)), "{step}");
    }

    let again = bench.update(&["Debian"], Ask::All).await.unwrap();
    assert!(!again.changed && again.compiled.is_none());
    assert_eq!(bench.asked(1), asked(&[("Debian", true)]));

    // Another image: what is there already stays, and is not asked for.
    let more = bench.update(&["npm"], Ask::Only(set(&["npm"]))).await.unwrap();
    assert!(more.changed && more.compiled.unwrap().records == 2);
    assert_eq!(bench.asked(2), asked(&[("npm", false)]));
    let both = bench.update(&[], Ask::All).await.unwrap();
    assert!(!both.changed && both.compiled.is_none());
    assert_eq!(bench.asked(3), asked(&[("Debian", true), ("npm", true)]));

    bench.offers("Debian", Some("b"));
    assert!(bench.update(&[], Ask::All).await.unwrap().changed);
}

#[tokio::test]
async fn what_an_export_says_of_another_ecosystem_does_not_cover_that_one() {
    let bench = Bench::new(&[("Debian", "a"), ("Maven", "m"), ("PyPI", "p")]).await;
    bench.update(&["Debian", "Maven"], Ask::All).await.unwrap();
    assert_eq!(bench.ecosystems().await, ["Debian:12", "Maven"]);
    bench.update(&["PyPI"], Ask::Only(set(&["PyPI"]))).await.unwrap();
    assert_eq!(bench.ecosystems().await, ["Debian:12", "Maven", "PyPI"]);
}

#[tokio::test]
async fn what_a_mirror_does_not_have_is_remembered_and_asked_for_again_at_the_next_refresh() {
    let bench = Bench::new(&[("Debian", "a")]).await;
    let first = bench.update(&["Debian", "npm"], Ask::All).await.unwrap();
    assert_eq!(first.coverage.ecosystems.get("npm"), Some(&Answer::NotOffered));
    assert!(first.problems.is_empty() && first.coverage.awaited(&set(&["Debian", "npm"])).is_empty());
    let before = bench.server.seen().len();
    bench.update(&["npm"], Ask::Only(set(&[]))).await.unwrap();
    assert_eq!(bench.asked(before), [], "not when something else is needed");
    bench.offers("npm", Some("n"));
    let later = bench.update(&[], Ask::All).await.unwrap();
    assert!(later.changed && later.coverage.ecosystems["npm"] == Answer::Included);
}

#[tokio::test]
async fn a_mirror_that_is_down_costs_nothing_that_is_kept_and_none_of_the_others() {
    let bench = Bench::new(&[("Debian", "a"), ("npm", "n"), ("PyPI", "p")]).await;
    bench.update(&["Debian"], Ask::All).await.unwrap();
    bench.offers("Debian", None);
    bench.offers("npm", None);
    let updated = bench.update(&["npm", "PyPI"], Ask::All).await.unwrap();
    assert!(updated.changed, "PyPI came");
    let told: Vec<_> = updated.problems.iter().map(|p| (p.ecosystem.as_str(), p.kept.is_some())).collect();
    assert_eq!(told, [("Debian", true), ("npm", false)]);
    assert_eq!(updated.coverage.awaited(&set(&["Debian", "npm", "PyPI"])), set(&["npm"]));
    assert_eq!(bench.store.status().await.unwrap().unwrap().info.sources.len(), 2);

    // Neither the mirror nor what was kept of it: the old state stays.
    let before = bench.store.status().await.unwrap();
    std::fs::remove_dir_all(bench.folder.path().join("exports")).unwrap();
    let refused = bench.update(&[], Ask::All).await;
    assert!(matches!(refused, Err(AdvisoryError::Mirror(MirrorError::Refused { .. }))), "{refused:?}");
    assert_eq!(bench.store.status().await.unwrap(), before);
}

#[tokio::test]
async fn what_a_mirror_no_longer_has_stays_until_somebody_accepts_that_it_goes() {
    let bench = Bench::new(&[("Debian", "a"), ("npm", "n")]).await;
    bench.update(&["Debian", "npm"], Ask::All).await.unwrap();
    bench.offer.lock().unwrap().remove("npm");
    let kept = bench.update(&[], Ask::All).await.unwrap();
    assert!(!kept.changed && kept.problems[0].kept.is_some());
    let mut order = bench.order(Ecosystems::AsNeeded(set(&[])));
    order.policy.accepted = set(&["npm"]);
    let gone = bench.store.update(&bench.mirror(false), &order, &Ask::All, &|_| {}).await.unwrap();
    assert!(gone.changed && gone.coverage.ecosystems["npm"] == Answer::NotOffered);
}

#[tokio::test]
async fn a_list_is_taken_as_it_is_and_all_of_it_has_to_be_there() {
    let bench = Bench::new(&[("Debian", "a"), ("npm", "n")]).await;
    let update = async |names: &[&str]| {
        let order = bench.order(Ecosystems::Listed(set(names)));
        bench.store.update(&bench.mirror(false), &order, &Ask::All, &|_| {}).await
    };
    let listed = update(&["Debian"]).await.unwrap();
    assert!(listed.changed && listed.coverage.awaited(&set(&["npm"])).is_empty(), "nothing else will come");
    let refused = update(&["Debian", "Debain"]).await.unwrap_err().to_string();
    assert!(refused.contains("Debain/all.zip is not there"), "{refused}");
    assert_eq!(bench.ecosystems().await, ["Debian:12"]);
}

#[tokio::test]
async fn offline_what_is_not_kept_is_a_problem_or_where_no_mirror_will_ever_be_asked_an_answer() {
    let bench = Bench::new(&[("Debian", "a")]).await;
    bench.update(&["Debian"], Ask::All).await.unwrap();
    let mut order = bench.order(Ecosystems::AsNeeded(set(&["Debian", "npm"])));
    let before = bench.server.seen().len();
    let offline = bench.store.update(&bench.mirror(true), &order, &Ask::All, &|_| {}).await.unwrap();
    assert!(matches!(offline.problems[0].error, MirrorError::Offline { .. }), "{:?}", offline.problems);
    assert_eq!((offline.problems.len(), offline.problems[0].kept), (1, None));
    order.is_cut_off = true;
    let cut_off = bench.store.update(&bench.mirror(true), &order, &Ask::All, &|_| {}).await.unwrap();
    assert!(cut_off.problems.is_empty() && cut_off.coverage.ecosystems["npm"] == Answer::NotOffered);
    assert_eq!(bench.asked(before), []);
}

#[tokio::test]
async fn processes_that_need_different_things_at_once_lose_nothing_of_each_other() {
    let names = ["Debian", "Ubuntu", "npm", "PyPI"];
    let bench = Bench::new(&names.map(|name| (name, "p"))).await;
    let updating = names.map(|name| {
        let store = AdvisoryStore::open(bench.store.folder()).unwrap();
        let order = bench.order(Ecosystems::AsNeeded(set(&[name])));
        let mirror = bench.mirror(false);
        async move { store.update(&mirror, &order, &Ask::Only(set(&[name])), &|_| {}).await.unwrap() }
    });
    let done = futures::future::join_all(updating).await;
    assert!(done.iter().all(|updated| updated.changed && updated.problems.is_empty()));
    let coverage = bench.store.coverage().await.unwrap();
    assert!(coverage.awaited(&set(&names)).is_empty() && bench.server.seen().len() == 4);
    assert_eq!(bench.store.status().await.unwrap().unwrap().info.sources.len(), 4);
}

struct Images {
    registry: Arc<MemoryRegistry>,
    database: Database,
    scanner: EmbeddedScanner,
}

impl Images {
    fn new(bench: &Bench) -> Self {
        let registry = Arc::new(MemoryRegistry::new("memory.test".parse().unwrap()));
        let database = Database::open(bench.folder.path().join("monitor.db")).unwrap();
        let registries = Registries::new([Arc::clone(&registry) as Arc<dyn Registry>]);
        let scanner = EmbeddedScanner::new(database.clone(), bench.store.clone(), registries);
        Self { registry, database, scanner }
    }

    /// An indexed image in which `openssl` of this distribution is installed.
    async fn of(&self, release: &str) -> IndexRequest {
        let mut archive = tar::Builder::new(vec![]);
        let status = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n";
        for (path, text) in [("etc/os-release", release), ("var/lib/dpkg/status", status)] {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let layer = archive.into_inner().unwrap();
        let image = self.registry.put_image(&"team/app".parse().unwrap(), None, &[layer]);
        let manifest = self.registry.manifest(&image).await.unwrap();
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        let request = IndexRequest { image, manifest, parents: vec![] };
        self.scanner.index(&request).await.unwrap();
        request
    }
}

const DEBIAN: &str = "ID=debian\nVERSION_ID=12\n";
const UBUNTU: &str = "ID=ubuntu\nVERSION_ID=\"22.04\"\n";

#[tokio::test]
async fn an_image_waits_for_its_own_advisories_and_for_no_others() {
    let bench = Bench::new(&[("Debian", "openssl"), ("Ubuntu", "openssl")]).await;
    let images = Images::new(&bench);
    let (debian, ubuntu) = (images.of(DEBIAN).await, images.of(UBUNTU).await);
    bench.update(&[], Ask::All).await.unwrap();
    assert!(matches!(images.scanner.readiness().await, Ok(Readiness::Ready(_))), "no image needs any yet");
    let waiting = images.scanner.assess(&debian.image, None).await;
    assert!(matches!(&waiting, Err(ScannerError::Loading(why)) if why.contains("Debian")), "{waiting:?}");
    let partly = images.scanner.readiness().await;
    assert!(matches!(&partly, Ok(Readiness::Partly(_, why)) if why.contains("Debian")), "{partly:?}");
    let needed = needed_ecosystems(&images.database).await.unwrap();
    assert_eq!(needed, set(&["Debian"]));

    bench.offers("Ubuntu", None);
    bench.update(&["Debian"], Ask::All).await.unwrap();
    let found = images.scanner.assess(&debian.image, None).await.unwrap();
    assert_eq!(found.findings.len(), 1);
    assert!(matches!(images.scanner.assess(&ubuntu.image, None).await, Err(ScannerError::Loading(_))));
    // Ready for whom it can judge, and nobody is woken who would only wait on.
    let partly = images.scanner.readiness().await;
    assert!(matches!(&partly, Ok(Readiness::Partly(_, why)) if why.contains("Ubuntu")), "{partly:?}");
    let again = images.scanner.assess(&debian.image, None).await.unwrap();
    assert_eq!(again.findings, found.findings);
}

#[tokio::test]
async fn an_image_whose_advisories_nobody_offers_is_told_to_be_seen_in_part_and_never_clean() {
    let bench = Bench::new(&[]).await;
    let images = Images::new(&bench);
    let ubuntu = images.of(UBUNTU).await;
    assert!(matches!(images.scanner.assess(&ubuntu.image, None).await, Err(ScannerError::Loading(_))));
    bench.update(&["Ubuntu"], Ask::All).await.unwrap();
    let assessment = images.scanner.assess(&ubuntu.image, None).await.unwrap();
    let reasons: Vec<_> = assessment.completeness.reasons().map(|reason| reason.code).collect();
    assert_eq!(reasons, [ReasonCode::NoAdvisoriesForDistribution]);
    assert!(matches!(images.scanner.readiness().await, Ok(Readiness::Ready(_))));
}

#[tokio::test]
async fn an_image_whose_advisories_nobody_offers_does_not_wait_for_a_mirror_that_is_down_for_others() {
    let bench = Bench::new(&[]).await;
    bench.offers("Debian", None);
    let images = Images::new(&bench);
    let (debian, ubuntu) = (images.of(DEBIAN).await, images.of(UBUNTU).await);
    for image in [&debian, &ubuntu] {
        assert!(matches!(images.scanner.assess(&image.image, None).await, Err(ScannerError::Loading(_))));
    }
    bench.update(&["Debian", "Ubuntu"], Ask::All).await.unwrap();
    let waiting = images.scanner.readiness().await;
    assert!(matches!(&waiting, Ok(Readiness::Partly(_, why)) if !why.contains("Ubuntu")), "{waiting:?}");
    let assessment = images.scanner.assess(&ubuntu.image, None).await.unwrap();
    assert!(assessment.completeness.reasons().next().is_some(), "in part");
    assert!(matches!(images.scanner.assess(&debian.image, None).await, Err(ScannerError::Loading(_))));
}

#[tokio::test]
async fn an_image_that_needs_no_advisories_is_told_of_without_any() {
    let bench = Bench::new(&[]).await;
    let images = Images::new(&bench);
    let centos = images.of("ID=centos\nVERSION_ID=7\n").await;
    let before = images.scanner.assess(&centos.image, None).await;
    assert!(matches!(before, Err(ScannerError::Loading(_))), "nothing was ever imported: {before:?}");
    bench.update(&[], Ask::All).await.unwrap();
    let assessment = images.scanner.assess(&centos.image, None).await.unwrap();
    let reasons: Vec<_> = assessment.completeness.reasons().map(|reason| reason.code).collect();
    assert_eq!(reasons, [ReasonCode::UnknownDistribution]);
    assert_eq!((assessment.knowledge.id, bench.server.seen().len()), (None, 0));
}
