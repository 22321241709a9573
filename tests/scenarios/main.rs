//! Whole runs on real images, through the library.

mod first_run;
