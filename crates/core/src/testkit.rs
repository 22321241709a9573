//! In-memory models of the ports on a hand-driven clock, and the public conformance suites.
