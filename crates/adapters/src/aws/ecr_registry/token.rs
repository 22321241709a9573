//! The password of the registry's endpoint (GetAuthorizationToken), kept until shortly before it expires.

use std::time::{Duration, SystemTime};

use aws_sdk_ecr::Client;
use cve_monitor_core::ports::RegistryError;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use super::error::translate;
use crate::aws::quiet::Quiet;

/// How long before its end a token is used no more; half its life where that is shorter. ECR's live for 12 hours.
const MARGIN: Duration = Duration::from_secs(600);
/// For how long a token is used at least, whatever its end: a clock that is wrong by hours, here or there, must not make
/// every request ask for another. One that really has ended is refused, and then asked for anew.
const LEAST: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Tokens {
    client: Quiet<Client>,
    kept: tokio::sync::Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    /// Marked as sensitive: its Debug prints nothing.
    header: HeaderValue,
    renew: Instant,
}

impl Tokens {
    pub(super) fn new(client: Client) -> Self {
        Self { client: Quiet(client), kept: tokio::sync::Mutex::new(None) }
    }

    /// The header to send. `refused` is one that the registry has not accepted: that one is not given again.
    pub(super) async fn header(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, RegistryError> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref()
            && Some(&token.header) != refused
            && Instant::now() < token.renew
        {
            return Ok(token.header.clone());
        }
        let token = self.fetch().await?;
        let header = token.header.clone();
        *kept = Some(token);
        Ok(header)
    }

    async fn fetch(&self) -> Result<Token, RegistryError> {
        const WHAT: &str = "a token for the registry's endpoint";
        let asked = Instant::now();
        let answer = self.client.get_authorization_token().send().await;
        let answer = answer.map_err(|e| translate("GetAuthorizationToken", &e, WHAT))?;
        let data = answer.authorization_data().first();
        let text = data.and_then(|data| data.authorization_token()).filter(|text| !text.is_empty());
        let text =
            text.ok_or_else(|| RegistryError::Denied(format!("{WHAT}: there is none in the answer")))?;
        let ends = data.and_then(|data| data.expires_at()).and_then(|at| SystemTime::try_from(*at).ok());
        let mut header = HeaderValue::from_str(&format!("Basic {text}"))
            .map_err(|_| RegistryError::Denied(format!("{WHAT}: what came is none")))?;
        header.set_sensitive(true);
        Ok(Token { header, renew: asked + life(ends, SystemTime::now()) })
    }
}

/// For how long a token is used that ends then.
fn life(ends: Option<SystemTime>, now: SystemTime) -> Duration {
    let left = ends.and_then(|ends| ends.duration_since(now).ok()).unwrap_or_default();
    left.saturating_sub(MARGIN.min(left / 2)).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_given_up_before_its_end_and_used_for_a_minute_at_least() {
        let now = SystemTime::now();
        for (left, expected) in [(12 * 3600, 12 * 3600 - 600), (1000, 500), (1200, 600), (100, 60), (0, 60)] {
            let life = life(Some(now + Duration::from_secs(left)), now);
            assert_eq!(life.as_secs(), expected, "{left}");
        }
        assert_eq!(life(Some(now - Duration::from_secs(3600)), now), LEAST);
        assert_eq!(life(None, now), LEAST);
    }
}
