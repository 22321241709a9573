//! The run, the refusals, and the look at everything that was said and kept.

use cve_monitor_adapters::aws::dynamodb::DynamoEventStore;
use cve_monitor_core::ports::EventStore as _;
use cve_monitor_tests::fakes::aws_proxy::{AwsProxy, Fault, Rule, Service, Which};
use cve_monitor_tests::fakes::ecr::{self, FakeEcr, PASSWORDS, Place, Pushed, ROLE_SECRET, ROLE_SESSION};
use serde_json::json;
use tokio::runtime::Runtime;
use xtask::aws::Running;

use crate::bench::{Bench, PATIENCE, ask, examples, until};
use crate::echo;
use crate::planted::{
    PASSWORD, PLANTED, PSK, WEBHOOK, assert_nowhere, environment, refusing_clair, registry,
};
use crate::s3::{Bucket, REPORTS};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");
/// The accounts: of the first layers have addresses that are signed, of the second a password.
const ACCOUNTS: [&str; 2] = ["111111111111", "222222222222"];
const REGION: &str = "eu-west-1";
const EXTERNAL_ID: &str = "scenario";
const IMAGE: &str = "distroless";
/// How `AWS:` and such a password begin in an authorization token.
const PASSWORDS_SENT: &str = "QVdTOmVjci1wYXNzd29y";
/// The part of a signed address that makes it good.
const SIGNATURE: &str = "X-Amz-Signature=";
const SERVICES: [Service; 5] = [Service::DynamoDb, Service::Ecr, Service::S3, Service::Sqs, Service::Sts];
/// Events that are read at a time.
const PAGE: usize = 500;

struct Scene {
    bench: Bench,
    runtime: Runtime,
    ecr: FakeEcr,
    proxy: AwsProxy,
    bucket: Bucket,
    /// An image by the name under which people ask for it.
    image: String,
    said: Vec<(String, String)>,
}

/// From the start to the look.
pub(crate) fn play(moto: Running) {
    let registry = registry().to_string();
    let mut scene = Scene::raise(moto, &registry);
    scene.run();
    scene.refuse();
    scene.ring();
    scene.keep();
    let mut planted = PLANTED.to_vec();
    planted.extend([ROLE_SECRET, ROLE_SESSION, PASSWORDS, PASSWORDS_SENT, SIGNATURE]);
    assert_nowhere(&scene.bench, &scene.said, &planted, 1_000_000);
}

