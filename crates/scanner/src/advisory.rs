//! Advisories: OSV records out of their sources, compiled into databases that name their parent.

mod compile;
mod database;
mod diff;
mod ecosystem;
mod end_of_life;
mod name;
mod osv;
mod rule;
mod source;

pub use self::compile::{
    CompileError, CompileStats, Compiled, DEFAULT_MAX_SHRINK_PERCENT, ShrinkPolicy, compile,
};
pub use self::database::{
    Database, DatabaseError, DatabaseInfo, EcosystemStats, Parent, Rated, SCHEMA_VERSION, SourceStats,
};
pub use self::diff::{changed_ecosystems, changed_packages};
pub use self::ecosystem::{Ecosystem, NameBasis};
pub(crate) use self::end_of_life::ended;
pub use self::name::{advisory_names, normalized_name};
pub use self::osv::{
    Affected, Component, Event, OsvRecord, Package, Range, Reference, SeverityEntry, SpecificFields,
};
pub(crate) use self::rule::is_cve;
pub use self::rule::{MAX_DESCRIPTION_BYTES, RecordText, Rule, UNNAMED_MODULE};
pub use self::source::{
    MAX_FOLDER_DEPTH, MAX_RATINGS_BYTES, MAX_RECORD_BYTES, Rating, Source, SourceError, SourceLocation,
    for_each_rating, for_each_record,
};
