//! The laws of [`Queue`].

use std::sync::Arc;
use std::time::Duration;

use super::{Harness, Law, Outcome, Unmet, broken, ensure, image, same, while_time_passes};
use crate::ports::{DeadLetter, DeadLetterReason, Delivery, Lease, MAX_RECEIVE, Queue, QueueError};
use crate::vocabulary::{
    Cause, Digest, FeedName, Generation, Lane, PageToken, RequestId, ScanRequest, Timestamp,
};

/// The lease that checks ask for, unless the harness says otherwise.
const LEASE: Duration = Duration::from_secs(60);
/// How long a receive waits where there is nothing.
const WAIT: Duration = Duration::from_millis(200);
/// How many receives look for a message among foreign ones.
const ROUNDS: usize = 100;
/// More than any backend takes in one call of its own.
const BATCH: usize = 25;

/// A fresh queue.
pub trait QueueHarness: Harness {
    /// The queue.
    fn queue(&self) -> Arc<dyn Queue>;

    /// The lease that checks ask for: whole seconds. A backend whose time is the real one takes a short one.
    fn lease(&self) -> Duration {
        LEASE
    }
}

/// Within the lease, with room for what calls take; twice as long is past it.
fn within(harness: &dyn QueueHarness) -> Duration {
    harness.lease() * 3 / 5
}

/// Past the lease.
fn beyond(harness: &dyn QueueHarness) -> Duration {
    harness.lease() * 9 / 8
}

/// The laws.
pub const LAWS: &[Law<dyn QueueHarness>] = &[
    Law { id: "Q1", title: "a_leased_message_is_hidden", check: |h| Box::pin(hidden(h)) },
    Law { id: "Q1", title: "an_extended_lease_hides_it_longer", check: |h| Box::pin(extended(h)) },
    Law { id: "Q2", title: "an_unacknowledged_message_returns", check: |h| Box::pin(returns(h)) },
    Law { id: "Q3", title: "a_lapsed_lease_is_lost", check: |h| Box::pin(lapsed(h)) },
    Law { id: "Q3", title: "a_lapsed_lease_does_not_touch_the_next", check: |h| Box::pin(next_lease(h)) },
    Law { id: "Q4", title: "an_empty_receive_returns_within_its_wait", check: |h| Box::pin(empty(h)) },
    Law { id: "Q5", title: "an_acknowledged_message_stays_away", check: |h| Box::pin(acknowledged(h)) },
    Law { id: "Q6", title: "a_lane_gives_what_it_was_sent", check: |h| Box::pin(lanes(h)) },
    Law { id: "Q6", title: "a_batch_arrives_whole", check: |h| Box::pin(batch(h)) },
    Law { id: "Q7", title: "a_buried_letter_is_listed_until_redriven", check: |h| Box::pin(buried(h)) },
];

fn request(harness: &dyn QueueHarness) -> Result<ScanRequest, Unmet> {
    let name = harness.unique();
    let image = image(&format!("{name}.test"), "queued")?;
    Ok(ScanRequest { id: RequestId(name), image, cause: Cause::Reconcile, at_least: None })
}

async fn receive(harness: &dyn QueueHarness, lane: Lane) -> Result<Vec<Delivery>, QueueError> {
    let queue = harness.queue();
    while_time_passes(harness, WAIT, queue.receive(lane, MAX_RECEIVE, harness.lease(), WAIT)).await
}

fn is_of(delivery: &Delivery, id: &RequestId) -> bool {
    delivery.request.as_ref().is_ok_and(|request| request.id == *id)
}

/// Receives until this request comes, or nothing comes. Foreign messages stay leased.
async fn find(
    harness: &dyn QueueHarness,
    lane: Lane,
    id: &RequestId,
) -> Result<Option<Delivery>, QueueError> {
    for _ in 0..ROUNDS {
        let received = receive(harness, lane).await?;
        if received.is_empty() {
            return Ok(None);
        }
        if let Some(mine) = received.into_iter().find(|delivery| is_of(delivery, id)) {
            return Ok(Some(mine));
        }
    }
    Ok(None)
}

