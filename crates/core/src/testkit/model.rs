//! Each port in memory. The models keep every law, and can be told to fail in the ways that the ports name.

mod archive;
mod event_store;
mod feed;
mod knowledge;
mod layer_index;
mod queue;
mod registry;
mod scanner;
mod sink;

pub use archive::MemoryArchive;
pub use event_store::{AppendFault, MemoryEventStore};
pub use feed::ModelFeed;
pub use knowledge::{ModelAdvisory, ModelKnowledge, layer_of};
pub use layer_index::MemoryLayerIndex;
pub use queue::MemoryQueue;
pub use registry::MemoryRegistry;
pub use scanner::ModelScanner;
pub use sink::MemorySink;
