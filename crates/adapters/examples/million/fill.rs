//! Fills the file with every image of the world: rows as ingest writes them, in bulk. Events of one image stand together;
//! the order between streams, of which nothing is promised, is another.

mod tables;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use cve_monitor_core::vocabulary::{ImageId, LayerKey};

use self::tables::Tables;
use crate::Failure;
use crate::history::{Common, History};
use crate::layers::LayerRow;
use crate::world::{World, package_name};

/// How many threads make rows; one more writes them.
const MAKERS: u64 = 2;
/// Images that are handed over at a time.
const CHUNK: u64 = 250;
/// Chunks that wait for the writer, for each maker.
const WAITING: usize = 4;

/// What was written.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Filled {
    pub(crate) images: u64,
    pub(crate) layers: u64,
    pub(crate) postings: u64,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
}

/// A layer of an image.
#[derive(Debug)]
enum Layer {
    Base(u64),
    Own(LayerRow),
}

/// Everything about one image.
struct ImageRows {
    image: ImageId,
    /// Base first.
    layers: Vec<Layer>,
    history: History,
}

/// Fills the file, which nobody else has open, and which has the schema.
pub(crate) fn fill(file: &Path, world: &World, common: &Common) -> Result<Filled, Failure> {
    let began = Instant::now();
    let bases: Vec<LayerRow> =
        (0..world.bases()).map(|base| LayerRow::of(&world.base_layer(base)?)).collect::<Result<_, _>>()?;
    let bases = &bases;
    let mut tables = Tables::open(file, world, bases)?;
    let mut listing = BufWriter::new(File::create(file.with_file_name("images.txt"))?);
    std::thread::scope(|scope| -> Result<(), Failure> {
        let mut made = vec![];
        for maker in 0..MAKERS {
            let (sender, receiver) = sync_channel(WAITING);
            made.push(receiver);
            scope.spawn(move || make(world, common, bases, maker, &sender));
        }
        write(&mut tables, &mut listing, world.images, &made)
    })?;
    let popular = tables.finish()?;
    let written = tables.written();
    let mut csv = csv_of(&popular.layers, &popular.images);
    csv.insert_str(0, "package,layers,images\n");
    std::fs::write(file.with_file_name("packages.csv"), csv)?;
    Ok(Filled { images: world.images, seconds: began.elapsed().as_secs_f64(), ..written })
}

fn csv_of(layers: &[u32], images: &[u32]) -> String {
    (0_u32..)
        .zip(layers.iter().zip(images))
        .filter(|(_, (layers, _))| **layers > 0)
        .map(|(number, (layers, images))| format!("{},{layers},{images}\n", package_name(number)))
        .collect()
}

type Chunk = Result<Vec<ImageRows>, Failure>;

/// Every so many-th chunk.
fn make(world: &World, common: &Common, bases: &[LayerRow], maker: u64, sender: &SyncSender<Chunk>) {
    let chunks = (0..world.images).step_by(usize::try_from(CHUNK).unwrap_or(1));
    for first in chunks.filter(|first| first / CHUNK % MAKERS == maker) {
        let images = first..(first + CHUNK).min(world.images);
        let chunk = images.map(|image| rows_of(world, common, bases, image)).collect();
        // The writer has failed, and says so.
        if sender.send(chunk).is_err() {
            return;
        }
    }
}

fn rows_of(world: &World, common: &Common, bases: &[LayerRow], image: u64) -> Result<ImageRows, Failure> {
    let base = world.base_of(image);
    let mut layers = vec![Layer::Base(base)];
    for layer in 0..World::own_layers(image) {
        layers.push(Layer::Own(LayerRow::of(&world.own_layer(image, layer)?)?));
    }
    let blobs: Vec<_> = layers.iter().map(|layer| layer.row(bases).blob.clone()).collect();
    let mut keys: Vec<LayerKey> = blobs.iter().map(|(digest, _)| LayerKey(digest.to_string())).collect();
    keys.sort_unstable();
    let manifested = world.manifested(image, &blobs)?;
    let image = manifested.image.clone();
    Ok(ImageRows { image, history: common.history(manifested, blobs.len(), keys)?, layers })
}

fn write(
    tables: &mut Tables<'_>,
    listing: &mut impl Write,
    images: u64,
    made: &[Receiver<Chunk>],
) -> Result<(), Failure> {
    for (chunk, first) in (0..images).step_by(usize::try_from(CHUNK)?).enumerate() {
        for image in made[chunk % made.len()].recv()?? {
            writeln!(listing, "{} {}", image.image.repository, image.image.digest)?;
            tables.put(image)?;
        }
        if first % 100_000 == 0 {
            eprintln!("{first} of {images} images");
        }
    }
    Ok(listing.flush()?)
}

impl Layer {
    fn row<'a>(&'a self, bases: &'a [LayerRow]) -> &'a LayerRow {
        match self {
            Self::Base(number) => &bases[usize::try_from(*number).unwrap_or_default()],
            Self::Own(row) => row,
        }
    }
}
