//! Curves over logarithmic axes, as SVG.
//!
//! A plot has a background of its own, light or dark, and distinguishes curves by colour, mark and dashes, so that it is
//! readable on any page and for colour-blind readers.

use std::fmt::Write as _;

use crate::report::number;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// The area of the curves: left, right, top, bottom.
const FRAME: [f64; 4] = [72.0, 686.0, 78.0, 362.0];

/// The colour of each curve on a light and a dark background, and its dashes.
const STYLES: [(&str, &str, &str); 4] = [
    ("#0969da", "#58a6ff", "none"),
    ("#1a7f37", "#56d364", "7 4"),
    ("#bc4c00", "#f0883e", "2 4"),
    ("#8250df", "#d2a8ff", "10 3 2 3"),
];

/// A plot.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_label: &'a str,
    pub(crate) y_label: &'a str,
    pub(crate) curves: Vec<Curve>,
}

/// Points above zero, from left to right, by a name.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A logarithmic axis.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// The values at its ends.
    least: f64,
    most: f64,
    /// Where its ends are.
    from: f64,
    to: f64,
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        let part = (value / self.least).ln() / (self.most / self.least).ln();
        self.from + part * (self.to - self.from)
    }
}

/// Round numbers (one, two and five times the powers of ten, or only the powers themselves) from the last one not above
/// `least` to the first one not below `most`.
fn ticks(least: f64, most: f64, steps: &[f64]) -> Vec<f64> {
    let decades = (least.log10().floor() as i32)..=(most.log10().ceil() as i32);
    let all: Vec<f64> = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade))).collect();
    // Computed powers of ten may be slightly off.
    let start = all.iter().rposition(|tick| *tick <= least * 1.000_001).unwrap_or(0);
    let end = all.iter().position(|tick| *tick >= most * 0.999_999).unwrap_or(all.len() - 1);
    all[start..=end.max(start)].to_vec()
}

/// A scale over all `values` and its ticks; `None` if there is nothing to show or it has no extent.
fn axis(values: impl Iterator<Item = f64> + Clone, steps: &[f64], from: f64, to: f64) -> Option<(Scale, Vec<f64>)> {
    let (least, most) = (values.clone().reduce(f64::min)?, values.reduce(f64::max)?);
    let ticks = ticks(least, most, steps);
    let (least, most) = (*ticks.first()?, *ticks.last()?);
    (least > 0.0 && least < most).then_some((Scale { least, most, from, to }, ticks))
}

impl Plot<'_> {
    /// Returns the plot as SVG, or `None` if there is nothing to show.
    pub(crate) fn svg(&self) -> Option<String> {
        let points = self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let [left, right, top, bottom] = FRAME;
        let (x_scale, x_ticks) = axis(points.clone().map(|point| point.0), &[1.0], left, right)?;
        let (y_scale, y_ticks) = axis(points.map(|point| point.1), &[1.0, 2.0, 5.0], bottom, top)?;
        let Self { title, x_label, y_label, .. } = self;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{title}\">\n<title>{title}</title>\n{}<rect class=\"ground\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" rx=\"8\"/>\n<text class=\"title\" x=\"{left}\" y=\"30\">{title}</text>\n",
            style()
        );
        for tick in y_ticks {
            let y = y_scale.place(tick);
            line(&mut svg, "grid", [left, y, right, y]);
            text(&mut svg, "end", left - 8.0, y + 4.0, &number(tick, 1));
        }
        for tick in x_ticks {
            let x = x_scale.place(tick);
            line(&mut svg, "grid", [x, top, x, bottom]);
            text(&mut svg, "middle", x, bottom + 20.0, &number(tick, 1));
        }
        line(&mut svg, "axis", [left, bottom, right, bottom]);
        line(&mut svg, "axis", [left, top, left, bottom]);
        text(&mut svg, "middle", f64::midpoint(left, right), HEIGHT - 14.0, x_label);
        let middle = f64::midpoint(top, bottom);
        writeln!(svg, "<text transform=\"translate(20 {middle}) rotate(-90)\" text-anchor=\"middle\">{y_label}</text>")
            .ok();
        // Draw the first curve last, on top of the others.
        for (at, curve) in self.curves.iter().enumerate().rev() {
            let place = |&(x, y): &(f64, f64)| (x_scale.place(x), y_scale.place(y));
            let places: Vec<(f64, f64)> = curve.points.iter().map(place).collect();
            draw(&mut svg, at % STYLES.len(), &places);
        }
        self.legend(&mut svg);
        svg += "</svg>\n";
        Some(svg)
    }

    fn legend(&self, svg: &mut String) {
        let mut x = FRAME[0];
        for (at, Curve { name, .. }) in self.curves.iter().enumerate() {
            draw(svg, at % STYLES.len(), &[(x, 54.0), (x + 34.0, 54.0)]);
            text(svg, "start", x + 44.0, 58.0, name);
            x += 80.0 + 7.5 * name.chars().count() as f64;
        }
    }
}

