//! Ctrl-C and its like. What only looks or waits is left at once; a terraform that plans or changes is asked to stop, and waited
//! for: one that is left alone or killed may not write down what it made, nor give back the lock of its state.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

/// How shells call the end of a program by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// The terraform that must not be left.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    id: u32,
    /// Whether it was asked to stop. Asked twice it would end at once, without its state.
    asked: bool,
}

/// Takes the signals by which this process is asked to end, from now on.
pub(crate) fn watch() -> Result<(), String> {
    let told = |error: io::Error| format!("signals cannot be taken: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(told)?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(told)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(told)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(told)?;
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                arrived();
            }
        });
    });
    Ok(())
}

fn running() -> MutexGuard<'static, Option<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn arrived() {
    match &mut *running() {
        None => std::process::exit(INTERRUPTED),
        Some(Running { asked: true, .. }) => {
            eprintln!("terraform still ends: without that its state is lost")
        }
        Some(running) => {
            running.asked = true;
            eprintln!(
                "\nterraform was asked to stop: it ends what it has begun and writes its state; please wait"
            );
            // The shell's own: not every machine has a program of that name.
            let kill = format!("kill -INT {}", running.id);
            let _ = Command::new("sh").args(["-c", &kill]).stdin(Stdio::null()).status();
        }
    }
}

/// A terraform that signals reach through this process alone.
#[derive(Debug)]
pub(super) struct Guarded(Child);

impl Guarded {
    /// Starts it, in a group of its own: Ctrl-C at a terminal is sent to everybody in ours.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut running = running();
        let child = command.process_group(0).spawn()?;
        *running = Some(Running { id: child.id(), asked: false });
        Ok(Self(child))
    }

    /// How it ended, and whether it had been asked to; none while it runs.
    pub(super) fn ended(&mut self) -> io::Result<Option<(ExitStatus, bool)>> {
        let Some(status) = self.0.try_wait()? else { return Ok(None) };
        let mut running = running();
        // Who asked goes on to be heard: nothing follows any more.
        let asked = running.as_ref().is_some_and(|running| running.asked);
        if !asked {
            *running = None;
        }
        Ok(Some((status, asked)))
    }
}
