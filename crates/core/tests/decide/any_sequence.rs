//! Whatever comes, in whatever order: nothing panics, what is decided can follow, and a crash changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use cve_monitor_core::scan::{
    Command, Failure, FailureClass, Head, HeadState, ImageEvent, ImageState, LastReport, MAX_APPEND, Step,
    StepName, decode_head, encode_head, evolve, next_step,
};
use cve_monitor_core::vocabulary::{
    ArtifactKind, Cause, Digest, Generation, LayerKey, ScanRequest, ScannerIdentity,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::Config as ProptestConfig;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::stage::{Stage, change, indexed, push, request, resolved};

/// Something that happens on the stage.
#[derive(Debug, Clone)]
enum Act {
    /// The shell performs the next step, and the scanner finds this.
    Succeed(&'static str),
    /// A command that may fit or not.
    Command(Command),
    /// An assessment or a verification of this content, fitting or not.
    Assess(&'static str),
    Verify(&'static str),
    /// Time passes.
    Pass(u64),
}

fn causes() -> impl Strategy<Value = Cause> {
    let parent = select(vec!["one", "two", "three", "four", "five"]);
    prop_oneof![
        Just(push()),
        Just(change()),
        parent.prop_map(|parent| Cause::IndexChild { parent: Digest::of(parent.as_bytes()) }),
        select(vec![Cause::Reconcile, Cause::Sweep, Cause::Absence, Cause::Due, Cause::Operator]),
    ]
}

fn requests() -> impl Strategy<Value = Command> {
    (0..12_u32, causes(), option::of(0..5_u64)).prop_map(|(id, cause, least)| {
        let request = request(&id.to_string(), cause);
        Command::Request(ScanRequest { at_least: least.map(Generation), ..request })
    })
}

fn failures() -> impl Strategy<Value = Command> {
    use FailureClass::{
        Archived, Behind, Corrupt, Denied, Loading, NotIndexed, Permanent, Throttled, Transient,
    };
    let steps =
        vec![StepName::Resolve, StepName::Index, StepName::Assess, StepName::Deliver, StepName::Forget];
    let classes =
        vec![Transient, Throttled, Denied, Corrupt, Permanent, NotIndexed, Loading, Behind, Archived];
    (select(steps), select(classes), option::of(0..100_000_u64)).prop_map(|(step, class, after)| {
        let retry_after = after.map(Duration::from_secs);
        Command::Failed { step, failure: Failure { class, detail: "a failure".to_owned(), retry_after } }
    })
}

fn answers() -> impl Strategy<Value = Command> {
    let scanner = |version: &str| ScannerIdentity { name: "model".to_owned(), version: version.to_owned() };
    let keys = vec![LayerKey("base".to_owned())];
    select(vec![
        Command::ResolvedImage(resolved()),
        Command::ResolvedIndex(vec![Digest::of(b"child")]),
        Command::ResolvedArtifact(ArtifactKind::Other),
        Command::NotFound,
        Command::OutOfScope { detail: "windows/amd64".to_owned() },
        Command::LayersRecorded { keys: keys.clone(), generation: 1 },
        Command::LayersRecorded { keys, generation: 2 },
        indexed(scanner("1")),
        Command::Indexed { scanner: scanner("2"), keys: vec![LayerKey("further".to_owned())], generation: 1 },
    ])
}

fn acts() -> impl Strategy<Value = Act> {
    let text = || select(vec!["a", "b", "c"]);
    prop_oneof![
        6 => text().prop_map(Act::Succeed),
        4 => requests().prop_map(Act::Command),
        2 => failures().prop_map(Act::Command),
        2 => answers().prop_map(Act::Command),
        1 => text().prop_map(Act::Assess),
        1 => text().prop_map(Act::Verify),
        2 => (0..10_000_u64).prop_map(Act::Pass),
    ]
}

fn act(stage: &mut Stage, act: Act) -> Vec<ImageEvent> {
    let command = match act {
        Act::Succeed(text) => stage.success(text),
        Act::Command(command) => Some(command),
        Act::Assess(text) => Some(stage.assessed(text)),
        Act::Verify(text) => Some(stage.verified(text)),
        Act::Pass(seconds) => {
            stage.pass(Duration::from_secs(seconds));
            None
        }
    };
    // A rejection changes nothing; `record` fails where what is decided cannot follow.
    command.map_or(vec![], |command| stage.record(command).unwrap_or_default())
}

/// The state as a fold over all events, as after the loss of the head.
fn refolded(stage: &Stage) -> ImageState {
    let fold = |state, (at, event): &(_, ImageEvent)| evolve(state, *at, event).expect("it followed before");
    stage.events.iter().fold(ImageState::default(), fold)
}

/// The state as the head gives it back after a crash.
fn reread(stage: &Stage) -> ImageState {
    let version = stage.events.len() as u64;
    let head = Head { version, state: HeadState::Image(Box::new(stage.state.clone())) };
    let bytes = encode_head(&head).expect("a head within its bound");
    decode_head(&bytes).expect("what was written").image().expect("an image's").clone()
}

/// A failure prints its shortest input: that becomes a test with a name, not a file of seeds.
fn without_files() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(without_files())]

    #[test]
    fn a_crash_gives_the_same_step_again(acts in vec(acts(), 0..80)) {
        let mut stage = Stage::empty();
        for one in acts {
            let events = act(&mut stage, one);
            prop_assert!(events.len() <= MAX_APPEND);
            prop_assert_eq!(&refolded(&stage), &stage.state);
            prop_assert_eq!(&reread(&stage), &stage.state);
            prop_assert_eq!(next_step(&reread(&stage), &stage.policy, stage.now), stage.next());
        }
    }

    #[test]
    fn reports_never_repeat_an_id_and_never_say_the_same_twice(acts in vec(acts(), 0..120)) {
        let mut stage = Stage::empty();
        let (mut ids, mut last): (BTreeSet<_>, Option<LastReport>) = (BTreeSet::new(), None);
        for one in acts {
            for event in act(&mut stage, one) {
                let ImageEvent::Assessed(assessed) = event else { continue };
                prop_assert!(ids.insert(assessed.report.clone()), "{} twice", assessed.report);
                prop_assert!(last.is_none_or(|last| last.content != assessed.content));
                last = stage.state.last_report.clone();
            }
        }
    }

    #[test]
    fn a_world_in_which_everything_goes_well_finishes(acts in vec(acts(), 0..80)) {
        let mut stage = Stage::empty();
        for one in acts {
            act(&mut stage, one);
        }
        if let Step::Wait(_) = stage.next() {
            stage.pass(Duration::from_secs(1_000_000));
        }
        stage.finish("a");
        prop_assert!(matches!(stage.next(), Step::Done | Step::Forget), "{:?}", stage.next());
    }

    #[test]
    fn what_is_open_has_a_next_step_or_a_reason(acts in vec(acts(), 0..80)) {
        let mut stage = Stage::empty();
        for one in acts {
            act(&mut stage, one);
            let reason = stage.state.abandoned.is_some();
            prop_assert!(
                stage.state.open.is_none() || stage.next() != Step::Done || reason,
                "open and done: {:?}", stage.state
            );
        }
    }
}
