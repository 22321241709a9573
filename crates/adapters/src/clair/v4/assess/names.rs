//! What Clair's updaters call a vulnerability, and what everybody else calls it.

use std::collections::BTreeSet;

use super::wire::Vulnerability;

/// Where Clair's OSV updater puts the aliases of an advisory: behind this, among its links.
const OSV_ALIAS: &str = "https://osv.dev/vulnerability/";

/// The names of one vulnerability.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// The CVE where there is exactly one, else the advisory's own id.
    pub(super) name: String,
    /// The advisory's own id.
    pub(super) record: String,
    /// Others, without those two.
    pub(super) aliases: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(vulnerability: &Vulnerability) -> Self {
        let record = own_id(&vulnerability.name);
        // Ubuntu's names are titles that begin with the CVE. An advisory of a distribution (ALAS, ELSA) names the CVEs
        // that it repairs among its links, and one of OSV its aliases; other links may be about anything.
        let links = vulnerability.links.split_ascii_whitespace();
        let mut cves: BTreeSet<String> = cves_in(&vulnerability.name).collect();
        let mut aliases = BTreeSet::new();
        if vulnerability.updater.starts_with("osv/") {
            aliases.extend(links.filter_map(|link| link.strip_prefix(OSV_ALIAS)).map(str::to_owned));
            cves.extend(aliases.iter().flat_map(|alias| cves_in(alias)));
        } else if cves.is_empty() {
            cves.extend(links.flat_map(cves_in));
        }
        let name = match (cves.len(), cves.first()) {
            (1, Some(cve)) => cve.clone(),
            _ => record.clone(),
        };
        aliases.extend(cves);
        aliases.remove(&name);
        aliases.remove(&record);
        Self { name, record, aliases }
    }
}

/// The id in a name that may be a title: `ELSA-2024-1234:  kernel security update (IMPORTANT)`.
fn own_id(name: &str) -> String {
    let first = name.split_ascii_whitespace().next().unwrap_or("unnamed");
    first.trim_end_matches([':', ',']).to_owned()
}

/// The CVE identifiers in a text: `CVE-`, a year, `-`, and at least four digits (CVE numbering rules).
fn cves_in(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("CVE-").filter_map(|(at, prefix)| {
        let rest = text.get(at + prefix.len()..)?;
        let (year, rest) = rest.split_at_checked(4)?;
        let number = rest.strip_prefix('-')?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let valid = year.bytes().all(|byte| byte.is_ascii_digit()) && digits >= 4;
        valid.then(|| format!("CVE-{year}-{}", &number[..digits]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(updater: &str, name: &str, links: &str) -> (String, String, Vec<String>) {
        let vulnerability = Vulnerability {
            updater: updater.to_owned(),
            name: name.to_owned(),
            links: links.to_owned(),
            ..Vulnerability::default()
        };
        let names = Names::of(&vulnerability);
        (names.name, names.record, names.aliases.into_iter().collect())
    }

    #[test]
    fn the_cve_is_the_name_where_there_is_one() {
        let osv = "https://h.example/CVE-2000-0001 https://osv.dev/vulnerability/CVE-2021-44228";
        for (updater, name, links, expected) in [
            ("debian/updater", "CVE-2005-2541", "", ("CVE-2005-2541", "CVE-2005-2541", vec![])),
            (
                "ubuntu/updater/focal",
                "CVE-2020-11008 on Ubuntu 20.04 LTS (focal) - high.",
                "https://ubuntu.com/security/CVE-2020-11008 https://x/CVE-2020-9999",
                ("CVE-2020-11008", "CVE-2020-11008", vec![]),
            ),
            ("osv/maven", "GHSA-jfh8-c2jp-5v3q", osv, ("CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q", vec![])),
            ("osv/go", "GO-2021-0113", "https://go.dev/cl/1", ("GO-2021-0113", "GO-2021-0113", vec![])),
            (
                "osv/go",
                "GO-2022-0969",
                "https://osv.dev/vulnerability/CVE-2022-27664 https://osv.dev/vulnerability/GHSA-69cg-p879-7622",
                ("CVE-2022-27664", "GO-2022-0969", vec!["GHSA-69cg-p879-7622"]),
            ),
            (
                "aws-AL2-updater",
                "ALAS2-2023-1",
                "http://c/CVE-2023-0001 http://c/CVE-2023-0002",
                ("ALAS2-2023-1", "ALAS2-2023-1", vec!["CVE-2023-0001", "CVE-2023-0002"]),
            ),
            (
                "oracle-2024-updater",
                "ELSA-2024-1234:  kernel security update (IMPORTANT)",
                "https://l/ELSA-2024-1234.html https://l/CVE-2024-12345.html",
                ("CVE-2024-12345", "ELSA-2024-1234", vec![]),
            ),
        ] {
            let (name, record, aliases) = names(updater, name, links);
            assert_eq!((name.as_str(), record.as_str(), aliases), {
                let (name, record, aliases) = expected;
                (name, record, aliases.into_iter().map(str::to_owned).collect())
            });
        }
    }

    #[test]
    fn what_only_looks_like_a_cve_is_none() {
        for text in
            ["CVE-", "CVE-20", "CVE-2020", "CVE-2020-123", "CVE-20x0-1234", "CVE-2020_1234", "CVE-2é20-1234"]
        {
            assert_eq!(cves_in(text).count(), 0, "{text}");
        }
        assert_eq!(cves_in("(CVE-2020-123456789).").collect::<Vec<_>>(), ["CVE-2020-123456789"]);
        assert_eq!(own_id(""), "unnamed");
    }
}
