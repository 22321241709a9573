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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = vec![];
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_keeps_the_order_of_the_columns() {
        let row = [json!("a\"b"), json!(["x", "y"]), Value::Null, json!(1.5)];
        let text = written(|out| json_row(out, &["z", "y", "x", "w"], &row));
        assert_eq!(text, "{\"z\":\"a\\\"b\",\"y\":[\"x\",\"y\"],\"x\":null,\"w\":1.5}\n");
    }

    #[test]
    fn csv_quotes_what_would_break_a_row() {
        let row = [json!("a,\"b\"\n"), json!(["x", "y"]), Value::Null, json!(3)];
        assert_eq!(written(|out| csv_row(out, &row)), "\"a,\"\"b\"\"\n\",x y,,3\n");
    }

    #[test]
    fn a_table_says_how_many_rows_there_are_and_steers_no_terminal() {
        let screen = Screen { width: 80 };
        let text = answer_text(&["image", "detail"], &[vec![json!("a\u{1b}[31m"), Value::Null]], 0, screen);
        assert!(text.contains("a?[31m") && text.contains(" -") && text.ends_with("\n1 row\n"), "{text}");
        assert_eq!(answer_text(&["image"], &[], 0, screen), "0 rows\n");
        let cut = answer_text(&["image"], &[vec![json!("a")]], 2, screen);
        assert!(cut.ends_with("3 rows; 2 are not shown: --format csv or json has them\n"), "{cut}");
    }
}
