//! Signing and checking, with the tokens that Clair itself would make.

use cve_monitor_core::testkit::ManualClock;
use serde_json::json;

use super::*;

/// `openssl rand -base64 32`, as Clair's configuration would have it.
const KEY: &str = "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZyE=";

fn key() -> PresharedKey {
    PresharedKey::from_base64(&Secret::new(KEY.to_owned())).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOW: &str = "2026-07-24T12:00:00Z";

/// What Clair's notifier sends: issued now, good from a minute ago, for a minute.
fn bearer(algorithm: Algorithm, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let now = seconds(at(NOW));
    let mut claims = json!({"iss": NOTIFIER_ISSUER, "iat": now, "nbf": now - 60, "exp": now + 60});
    change(&mut claims);
    let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, &key().signing).unwrap();
    format!("Bearer {token}")
}

fn verify(bearer: &str) -> Result<(), Unproven> {
    key().verify(Some(bearer), NOTIFIER_ISSUER, at(NOW))
}

#[test]
fn the_notifiers_token_is_proof() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(verify(&bearer(algorithm, |_| {})), Ok(()), "{algorithm:?}");
    }
    assert_eq!(verify(&bearer(Algorithm::HS256, |claims| claims["exp"] = json!(1_784_894_460.5))), Ok(()));
}

#[test]
fn what_proves_nothing_is_refused() {
    let good = bearer(Algorithm::HS256, |_| {});
    let unsigned = {
        let claims = good.split('.').nth(1).unwrap();
        // {"alg":"none"}
        format!("Bearer eyJhbGciOiJub25lIn0.{claims}.")
    };
    let other = PresharedKey::from_base64(&Secret::new("b3RoZXI=".to_owned())).unwrap();
    assert_eq!(other.verify(Some(&good), NOTIFIER_ISSUER, at(NOW)), Err(Unproven::Forged));
    for (token, expected) in [
        (unsigned, Unproven::Forged),
        (bearer(Algorithm::HS256, |claims| claims["iss"] = json!("someone")), Unproven::Forged),
        (bearer(Algorithm::HS256, |claims| claims["iss"] = json!(null)), Unproven::Forged),
        (bearer(Algorithm::HS256, |claims| claims["exp"] = json!(null)), Unproven::Forged),
        (format!("{good}x"), Unproven::Forged),
        ("Bearer ".to_owned(), Unproven::Forged),
        ("Basic dXNlcjpwYXNz".to_owned(), Unproven::Missing),
    ] {
        assert_eq!(verify(&token), Err(expected), "{token}");
    }
    assert_eq!(key().verify(None, NOTIFIER_ISSUER, at(NOW)), Err(Unproven::Missing));
}

#[test]
fn clocks_may_be_a_minute_apart_and_no_more() {
    let token = bearer(Algorithm::HS256, |_| {});
    for (now, expected) in [
        ("2026-07-24T11:58:00Z", Ok(())),
        ("2026-07-24T11:57:59Z", Err(Unproven::Untimely)),
        ("2026-07-24T12:02:00Z", Ok(())),
        ("2026-07-24T12:02:01Z", Err(Unproven::Untimely)),
    ] {
        assert_eq!(key().verify(Some(&token), NOTIFIER_ISSUER, at(now)), expected, "{now}");
    }
}

#[test]
fn our_requests_are_dated_back_so_that_a_clock_behind_ours_takes_them() {
    let clock = Arc::new(ManualClock::at(at(NOW)));
    let signer = Signer::new(key(), INTRASERVICE_ISSUER.to_owned(), clock);
    let bearer = signer.bearer().unwrap();
    assert_eq!(key().verify(Some(bearer.expose()), INTRASERVICE_ISSUER, at(NOW)), Ok(()));
    let token = bearer.expose().strip_prefix("Bearer ").unwrap();
    assert_eq!(jsonwebtoken::decode_header(token).unwrap().alg, Algorithm::HS256);
    let claims: serde_json::Value = jsonwebtoken::dangerous::insecure_decode(token).unwrap().claims;
    let now = seconds(at(NOW));
    assert_eq!(
        claims,
        json!({"iss": "clair-intraservice", "iat": now - 60, "nbf": now - 60, "exp": now + 120})
    );
}

#[test]
fn a_key_is_never_printed_and_must_be_base64() {
    let signer = Signer::new(key(), "us".to_owned(), Arc::new(ManualClock::default()));
    let printed = format!("{signer:?} {:?}", key());
    assert!(!printed.contains("c2Vj") && !printed.contains("secret of"), "{printed}");
    for text in ["", "not base64!", "====", "  "] {
        let error = PresharedKey::from_base64(&Secret::new(text.to_owned())).unwrap_err().to_string();
        assert!(error.contains("auth.psk.key") && !error.contains("not base64!"), "{error}");
    }
}
