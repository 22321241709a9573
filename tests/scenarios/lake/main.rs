//! The questions to the lake, on reports that the real pipeline wrote: the very queries that terraform ships, and
//! `cve-monitor report`, give the rows that another program computed.
//!
//! Queries run on DuckDB, translated by sqlglot; what was run is printed with `--nocapture`. Where Python or its package index
//! cannot be had, those rows are *ignored*.

mod engine;
mod expected;
mod stage;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use cve_monitor_bins::lake::{Asked, Day, Question, Told, answer};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::{Value, json};

use engine::DuckDb;
use expected::Row;
use stage::{FIRST, PLACES, Stage, TODAY, root};

/// Rows in an order that does not matter.
fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_cached_key(|row| json!(row).to_string());
    rows
}

/// Changes name a package with its architecture, which the expected rows do not have.
fn without_architecture(question: Question, rows: Vec<Row>) -> Vec<Row> {
    let Some(at) = question.columns().iter().position(|name| *name == "package" && question == Question::New)
    else {
        return rows;
    };
    let mend = |mut row: Row| {
        let package = row[at].as_str().unwrap_or_default();
        row[at] = json!(package.rsplit_once(':').map_or(package, |(name, _)| name));
        row
    };
    rows.into_iter().map(mend).collect()
}

/// Instants to the second: a clock that stands shows the milliseconds that somebody slept for.
fn to_the_second(rows: Vec<Row>) -> Vec<Row> {
    let mend = |value: Value| match value.as_str() {
        Some(text) if text.len() == FIRST.len() && text.ends_with('Z') => json!(text[..FIRST.len() - 5]),
        _ => value,
    };
    rows.into_iter().map(|row| row.into_iter().map(mend).collect()).collect()
}

/// As `cve-monitor report` answers with its defaults.
fn local(stage: &Stage, question: Question) -> (Vec<Row>, Told) {
    let until: Day = TODAY.parse().unwrap();
    let cve = (question == Question::Where).then(|| expected::CVE.to_owned());
    let asked = Asked { question, cve, since: None, until, stale_days: 30 };
    let mut rows = vec![];
    let told = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(async { answer(&stage.lake().await, &asked, &mut |row| rows.push(row)).await });
    (rows, told.unwrap_or_else(|problem| panic!("{problem}")))
}

fn query(name: &str) -> PathBuf {
    root().join("terraform/modules/lake/queries").join(name).with_extension("sql")
}

fn same(what: &str, found: Vec<Row>, expected: Vec<Row>) {
    let (found, expected) = (sorted(to_the_second(found)), sorted(to_the_second(expected)));
    let missing: Vec<_> = expected.iter().filter(|row| !found.contains(row)).collect();
    let too_much: Vec<_> = found.iter().filter(|row| !expected.contains(row)).collect();
    assert!(
        missing.is_empty() && too_much.is_empty(),
        "{what}: missing {missing:#?}, too much {too_much:#?}"
    );
    assert_eq!(found.len(), expected.len(), "{what}: rows that are there twice");
}

fn answered_locally(question: Question) -> Result<(), Failed> {
    let (rows, told) = local(Stage::shared(), question);
    assert_eq!((told.problems.len(), rows.is_empty()), (0, false));
    assert!(rows.iter().all(|row| row.len() == question.columns().len()));
    same(question.name(), without_architecture(question, rows), expected::rows(question));
    Ok(())
}

fn answered_by_sql(question: Question) -> Result<Completion, Failed> {
    let duckdb = match DuckDb::find() {
        Ok(duckdb) => duckdb,
        Err(why) => return Ok(Completion::ignored_with(why)),
    };
    let stage = Stage::shared();
    let answer = duckdb.ask(&stage.reports(), &query(question.name()), &[])?;
    println!("{}, as DuckDB ran it:\n{}\n", question.name(), answer.translated);
    assert_eq!(answer.columns, question.columns());
    let (rows, _) = local(stage, question);
    same("SQL and `cve-monitor report`", answer.rows.clone(), rows);
    same(question.name(), without_architecture(question, answer.rows), expected::rows(question));
    // The view that people make on their own folder says the same.
    let viewed = duckdb.ask(&stage.reports(), &query(question.name()), &["--view", &view()])?;
    same("the view for DuckDB", viewed.rows, local(stage, question).0);
    Ok(Completion::Completed)
}

