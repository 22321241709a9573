//! Rows of answers, whatever their columns are: as a table, as lines of JSON, as CSV.

use std::io::{self, Write};

use serde_json::Value;

use super::table::{Screen, plain_table};

/// The most rows of one table: more would have to be held, and nobody reads them.
pub const MAX_TABLE_ROWS: usize = 1000;

/// A row as an object of JSON, its members in the order of the columns.
///
/// # Errors
/// Where it cannot be written.
pub fn json_row(out: &mut dyn Write, columns: &[&str], row: &[Value]) -> io::Result<()> {
    for (number, (column, value)) in columns.iter().zip(row).enumerate() {
        let before = if number == 0 { '{' } else { ',' };
        write!(out, "{before}\"{column}\":{value}")?;
    }
    out.write_all(b"}\n")
}

/// A row of CSV (RFC 4180, with `\n`). Lists are divided by spaces; what is not known is empty.
///
/// # Errors
/// Where it cannot be written.
pub fn csv_row(out: &mut dyn Write, row: &[Value]) -> io::Result<()> {
    let cells: Vec<String> = row.iter().map(|value| quoted(&text(value, " "))).collect();
    writeln!(out, "{}", cells.join(","))
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn text(value: &Value, between: &str) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(|one| text(one, between)).collect::<Vec<_>>().join(between),
        other => other.to_string(),
    }
}

/// Rows as a table; how many more there are is said below it.
#[must_use]
pub fn answer_text(columns: &[&str], rows: &[Vec<Value>], more: u64, screen: Screen) -> String {
    let cell = |value: &Value| match text(value, ", ") {
        empty if empty.is_empty() => "-".to_owned(),
        text => text,
    };
    let cells = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let header: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let mut text = if rows.is_empty() { String::new() } else { plain_table(&header, cells, screen) };
    match (rows.len() as u64 + more, more) {
        (1, _) => text += "1 row\n",
        (all, 0) => text += &format!("{all} rows\n"),
        (all, more) => text += &format!("{all} rows; {more} are not shown: --format csv or json has them\n"),
    }
    text
}
