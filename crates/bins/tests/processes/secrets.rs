//! Planted secrets: a whole scenario at the finest level of logging, and none of them in any file or answer of it.

use std::sync::Arc;

use serde_json::json;

use crate::bench::{Bench, ask, until};
use crate::planted::{
    PASSWORD, PLANTED, PSK, WEBHOOK, assert_nowhere, environment, refusing_clair, registry,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");

fn told(bench: &Bench, arguments: &[&str]) -> (String, String) {
    let output = bench.run_with(PROGRAM, arguments, &environment());
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (arguments.join(" "), text.concat())
}

#[test]
fn planted_secrets_are_in_no_log_no_store_no_report_and_no_answer() {
    let at = registry();
    let bench = Bench::new(&format!(
        "[log]\nlevel = \"trace\"\n[watch]\nlisten = \"127.0.0.1:0\"\npoll = \"1d\"\n\
         webhook_token_file = \"webhook-token\"\n\
         [[registry]]\nname = \"{at}\"\ninsecure = true\nrepositories = [\"app\"]\nusername = \"scanner\"\n\
         password_file = \"registry-password\"\n"
    ));
    std::fs::write(bench.path("webhook-token"), WEBHOOK).unwrap();
    std::fs::write(bench.path("registry-password"), PASSWORD).unwrap();
    let watch = bench.start_with(PROGRAM, &["watch"], "watch.log", &environment());
    let address = bench.address("watch.log");
    let event = |digest: &serde_json::Value| {
        json!({ "id": digest, "action": "push", "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "repository": "app", "digest": digest } })
    };
    let missing = json!(format!("sha256:{}", "0".repeat(64)));
    let body = json!({ "events": [event(&Bench::example("distroless")["digest"]), event(&missing)] });
    let header = format!("Authorization: Bearer {WEBHOOK}\r\n");
    let mut said = vec![];
    for (token, text) in [(header.as_str(), body.to_string()), ("Authorization: Bearer x\r\n", String::new())]
    {
        said.push(("webhook".to_owned(), ask(&address, "POST", "/webhooks/distribution", token, &text).1));
    }
    assert!(said[0].1.contains(" 202 ") && said[1].1.contains(" 401 "), "{said:?}");
    until("the image is reported", || bench.reports().len() == 1);
    for path in ["/metrics", "/readyz"] {
        said.push((path.to_owned(), ask(&address, "GET", path, "", "").1));
    }
    assert_eq!(watch.stop(), Some(0));
    assert!(bench.log("watch.log").contains("TRACE"), "the finest level");
    for arguments in [
        &["config", "show"][..],
        &["coverage"],
        &["queue", "dead"],
        &["db", "stats"],
        &["scan", &format!("{at}/app@{}", Bench::example("distroless")["digest"].as_str().unwrap())],
        &["scan", &format!("{at}/app:none")],
    ] {
        said.push(told(&bench, arguments));
    }
    assert_nowhere(&bench, &said, &PLANTED, 1_000_000);
}

#[test]
fn the_key_of_a_clair_and_what_is_signed_with_it_are_in_no_log() {
    let shown = Arc::default();
    let clair = refusing_clair(&shown);
    let bench = Bench::new(&format!(
        "[log]\nlevel = \"trace\"\n[watch]\nlisten = \"127.0.0.1:0\"\n[scanner]\nkind = \"clair-v4\"\n\
         [clair]\nurl = \"http://{clair}\"\npsk_file = \"psk\"\n{}",
        Bench::LAYOUT
    ));
    std::fs::write(bench.path("psk"), PSK).unwrap();
    let mut notifier = bench.start_with(env!("CARGO_BIN_EXE_notifier"), &[], "notifier.log", &environment());
    let address = bench.address("notifier.log");
    let forged = "planted.bearer.of-somebody-else";
    let header = format!("Authorization: Bearer {forged}\r\n");
    let answer = ask(&address, "POST", "/webhooks/clair", &header, "{}");
    assert_eq!(answer.0, 401, "{}", answer.1);
    until("it is refused, and ends", || notifier.0.try_wait().unwrap().is_some());
    assert!(bench.log("notifier.log").contains("auth.psk"));
    let signed = shown.lock().unwrap().clone();
    assert_eq!(signed.len(), 2);
    let mut planted = PLANTED.to_vec();
    planted.push(forged);
    planted.extend(signed.iter().map(String::as_str));
    let said = [("bell".to_owned(), answer.1), told(&bench, &["config", "show"])];
    assert_nowhere(&bench, &said, &planted, 1_000);
}