async fn expect(harness: &dyn QueueHarness, lane: Lane, sent: &ScanRequest) -> Result<Lease, Unmet> {
    match find(harness, lane, &sent.id).await? {
        Some(delivery) => {
            same("the request received", &delivery.request, &Ok(sent.clone()))?;
            Ok(delivery.lease)
        }
        None => broken(format!("request {} was not received from lane {lane}", sent.id)),
    }
}

async fn expect_none(harness: &dyn QueueHarness, lane: Lane, id: &RequestId, when: &str) -> Outcome {
    let found = find(harness, lane, id).await?;
    ensure(found.is_none(), || format!("request {id} was received {when}"))
}

async fn sent(harness: &dyn QueueHarness, lane: Lane) -> Result<ScanRequest, Unmet> {
    let request = request(harness)?;
    harness.queue().send(lane, std::slice::from_ref(&request)).await?;
    Ok(request)
}

async fn hidden(harness: &dyn QueueHarness) -> Outcome {
    let request = sent(harness, Lane::Push).await?;
    expect(harness, Lane::Push, &request).await?;
    expect_none(harness, Lane::Push, &request.id, "again at once, while it was leased").await?;
    harness.advance(within(harness)).await;
    expect_none(harness, Lane::Push, &request.id, "again before its lease ended").await
}

async fn extended(harness: &dyn QueueHarness) -> Outcome {
    let request = sent(harness, Lane::Push).await?;
    let lease = expect(harness, Lane::Push, &request).await?;
    harness.advance(within(harness)).await;
    harness.queue().extend(&lease, harness.lease()).await?;
    harness.advance(within(harness)).await;
    expect_none(harness, Lane::Push, &request.id, "while its lease was extended").await?;
    harness.advance(beyond(harness)).await;
    expect(harness, Lane::Push, &request).await.map(drop)
}

async fn returns(harness: &dyn QueueHarness) -> Outcome {
    let request = sent(harness, Lane::Push).await?;
    for _ in 0..3 {
        expect(harness, Lane::Push, &request).await?;
        harness.advance(beyond(harness)).await;
    }
    expect(harness, Lane::Push, &request).await.map(drop)
}

async fn lapsed(harness: &dyn QueueHarness) -> Outcome {
    let request = sent(harness, Lane::Push).await?;
    let lease = expect(harness, Lane::Push, &request).await?;
    harness.advance(beyond(harness)).await;
    same(
        "extending a lapsed lease",
        &harness.queue().extend(&lease, harness.lease()).await,
        &Err(QueueError::LeaseLost),
    )?;
    let acknowledged = harness.queue().acknowledge(&lease).await;
    ensure(matches!(acknowledged, Ok(()) | Err(QueueError::LeaseLost)), || {
        format!("acknowledging under a lapsed lease: {acknowledged:?}")
    })
}

async fn next_lease(harness: &dyn QueueHarness) -> Outcome {
    let request = sent(harness, Lane::Push).await?;
    let old = expect(harness, Lane::Push, &request).await?;
    harness.advance(beyond(harness)).await;
    let new = expect(harness, Lane::Push, &request).await?;
    ensure(old != new, || "a redelivery came under the same lease".to_owned())?;
    same(
        "extending it",
        &harness.queue().extend(&old, harness.lease() * 10).await,
        &Err(QueueError::LeaseLost),
    )?;
    // The lost lease has neither prolonged nor ended the new one.
    harness.queue().extend(&new, harness.lease()).await?;
    harness.advance(beyond(harness)).await;
    expect(harness, Lane::Push, &request).await.map(drop)
}

async fn empty(harness: &dyn QueueHarness) -> Outcome {
    for _ in 0..ROUNDS {
        if receive(harness, Lane::Backfill).await?.is_empty() {
            let queue = harness.queue();
            queue.receive(Lane::Backfill, MAX_RECEIVE, harness.lease(), Duration::ZERO).await?;
            return Ok(());
        }
    }
    broken("the lane never ran empty")
}

