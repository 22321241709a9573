//! Published advisories, one an ecosystem or two: enough to find what the images hold.

/// Identifier of the vulnerability, ecosystem, package, the version that fixed it.
const PUBLISHED: [(&str, &str, &str, &str); 14] = [
    ("CVE-2023-5678", "Debian:12", "openssl", "3.0.13-1~deb12u1"),
    ("CVE-2023-5678", "Debian:11", "openssl", "1.1.1w-0+deb11u2"),
    ("CVE-2024-5535", "Alpine:v3.20", "openssl", "3.3.1-r1"),
    ("CVE-2024-5535", "Alpine:v3.19", "openssl", "3.1.6-r0"),
    ("CVE-2024-5535", "Wolfi", "openssl", "3.3.1-r1"),
    ("CVE-2022-1292", "AlmaLinux:8", "openssl-libs", "1:1.1.1k-7.el8_6"),
    ("CVE-2023-24329", "AlmaLinux:8", "platform-python", "3.6.8-51.el8_8.1.alma"),
    ("CVE-2023-32681", "PyPI", "requests", "2.31.0"),
    ("CVE-2021-23337", "npm", "lodash", "4.17.21"),
    ("CVE-2021-44228", "Maven", "org.apache.logging.log4j:log4j-core", "2.15.0"),
    ("CVE-2024-45337", "Go", "golang.org/x/crypto", "0.31.0"),
    ("CVE-2021-25900", "crates.io", "smallvec", "1.6.1"),
    ("CVE-2022-24836", "RubyGems", "nokogiri", "1.13.4"),
    ("CVE-2024-21907", "NuGet", "Newtonsoft.Json", "13.0.1"),
];

/// Records in OSV form, by their identifiers.
pub(crate) fn records() -> impl Iterator<Item = (String, String)> {
    PUBLISHED.into_iter().enumerate().map(|(n, (name, ecosystem, package, fixed))| {
        let id = format!("REC-{n}-{name}");
        let kind = if ["npm", "Go", "crates.io"].contains(&ecosystem) { "SEMVER" } else { "ECOSYSTEM" };
        let record = format!(
            r#"{{"id":"{id}","modified":"2026-02-01T00:00:00Z","upstream":["{name}"],"aliases":["{name}"],
            "affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{package}"}},
            "ranges":[{{"type":"{kind}","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        );
        (id, record)
    })
}
