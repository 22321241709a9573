//! What CloudWatch is told, if anything.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::read::Reader;

/// Bounds of `metrics.every`: CloudWatch keeps a value a minute, and the alarms look at five.
const EVERY: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(300);
/// The longest namespace that CloudWatch takes, in bytes.
const NAMESPACE_MAX: usize = 255;

/// What CloudWatch is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudWatch {
    /// Under which namespace.
    pub namespace: String,
    /// How often.
    pub every: Duration,
}

/// Reads it; none where nothing is told.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<CloudWatch> {
    let wanted = reader.flag("metrics.cloudwatch");
    let namespace = reader.parsed("metrics.namespace", |text| namespace(text).map(str::to_owned));
    let every = reader.duration("metrics.every", &EVERY);
    namespace.zip(every).filter(|_| wanted).map(|(namespace, every)| CloudWatch { namespace, every })
}

/// What CloudWatch takes as the namespace of somebody's own metrics.
fn namespace(text: &str) -> Result<&str, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
    if text.len() <= NAMESPACE_MAX
        && text.bytes().all(allowed)
        && !text.starts_with(':')
        && !text.starts_with("AWS/")
    {
        Ok(text)
    } else {
        Err(format!(
            "`{text}` is no namespace of CloudWatch: expected at most {NAMESPACE_MAX} letters, digits and .-_/#: \
             that begin neither with AWS/ nor with a colon"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_one_that_cloudwatch_takes() {
        assert!(namespace("cve-monitor/prod").is_ok());
        assert!(namespace(&"a".repeat(NAMESPACE_MAX)).is_ok());
        for wrong in ["AWS/SQS", ":a", "a b", "a\n", &"a".repeat(NAMESPACE_MAX + 1)] {
            assert!(namespace(wrong).is_err(), "{wrong}");
        }
    }
}
