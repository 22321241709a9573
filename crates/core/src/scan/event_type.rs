//! Which events are looked for where all are passed.

use super::{Event, ImageEvent};

/// A type of events that is looked for among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// [`ImageEvent::LayersRecorded`].
    LayersRecorded,
    /// [`ImageEvent::Assessed`].
    Assessed,
}

impl EventType {
    /// Whether an event is of this type.
    #[must_use]
    pub fn is_of(self, event: &Event) -> bool {
        match self {
            Self::LayersRecorded => matches!(event, Event::Image(ImageEvent::LayersRecorded { .. })),
            Self::Assessed => matches!(event, Event::Image(ImageEvent::Assessed(_))),
        }
    }

    /// How the type stands in an event that was written.
    pub(super) const fn written(self) -> &'static str {
        match self {
            Self::LayersRecorded => r#""type":"LayersRecorded""#,
            Self::Assessed => r#""type":"Assessed""#,
        }
    }
}
