//! Tables that fit the screen.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

use super::words::safe;

/// The width where nobody looks: long enough for whole rows, for those who read them with other programs.
const WIDTH_WITHOUT_TERMINAL: u16 = 160;
/// Narrower than this no table can be read; lines wrap instead.
const MIN_WIDTH: u16 = 60;

/// Lines above and below the table and under its header.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('═').junction('═'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Where a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// In columns.
    pub width: u16,
}

impl Screen {
    /// The terminal of standard output, or what stands for it in a pipe.
    #[must_use]
    pub fn of_stdout() -> Self {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        Self { width: size.map_or(WIDTH_WITHOUT_TERMINAL, |(width, _)| width.0.max(MIN_WIDTH)) }
    }
}

/// A table of these rows under this header, each line ended.
pub(super) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>, screen: Screen) -> String {
    plain_table(&header.map(str::to_owned), rows.into_iter().map(Vec::from).collect(), screen)
}

/// The same where the number of columns is known only when it runs.
pub(super) fn plain_table(header: &[String], rows: Vec<Vec<String>>, screen: Screen) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(screen.width).set_header(header);
    for row in rows {
        table.add_row(row.iter().map(|cell| safe(cell)));
    }
    let lines = table.to_string();
    lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A text that may not be known.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}
