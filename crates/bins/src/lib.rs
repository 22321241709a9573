//! What the programs share: configuration, wiring and runtime.
