//! Version orders, one module for each family of package managers.

pub mod dpkg;
