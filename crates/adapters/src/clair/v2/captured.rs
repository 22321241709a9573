//! Exchanges with a running Clair 2.0.9, as they were captured.

/// The status and the body of the answer in a capture.
pub(super) fn answer(capture: &'static str) -> (u16, &'static str) {
    let (_, response) = capture.split_once("----- response -----").expect("an answer");
    let response = response.trim_start();
    let status = response.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let (_, body) = response.split_once("\n\n").unwrap_or((response, ""));
    (status, body.lines().next().unwrap_or_default())
}

macro_rules! captured {
    ($name:literal) => {
        crate::clair::v2::captured::answer(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/clair/v2/",
            $name,
            ".http"
        )))
    };
}
pub(super) use captured;
