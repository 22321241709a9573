//! Reports out of the bucket of an emulator.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::Value;
use xtask::aws::Running;

use crate::bench::{try_ask, until};

/// The name of the bucket.
pub(crate) const REPORTS: &str = "reports";
/// The emulator wants to see a signature, and does not look at it.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/s3/aws4_request, Signature=none\r\n";

pub(crate) struct Bucket {
    at: SocketAddr,
    /// Reports never change: each is read once.
    known: Mutex<BTreeMap<String, Value>>,
    _emulator: Running,
}

impl Bucket {
    pub(crate) fn of(emulator: Running) -> Self {
        Self { at: emulator.address, known: Mutex::default(), _emulator: emulator }
    }

    /// How the emulator is reached past the line, which is cut now and then.
    pub(crate) fn emulator(&self) -> SdkConfig {
        let credentials = Credentials::new("testing", "testing", None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(format!("http://{}", self.at))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// All reports.
    pub(crate) fn reports(&self) -> Vec<Value> {
        let mut known = self.known.lock().unwrap();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("?list-type=2&start-after={after}"));
            let keys = page.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
            let keys: Vec<String> = keys.map(str::to_owned).collect();
            let Some(last) = keys.last() else { return known.values().cloned().collect() };
            after = escaped(last);
            for key in keys.into_iter().filter(|key| key.ends_with(".json")) {
                known.entry(key).or_insert_with_key(|key| {
                    let answer = self.get(&format!("/{}", escaped(key)));
                    let body = answer.split_once("\r\n\r\n").unwrap().1;
                    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {key}: {answer}"))
                });
            }
        }
    }

    fn get(&self, path: &str) -> String {
        let (at, path) = (self.at.to_string(), format!("/{REPORTS}{path}"));
        let mut found = None;
        // It answers one after the other, and has much to do.
        until("the emulator answers", || {
            found = try_ask(&at, "GET", &path, SIGNED, "").ok();
            found.is_some()
        });
        found.unwrap().1
    }
}

fn escaped(key: &str) -> String {
    key.replace('=', "%3D")
}
