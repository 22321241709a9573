//! Several processes on one folder of advisories.
