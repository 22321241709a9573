//! Adapters: the ports of the core on real technologies.
