//! `report`: questions to the lake of reports.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::path::Path;
use std::time::SystemTime;

use cve_monitor_core::vocabulary::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::super::put;
use crate::cli::{EXIT_ERROR, EXIT_OK, Report, ReportQuestion, RowFormat};
use crate::config::{Bucket, Loaded, Reports};
use crate::lake::{Asked, Day, answer};
use crate::present::{MAX_TABLE_ROWS, Screen, answer_text, csv_row, json_row};
use crate::runtime::Failure;
use crate::wiring::Lake;

/// What can be done where there are no reports.
const NO_LAKE: &str =
    "  `cve-monitor watch` (or `ingest`) delivers reports there; --folder or --bucket names another place";

pub(in super::super) async fn report(loaded: &Loaded, asked: &Report) -> Result<u8, Failure> {
    let question = asked.question.question();
    let (cve, stale_days) = match &asked.question {
        ReportQuestion::Where { cve } => (Some(cve.clone()), 0),
        ReportQuestion::Stale { days } => (None, *days),
        _ => (None, 0),
    };
    if asked.sql {
        put(&question.sql(cve.as_deref()))?;
        return Ok(EXIT_OK);
    }
    let until = asked.until.unwrap_or_else(|| Day::of(Timestamp::from(SystemTime::now())));
    if let Some(since) = asked.since.filter(|since| *since > until) {
        return Err(Failure::usage(format!(
            "--since {since} is after --until {until}: nothing lies between them"
        )));
    }
    let place = place(loaded, asked.folder.as_deref(), asked.bucket.as_deref());
    let lake = Lake::open(&place, &loaded.config.aws).await.map_err(|error| match place {
        Reports::Folder(_) => Failure::of(format!("{error}\n{NO_LAKE}")),
        Reports::S3(_) => error.into(),
    })?;
    let mut printer = Printer::new(asked.format, question.columns());
    let closed = printer.closed.clone();
    let asked = Asked { question, cve, since: asked.since, until, stale_days };
    let mut take = |row| printer.take(row);
    let told = tokio::select! {
        told = answer(&lake, &asked, &mut take) => Some(told.map_err(Failure::of)?),
        // What cannot be written need not be read.
        () = closed.cancelled() => None,
    };
    printer.finish()?;
    let Some(told) = told else { return Ok(EXIT_OK) };
    if told.days == 0 {
        eprintln!("there is no report in {}\n{NO_LAKE}", lake.place(""));
    }
    for problem in &told.problems {
        eprintln!("error: {problem}");
    }
    if told.more_problems > 0 {
        eprintln!("error: and {} more", told.more_problems);
    }
    Ok(if told.is_whole() { EXIT_OK } else { EXIT_ERROR })
}

/// Where the reports are: where the line says, else where they are delivered to.
fn place(loaded: &Loaded, folder: Option<&Path>, bucket: Option<&str>) -> Reports {
    match (folder, bucket) {
        (Some(folder), _) => Reports::Folder(folder.to_owned()),
        (None, Some(name)) => Reports::S3(Bucket { name: name.to_owned(), kms_key: None }),
        (None, None) => loaded.config.reports.clone(),
    }
}

/// Prints rows as they come; those of a table at the end.
struct Printer {
    format: RowFormat,
    columns: &'static [&'static str],
    out: BufWriter<Stdout>,
    wrote: io::Result<()>,
    /// Nothing can be written any more: who reads has gone, say.
    closed: CancellationToken,
    rows: Vec<Vec<Value>>,
    more: u64,
}

impl Printer {
    fn new(format: RowFormat, columns: &'static [&'static str]) -> Self {
        let mut out = BufWriter::new(io::stdout());
        let wrote = if format == RowFormat::Csv { writeln!(out, "{}", columns.join(",")) } else { Ok(()) };
        Self { format, columns, out, wrote, closed: CancellationToken::new(), rows: vec![], more: 0 }
    }

    fn take(&mut self, row: Vec<Value>) {
        match self.format {
            RowFormat::Table if self.rows.len() < MAX_TABLE_ROWS => self.rows.push(row),
            RowFormat::Table => self.more += 1,
            RowFormat::Json if self.wrote.is_ok() => self.wrote = json_row(&mut self.out, self.columns, &row),
            RowFormat::Csv if self.wrote.is_ok() => self.wrote = csv_row(&mut self.out, &row),
            RowFormat::Json | RowFormat::Csv => {}
        }
        if self.wrote.is_err() {
            self.closed.cancel();
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        if self.format == RowFormat::Table {
            let text = answer_text(self.columns, &self.rows, self.more, Screen::of_stdout());
            self.wrote = self.out.write_all(text.as_bytes());
        }
        match self.wrote.and_then(|()| self.out.flush()) {
            // Who reads has seen enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::of(format!("the answer cannot be written: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_so_many_rows_and_counts_the_others() {
        let mut printer = Printer::new(RowFormat::Table, &["image"]);
        for number in 0..=MAX_TABLE_ROWS {
            assert_eq!((printer.rows.len(), printer.more), (number, 0));
            printer.take(vec![Value::Null]);
        }
        assert_eq!((printer.rows.len(), printer.more), (MAX_TABLE_ROWS, 1));
    }
}
