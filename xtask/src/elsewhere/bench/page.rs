//! The figures as one page: the table, and plots as SVG. It fetches nothing.

use std::fmt::Write as _;

use super::row::{Row, number};

/// Of each plot, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 60.0;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse}
td,th{padding:.3em .8em;border-bottom:1px solid #ccc;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}
.met{color:#060}.short{color:#a00;font-weight:600}svg{background:#fafafa;margin:1em 1em 1em 0}text{font-size:12px}";

/// Points of one kind.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) color: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    /// Both axes in powers of ten.
    pub(super) is_logarithmic: bool,
    pub(super) series: Vec<Series>,
}

pub(super) fn html(heading: &str, rows: &[Row], plots: &[Plot]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{heading}</title><style>{STYLE}</style>\
         <h1>{heading}</h1><table><tr><th>benchmark<th>what<th>figure<th>unit<th>goal<th><th>beside it"
    );
    for row in rows {
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td class=\"n\">{}<td>{}<td class=\"n\">{}<td class=\"{v}\">{v}<td>{}",
            row.bench,
            escaped(&row.what),
            number(row.value),
            row.unit,
            row.goal_text(),
            escaped(&row.baseline_text()),
            v = row.verdict(),
        );
    }
    page.push_str("</table>");
    plots.iter().for_each(|plot| page.push_str(&svg(plot)));
    page.push('\n');
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn svg(plot: &Plot) -> String {
    let all = || plot.series.iter().flat_map(|series| &series.points);
    let x = Axis::over(all().map(|point| point.0), plot.is_logarithmic, MARGIN, WIDTH - MARGIN / 2.0);
    let y = Axis::over(all().map(|point| point.1), plot.is_logarithmic, HEIGHT - MARGIN, MARGIN / 2.0);
    let mut svg = format!(
        "<figure><figcaption>{}</figcaption><svg width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">",
        escaped(&plot.title)
    );
    for (value, at) in x.ticks() {
        let _ = write!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{}\" x2=\"{at:.1}\" y2=\"{}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            MARGIN / 2.0,
            HEIGHT - MARGIN,
            HEIGHT - MARGIN + 18.0,
            number(value)
        );
    }
    for (value, at) in y.ticks() {
        let _ = write!(
            svg,
            "<line x1=\"{MARGIN}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - MARGIN / 2.0,
            MARGIN - 6.0,
            at + 4.0,
            number(value)
        );
    }
    for (number, series) in plot.series.iter().enumerate() {
        for (px, py) in &series.points {
            let _ = write!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\" fill=\"{}\"/>",
                x.place(*px),
                y.place(*py),
                series.color
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>",
            MARGIN + 8.0,
            MARGIN / 2.0 + 14.0 * (number as f64 + 1.0),
            series.color,
            escaped(series.name)
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text><text x=\"8\" y=\"14\">{}</text></svg></figure>",
        WIDTH / 2.0,
        HEIGHT - 10.0,
        escaped(plot.x),
        escaped(plot.y)
    );
    svg
}

/// From values to pixels.
struct Axis {
    least: f64,
    most: f64,
    is_logarithmic: bool,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, is_logarithmic: bool, from: f64, to: f64) -> Self {
        let shown = values.filter(|value| value.is_finite() && (!is_logarithmic || *value > 0.0));
        let (least, most) = shown.fold((f64::MAX, f64::MIN), |(a, b), value| (a.min(value), b.max(value)));
        let (least, most) = if least > most { (1.0, 10.0) } else { (least, most) };
        if is_logarithmic {
            let (least, most) = (least.log10().floor(), most.log10().ceil());
            return Self { least, most: most.max(least + 1.0), is_logarithmic, from, to };
        }
        Self { least: 0.0, most: if most > 0.0 { most * 1.05 } else { 1.0 }, is_logarithmic, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let value = if self.is_logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let share = ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> Vec<(f64, f64)> {
        let values: Vec<f64> = if self.is_logarithmic {
            let decades = (self.most - self.least).round() as i32;
            (0..=decades).map(|step| 10_f64.powf(self.least + f64::from(step))).collect()
        } else {
            (0..=4).map(|step| self.most * f64::from(step) / 4.0).collect()
        };
        values.into_iter().map(|value| (value, self.place(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_begins_and_ends_at_powers_of_ten() {
        let axis = Axis::over([3.0, 400.0, 0.0].into_iter(), true, 0.0, 300.0);
        let ticks: Vec<(f64, f64)> = axis.ticks();
        assert_eq!(ticks.iter().map(|tick| tick.0.round()).collect::<Vec<_>>(), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!((axis.place(1.0), axis.place(1000.0), axis.place(0.0)), (0.0, 300.0, 0.0));
    }

    #[test]
    fn a_plot_of_nothing_and_text_with_brackets_are_a_page_still() {
        let plot = Plot { title: "<t>".to_owned(), x: "x", y: "y", is_logarithmic: false, series: vec![] };
        let row = Row::new("b", "a < b", 1.0, "s");
        let page = html("figures", &[row], &[plot]);
        assert!(page.contains("a &lt; b") && page.contains("&lt;t&gt;") && !page.contains("NaN"));
    }
}
