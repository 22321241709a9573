//! A figure with its goal, and what the same machine does without us.

use serde_json::{Value, json};

/// What a figure is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) bench: &'static str,
    pub(super) what: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    pub(super) goal: Option<Goal>,
    /// Measured in the same run, in the same unit.
    pub(super) baseline: Option<(&'static str, f64)>,
}

impl Row {
    pub(super) fn new(bench: &'static str, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { bench, what: what.into(), value, unit, goal: None, baseline: None }
    }

    pub(super) fn at_most(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtMost(goal)), ..self }
    }

    pub(super) fn at_least(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(goal)), ..self }
    }

    pub(super) fn beside(self, what: &'static str, value: f64) -> Self {
        Self { baseline: Some((what, value)), ..self }
    }

    /// Whether it is as it is to be; none where nobody says how.
    pub(super) fn is_met(&self) -> Option<bool> {
        self.goal.map(|goal| match goal {
            Goal::AtMost(most) => self.value <= most,
            Goal::AtLeast(least) => self.value >= least,
        })
    }

    pub(super) fn ratio(&self) -> Option<f64> {
        self.baseline.filter(|(_, value)| *value > 0.0).map(|(_, value)| self.value / value)
    }

    pub(super) fn goal_text(&self) -> String {
        match self.goal {
            Some(Goal::AtMost(most)) => format!("≤ {}", number(most)),
            Some(Goal::AtLeast(least)) => format!("≥ {}", number(least)),
            None => String::new(),
        }
    }

    pub(super) fn verdict(&self) -> &'static str {
        match self.is_met() {
            Some(true) => "met",
            Some(false) => "short",
            None => "",
        }
    }

    pub(super) fn baseline_text(&self) -> String {
        let ratio = self.ratio().map(|ratio| format!(" ({}×)", number(ratio))).unwrap_or_default();
        self.baseline.map(|(what, value)| format!("{what}: {}{ratio}", number(value))).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{:<10} {:<64} {:>12} {:<10} {:>10} {:<6} {}",
            self.bench,
            self.what,
            number(self.value),
            self.unit,
            self.goal_text(),
            self.verdict(),
            self.baseline_text()
        )
    }

    pub(super) fn json(&self) -> Value {
        let (goal, is_least) = match self.goal {
            Some(Goal::AtMost(most)) => (Some(most), false),
            Some(Goal::AtLeast(least)) => (Some(least), true),
            None => (None, false),
        };
        json!({
            "bench": self.bench, "what": self.what, "value": self.value, "unit": self.unit,
            "goal": goal, "goal_is_least": is_least, "met": self.is_met(),
            "baseline": self.baseline.map(|(what, value)| json!({"what": what, "value": value})),
            "ratio": self.ratio(),
        })
    }
}

/// As many digits as a person compares.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => {
            let digits = format!("{value:.0}");
            let (sign, digits) = digits.strip_prefix('-').map_or(("", &digits[..]), |digits| ("-", digits));
            let groups: Vec<String> = digits
                .as_bytes()
                .rchunks(3)
                .rev()
                .map(|group| String::from_utf8_lossy(group).into_owned())
                .collect();
            format!("{sign}{}", groups.join(","))
        }
        medium if medium >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_at_its_edge() {
        let row = Row::new("b", "w", 150.0, "ms");
        assert_eq!(row.clone().at_most(150.0).is_met(), Some(true));
        assert_eq!(row.clone().at_most(149.9).verdict(), "short");
        assert_eq!(row.clone().at_least(150.0).is_met(), Some(true));
        assert_eq!((row.is_met(), row.verdict()), (None, ""));
    }

    #[test]
    fn what_is_beside_it_is_a_ratio() {
        let row = Row::new("b", "w", 30.0, "s").beside("raw", 20.0);
        assert_eq!((row.ratio(), row.baseline_text().as_str()), (Some(1.5), "raw: 20.0 (1.50×)"));
        assert_eq!(Row::new("b", "w", 30.0, "s").beside("raw", 0.0).ratio(), None);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0.284, 12.34, 131.4, 1_234_567.0].map(number), ["0.28", "12.3", "131", "1,234,567"]);
    }
}