fn view() -> String {
    root().join("docs/lake/duckdb.sql").display().to_string()
}

/// Every query that is shipped is a question, and the other way round.
fn one_list() -> Result<(), Failed> {
    let files = std::fs::read_dir(root().join("terraform/modules/lake/queries"))?;
    let shipped: BTreeSet<String> = files
        .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()?;
    let asked: BTreeSet<String> =
        Question::ALL.iter().map(|question| format!("{}.sql", question.name())).collect();
    assert_eq!(shipped, asked);
    Ok(())
}

fn python_or(ignored: impl Fn(&DuckDb) -> Result<(), Failed> + Send + 'static) -> Result<Completion, Failed> {
    match DuckDb::find() {
        Ok(duckdb) => ignored(&duckdb).map(|()| Completion::Completed),
        Err(why) => Ok(Completion::ignored_with(why)),
    }
}

/// A report of an old day that cannot be read harms nobody who does not ask for that day.
fn pruned(duckdb: &DuckDb) -> Result<(), Failed> {
    let stage = Stage::copy();
    for day in ["year=2025/month=03/day=01", "year=2026/month=01/day=30", "year=2026/month=03/day=02"] {
        std::fs::create_dir_all(stage.reports().join(day))?;
        std::fs::write(stage.reports().join(day).join("broken.json"), "{\"half")?;
    }
    for question in Question::ALL {
        let answered = duckdb.ask(&stage.reports(), &query(question.name()), &[]);
        match (question.days(), answered) {
            (Some(_), Err(problem)) if question != Question::Trend => {
                panic!("{}: {problem}", question.name())
            }
            (Some(_), Ok(answer)) if question != Question::Trend => {
                same(question.name(), answer.rows, local(Stage::shared(), question).0);
            }
            (_, Ok(_)) => panic!("{} did not read every day", question.name()),
            (_, Err(problem)) => assert!(problem.contains("broken.json"), "{problem}"),
        }
    }
    Ok(())
}

/// Queries of the proof of concept, word for word.
fn old_queries(duckdb: &DuckDb) -> Result<(), Failed> {
    let ask = |name: &str| {
        let query = root().join("tests/scenarios/lake/old").join(name).with_extension("sql");
        duckdb.ask(&Stage::shared().reports(), &query, &[]).map(|answer| sorted(answer.rows))
    };
    // Of that day are the reports of the images that the second set changed; all but the base images have something high.
    let mut high = BTreeSet::new();
    for row in ask("high")? {
        high.insert((row[0].as_str().unwrap_or_default().to_owned(), row[1].clone().to_string()));
    }
    let expected = [("27c44f580a9f", 55), ("907646f923b5", 2), ("f82b8390e0a8", 2)];
    assert_eq!(high.len(), expected.len() * PLACES.len(), "{high:?}");
    for (digest, count) in expected {
        let found = high.iter().filter(|(image, high)| {
            image.contains(&format!("@sha256:{digest}")) && *high == count.to_string()
        });
        assert_eq!(found.count(), PLACES.len(), "{digest}: {high:?}");
    }
    for row in ask("metadata")? {
        let [image, digest, config, repository, registry] = row.as_slice() else { panic!("{row:?}") };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place =
            PLACES.iter().find(|(_, known)| *known == text(repository)).ok_or("another repository")?;
        assert_eq!(text(image), format!("{}/{}@{}", place.0, place.1, text(digest)));
        assert!(text(config).starts_with("sha256:") && text(registry) == place.0, "{row:?}");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("lake::every_query_is_a_question", one_list)];
    for question in Question::ALL {
        let name = question.name();
        trials.push(Trial::test(format!("lake::{name}::is_answered_locally"), move || {
            answered_locally(question)
        }));
        let by_sql = move || answered_by_sql(question);
        trials.push(Trial::ignorable_test(format!("lake_sql::{name}::says_the_same"), by_sql));
    }
    let pruned = || python_or(pruned);
    trials.push(Trial::ignorable_test("lake_sql::days_that_are_not_asked_for_are_not_read", pruned));
    trials.push(Trial::ignorable_test("lake_sql::old_queries_work_as_they_are", || python_or(old_queries)));
    libtest_mimic::run(&arguments, trials).exit_code()
}
