//! The pipelines: the shell that performs what the rules ask for.
