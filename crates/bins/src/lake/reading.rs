//! Reads a lake: its days, and of each day the lines of its objects, many objects at a time.

use std::collections::BTreeSet;
use std::fmt;

use cve_monitor_adapters::lake::{Body, Entry, LakeError};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};

use super::answers::Asked;
use super::day::Day;
use super::report::Report;
use super::said::Said;
use crate::wiring::Lake;

/// Objects that are read at a time: S3 takes some 30 ms for each.
const READ_AT_ONCE: usize = 16;
/// Levels of folders down to the reports: year, month, day.
const LEVELS: usize = 3;
/// What an object is called that is compressed, as others write into lakes.
const COMPRESSED: [&str; 6] = [".gz", ".bz2", ".zst", ".snappy", ".lz4", ".xz"];
/// The longest line, in bytes: no report has more.
const MAX_LINE_BYTES: usize = 256 << 20;

/// Something in the lake that was not read, or cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it lies.
    pub place: String,
    /// The line, from 1; none for the whole of it.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.place, self.what),
            None => write!(f, "{}: {}", self.place, self.what),
        }
    }
}

/// What an object came to.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) said: Vec<Said>,
    pub(super) problems: Vec<Problem>,
}

/// The days that have a folder, in order, and what else lies beside the folders of days.
pub(super) async fn days(lake: &Lake) -> Result<(Vec<Day>, Vec<Problem>), LakeError> {
    let (mut folders, mut problems) = (vec![String::new()], vec![]);
    for level in 0..LEVELS {
        let mut inner = vec![];
        for folder in &folders {
            let mut entries = lake.list(folder);
            while let Some(entry) = entries.try_next().await? {
                match entry {
                    Entry::Folder(key) if is_level(&key, level) => inner.push(key),
                    Entry::Folder(key) | Entry::Object(key) if is_hidden(&key) => drop(key),
                    Entry::Folder(key) | Entry::Object(key) => problems.push(foreign(lake, &key)),
                }
            }
        }
        folders = inner;
    }
    let mut days = BTreeSet::new();
    for folder in folders {
        match Day::of_folder(&folder) {
            Some(day) => drop(days.insert(day)),
            None => problems.push(foreign(lake, &folder)),
        }
    }
    Ok((days.into_iter().collect(), problems))
}

/// Whether this is called as a folder of that level is, so that it is worth a look.
fn is_level(key: &str, level: usize) -> bool {
    let name = name_of(key);
    let (part, digits) = [("year=", 4), ("month=", 2), ("day=", 2)].get(level).copied().unwrap_or_default();
    name.strip_prefix(part).is_some_and(|n| n.len() == digits && n.bytes().all(|byte| byte.is_ascii_digit()))
}

fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// What programs leave behind or put aside: Athena passes over it, too.
fn is_hidden(key: &str) -> bool {
    name_of(key).starts_with(['.', '_'])
}

fn foreign(lake: &Lake, key: &str) -> Problem {
    let what =
        "was not read: reports lie as year=YYYY/month=MM/day=DD/ID.json, and nothing else belongs here";
    Problem { place: lake.place(key), line: None, what: what.to_owned() }
}

/// The reports of a day, object by object, in no order.
pub(super) fn day<'a>(lake: &'a Lake, day: Day, asked: &'a Asked) -> BoxStream<'a, Result<Read, LakeError>> {
    let read = move |entry: Result<Entry, LakeError>| async move {
        match entry? {
            Entry::Folder(key) | Entry::Object(key) if is_hidden(&key) => Ok(Read::default()),
            Entry::Object(key) => object(lake, &key, day, asked).await,
            Entry::Folder(key) => Ok(Read { said: vec![], problems: vec![foreign(lake, &key)] }),
        }
    };
    // One stream for all: the folder of a day may have a million entries.
    stream::once(async move { lake.list(&day.folder()) })
        .flatten()
        .map(read)
        .buffer_unordered(READ_AT_ONCE)
        .boxed()
}

async fn object(lake: &Lake, key: &str, day: Day, asked: &Asked) -> Result<Read, LakeError> {
    let problem = |line: Option<u64>, what: String| Problem { place: lake.place(key), line, what };
    if let Some(kind) = COMPRESSED.iter().find(|kind| key.ends_with(**kind)) {
        let what = format!("was not read: it is compressed ({kind}); put it there as plain lines of JSON");
        return Ok(Read { said: vec![], problems: vec![problem(None, what)] });
    }
    if !key.ends_with(".json") {
        return Ok(Read { said: vec![], problems: vec![foreign(lake, key)] });
    }
    let Some(mut body) = lake.read(key).await? else {
        let what = "was listed, and is not there any more".to_owned();
        return Ok(Read { said: vec![], problems: vec![problem(None, what)] });
    };
    let (mut read, mut line, mut number) = (Read::default(), vec![], 0);
    loop {
        let more = next_line(&mut body, &mut line, MAX_LINE_BYTES).await;
        if !more.map_err(|error| LakeError(format!("{} broke off: {error}", lake.place(key))))? {
            return Ok(read);
        }
        number += 1;
        if line.len() > MAX_LINE_BYTES {
            let what = format!("has more than {MAX_LINE_BYTES} bytes; neither it nor what follows was read");
            read.problems.push(problem(Some(number), what));
            return Ok(read);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match Report::parse(&line) {
            Ok(report) if Day::of(report.assessed_at) == day => read.said.push(report.said(asked)),
            Ok(report) => {
                let what = format!("was not counted: its report is of {}", Day::of(report.assessed_at));
                read.problems.push(problem(Some(number), what));
            }
            Err(what) => read.problems.push(problem(Some(number), what)),
        }
    }
}

/// Reads up to a line's end, or one byte more than a line may have, its end included; false where there is nothing more.
async fn next_line(body: &mut Body, line: &mut Vec<u8>, most: usize) -> std::io::Result<bool> {
    line.clear();
    Ok(body.take(most as u64 + 1).read_until(b'\n', line).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_is_read_up_to_one_byte_more_than_it_may_have() {
        let mut line = vec![];
        for (text, read) in
            [("123456\nmore", "123456\n"), ("1234567\nmore", "1234567\n"), ("12345678\n", "12345678")]
        {
            let mut body: Body = Box::pin(text.as_bytes());
            assert!(next_line(&mut body, &mut line, 7).await.unwrap());
            assert_eq!(line, read.as_bytes());
            assert_eq!(line.len() > 7, text != "123456\nmore", "{text}");
        }
        assert_eq!(MAX_LINE_BYTES, 256 << 20, "what is handed over as the most");
    }
}
