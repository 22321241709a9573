//! Notifications that come once only: durable before they are answered, once however often they come.

use std::sync::Arc;

use cve_monitor_core::pipeline::{Inbox, InboxError, MAX_BELL_NAME_BYTES, Rung};
use cve_monitor_core::ports::{Cursor, EventStore as _};
use cve_monitor_core::scan::{Event, FeedEvent, StreamId, seal};
use cve_monitor_core::vocabulary::{FeedName, Generation};

use crate::world::World;

fn feed() -> FeedName {
    FeedName("inbox".to_owned())
}

fn up_to(cursor: &Cursor) -> u64 {
    cursor.0.parse().unwrap_or(0)
}

fn inbox(world: &World) -> Inbox {
    Inbox::new(Arc::clone(&world.ports), &feed(), up_to)
}

fn bells(world: &World) -> Vec<String> {
    let events = world.run(world.store.read(&StreamId::feed(&feed()), 1, 100)).expect("read");
    let name = |event| match event {
        Event::Feed(FeedEvent::BellRang { name }) => Some(name),
        _ => None,
    };
    events.into_iter().filter_map(|recorded| name(recorded.event)).collect()
}

/// The notifier has followed everything up to this version.
fn follow_to(world: &World, version: u64) {
    let stream = StreamId::feed(&feed());
    let mut head = world.run(world.store.head(&stream)).expect("read").expect("a head");
    let to = Cursor(version.to_string());
    let event = FeedEvent::GapFound { to, scope: "a test".to_owned(), generation: Generation(version) };
    let cve_monitor_core::scan::HeadState::Feed(state) = head.state else { panic!("no feed") };
    let now = world.ports.clock.now();
    let state = cve_monitor_core::scan::evolve_feed(state, now, &event).expect("it follows");
    let sealed = seal(&stream, head.version, now, vec![event.into()]);
    let before = head.version;
    head.version += 1;
    head.state = cve_monitor_core::scan::HeadState::Feed(state);
    world.run(world.store.append(&stream, before, &sealed, &head)).expect("appended");
}

#[test]
fn a_notification_is_recorded_once_however_often_and_by_whomever_it_is_received() {
    let world = World::new();
    let (one, other) = (inbox(&world), inbox(&world));
    assert_eq!(world.run(one.ring("first")), Ok(Rung::Recorded));
    for _ in 0..1000 {
        assert_eq!(world.run(one.ring("first")), Ok(Rung::Known));
    }
    assert_eq!(world.run(other.ring("first")), Ok(Rung::Known));
    assert_eq!(world.run(other.ring("second")), Ok(Rung::Recorded));
    assert_eq!(world.run(one.ring("second")), Ok(Rung::Known));
    assert_eq!(bells(&world), ["first", "second"]);
}

#[test]
fn one_that_comes_again_after_it_was_followed_is_recorded_again() {
    let world = World::new();
    let inbox = inbox(&world);
    assert_eq!(world.run(inbox.ring("first")), Ok(Rung::Recorded));
    assert_eq!(world.run(inbox.ring("second")), Ok(Rung::Recorded));
    follow_to(&world, 1);
    assert_eq!(world.run(inbox.ring("second")), Ok(Rung::Known));
    assert_eq!(world.run(inbox.ring("first")), Ok(Rung::Recorded));
    assert_eq!(bells(&world), ["first", "second", "first"]);
}

#[test]
fn a_process_that_starts_anew_reads_what_waits_page_by_page() {
    let world = World::new();
    let before = inbox(&world);
    for number in 0..1200 {
        assert_eq!(world.run(before.ring(&format!("bell {number}"))), Ok(Rung::Recorded));
    }
    let after = inbox(&world);
    assert_eq!(world.run(after.ring("bell 0")), Ok(Rung::Known));
    assert_eq!(world.run(after.ring("bell 1199")), Ok(Rung::Known));
    assert_eq!(world.run(after.ring("bell 1200")), Ok(Rung::Recorded));
}

#[test]
fn a_name_has_bounds() {
    let world = World::new();
    let inbox = inbox(&world);
    assert_eq!(world.run(inbox.ring("")), Err(InboxError::Name));
    assert_eq!(world.run(inbox.ring(&"n".repeat(MAX_BELL_NAME_BYTES + 1))), Err(InboxError::Name));
    assert_eq!(world.run(inbox.ring(&"n".repeat(MAX_BELL_NAME_BYTES))), Ok(Rung::Recorded));
}
