//! Images of a few records, folded.
