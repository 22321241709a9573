//! The benchmarks of a large registry. `cargo xtask bench` builds this in release and runs it:
//!
//! * `fill FOLDER IMAGES`: a state as if so many images had been pushed, reported, and looked at again
//! * `check IMAGES`: the same twice, once through the pipeline itself, and compared row by row
//! * `candidates FOLDER CHANGES`: how long finding every image takes that a change may affect
//! * `poll FOLDER`, `read FOLDER`, `inserts FOLDER ROWS`: what the figures stand beside
//! * `write-layer FILE MEGABYTES`, `stream-layer FOLDER MEGABYTES`, `two-layers FOLDER`: layers that are made up as well
//! * `requests FOLDER forget`, `index FOLDER count|forget`: how much there is, and then nothing of it
//!
//! Each prints one line of JSON. Figures for people: no time is asserted.

mod archive;
mod beside;
mod candidates;
mod check;
mod fill;
mod history;
mod home;
mod layers;
mod world;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{Clock, IndexRequest, Registry as _};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{Assessment, Manifest, Timestamp};

use self::fill::Filled;
use self::history::{Common, LOOKS_AGAIN};
use self::home::Home;
use self::world::{REGISTRY, World};

type Failure = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: check IMAGES | fill FOLDER IMAGES | candidates FOLDER CHANGES | poll FOLDER | read FOLDER | \
                     inserts FOLDER ROWS | requests FOLDER forget | index FOLDER count|forget | write-layer FILE MEGABYTES | \
                     stream-layer FOLDER MEGABYTES | two-layers FOLDER";

/// Between a push and the looks after it.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3_600);
/// What was pushed this long ago was assessed lately enough not to be swept.
const PUSHED_AGO: Duration = Duration::from_secs(24 * 3_600);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["check", images] = arguments[..] {
        return check::check(images.parse()?).await;
    }
    let [what, folder, ref more @ ..] = arguments[..] else { return Err(USAGE.into()) };
    let folder = Path::new(folder);
    let said = match (what, more) {
        ("fill", [images]) => {
            let now = cve_monitor_adapters::system_clock::SystemClock.now();
            serde_json::to_value(fill(folder, images.parse()?, now.minus(PUSHED_AGO)).await?)?
        }
        ("candidates", [changes]) => candidates::measure(folder, changes.parse()?).await?,
        ("write-layer", [megabytes]) => archive::write(folder, megabytes.parse()?)?,
        ("stream-layer", [megabytes]) => archive::stream(megabytes.parse()?)?,
        ("two-layers", []) => archive::twins(folder).await?,
        ("poll", []) => beside::poll(folder).await?,
        ("read", []) => beside::read(folder)?,
        ("inserts", [rows]) => beside::inserts(folder, rows.parse()?)?,
        ("requests", ["forget"]) => beside::forget_requests(folder)?,
        ("index", ["count"]) => beside::index(folder, false)?,
        ("index", ["forget"]) => beside::index(folder, true)?,
        _ => return Err(USAGE.into()),
    };
    println!("{said}");
    Ok(())
}

/// Fills a folder as if its images had been pushed then.
async fn fill(folder: &Path, images: u64, pushed: Timestamp) -> Result<Filled, Failure> {
    let world = World::new(images)?;
    let mut at = [pushed; 1 + LOOKS_AGAIN];
    for look in 1..at.len() {
        at[look] = at[look - 1].plus(BETWEEN_LOOKS);
    }
    let home = begin(folder, pushed).await?;
    let file = home.path("state.db");
    let common = {
        // Of all images the scanner says the same: the one of a registry of one image is asked about.
        let aside = tempfile::tempdir()?;
        let aside = home.beside(&aside.path().join("state.db"))?;
        let registry = Arc::new(MemoryRegistry::new(REGISTRY.parse()?));
        let ports = aside.ports(Arc::clone(&registry) as _, clock(pushed))?;
        let assessment = assessed(&world, &aside, &registry).await?;
        Common::new(&ports, assessment, at)?
    };
    drop(home);
    fill::fill(&file, &world, &common)
}

fn clock(at: Timestamp) -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(at))
}

/// A folder without images, whose feed has been followed to its end.
async fn begin(folder: &Path, at: Timestamp) -> Result<Home, Failure> {
    let home = Home::open(folder)?;
    home.refresh().await?;
    let registry = Arc::new(MemoryRegistry::new(REGISTRY.parse()?));
    let ports = home.ports(registry, clock(at))?;
    home.follow(&ports).await?;
    Ok(home)
}

async fn assessed(world: &World, home: &Home, registry: &Arc<MemoryRegistry>) -> Result<Assessment, Failure> {
    let image = registry.put_image(&world.repository(0)?, None, &bytes_of_layers(world, 0)?);
    let Manifest::Image(manifest) = registry.manifest(&image).await?.parse()? else {
        return Err("not an image".into());
    };
    let ports = home.ports(Arc::clone(registry) as _, clock(Timestamp::from_millis(0)))?;
    ports.scanner.index(&IndexRequest { image: image.clone(), manifest, parents: vec![] }).await?;
    Ok(ports.scanner.assess(&image, None).await?)
}

fn bytes_of_layers(world: &World, image: u64) -> Result<Vec<Vec<u8>>, Failure> {
    let mut layers = vec![world.base_layer(world.base_of(image))?];
    for layer in 0..World::own_layers(image) {
        layers.push(world.own_layer(image, layer)?);
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_filled_in_bulk_is_what_the_pipeline_writes() {
        check::check(20).await.unwrap();
    }
}