fn line(svg: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    writeln!(svg, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>").ok();
}

fn text(svg: &mut String, anchor: &str, x: f64, y: f64, text: &str) {
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>").ok();
}

/// A curve with a mark at each of its points.
fn draw(svg: &mut String, style: usize, places: &[(f64, f64)]) {
    let list: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    writeln!(svg, "<polyline class=\"curve c{style}\" points=\"{}\"/>", list.join(" ")).ok();
    for (x, y) in places {
        let shape = match style {
            0 => "<circle r=\"4.5\"",
            1 => "<rect x=\"-4\" y=\"-4\" width=\"8\" height=\"8\"",
            2 => "<path d=\"M0 -5.5 L5 4 L-5 4 Z\"",
            _ => "<path d=\"M0 -6 L5 0 L0 6 L-5 0 Z\"",
        };
        writeln!(svg, "{shape} class=\"mark m{style}\" transform=\"translate({x:.1} {y:.1})\"/>").ok();
    }
}

fn style() -> String {
    let colours = |dark: bool| -> String {
        let [ground, ink, grid, axis] = if dark {
            ["#0d1117", "#e6edf3", "#30363d", "#8b949e"]
        } else {
            ["#ffffff", "#1f2328", "#d8dee4", "#57606a"]
        };
        let mut css = format!(
            ".ground {{ fill: {ground} }} text {{ fill: {ink} }} .grid {{ stroke: {grid} }} .axis {{ stroke: {axis} }} \
             .mark {{ stroke: {ground} }}"
        );
        for (at, (light_ink, dark_ink, _)) in STYLES.iter().enumerate() {
            let colour = if dark { dark_ink } else { light_ink };
            write!(css, " .c{at} {{ stroke: {colour} }} .m{at} {{ fill: {colour} }}").ok();
        }
        css
    };
    let mut css = String::from(
        "text { font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px } \
         .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }",
    );
    for (at, (_, _, dashes)) in STYLES.iter().enumerate() {
        write!(css, " .c{at} {{ stroke-dasharray: {dashes} }}").ok();
    }
    format!(
        "<style>\n{css}\n{}\n@media (prefers-color-scheme: dark) {{ {} }}\n</style>\n",
        colours(false),
        colours(true)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_have_equal_lengths() {
        let scale = Scale { least: 1.0, most: 1_000.0, from: 0.0, to: 300.0 };
        for (value, place) in [(1.0, 0.0), (10.0, 100.0), (100.0, 200.0), (1_000.0, 300.0)] {
            assert!((scale.place(value) - place).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let close = |found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-9), "{found:?}");
        };
        close(&ticks(0.17, 2.4, &[1.0, 2.0, 5.0]), &[0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
        close(&ticks(1.0, 1_000.0, &[1.0]), &[1.0, 10.0, 100.0, 1_000.0]);
        close(&ticks(0.2, 0.2, &[1.0, 2.0, 5.0]), &[0.2]);
    }

    #[test]
    fn every_curve_has_its_points_and_its_name() {
        let curve =
            |name: &str, cost| Curve { name: name.to_owned(), points: vec![(10.0, cost), (1_000.0, 2.0 * cost)] };
        let curves = vec![curve("ours", 0.2), curve("theirs", 0.1)];
        let plot = Plot { title: "cost", x_label: "members", y_label: "µs", curves };
        let svg = plot.svg().expect("has an extent");
        assert_eq!(svg.matches("<polyline").count(), 4);
        assert!(svg.contains(">ours</text>") && svg.contains(">theirs</text>"));
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert!(!svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn a_plot_without_extent_is_none() {
        let plot =
            |points| Plot { title: "", x_label: "", y_label: "", curves: vec![Curve { name: String::new(), points }] };
        assert_eq!(plot(vec![]).svg(), None);
        assert_eq!(plot(vec![(10.0, 1.0)]).svg(), None);
    }
}