/// What a log says that matters.
fn told_of(bench: &Bench) -> String {
    let log = bench.log("watch.log");
    log.lines()
        .filter(|line| line.contains(" WARN ") || line.contains(" ERROR "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn ecr_name(account: &str) -> String {
    format!("{account}.dkr.ecr.{REGION}.amazonaws.com")
}

impl Scene {
    fn raise(moto: Running, registry: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let (ecr, proxy) = runtime.block_on(async {
            let ecr = FakeEcr::start().await;
            let proxy =
                AwsProxy::start(&moto.url(), &[(Service::Ecr, &ecr.url()), (Service::Sts, &ecr.url())]).await;
            (ecr, proxy)
        });
        let pushed = Pushed::from_layout(&examples().join("images"), IMAGE).unwrap();
        let mut config = format!(
            "[log]\nlevel = \"trace\"\n[watch]\nlisten = \"127.0.0.1:0\"\nwebhook_token_file = \"webhook-token\"\n\
             [[registry]]\nname = \"{registry}\"\ninsecure = true\nrepositories = [\"app\"]\nusername = \"scanner\"\n\
             password_file = \"registry-password\"\n"
        );
        let mut image = String::new();
        for (account, layers) in ACCOUNTS.into_iter().zip(["presigned", "endpoint"]) {
            let (place, role) =
                (Place::new(account, REGION, "app"), format!("arn:aws:iam::{account}:role/reader"));
            let mut world = ecr.world();
            world.create_repository(&place);
            image = format!("{}/app@{}", ecr_name(account), world.push(&place, Some("1"), &pushed).0);
            world.add_role(&role, Some(EXTERNAL_ID));
            config.push_str(&format!(
                "[[registry]]\nkind = \"ecr\"\nname = \"{}\"\nrole_arn = \"{role}\"\nexternal_id = \"{EXTERNAL_ID}\"\n\
                 layers = \"{layers}\"\ninsecure = true\nurl = \"{}\"\n",
                ecr_name(account),
                ecr.registry_url(account, REGION),
            ));
        }
        let bench = Bench::new(&config);
        for (file, secret) in [("webhook-token", WEBHOOK), ("registry-password", PASSWORD), ("psk", PSK)] {
            std::fs::write(bench.path(file), secret).unwrap();
        }
        Self { bench, runtime, ecr, proxy, bucket: Bucket::of(moto), image, said: vec![] }
    }

    /// Everything on AWS, at this address.
    fn variables(&self, endpoint: &str) -> Vec<(&'static str, String)> {
        let mut variables = environment().to_vec();
        let given = [
            ("CVE_MONITOR_AWS_REGION", REGION),
            ("CVE_MONITOR_AWS_ENDPOINT_URL", endpoint),
            ("CVE_MONITOR_STORE_KIND", "dynamodb"),
            ("CVE_MONITOR_STORE_ARCHIVE_BUCKET", "archive"),
            ("CVE_MONITOR_STORE_ONE_MACHINE", "true"),
            ("CVE_MONITOR_QUEUE_KIND", "sqs"),
            ("CVE_MONITOR_REPORTS_KIND", "s3"),
            ("CVE_MONITOR_REPORTS_BUCKET", REPORTS),
        ];
        variables.extend(given.map(|(name, value)| (name, value.to_owned())));
        variables
    }

    /// Runs commands to their ends, all at once: most of them wait to try again.
    fn told(&mut self, what: &str, endpoint: &str, commands: &[&[&str]]) -> Vec<String> {
        let (bench, variables) = (&self.bench, &self.variables(endpoint));
        let outputs: Vec<_> = std::thread::scope(|scope| {
            let run = |command| scope.spawn(move || bench.run_with(PROGRAM, command, variables));
            let running: Vec<_> = commands.iter().copied().map(run).collect();
            running.into_iter().map(|command| command.join().unwrap()).collect()
        });
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let texts: Vec<_> =
            outputs.iter().map(|output| text(&output.stdout) + &text(&output.stderr)).collect();
        for (command, text) in commands.iter().zip(&texts) {
            self.said.push((format!("{what}: {}", command.join(" ")), text.clone()));
        }
        texts
    }

    /// Three images are reported, although every service fails now and then, and layers are refused at first.
    fn run(&mut self) {
        let url = self.proxy.url().to_owned();
        self.told("well", &url, &[&["aws", "init"]]);
        for service in SERVICES {
            self.proxy.add(Rule::for_service(service, Which::Next(2), Fault::failure(service)));
        }
        self.ecr.world().fail("GetLayer", 2, ecr::Fault::Error(403, "AccessDenied".to_owned()));
        let watch = self.bench.start_with(PROGRAM, &["watch"], "watch.log", &self.variables(&url));
        let address = self.bench.address("watch.log");
        let digest = &Bench::example(IMAGE)["digest"];
        let target = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "repository": "app", "digest": digest });
        let body = json!({ "events": [{ "id": "1", "action": "push", "target": target }] }).to_string();
        for (token, expected) in [(WEBHOOK, 202), ("of-somebody-else", 401)] {
            let header = format!("Authorization: Bearer {token}\r\n");
            let (status, answer) = ask(&address, "POST", "/webhooks/distribution", &header, &body);
            assert_eq!(status, expected, "{answer}");
            self.said.push(("webhook".to_owned(), answer));
        }
        // Twice as patient as others: a layer that is refused is tried again a while later.
        let began = std::time::Instant::now();
        while self.bucket.reports().len() < 3 {
            assert!(began.elapsed() < 2 * PATIENCE, "{:?}: {}", self.bucket.reports(), told_of(&self.bench));
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        for path in ["/metrics", "/readyz"] {
            self.said.push((path.to_owned(), ask(&address, "GET", path, "", "").1));
        }
        assert_eq!(watch.stop(), Some(0));
        self.proxy.mend();
        let log = self.bench.log("watch.log");
        assert!(log.contains("TRACE") && log.contains("403"), "the finest level, and a refused layer");
    }

    /// Missing rights, wrong signatures, nobody at all, and a store that refuses layers.
    fn refuse(&mut self) {
        let (url, image) = (self.proxy.url().to_owned(), self.image.clone());
        let commands: [&[&str]; 7] = [
            &["coverage"],
            &["queue", "stats"],
            &["queue", "dead"],
            &["history", &image],
            &["affected", "CVE-2025-7458"],
            &["report", "critical"],
            &["aws", "init"],
        ];
        let wrong = format!("http://{}", echo::aws());
        for service in SERVICES {
            self.proxy.add(Rule::for_service(service, Which::All, Fault::denial(service)));
        }
        for (what, endpoint, expected) in [
            ("denied", &*url, "AccessDenied"),
            ("a wrong signature", &*wrong, "signature we calculated"),
            ("nobody there", "http://127.0.0.1:9", "127.0.0.1:9"),
        ] {
            let texts = self.told(what, endpoint, &commands);
            let heard = texts.iter().filter(|text| text.contains(expected)).count();
            assert!(heard >= commands.len() / 2, "{what}: {texts:?}");
        }
        self.proxy.mend();
        // Not for ever: a scan is patient.
        let before = self.ecr.world().calls()["GetLayer"];
        self.ecr.world().fail("GetLayer", 2, ecr::Fault::Error(403, "AccessDenied".to_owned()));
        let texts = self.told("layers refused", &url, &[&["scan", &image], &["config", "show"]]);
        assert!(texts[0].contains(&image), "{texts:?}");
        assert!(
            self.ecr.world().calls()["GetLayer"] > before + 2,
            "both were met, and the layer was read at last"
        );
    }

    /// A Clair that refuses the key, while everything else is on AWS.
    fn ring(&mut self) {
        let shown = std::sync::Arc::default();
        let clair = refusing_clair(&shown);
        self.bench.configure(&format!(
            "[log]\nlevel = \"trace\"\n[watch]\nlisten = \"127.0.0.1:0\"\n[scanner]\nkind = \"clair-v4\"\n\
             [clair]\nurl = \"http://{clair}\"\npsk_file = \"psk\"\n{}",
            Bench::LAYOUT
        ));
        let variables = self.variables(self.proxy.url());
        let program = env!("CARGO_BIN_EXE_notifier");
        let mut notifier = self.bench.start_with(program, &[], "notifier.log", &variables);
        until("it is refused, and ends", || notifier.0.try_wait().unwrap().is_some());
        let signed = shown.lock().unwrap().clone();
        assert!(!signed.is_empty() && self.bench.log("notifier.log").contains("auth.psk"));
        let signed: Vec<&str> = signed.iter().map(String::as_str).collect();
        assert_nowhere(&self.bench, &[], &signed, 1_000);
    }

    /// What is kept: events, and reports.
    fn keep(&mut self) {
        let store = DynamoEventStore::new(&self.bucket.emulator(), "cve-monitor");
        let (mut after, mut events) = (None, vec![]);
        loop {
            let page = self.runtime.block_on(store.read_all(after, PAGE)).unwrap();
            events.extend(page.items.iter().map(|(_, event)| serde_json::to_string(&event.event).unwrap()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(events.len() > 15, "{events:?}");
        self.said.push(("events".to_owned(), events.concat()));
        let reports = self.bucket.reports();
        assert_eq!(reports.len(), 3);
        self.said.push(("reports".to_owned(), serde_json::to_string(&reports).unwrap()));
    }
}
