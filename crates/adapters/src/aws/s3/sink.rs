//! Reports in a bucket.

use async_trait::async_trait;
use aws_config::SdkConfig;
use bytes::Bytes;
use cve_monitor_core::ports::{MAX_BODY_BYTES, ReportObject, ReportSink, SinkError};

use super::S3Settings;
use super::bucket::{Bucket, Failure, Found, Placed};

/// The longest name of a sink, in bytes.
const MAX_NAME_BYTES: usize = 16;
/// The longest id of a report that becomes part of a key, in bytes.
const MAX_ID_BYTES: usize = 128;
/// The name under which `Delivered` events remember the sink, unless it is given another.
const DEFAULT_NAME: &str = "s3";
/// What the objects are.
const KIND: &str = "application/json";

/// A [`ReportSink`] in a bucket: `year=YYYY/month=MM/day=DD/<id>.json` from its root, one line of JSON and a line end.
///
/// An object is written on the condition that its key is free; where it is not, what lies there is read and compared.
#[derive(Debug, Clone)]
pub struct S3Sink {
    name: String,
    bucket: Bucket,
}

impl S3Sink {
    /// The sink `s3` in this bucket.
    #[must_use]
    pub fn new(config: &SdkConfig, settings: S3Settings) -> Self {
        Self { name: DEFAULT_NAME.to_owned(), bucket: Bucket::new(config, settings) }
    }

    /// A sink under another name: two buckets are two sinks.
    ///
    /// # Errors
    /// Where the name is empty or longer than 16 bytes.
    pub fn named(name: &str, config: &SdkConfig, settings: S3Settings) -> Result<Self, SinkError> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(SinkError::Permanent(format!(
                "`{name}` does not name a sink: from 1 to {MAX_NAME_BYTES} bytes are taken"
            )));
        }
        Ok(Self { name: name.to_owned(), ..Self::new(config, settings) })
    }
}

impl From<Failure> for SinkError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient(problem) => Self::Transient(problem),
            Failure::Permanent(problem) => Self::Permanent(problem),
        }
    }
}

fn check(report: &ReportObject) -> Result<(), SinkError> {
    let id = &report.id.0;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(plain) {
        let shown: String = id.chars().take(MAX_ID_BYTES).collect();
        return Err(SinkError::Permanent(format!("the report id `{shown}` cannot be part of a key")));
    }
    if report.body.len() > MAX_BODY_BYTES {
        let length = report.body.len();
        return Err(SinkError::Permanent(format!(
            "report {id} has {length} bytes; at most {MAX_BODY_BYTES} are taken"
        )));
    }
    if report.body.contains(&b'\n') {
        return Err(SinkError::Permanent(format!("report {id} is not one line")));
    }
    Ok(())
}

#[async_trait]
impl ReportSink for S3Sink {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        check(report)?;
        let mut line = Vec::with_capacity(report.body.len() + 1);
        line.extend_from_slice(&report.body);
        line.push(b'\n');
        let (key, line) = (report.key(), Bytes::from(line));
        if self.bucket.put_new(&key, KIND, line.clone()).await? == Placed::Written {
            return Ok(());
        }
        match self.bucket.get(&key, line.len()).await? {
            Found::Bytes(there) if there == line => Ok(()),
            Found::Bytes(_) | Found::TooLong => Err(SinkError::Occupied(report.id.to_string())),
            Found::Nothing => Err(SinkError::Transient(format!("{key} was removed while it was compared"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use cve_monitor_core::scan::ReportId;
    use cve_monitor_core::vocabulary::Timestamp;

    use super::*;

    fn checked(id: &str, body: Vec<u8>) -> Result<(), SinkError> {
        check(&ReportObject { id: ReportId(id.to_owned()), assessed: Timestamp::from_millis(0), body })
    }

    #[test]
    fn a_report_has_an_id_that_can_be_part_of_a_key() {
        for id in ["", "a/b", "..", "a b", &"x".repeat(MAX_ID_BYTES + 1)] {
            assert!(matches!(checked(id, vec![]), Err(SinkError::Permanent(_))), "{id}");
        }
        assert_eq!(checked(&"x".repeat(MAX_ID_BYTES), vec![]), Ok(()));
    }

    #[test]
    fn a_report_is_one_line_of_at_most_the_bound() {
        assert_eq!(checked("a", vec![b' '; MAX_BODY_BYTES]), Ok(()));
        assert!(matches!(checked("a", vec![b' '; MAX_BODY_BYTES + 1]), Err(SinkError::Permanent(_))));
        assert!(matches!(checked("a", b"{\n}".to_vec()), Err(SinkError::Permanent(_))));
    }

    #[test]
    fn a_sink_has_a_name_of_1_to_16_bytes() {
        let named = |name: &str| {
            let settings = S3Settings { bucket: "lake".to_owned(), kms_key: None };
            let config = SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
            S3Sink::named(name, &config, settings).map(|sink| sink.name())
        };
        assert_eq!(named(&"x".repeat(MAX_NAME_BYTES)), Ok("x".repeat(MAX_NAME_BYTES)));
        for name in ["", &"x".repeat(MAX_NAME_BYTES + 1)] {
            assert!(matches!(named(name), Err(SinkError::Permanent(_))), "{name}");
        }
    }
}
