//! What all readings of layers in this process may hold at once, beyond the little that each may hold unasked.
//!
//! Two things are held: one file at a time while it is read, out of a sum that all readings share; and what stays until
//! a layer's end (files that are read together, a long record), which one reading at a time may have. Nobody waits
//! for ever: the claim for a file is given back before anything else is asked for, and whoever has what stays waits for
//! the files of others alone.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Collector;
use super::held::MAX_HELD_BYTES;
use crate::inventory::language::java::{MAX_ARCHIVE_BYTES, MAX_NESTED_BYTES, MAX_WORK_BYTES, MAX_WORK_RATIO};

/// Bytes of a file, of all files that stay, or of a record, that a reading holds without asking.
pub(crate) const SMALL_BYTES: usize = 8 << 20;
/// Bytes of larger files that all readings of this process hold at once. The largest fits in.
pub(crate) const SHARED_FILE_BYTES: usize = 512 << 20;

const _: () = assert!(MAX_ARCHIVE_BYTES + MAX_NESTED_BYTES <= SHARED_FILE_BYTES);
const _: () = assert!(MAX_HELD_BYTES > SMALL_BYTES);

/// The one that this process has.
pub(crate) static OF_PROCESS: SharedMemory = SharedMemory::new(SHARED_FILE_BYTES);

/// Memory that readings ask for. Whoever asked first has it first.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    total: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Who asks next for a file, and who is served next.
    asked: u64,
    served: u64,
    is_staying: bool,
}

/// Memory for one file, until this is dropped.
#[derive(Debug)]
pub(crate) struct FileClaim<'a> {
    memory: &'a SharedMemory,
    bytes: usize,
}

/// Memory for what stays until a layer's end, until this is dropped.
#[derive(Debug)]
pub(crate) struct StayingClaim<'a>(&'a SharedMemory);

/// What reading a file of so many bytes may hold, what is inflated of an archive's archives included.
pub(crate) fn needed(file_bytes: usize, is_archive: bool) -> usize {
    let work = MAX_WORK_RATIO.saturating_mul(file_bytes as u64).saturating_add(MAX_WORK_BYTES);
    let inflated = usize::try_from(work).unwrap_or(usize::MAX).min(MAX_NESTED_BYTES);
    file_bytes.saturating_add(if is_archive { inflated } else { 0 })
}

impl SharedMemory {
    pub(crate) const fn new(total: usize) -> Self {
        let state = State { free: total, asked: 0, served: 0, is_staying: false };
        Self { total, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for so many bytes. More than there are at all are all of them: what a reading holds is bounded elsewhere.
    pub(crate) fn file(&self, bytes: usize) -> FileClaim<'_> {
        let bytes = if bytes <= SMALL_BYTES.min(self.total) { 0 } else { bytes.min(self.total) };
        if bytes > 0 {
            let mut state = self.state();
            let turn = state.asked;
            state.asked += 1;
            let mut state = self.wait(state, |state| state.served != turn || state.free < bytes);
            state.free -= bytes;
            state.served += 1;
            self.changed.notify_all();
        }
        FileClaim { memory: self, bytes }
    }

    /// Waits until no other reading holds what stays.
    pub(crate) fn staying(&self) -> StayingClaim<'_> {
        let mut state = self.wait(self.state(), |state| state.is_staying);
        state.is_staying = true;
        StayingClaim(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        is_early: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        while is_early(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

impl Collector {
    /// Asks for memory before more than a little stays until the layer's end. No file is claimed meanwhile.
    pub(super) fn stays(&mut self, bytes: usize) {
        if bytes > SMALL_BYTES && self.staying.is_none() {
            self.staying = Some(self.memory.staying());
        }
    }
}

impl Drop for FileClaim<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.state().free += self.bytes;
            self.memory.changed.notify_all();
        }
    }
}

impl Drop for StayingClaim<'_> {
    fn drop(&mut self) {
        self.0.state().is_staying = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const TOTAL: usize = 4 * SMALL_BYTES;

    /// Returns once so many claims wait for their turn or for room.
    fn until_waiting(memory: &SharedMemory, claims: u64) {
        while {
            let state = memory.state();
            state.asked - state.served != claims
        } {
            thread::yield_now();
        }
    }

    #[test]
    fn what_is_small_is_not_counted_and_what_is_more_than_all_is_all() {
        let memory = SharedMemory::new(TOTAL);
        let small = memory.file(SMALL_BYTES);
        assert_eq!(memory.state().free, TOTAL);
        let large = memory.file(SMALL_BYTES + 1);
        assert_eq!(memory.state().free, TOTAL - SMALL_BYTES - 1);
        drop(large);
        let all = memory.file(usize::MAX);
        assert_eq!(memory.state().free, 0);
        drop((all, small));
        assert_eq!(memory.state().free, TOTAL);
    }

    #[test]
    fn a_file_that_fits_to_the_byte_is_read_at_once_and_one_byte_more_waits() {
        let memory = SharedMemory::new(TOTAL);
        let first = memory.file(TOTAL / 2);
        drop(memory.file(TOTAL / 2));
        thread::scope(|scope| {
            let second = scope.spawn(|| memory.file(TOTAL / 2 + 1).bytes);
            until_waiting(&memory, 1);
            assert!(!second.is_finished());
            drop(first);
            assert_eq!(second.join().unwrap(), TOTAL / 2 + 1);
        });
        assert_eq!(memory.state().free, TOTAL);
    }

    #[test]
    fn a_large_claim_is_not_passed_by_smaller_ones_for_ever() {
        let memory = SharedMemory::new(TOTAL);
        let first = memory.file(TOTAL / 2);
        thread::scope(|scope| {
            let large = scope.spawn(|| memory.file(TOTAL).bytes);
            until_waiting(&memory, 1);
            let later = scope.spawn(|| memory.file(TOTAL / 2).bytes);
            until_waiting(&memory, 2);
            assert!(!later.is_finished(), "there is room for it, and it came later");
            drop(first);
            assert_eq!((large.join().unwrap(), later.join().unwrap()), (TOTAL, TOTAL / 2));
        });
    }

    #[test]
    fn readings_that_need_both_end_and_one_at_a_time_holds_what_stays() {
        let memory = SharedMemory::new(TOTAL);
        let (staying, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for reader in 0..8 {
                let (memory, staying, most) = (&memory, &staying, &most);
                scope.spawn(move || {
                    for file in 0..50 {
                        drop(memory.file(SMALL_BYTES + reader * file));
                    }
                    let _held = memory.staying();
                    most.fetch_max(staying.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    for _ in 0..50 {
                        drop(memory.file(TOTAL - reader));
                    }
                    staying.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 1);
        assert_eq!(memory.state().free, TOTAL);
    }

    #[test]
    fn an_archive_needs_room_for_what_is_inflated_of_it() {
        assert_eq!(needed(SMALL_BYTES, false), SMALL_BYTES);
        assert_eq!(needed(0, true), usize::try_from(MAX_WORK_BYTES).unwrap());
        assert_eq!(needed(MAX_ARCHIVE_BYTES, true), MAX_ARCHIVE_BYTES + MAX_NESTED_BYTES);
    }
}
