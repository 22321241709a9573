//! Lists what a registry offers page by page (distribution-spec, "Listing tags"; distribution, "Listing
//! repositories").

use std::collections::BTreeSet;

use cve_monitor_core::ports::RegistryError;
use reqwest::header::LINK;
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;

use super::authorization::Scope;
use super::transport::{Ask, Transport};
use crate::http::outbound::same_origin;
use crate::http::{expect_success, read_bounded};

/// The longest page that is read, in bytes.
pub const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// How many entries a page is asked for; servers give fewer where they like.
const PAGE_ENTRIES: usize = 1000;
/// The most entries of one listing: tags of a repository, repositories of a registry.
pub const MAX_ENTRIES: usize = 200_000;
/// The most pages of one listing: each costs a request, even one that brings nothing new.
pub const MAX_PAGES: usize = MAX_ENTRIES / 10;

/// Reads a whole listing, sorted and without doubles. `entries` takes them out of a page.
///
/// # Errors
/// `Unsupported` past [`MAX_ENTRIES`] or [`MAX_PAGES`]; `Corrupt` where a page leads to another host or back to itself.
pub(super) async fn read_all<P: DeserializeOwned>(
    transport: &Transport,
    scope: &Scope,
    path: &str,
    what: &str,
    entries: impl Fn(P) -> Vec<String>,
) -> Result<BTreeSet<String>, RegistryError> {
    let mut listing = Listing { what, found: BTreeSet::new(), visited: BTreeSet::new() };
    let mut next = Some(format!("{path}?n={PAGE_ENTRIES}"));
    while let Some(path) = next {
        let ask = Ask {
            method: Method::GET,
            path,
            scope: scope.clone(),
            headers: Vec::new(),
            what: what.to_owned(),
        };
        let answer = transport.send(&ask).await?;
        // A registry that does not know the way to its catalogue has none, in whatever words it says so.
        if *scope == Scope::Catalogue && answer.response.status() == StatusCode::NOT_FOUND {
            return Err(RegistryError::Unsupported(format!("{what}: it has none")));
        }
        let response = expect_success(answer.response, what).await?;
        next = follow(transport, &ask.path, &response, what)?;
        let body = read_bounded(response, MAX_PAGE_BYTES).await?;
        drop(answer.permit);
        let page: P = serde_json::from_slice(&body)
            .map_err(|e| RegistryError::Transient(format!("{what}: the answer is no listing: {e}")))?;
        listing.take(ask.path, entries(page), next.as_deref())?;
    }
    Ok(listing.found)
}

/// What was listed so far, and on which pages.
struct Listing<'a> {
    what: &'a str,
    found: BTreeSet<String>,
    visited: BTreeSet<String>,
}

impl Listing<'_> {
    fn take(&mut self, page: String, entries: Vec<String>, next: Option<&str>) -> Result<(), RegistryError> {
        let what = self.what;
        self.found.extend(entries);
        if self.found.len() > MAX_ENTRIES {
            return Err(RegistryError::Unsupported(format!("{what}: more than {MAX_ENTRIES} entries")));
        }
        self.visited.insert(page);
        if next.is_some_and(|next| self.visited.contains(next)) {
            return Err(RegistryError::Corrupt(format!("{what}: a page leads back to an earlier one")));
        }
        if next.is_some() && self.visited.len() == MAX_PAGES {
            return Err(RegistryError::Unsupported(format!("{what}: more than {MAX_PAGES} pages")));
        }
        Ok(())
    }
}

/// The path and query of the next page (`Link: <…>; rel="next"`, RFC 8288).
pub(super) fn follow(
    transport: &Transport,
    path: &str,
    response: &Response,
    what: &str,
) -> Result<Option<String>, RegistryError> {
    let values = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let Some(target) = values.filter_map(next_link).next() else { return Ok(None) };
    let here = transport.address(path)?;
    let next = here
        .join(&target)
        .map_err(|_| RegistryError::Corrupt(format!("{what}: the next page has no address")))?;
    if !same_origin(&here, &next) {
        let host = next.host_str().unwrap_or_default();
        return Err(RegistryError::Corrupt(format!("{what}: the next page is said to be on {host}")));
    }
    Ok(Some(next[url::Position::BeforePath..url::Position::AfterQuery].to_owned()))
}

/// The target of the link that is called `next`.
pub(super) fn next_link(value: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (key, value) = parameter.split_once('=').unwrap_or_default();
            key.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split(' ').any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing<'static> {
        Listing { what: "it", found: BTreeSet::new(), visited: BTreeSet::new() }
    }

    #[test]
    fn a_listing_may_have_so_many_entries_and_no_more() {
        let mut listing = listing();
        let all = (0..MAX_ENTRIES).map(|number| number.to_string()).collect();
        assert_eq!(listing.take("1".to_owned(), all, Some("2")), Ok(()));
        assert_eq!(listing.take("2".to_owned(), vec!["0".to_owned()], Some("3")), Ok(()), "known before");
        let error = listing.take("3".to_owned(), vec!["one more".to_owned()], None).unwrap_err();
        assert!(
            matches!(&error, RegistryError::Unsupported(why) if why.contains("200000 entries")),
            "{error}"
        );
    }

    #[test]
    fn a_listing_may_have_so_many_pages_and_no_more() {
        let mut listing = listing();
        for page in 1..MAX_PAGES {
            let next = (page + 1).to_string();
            assert_eq!(listing.take(page.to_string(), vec![], Some(&next)), Ok(()));
        }
        let error = listing.take(MAX_PAGES.to_string(), vec![], Some("one more")).unwrap_err();
        assert!(matches!(&error, RegistryError::Unsupported(why) if why.contains("20000 pages")), "{error}");
        assert_eq!(listing.take(MAX_PAGES.to_string(), vec![], None), Ok(()), "the last one");
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        for (value, expected) in [
            (r#"</v2/_catalog?last=a&n=1>; rel="next""#, Some("/v2/_catalog?last=a&n=1")),
            (r#"<https://a.example/x>; rel=next"#, Some("https://a.example/x")),
            (r#"</a>; rel="prev", </b>; rel="next""#, Some("/b")),
            (r#"</a>; title="x"; rel="last next""#, Some("/a")),
            (r#"</a>; rel="prev""#, None),
            (r#"</a"#, None),
            ("", None),
        ] {
            assert_eq!(next_link(value).as_deref(), expected, "{value}");
        }
    }
}
