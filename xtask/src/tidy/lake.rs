//! The lake's table is what the schema of reports says: columns for terraform, DDL for Athena, a view for DuckDB.

mod schema;

use std::fmt::Write as _;
use std::path::Path;

use self::schema::{Members, Type};
use super::Violation;
use crate::tree::Tree;

const SCHEMA: &str = "docs/report-schema/report-1.0.schema.json";
const COLUMNS: &str = "terraform/modules/lake/columns.json";
const ATHENA: &str = "docs/lake/athena.sql";
const DUCKDB: &str = "docs/lake/duckdb.sql";

/// What each file has to hold.
fn due(schema: &str) -> Result<[(&'static str, String); 3], String> {
    let columns = schema::columns(schema).map_err(|problem| format!("{SCHEMA}: {problem}"))?;
    Ok([(COLUMNS, json(&columns)?), (ATHENA, athena(&columns)), (DUCKDB, duckdb(&columns))])
}

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(schema) = tree.text(SCHEMA) else { return vec![] };
    let due = match due(schema) {
        Ok(due) => due,
        Err(problem) => return vec![Violation::new("lake", SCHEMA, problem)],
    };
    let differing = due.iter().filter(|(path, text)| tree.text(path) != Some(text.as_str()));
    let message = "is not what the schema of reports says: run `cargo xtask lake`";
    differing.map(|(path, _)| Violation::new("lake", path, message)).collect()
}

/// Writes the files.
pub(crate) fn write(root: &Path) -> Result<bool, String> {
    let schema = std::fs::read_to_string(root.join(SCHEMA))
        .map_err(|error| format!("{SCHEMA} cannot be read: {error}"))?;
    for (path, text) in due(&schema)? {
        std::fs::write(root.join(path), text)
            .map_err(|error| format!("{path} cannot be written: {error}"))?;
        println!("{path}");
    }
    Ok(true)
}

fn json(columns: &Members<Type>) -> Result<String, String> {
    let mut lines = vec![];
    for (name, kind) in &columns.0 {
        let name = serde_json::to_string(&name.to_lowercase()).map_err(|error| error.to_string())?;
        let kind = serde_json::to_string(&kind.athena()).map_err(|error| error.to_string())?;
        lines.push(format!("  {{ \"name\": {name}, \"type\": {kind} }}"));
    }
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

fn athena(columns: &Members<Type>) -> String {
    let mut text = format!(
        "-- The table of reports for Athena, where terraform does not make it. Written by `cargo xtask lake` from\n\
         -- {SCHEMA}. Put your bucket for BUCKET.\n\
         CREATE EXTERNAL TABLE reports (\n"
    );
    let lines = columns.0.iter().map(|(name, kind)| format!("  `{}` {}", name.to_lowercase(), kind.athena()));
    text += &lines.collect::<Vec<_>>().join(",\n");
    text += "\n)\n\
             PARTITIONED BY (`year` string, `month` string, `day` string)\n\
             ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\n\
             WITH SERDEPROPERTIES ('case.insensitive' = 'true')\n\
             STORED AS TEXTFILE\n\
             LOCATION 's3://BUCKET/';\n\
             \n\
             -- Either Athena works the partitions out, and nothing is ever added:\n\
             ALTER TABLE reports SET TBLPROPERTIES (\n  'projection.enabled' = 'true',\n";
    for (part, range, digits) in [("year", "2025,2040", 4), ("month", "1,12", 2), ("day", "1,31", 2)] {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  'projection.{part}.type' = 'integer',");
        let _ = writeln!(text, "  'projection.{part}.range' = '{range}',");
        let _ = writeln!(text, "  'projection.{part}.digits' = '{digits}',");
    }
    text += "  'storage.location.template' = 's3://BUCKET/year=${year}/month=${month}/day=${day}/'\n);\n\
             \n\
             -- Or, without those properties, each day is added by hand:\n\
             ALTER TABLE reports ADD IF NOT EXISTS PARTITION (`year` = '2026', `month` = '03', `day` = '01')\n  \
             LOCATION 's3://BUCKET/year=2026/month=03/day=01/';\n";
    text
}

fn duckdb(columns: &Members<Type>) -> String {
    let lines = columns.0.iter().map(|(name, kind)| format!("    \"{name}\": '{}'", kind.duckdb()));
    format!(
        "-- The reports in a folder as a view for DuckDB. Written by `cargo xtask lake` from\n\
         -- {SCHEMA}. Put your folder for FOLDER.\n\
         CREATE OR REPLACE VIEW reports AS\n\
         SELECT * FROM read_json(\n  \
           'FOLDER/year=*/month=*/day=*/*.json',\n  \
           format = 'newline_delimited',\n  \
           maximum_object_size = 268435456,\n  \
           hive_partitioning = true,\n  \
           hive_types_autocast = false,\n  \
           columns = {{\n{}\n  }}\n);\n",
        lines.collect::<Vec<_>>().join(",\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r##"{
        "properties": { "Name": { "type": "string" }, "At": { "$ref": "#/$defs/at" } },
        "$defs": { "at": { "type": ["integer", "null"] } }
    }"##;

    #[test]
    fn a_table_that_lags_behind_the_schema_is_found_and_one_that_does_not_is_not() {
        let due = due(SMALL).unwrap_or_else(|problem| panic!("{problem}"));
        let mut files: Vec<(&str, &str)> = due.iter().map(|(path, text)| (*path, text.as_str())).collect();
        files.push((SCHEMA, SMALL));
        assert_eq!(check(&Tree::of(&files)), []);
        let grown = SMALL.replace(r#""At":"#, r#""More": { "type": "boolean" }, "At":"#);
        files.pop();
        files.push((SCHEMA, &grown));
        let paths: Vec<String> = check(&Tree::of(&files)).into_iter().map(|found| found.path).collect();
        assert_eq!(paths, [COLUMNS, ATHENA, DUCKDB]);
    }

    #[test]
    fn columns_stand_in_the_order_of_the_schema() {
        let [(_, columns), (_, athena), (_, duckdb)] =
            due(SMALL).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(
            columns,
            "[\n  { \"name\": \"name\", \"type\": \"string\" },\n  { \"name\": \"at\", \"type\": \"bigint\" }\n]\n"
        );
        assert!(athena.contains("(\n  `name` string,\n  `at` bigint\n)"), "{athena}");
        assert!(duckdb.contains("{\n    \"Name\": 'VARCHAR',\n    \"At\": 'BIGINT'\n  }"), "{duckdb}");
    }

    #[test]
    fn a_schema_that_has_no_columns_is_told() {
        let found = check(&Tree::of(&[(SCHEMA, r#"{ "properties": { "X": { "type": "null" } } }"#)]));
        assert!(found.iter().any(|one| one.message.contains("/X")), "{found:?}");
    }
}
