//! The expected values of the golden heads, and the bound on a head.

use cve_monitor_core::ports::Cursor;
use cve_monitor_core::scan::{
    AbandonReason, CodecError, ContentHash, Due, FailureClass, FanOut, FeedState, FeedSweep, Head, HeadState,
    ImageState, LastGap, LastReport, MAX_HEAD_BYTES, MAX_PARENTS, OpenRequest, RECENT_REQUESTS,
    ReconcileState, ReportId, Resolved, encode_head,
};
use cve_monitor_core::vocabulary::{
    Digest, Generation, Level, PageToken, RequestId, ScannerIdentity, Timestamp, Verdict,
};

use crate::examples::{at, counts, covered, resolved, scanner};

/// All of them by file name.
pub(crate) fn heads() -> Vec<(&'static str, Head)> {
    let image = |version, state: ImageState| Head { version, state: HeadState::Image(Box::new(state)) };
    let deleted = ImageState { deleted: true, presence_doubted: true, ..ImageState::default() };
    let revived = ImageState { revived: Some(29_540_340), ..ImageState::default() };
    let index = ImageState { resolved: Some(Resolved::Index(4)), ..ImageState::default() };
    let open = OpenRequest { since: at(), at_least: None, routine: true };
    let swept = ImageState { open: Some(open), ..ImageState::default() };
    let gap = LastGap { since: at(), generation: Generation(42) };
    let gapped = FeedState { last_gap: Some(gap), ..FeedState::default() };
    let covered = ReconcileState { last: covered(), ..reconcile() };
    vec![
        ("Image", image(17, full())),
        ("Image.least", image(1, ImageState::default())),
        ("Image.deleted", image(9, deleted)),
        ("Image.index", image(2, index)),
        ("Image.swept", image(5, swept)),
        ("Image.revived", image(11, revived)),
        ("Feed", Head { version: 5, state: HeadState::Feed(feed()) }),
        ("Feed.gapped", Head { version: 6, state: HeadState::Feed(gapped) }),
        ("Feed.least", Head { version: 1, state: HeadState::Feed(FeedState::default()) }),
        ("Reconcile", Head { version: 3, state: HeadState::Reconcile(reconcile()) }),
        ("Reconcile.covered", Head { version: 3, state: HeadState::Reconcile(covered) }),
    ]
}

fn full() -> ImageState {
    ImageState {
        resolved: Some(Resolved::Image(resolved())),
        keys: Some(1),
        indexed: Some(scanner()),
        open: Some(OpenRequest { since: at(), at_least: Some(Generation(42)), routine: false }),
        recent: [ImageState::remembered(&RequestId("q-0001".to_owned()))].into(),
        parents: vec![Digest::of(b"index")],
        last_report: Some(LastReport {
            id: ReportId("r-0002".to_owned()),
            content: ContentHash("c0ffee".to_owned()),
            body: Digest::of(b"body"),
            started: at(),
            verdict: Verdict::Vulnerable,
            level: Level::Partial,
            delivered: vec!["folder".to_owned()],
        }),
        assessed: Some(at()),
        generation: Some(Generation(41)),
        failing: Some(FailureClass::Denied),
        failures: 2,
        due: Some(Due::At(at())),
        abandoned: Some(AbandonReason::Denied),
        deleted: false,
        presence_doubted: false,
        revived: None,
    }
}

fn feed() -> FeedState {
    let (from, to) = (Cursor("41".to_owned()), Cursor("42".to_owned()));
    let (generation, after) = (Generation(42), Some(PageToken("key-9".to_owned())));
    let fan_out = FanOut { from: from.clone(), to, generation, after: after.clone(), queued: 100 };
    let scope = "everything".to_owned();
    FeedState {
        cursor: Some(from),
        fan_out: Some(fan_out),
        sweep: Some(FeedSweep { since: at(), scope, generation, after, queued: 7 }),
        generation: Some(generation),
        moved: Some(at()),
        last_gap: None,
        bells: 3,
    }
}

fn reconcile() -> ReconcileState {
    let after = Some(PageToken("team/app".to_owned()));
    ReconcileState { started: Some(at()), after, counts: counts(), done: Some(at()), last: counts() }
}

/// The largest state that the rules can fold: what is deleted has nothing open, what is given up waits for nothing, and what the slow
/// sweep alone asks for need not know anything at least.
fn largest() -> ImageState {
    let digest = |n: usize| Digest::of(n.to_string().as_bytes());
    let remembered = |n: usize| ImageState::remembered(&RequestId(n.to_string()));
    let hash = "f".repeat(32);
    let last = LastReport {
        id: ReportId(hash.clone()),
        content: ContentHash(hash),
        body: digest(0),
        started: Timestamp::MAX,
        verdict: Verdict::Vulnerable,
        level: Level::Unsupported,
        delivered: vec!["a".repeat(16), "b".repeat(16)],
    };
    ImageState {
        resolved: Some(Resolved::Image(resolved())),
        keys: Some(u32::MAX),
        indexed: Some(ScannerIdentity { name: "n".repeat(32), version: "v".repeat(32) }),
        open: Some(OpenRequest {
            since: Timestamp::MAX,
            at_least: Some(Generation(u64::MAX)),
            routine: false,
        }),
        recent: (0..RECENT_REQUESTS).map(remembered).collect(),
        parents: (0..MAX_PARENTS).map(digest).collect(),
        last_report: Some(last),
        assessed: Some(Timestamp::MAX),
        generation: Some(Generation(u64::MAX)),
        failing: Some(FailureClass::NotIndexed),
        failures: u32::MAX,
        due: Some(Due::At(Timestamp::MAX)),
        abandoned: None,
        deleted: false,
        presence_doubted: true,
        revived: None,
    }
}

fn encoded(state: ImageState) -> Result<usize, CodecError> {
    let head = Head { version: u64::MAX, state: HeadState::Image(Box::new(state)) };
    encode_head(&head).map(|bytes| bytes.len())
}

#[test]
fn the_largest_head_is_within_its_bound() {
    // One that came back remembers one request less.
    let recent = largest().recent.into_iter().skip(1).collect();
    let revived = ImageState { revived: Some(Timestamp::MAX.as_millis() / 60_000), recent, ..largest() };
    for state in [largest(), revived] {
        let size = encoded(state);
        assert!(matches!(size, Ok(size) if size <= MAX_HEAD_BYTES), "{size:?}, at most {MAX_HEAD_BYTES}");
    }
}

#[test]
fn a_head_is_refused_one_byte_over_its_bound() {
    let of_size = |bytes: usize| {
        let padded = |name: usize| {
            let recent = ["r".repeat(name)].into();
            encoded(ImageState { recent, ..ImageState::default() })
        };
        let rest = padded(0).expect("a head of one short name fits");
        padded(bytes - rest)
    };
    assert_eq!(of_size(MAX_HEAD_BYTES), Ok(MAX_HEAD_BYTES));
    assert_eq!(of_size(MAX_HEAD_BYTES + 1), Err(CodecError::HeadTooLong(MAX_HEAD_BYTES + 1)));
}
