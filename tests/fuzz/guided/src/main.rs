//! Hands libFuzzer's inputs to the body that `FUZZ_TARGET` names.
#![no_main]

use std::sync::OnceLock;

use cve_monitor_fuzz::{Body, target};

static BODY: OnceLock<Body> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let body = BODY.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a body");
        target(&name).unwrap_or_else(|| panic!("no body is named {name}"))
    });
    body(bytes);
});
