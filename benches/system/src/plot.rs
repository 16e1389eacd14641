//! The figures as a picture: SVG 1.1, one group of bars for each load.

use std::fmt::Write as _;

use crate::load::{Better, Load};
use crate::report::{Figure, Report};
use crate::system::System;

/// Draws every figure as a bar whose length is its share of the largest one of its load, with its range.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut drawing = Drawing::default();
    for load in Load::ALL {
        let group: Vec<&Figure> = report.figures.iter().filter(|figure| figure.load == load).collect();
        let largest = group.iter().map(|figure| figure.range[1]).fold(0.0, f64::max);
        if largest > 0.0 {
            drawing.heading(load);
            for figure in group {
                drawing.bar(figure, largest);
            }
        }
    }
    drawing.finish(&title(report))
}

fn title(report: &Report) -> String {
    let machine = &report.machine;
    format!(
        "vpclab {} · {} rounds of {} s · {} processors, {}, Linux {}",
        report.version, report.rounds, report.seconds, machine.processors, machine.processor, machine.kernel
    )
}

#[derive(Debug, Default)]
struct Drawing {
    body: String,
    height: u32,
}

// Pixels.
const WIDTH: u32 = 860;
const LEFT: u32 = 130;
const LONGEST: f64 = 520.0;
const ROW: u32 = 20;
const TOP: u32 = 40;

impl Drawing {
    fn heading(&mut self, load: Load) {
        self.height += ROW / 2;
        let text = format!(
            "{load}, {}{}",
            load.unit(),
            if load.better() == Better::Lower { " (less is better)" } else { "" }
        );
        self.text(10, &text, "font-weight=\"bold\"");
        self.height += ROW;
    }

    fn bar(&mut self, figure: &Figure, largest: f64) {
        let length = |value: f64| LONGEST * value / largest;
        let at = |value: f64| f64::from(LEFT) + length(value);
        let [low, high] = figure.range;
        let (y, middle) = (self.y(), self.y() + 7);
        self.text(20, figure.system.name(), "");
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.body,
            "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"14\" fill=\"{}\"/>\
             <path d=\"M{:.1} {middle}H{:.1}\" stroke=\"#222\"/>",
            length(figure.median),
            colour(figure.system),
            at(low),
            at(high)
        );
        self.text(at(high).ceil() as u32 + 8, &number(figure.median), "");
        self.height += ROW;
    }

    fn text(&mut self, x: u32, text: &str, attributes: &str) {
        let y = self.y() + 12;
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" {attributes}>{}</text>", escaped(text));
    }

    const fn y(&self) -> u32 {
        TOP + self.height
    }

    fn finish(self, title: &str) -> String {
        let height = self.y() + ROW;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"20\">{}</text>\n{}</svg>\n",
            escaped(title),
            self.body
        )
    }
}

/// Three significant digits.
#[must_use]
pub fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

const fn colour(system: System) -> &'static str {
    match system {
        System::Vpclab => "#2a6fbb",
        System::VpclabUnlogged => "#8fb8de",
        System::Kernel => "#c0803a",
        System::Ovs => "#6a9a5b",
        System::Relay(_) => "#8a8a8a",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!([0.834, 12.34, 494.4, 18_200.0].map(number), ["0.83", "12.3", "494", "18200"]);
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        let mut drawing = Drawing::default();
        let figure = Figure {
            load: Load::Rtt,
            system: System::Kernel,
            placement: crate::placement::Placement::Free,
            unit: "us",
            median: 5.0,
            range: [4.0, 10.0],
            spread: 0.0,
            details: std::collections::BTreeMap::new(),
            values: Vec::new(),
        };
        drawing.bar(&figure, 10.0);
        let drawn = drawing.finish("a < b & c");
        assert!(drawn.contains("width=\"260.0\"") && drawn.contains("M338.0 47H650.0"), "{drawn}");
        assert!(drawn.contains("a &lt; b &amp; c") && drawn.contains(">kernel<"), "{drawn}");
    }
}
