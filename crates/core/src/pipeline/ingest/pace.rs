//! How many images at a time.

/// How many images must go well before a limit lowered by throttling rises by one.
const RECOVERY_AFTER: u32 = 16;

/// One receive in this many begins with the lower lanes, so that a flood of pushes starves nobody.
const LOWER_LANES_EVERY: u64 = 8;

/// How many at a time: halved when somebody asks to slow down, raised by one after a while without.
pub(super) struct Pace {
    pub(super) limit: usize,
    well: u32,
    picks: u64,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        Self { limit: most.max(1), well: 0, picks: 0 }
    }

    /// Whether it is the lower lanes' turn.
    pub(super) fn pick(&mut self) -> bool {
        self.picks += 1;
        self.picks.is_multiple_of(LOWER_LANES_EVERY)
    }

    pub(super) fn adapt(&mut self, throttled: bool, most: usize) {
        if throttled {
            self.limit = (self.limit / 2).max(1);
            self.well = 0;
        } else if self.limit < most {
            self.well += 1;
            if self.well >= RECOVERY_AFTER {
                self.limit += 1;
                self.well = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_halves_the_pace_and_patience_restores_it() {
        let mut pace = Pace::new(16);
        pace.adapt(true, 16);
        assert_eq!(pace.limit, 8);
        for _ in 0..5 {
            pace.adapt(true, 16);
        }
        assert_eq!(pace.limit, 1, "never none");
        for _ in 0..RECOVERY_AFTER * 40 {
            pace.adapt(false, 16);
        }
        assert_eq!(pace.limit, 16, "never more than was configured");
    }
}
