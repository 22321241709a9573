//! How each image ended: with a report, or with a named reason.

use cve_monitor_core::pipeline::Ports;
use cve_monitor_core::scan::{Event, ImageEvent, Resolved, StreamId};
use cve_monitor_core::vocabulary::ImageId;

use crate::runtime::Failure;

/// Events of one image that are read at a time.
const PAGE: usize = 200;

/// The end of an image.
pub(super) enum Ended {
    /// Its report, as a sink would store it.
    Report(Vec<u8>),
    /// Why there is none.
    Problem(String),
}

pub(super) async fn ended(ports: &Ports, image: &ImageId) -> Result<Ended, Failure> {
    let head = ports.store.head(&StreamId::image(image)).await.map_err(Failure::of)?;
    let Some(state) = head.as_ref().and_then(|head| head.image()) else {
        return Ok(Ended::Problem("it was never looked at".to_owned()));
    };
    if let Some(last) = &state.last_report {
        let body = ports.archive.get(&last.body).await.map_err(Failure::of)?;
        return Ok(body.map_or_else(|| Ended::Problem("its report was lost".to_owned()), Ended::Report));
    }
    if state.deleted {
        return Ok(Ended::Problem("not found: the registry does not have it".to_owned()));
    }
    if let Some(Resolved::Artifact(kind)) = &state.resolved {
        return Ok(Ended::Problem(format!("not an image: {}", kind.as_str())));
    }
    if let Some(Resolved::Index(_)) = &state.resolved {
        return Ok(Ended::Problem(
            "an index inside of an index; name its images by their digests".to_owned(),
        ));
    }
    let (mut why, mut from) = ("it was not finished".to_owned(), 1);
    loop {
        let events = ports.store.read(&StreamId::image(image), from, PAGE).await.map_err(Failure::of)?;
        for recorded in &events {
            match &recorded.event {
                Event::Image(ImageEvent::Abandoned { reason, detail }) => why = format!("{reason}: {detail}"),
                Event::Image(ImageEvent::StepFailed { step, detail, .. }) => {
                    why = format!("{step}: {detail}")
                }
                Event::Image(ImageEvent::Waiting { reason, .. }) => why.clone_from(reason),
                _ => {}
            }
        }
        if events.len() < PAGE {
            return Ok(Ended::Problem(why));
        }
        from += events.len() as u64;
    }
}
