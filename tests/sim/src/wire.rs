//! A process's link to a port: each call is suspended before its effect and after it, and may go wrong at either.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cve_monitor_core::ports::{
    AppendError, ArchiveError, FeedError, LayerIndexError, QueueError, RegistryError, ScannerError,
    SinkError, StoreError,
};

use crate::stage::{Phase, Point, Refusal, Role, Stage, Verdict, code_of};

/// Errors of ports that say "try again".
pub(crate) trait Fails {
    /// It did not work; nobody knows why.
    fn away(detail: &str) -> Self;
    /// It asks to slow down, where it can say so.
    fn slow(detail: &str) -> Self
    where
        Self: Sized,
    {
        Self::away(detail)
    }
}

macro_rules! transient {
    ($($error:ident),*) => {$(
        impl Fails for $error {
            fn away(detail: &str) -> Self {
                Self::Transient(detail.to_owned())
            }
        }
    )*};
}

transient!(ArchiveError, FeedError, LayerIndexError, QueueError, SinkError, StoreError);

impl Fails for AppendError {
    fn away(detail: &str) -> Self {
        Self::Store(StoreError::away(detail))
    }
}

impl Fails for RegistryError {
    fn away(detail: &str) -> Self {
        Self::Transient(detail.to_owned())
    }

    fn slow(detail: &str) -> Self {
        Self::Throttled { retry_after: Some(Duration::from_secs(30)), detail: detail.to_owned() }
    }
}

impl Fails for ScannerError {
    fn away(detail: &str) -> Self {
        Self::Transient { retry_after: None, detail: detail.to_owned() }
    }

    fn slow(detail: &str) -> Self {
        Self::Unreachable(detail.to_owned())
    }
}

/// The link.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    stage: Arc<Stage>,
    role: Role,
}

impl Wire {
    pub(crate) fn new(stage: &Arc<Stage>, role: Role) -> Self {
        Self { stage: Arc::clone(stage), role }
    }

    pub(crate) fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// A call of `port.method` about something.
    pub(crate) async fn call<T, E>(
        &self,
        call: &'static str,
        about: impl Fn() -> String + Send,
        effect: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: Fails + std::fmt::Display + Send,
    {
        let verdict = self.judge(call);
        self.pass((self.role.kind(), call, Phase::Before), verdict.delay).await;
        if let Some(refusal) = verdict.refused {
            self.stage.count(refusal.kind());
            self.stage
                .note(self.role, code_of(call) ^ 1, || format!("{call} {}: {}", about(), refusal.kind()));
            let slow = refusal == Refusal::Throttled;
            return Err(if slow { E::slow("asked to slow down") } else { E::away("not available") });
        }
        let result = effect.await;
        let code = code_of(call) ^ if result.is_ok() { 2 } else { 3 };
        self.stage.note(self.role, code, || match &result {
            Ok(_) => format!("{call} {}", about()),
            Err(error) => format!("{call} {}: {error}", about()),
        });
        self.pass((self.role.kind(), call, Phase::After), verdict.late).await;
        if verdict.lost && result.is_ok() {
            self.stage.count("answer lost after the effect");
            self.stage
                .note(self.role, code_of(call) ^ 4, || format!("{call} {}: the answer is lost", about()));
            return Err(E::away("the answer was lost"));
        }
        result
    }

    /// A wait that is neither.
    pub(crate) async fn waiting<T: Send>(
        &self,
        call: &'static str,
        wait: impl Future<Output = T> + Send,
    ) -> T {
        let point = Suspended::at(&self.stage, (self.role.kind(), call, Phase::Waiting));
        let value = wait.await;
        point.passed();
        value
    }

    fn judge(&self, call: &'static str) -> Verdict {
        let now = self.stage.now();
        let mut props = self.stage.props();
        let props = &mut *props;
        let verdict = props.faults.judge(&mut props.chance, call, now);
        if verdict.delay.is_some() || verdict.late.is_some() {
            props.tally.count("call delayed");
        }
        verdict
    }

    async fn pass(&self, point: Point, delay: Option<Duration>) {
        let suspended = Suspended::at(&self.stage, point);
        if let Some(delay) = delay {
            let timeline = &self.stage.timeline;
            timeline.sleep_until(timeline.now().plus(delay)).await;
        }
        let mut polled = false;
        poll_fn(|context| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        suspended.passed();
    }
}

/// A future that hangs at a point; dropped there while its process dies, it was crashed there.
struct Suspended<'a> {
    stage: &'a Stage,
    point: Point,
    over: bool,
}

impl<'a> Suspended<'a> {
    fn at(stage: &'a Stage, point: Point) -> Self {
        Self { stage, point, over: false }
    }

    fn passed(mut self) {
        self.over = true;
        self.stage.props().tally.passed(self.point);
    }
}

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        if !self.over {
            let mut props = self.stage.props();
            if props.dying {
                props.tally.crashed(self.point);
                props.tally.passed(self.point);
            }
        }
    }
}
