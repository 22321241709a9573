//! What a notification names: layers that bring a package in which its vulnerability affects, before the change and after
//! it. Layers that merely stand on them are not named; the keys of an image are its whole chain, so it is found all the
//! same.
//!
//! Pages are read from the first to the last in one go: the tokens in between live for an hour, and die with the process
//! that gave them. They are never kept.

use std::collections::BTreeSet;

use cve_monitor_core::ports::FeedError;

use crate::clair::http::HttpError;
use crate::clair::v2::chain::ChainId;
use crate::clair::v2::client::{ClairV2Client, LAYERS_A_PAGE};
use crate::clair::v2::wire::{Notification, Side};

/// The most layers of one notification that are kept, 24 bytes each; where there are more, everything is swept.
const AFFECTED_MAX: usize = 1_000_000;
/// The most pages of one notification that are read, each with the layers of everybody on the server; where there are more,
/// everything is swept.
const PAGES_MAX: usize = 10 * AFFECTED_MAX / LAYERS_A_PAGE;
/// How often the pages are begun anew because the server has forgotten its tokens.
pub const STARTS_MAX: u32 = 3;

/// Why the pages end before the last.
enum Stop {
    TokensForgotten,
    Failed(FeedError),
}

/// The layers of ours that a notification names, sorted. None for one that Clair does not know: the database that it was
/// about is gone, or it came from somebody else.
pub(super) async fn affected(client: &ClairV2Client, name: &str) -> Result<Vec<ChainId>, FeedError> {
    for _ in 0..STARTS_MAX {
        match pages(client, name).await {
            Ok(ids) => return Ok(ids.into_iter().collect()),
            Err(Stop::TokensForgotten) => {}
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    Err(FeedError::Transient(format!(
        "Clair gave up the pages of notification {name} {STARTS_MAX} times: where it runs several times, they need one \
         `paginationkey`"
    )))
}

async fn pages(client: &ClairV2Client, name: &str) -> Result<BTreeSet<ChainId>, Stop> {
    let mut named = Named { ids: BTreeSet::new(), pages: 0, most: (AFFECTED_MAX, PAGES_MAX) };
    let mut page: Option<String> = None;
    loop {
        let found =
            client.notification(name, page.as_deref()).await.map_err(|error| stop(&error, page.is_some()))?;
        let Some(notification) = found else {
            tracing::info!(notification = name, "Clair does not know this notification (any more)");
            return Ok(named.ids);
        };
        if is_text_only(&notification) {
            return Ok(named.ids);
        }
        named.take(&notification).map_err(Stop::Failed)?;
        let next = Some(notification.next_page).filter(|token| !token.is_empty());
        match next {
            None => return Ok(named.ids),
            same if same == page => {
                let stuck = format!("notification {name} leads from one of its pages to the same page");
                return Err(Stop::Failed(FeedError::Transient(stuck)));
            }
            next => page = next,
        }
    }
}

/// What the pages name so far.
struct Named {
    ids: BTreeSet<ChainId>,
    pages: usize,
    /// How many of either are too many to go on.
    most: (usize, usize),
}

impl Named {
    fn take(&mut self, page: &Notification) -> Result<(), FeedError> {
        for side in [&page.old, &page.new].into_iter().flatten() {
            self.ids.extend(side.layers().filter_map(ChainId::in_name));
        }
        self.pages += 1;
        let (layers, pages) = self.most;
        if self.ids.len() > layers {
            return Err(FeedError::Forgotten(format!("a change of over {layers} layers")));
        }
        if self.pages == pages && !page.next_page.is_empty() {
            return Err(FeedError::Forgotten(format!("a change of over {pages} pages")));
        }
        Ok(())
    }
}

fn stop(error: &HttpError, is_later_page: bool) -> Stop {
    match error {
        HttpError::Status { status: 400, message, .. }
            if is_later_page && message.contains("pagination token") =>
        {
            Stop::TokensForgotten
        }
        _ => Stop::Failed(FeedError::Transient(error.to_string())),
    }
}

/// Whether nothing changed of what an assessment says: neither how bad it is, nor where it is repaired.
fn is_text_only(notification: &Notification) -> bool {
    let (Some(old), Some(new)) = (&notification.old, &notification.new) else { return false };
    meaning(old) == meaning(new)
}

fn meaning(side: &Side) -> (&str, &str, &str, BTreeSet<(&str, &str, &str)>) {
    let told = &side.vulnerability;
    let fixes = told.fixed_in.iter();
    let fixes =
        fixes.map(|fix| (fix.name.as_str(), fix.namespace_name.as_str(), fix.version.as_str())).collect();
    (&told.name, &told.namespace_name, &told.severity, fixes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clair::v2::captured::captured;
    use crate::clair::v2::wire::NotificationEnvelope;

    fn notification((status, body): (u16, &str)) -> Notification {
        assert_eq!(status, 200);
        serde_json::from_str::<NotificationEnvelope>(body).expect("a notification").notification
    }

    fn names(side: Option<&Side>) -> BTreeSet<&str> {
        side.into_iter().flat_map(Side::layers).collect()
    }

    #[test]
    fn a_new_vulnerability_names_the_layers_of_its_new_side() {
        let new = notification(captured!("a0-notification-new-all"));
        assert!(new.old.is_none() && new.next_page.is_empty());
        assert_eq!(names(new.new.as_ref()).len(), 8);
        assert!(names(new.new.as_ref()).contains("x12"));
    }

    #[test]
    fn a_deleted_vulnerability_names_those_of_its_old_side() {
        let deleted = notification(captured!("b3-notification-vuln-deleted"));
        assert!(deleted.new.is_none());
        assert_eq!(names(deleted.old.as_ref()).len(), 1);
    }

    #[test]
    fn another_severity_is_a_change_and_another_text_is_none() {
        let changed = notification(captured!("a2-notification-updated-limit4-page1"));
        assert!(!is_text_only(&changed), "High became Critical");
        let mut edited = notification(captured!("a2-notification-updated-limit4-page1"));
        let old = edited.old.as_mut().expect("a side");
        old.vulnerability.severity = "Critical".to_owned();
        assert!(is_text_only(&edited), "only description and link differ");
        let old = edited.old.as_mut().expect("a side");
        old.vulnerability.fixed_in[0].version = "9".to_owned();
        assert!(!is_text_only(&edited), "repaired in another version");
        assert!(!is_text_only(&notification(captured!("a0-notification-new-all"))));
    }

    #[test]
    fn a_notification_that_affects_no_layer_names_none() {
        let nobody = notification(captured!("a3-notification-not-affecting"));
        assert!(names(nobody.new.as_ref()).is_empty());
        assert!(!is_text_only(&nobody));
    }

    /// A page of layers of ours with these numbers.
    fn page(numbers: std::ops::Range<u8>, next: &str) -> Notification {
        let names =
            numbers.map(|number| format!("\"{}.{}\"", format!("{number:02x}").repeat(24), "b".repeat(64)));
        let names = names.collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"NextPage":"{next}","New":{{"LayersIntroducingVulnerability":[{names}]}}}}"#);
        serde_json::from_str(&body).expect("a page")
    }

    #[test]
    fn a_change_of_more_layers_or_pages_than_are_followed_concerns_everything() {
        assert_eq!((AFFECTED_MAX, PAGES_MAX), (1_000_000, 20_000));
        let named = |most| Named { ids: BTreeSet::new(), pages: 0, most };
        let mut layers = named((5, PAGES_MAX));
        assert_eq!(layers.take(&page(0..3, "a")), Ok(()));
        assert_eq!(layers.take(&page(1..5, "b")), Ok(()), "five, of which two are named twice");
        assert_eq!(
            layers.take(&page(5..6, "")),
            Err(FeedError::Forgotten("a change of over 5 layers".to_owned()))
        );
        let mut pages = named((AFFECTED_MAX, 2));
        assert_eq!(pages.take(&page(0..0, "a")), Ok(()));
        assert_eq!(pages.take(&page(0..0, "")), Ok(()), "the last one");
        let mut pages = Named { pages: 1, ..named((AFFECTED_MAX, 2)) };
        let refused = pages.take(&page(0..0, "b"));
        assert_eq!(refused, Err(FeedError::Forgotten("a change of over 2 pages".to_owned())));
    }

    #[test]
    fn the_deprecated_list_alone_is_enough() {
        let body = r#"{"New":{"Vulnerability":{"Name":"CVE-1"},"LayersIntroducingVulnerability":["a","b"]}}"#;
        let early: Notification = serde_json::from_str(body).expect("a notification");
        assert_eq!(names(early.new.as_ref()), BTreeSet::from(["a", "b"]));
    }
}
