//! Reports out of the bucket of an emulator.

use std::net::SocketAddr;

use serde_json::Value;

use crate::bench::ask;

/// The bucket of reports.
pub(crate) const REPORTS: &str = "reports";

/// It wants to see a signature, and does not look at it.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/s3/aws4_request, Signature=none\r\n";

/// All reports.
pub(crate) fn reports(at: SocketAddr) -> Vec<Value> {
    let at = at.to_string();
    let (mut found, mut after) = (vec![], String::new());
    loop {
        let page = ask(&at, "GET", &format!("/{REPORTS}?list-type=2&start-after={after}"), SIGNED, "").1;
        let keys: Vec<&str> = page.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        let Some(last) = keys.last() else { return found };
        after = last.replace('=', "%3D");
        for key in keys.iter().filter(|key| key.ends_with(".json")) {
            let answer = ask(&at, "GET", &format!("/{REPORTS}/{}", key.replace('=', "%3D")), SIGNED, "").1;
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            let report = serde_json::from_str(body);
            found.push(report.unwrap_or_else(|error| panic!("{error}: {key}: {answer}")));
        }
    }
}
