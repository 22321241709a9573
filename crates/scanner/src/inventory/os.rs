//! The package databases of distributions, a module each.

pub(crate) mod apk;
pub(crate) mod dpkg;
pub(crate) mod rpm;
