//! How a SQLite file and a folder of reports grow in a year of a busy registry: what events, archive, index and folder take, and
//! what of it retention gives back. The pipelines are the real ones, on the real adapters, on a clock that is moved by hand; the
//! registry and the scanner are the models of the testkit. `cargo xtask bench growth` runs it in release.
//!
//! `growth [DAYS [LIVE [FOLDER]]]`: 365 days of 1,000 live images, in a folder of the system's, unless said otherwise.

mod sizes;
mod year;

use std::error::Error;
use std::path::PathBuf;

use cve_monitor_adapters::embedded::maintenance::{self, Retention};
use cve_monitor_core::ports::Clock as _;

use sizes::{Sizes, of_file};
use year::Year;

type Failure = Box<dyn Error + Send + Sync>;

const DAYS: u64 = 365;
const LIVE: usize = 1_000;
/// How often it is measured, in days.
const MEASURED_EVERY: u64 = 73;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let days = arguments.next().map_or(Ok(DAYS), |text| text.parse())?;
    let live = arguments.next().map_or(Ok(LIVE), |text| text.parse())?;
    let folder = tempfile::tempdir_in(arguments.next().map_or_else(std::env::temp_dir, PathBuf::from))?;
    let mut year = Year::begin(folder.path(), live).await?;
    println!("{}", Sizes::HEADER);
    for day in 1..=days {
        year.pass_a_day().await?;
        if day % MEASURED_EVERY == 0 || day == days {
            println!("{}", Sizes::measure(&year, day).await?);
        }
    }
    let whole = Sizes::measure(&year, days).await?;
    println!("\n{}\n", whole.each());
    let pruned = maintenance::prune(&year.database, Retention::default(), year.clock.now()).await?;
    println!("90 days of retention remove {} superseded bodies of reports", pruned.bodies);
    println!("{}\n{}", Sizes::HEADER, Sizes::measure(&year, days).await?);
    let copy = folder.path().join("copy.db");
    maintenance::backup(&year.database, &copy).await?;
    println!("a file that was never without it: {:.0} MB", of_file(&copy).await?.whole as f64 / 1e6);
    Ok(())
}