async fn acknowledged(harness: &dyn QueueHarness) -> Outcome {
    let request = sent(harness, Lane::Change).await?;
    let lease = expect(harness, Lane::Change, &request).await?;
    harness.advance(within(harness)).await;
    harness.queue().acknowledge(&lease).await?;
    expect_none(harness, Lane::Change, &request.id, "after it was acknowledged").await?;
    harness.advance(beyond(harness)).await;
    expect_none(harness, Lane::Change, &request.id, "after its acknowledged lease ended").await
}

async fn lanes(harness: &dyn QueueHarness) -> Outcome {
    let causes = [
        Cause::Push { tag: Some("v1.0".parse()?) },
        Cause::Change { feed: FeedName("feed".to_owned()) },
        Cause::IndexChild { parent: Digest::of(b"parent") },
    ];
    for (lane, cause) in Lane::ALL.into_iter().zip(causes) {
        let request = ScanRequest { cause, at_least: Some(Generation(u64::MAX / 2)), ..request(harness)? };
        harness.queue().send(lane, std::slice::from_ref(&request)).await?;
        for other in Lane::ALL.into_iter().filter(|other| *other != lane) {
            expect_none(harness, other, &request.id, "from another lane").await?;
        }
        let lease = expect(harness, lane, &request).await?;
        harness.queue().acknowledge(&lease).await?;
    }
    Ok(())
}

async fn batch(harness: &dyn QueueHarness) -> Outcome {
    let requests: Result<Vec<_>, Unmet> = (0..BATCH).map(|_| request(harness)).collect();
    let mut missing = requests?;
    harness.queue().send(Lane::Backfill, &missing).await?;
    for _ in 0..ROUNDS {
        let received = receive(harness, Lane::Backfill).await?;
        if received.is_empty() {
            break;
        }
        missing.retain(|request| !received.iter().any(|delivery| delivery.request.as_ref() == Ok(request)));
    }
    ensure(missing.is_empty(), || format!("{} of {BATCH} requests did not arrive", missing.len()))
}

async fn letters_of(harness: &dyn QueueHarness, id: &RequestId) -> Result<Vec<DeadLetter>, Unmet> {
    let (mut found, mut after): (_, Option<PageToken>) = (vec![], None);
    loop {
        let page = harness.queue().dead_letters(after, 1).await?;
        found.extend(page.items.into_iter().filter(|letter| letter.id == *id));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

async fn buried(harness: &dyn QueueHarness) -> Outcome {
    let queue = harness.queue();
    let mut letters = vec![];
    for _ in 0..2 {
        let request = sent(harness, Lane::Change).await?;
        let lease = expect(harness, Lane::Change, &request).await?;
        let letter = DeadLetter {
            id: request.id.clone(),
            lane: Lane::Change,
            reason: DeadLetterReason::AttemptsExhausted,
            detail: "it failed \"20\" times".to_owned(),
            body: serde_json::to_string(&request)?,
            at: Timestamp::from_millis(1_772_366_400_123),
        };
        queue.bury(&lease, &letter).await?;
        letters.push((request, letter));
    }
    harness.advance(beyond(harness)).await;
    for (request, letter) in &letters {
        expect_none(harness, Lane::Change, &request.id, "after it was buried").await?;
        same("the letters under its id", &letters_of(harness, &request.id).await?, &vec![letter.clone()])?;
    }
    let (request, _) = &letters[0];
    same("redriving it", &queue.redrive(&request.id).await?, &true)?;
    same("the letters after redriving", &letters_of(harness, &request.id).await?, &vec![])?;
    expect(harness, Lane::Change, request).await?;
    same("redriving it twice", &queue.redrive(&request.id).await?, &false)?;
    same("the other letter", &letters_of(harness, &letters[1].0.id).await?.len(), &1)
}
