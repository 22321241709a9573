//! The package databases of distributions, a module each.

pub(crate) mod dpkg;
