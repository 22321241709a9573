//! What there is of advisories.

use super::table::{Screen, or_dash, table};
use super::words::{date, safe};
use crate::wiring::{StockList, StockRow};

/// Sources and ecosystems, and which generation is in use.
#[must_use]
pub fn stock_text(list: &StockList, screen: Screen) -> String {
    let row = |row: &StockRow| {
        [
            row.source.clone(),
            or_dash(row.ecosystem.as_deref()),
            row.state.replace('_', " "),
            or_dash(row.records.map(|records| records.to_string()).as_deref()),
            or_dash(
                row.newest.as_deref().map(|newest| newest.chars().take(10).collect::<String>()).as_deref(),
            ),
            or_dash(row.checked.map(date).as_deref()),
        ]
    };
    let header = ["source", "ecosystem", "state", "records", "newest", "asked last"];
    let in_use = match (&list.generation, &list.id) {
        (Some(generation), Some(id)) => format!("generation {generation}, {}", safe(id)),
        _ => "nothing is in use yet".to_owned(),
    };
    format!(
        "{}{in_use}, in {}\n",
        table(header, list.sources.iter().map(row).collect(), screen),
        safe(&list.folder)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_a_row_and_what_is_in_use_is_named() {
        let row = |ecosystem: &str, state, records| StockRow {
            source: "https://mirror.example".to_owned(),
            ecosystem: Some(ecosystem.to_owned()),
            state,
            records,
            newest: records.map(|_| "2026-02-01T00:00:00Z".to_owned()),
            checked: records.map(|_| "2026-03-01".parse().unwrap()),
        };
        let list = StockList {
            folder: "/cache".to_owned(),
            generation: Some(3),
            id: Some("sha256:0a".to_owned()),
            sources: vec![row("Debian", "included", Some(7)), row("npm", "not_offered", None)],
        };
        let text = stock_text(&list, Screen { width: 100 });
        for part in
            ["Debian", "included", "7", "2026-02-01", "2026-03-01", "not offered", "generation 3, sha256:0a"]
        {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        let empty = StockList { generation: None, id: None, sources: vec![], ..list };
        assert!(stock_text(&empty, Screen { width: 100 }).contains("nothing is in use yet"));
    }
}
