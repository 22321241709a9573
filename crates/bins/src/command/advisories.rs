//! `advisories`: what is known, looked after by hand.

use cve_monitor_adapters::embedded::advisories::Bundled;

use super::scan::Progress;
use crate::cli::{AdvisoriesAction, EXIT_ERROR, EXIT_OK, Format};
use crate::config::Loaded;
use crate::present::{self, Screen};
use crate::runtime::Failure;
use crate::wiring::Stock;

const MEBIBYTE: u64 = 1024 * 1024;

pub(super) async fn advisories(loaded: &Loaded, asked: &AdvisoriesAction) -> Result<u8, Failure> {
    let stock = Stock::open(loaded).await?;
    let progress = Progress::start();
    let say = |step: &str| progress.say(step);
    match asked {
        AdvisoriesAction::Update { ecosystems, format } => {
            let refreshed = stock.update(ecosystems, &say).await?;
            progress.end();
            print_list(&stock, *format).await?;
            let mut code = EXIT_OK;
            for problem in refreshed.lacking.all() {
                eprintln!("error: {problem}");
                code = EXIT_ERROR;
            }
            Ok(code)
        }
        AdvisoriesAction::List { format } => {
            progress.end();
            print_list(&stock, *format).await?;
            Ok(EXIT_OK)
        }
        AdvisoriesAction::Export { file } => {
            let bundled = stock.export(file).await?;
            progress.end();
            print_bundled(&bundled, &format!("written to {}", file.display()));
            Ok(EXIT_OK)
        }
        AdvisoriesAction::Import { file } => {
            let bundled = stock.import(file, &say).await?;
            progress.end();
            print_bundled(&bundled, "in use");
            Ok(EXIT_OK)
        }
    }
}

async fn print_list(stock: &Stock, format: Format) -> Result<(), Failure> {
    let list = stock.list().await?;
    super::print_rows(format, std::slice::from_ref(&list), || present::stock_text(&list, Screen::of_stdout()))
}

fn print_bundled(bundled: &[Bundled], what: &str) {
    for one in bundled {
        println!(
            "{}: {} MiB of {}, as of {}",
            one.ecosystem,
            one.bytes.div_ceil(MEBIBYTE),
            one.mirror,
            one.checked
        );
    }
    println!("{} ecosystems {what}", bundled.len());
}
