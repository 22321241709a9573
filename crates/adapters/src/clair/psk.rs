//! `auth.psk`: a key that Clair and its clients share. Each request carries a JSON Web Token (RFC 7519) that is
//! signed with it, and so does each webhook of Clair's notifier.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use cve_monitor_core::ports::Clock;
use cve_monitor_core::vocabulary::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::Secret;

/// The issuer that every Clair with a key accepts, whatever else its `auth.psk.iss` names.
pub const INTRASERVICE_ISSUER: &str = "clair-intraservice";
/// The issuer that Clair's notifier signs its webhooks as.
pub const NOTIFIER_ISSUER: &str = "clair-notifier";

/// For how long a token is good. Clair looks at it when a request arrives, not while it works.
const TOKEN_LIFE: Duration = Duration::from_secs(60);
/// How far two clocks may be apart: tokens are dated back by this, and good for so much longer.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The key. Never printed.
#[derive(Clone)]
pub struct PresharedKey {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl std::fmt::Debug for PresharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the preshared key is no base64: write it as Clair's own `auth.psk.key`")]
pub struct InvalidKey;

/// Why a webhook's bearer proves nothing. Says nothing about the token: it goes to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// There is no `Authorization: Bearer`.
    #[error("no bearer token")]
    Missing,
    /// Not signed with this key, or by another issuer.
    #[error("not signed with the configured key by the expected issuer")]
    Forged,
    /// Signed, but for another time.
    #[error("the token is not for this time: look at the clocks")]
    Untimely,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Times {
    nbf: Option<f64>,
    exp: f64,
}

impl PresharedKey {
    /// The key as Clair's configuration has it: in base64.
    ///
    /// # Errors
    /// Where it is not base64, or empty.
    pub fn from_base64(key: &Secret) -> Result<Self, InvalidKey> {
        let engine = base64::engine::general_purpose::STANDARD;
        let bytes = engine.decode(key.expose().trim()).map_err(|_| InvalidKey)?;
        if bytes.is_empty() {
            return Err(InvalidKey);
        }
        Ok(Self { signing: EncodingKey::from_secret(&bytes), verifying: DecodingKey::from_secret(&bytes) })
    }

    /// Holds the `Authorization` header of a request against this key, the issuer and the time.
    ///
    /// # Errors
    /// Where it proves nothing.
    pub fn verify(&self, authorization: Option<&str>, issuer: &str, now: Timestamp) -> Result<(), Unproven> {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Unproven::Missing)?;
        let mut rules = Validation::new(Algorithm::HS256);
        // Clair signs with HS256; its own check allows the others of the family, and so may a proxy between.
        rules.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        rules.set_issuer(&[issuer]);
        rules.set_required_spec_claims(&["iss", "exp"]);
        // The library asks the machine's clock; the times are held against ours below.
        rules.validate_exp = false;
        let proven =
            jsonwebtoken::decode::<Times>(token, &self.verifying, &rules).map_err(|_| Unproven::Forged)?;
        let Times { nbf, exp } = proven.claims;
        let (early, late) = (seconds(now.minus(CLOCK_SKEW)), seconds(now.plus(CLOCK_SKEW)));
        let begun = nbf.is_none_or(|nbf| nbf <= late as f64);
        if begun && exp >= early as f64 { Ok(()) } else { Err(Unproven::Untimely) }
    }
}

/// Signs requests.
#[derive(Debug, Clone)]
pub struct Signer {
    key: PresharedKey,
    issuer: String,
    clock: Arc<dyn Clock>,
}

impl Signer {
    /// Signs with this key as this issuer: [`INTRASERVICE_ISSUER`], or one that Clair's `auth.psk.iss` names.
    #[must_use]
    pub fn new(key: PresharedKey, issuer: String, clock: Arc<dyn Clock>) -> Self {
        Self { key, issuer, clock }
    }

    /// The value of an `Authorization` header, good from now on for a minute.
    pub(super) fn bearer(&self) -> Result<Secret, jsonwebtoken::errors::Error> {
        let now = self.clock.now();
        let begin = seconds(now.minus(CLOCK_SKEW));
        let exp = seconds(now.plus(TOKEN_LIFE + CLOCK_SKEW));
        let claims = Claims { iss: &self.issuer, iat: begin, nbf: begin, exp };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.key.signing)?;
        Ok(Secret::new(format!("Bearer {token}")))
    }
}

/// A NumericDate (RFC 7519, section 2).
fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}
