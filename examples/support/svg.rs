//! Charts as SVG, written by hand: no fonts, no scripts, light or dark as the reader's screen is.

use std::fmt::{Display, Write};

/// A picture in the making. Lengths are in units of the picture, from its upper left corner.
pub(crate) struct Svg(String);

impl Svg {
    /// An empty picture of this size. `title` and `description` are for those who cannot see it; `style` is CSS.
    pub(crate) fn new(width: f64, height: f64, title: &str, description: &str, style: &str) -> Svg {
        let (title, description) = (escape(title), escape(description));
        let mut svg = Svg(String::new());
        svg.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{description}</desc>\n<style>\n{}\n</style>",
            style.trim()
        ));
        svg.rect(0.0, 0.0, width, height, "page");
        svg
    }

    /// Everything that `draw` draws, moved by this much.
    pub(crate) fn at(&mut self, x: f64, y: f64, draw: impl FnOnce(&mut Svg)) {
        self.put(format_args!("<g transform=\"translate({} {})\">", Length(x), Length(y)));
        draw(self);
        self.put(format_args!("</g>"));
    }

    /// A rectangle.
    pub(crate) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        let [x, y, width, height] = [x, y, width, height].map(Length);
        self.put(format_args!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"));
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(Length);
        self.put(format_args!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    /// A line through these points.
    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points.iter().map(|&(x, y)| format!("{},{}", Length(x), Length(y))).collect();
        self.put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    /// A mark for a measured value, with a text that is shown when the pointer rests on it.
    pub(crate) fn mark(&mut self, (x, y): (f64, f64), shape: Shape, class: &str, hint: &str) {
        let (x, y, hint) = (Length(x), Length(y), escape(hint));
        let path = shape.path();
        self.put(format_args!(
            "<path class=\"{class}\" d=\"{path}\" transform=\"translate({x} {y})\"><title>{hint}</title></path>"
        ));
    }

    /// A line of text. The class says how it is aligned.
    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.put(format_args!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>", Length(x), Length(y), escape(text)));
    }

    /// The picture as text.
    pub(crate) fn finish(mut self) -> String {
        self.put(format_args!("</svg>"));
        self.0
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{element}").expect("writing to a String does not fail");
    }
}

/// The shape of a mark: series differ by more than their colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
}

impl Shape {
    /// Its outline around the origin.
    fn path(self) -> &'static str {
        match self {
            Shape::Circle => "M-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z",
            Shape::Square => "M-3.2 -3.2h6.4v6.4h-6.4z",
            Shape::Triangle => "M0 -3.8L3.5 2.6h-7z",
        }
    }
}

/// A logarithmic axis: from values to lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogScale {
    /// The first and the last value.
    pub(crate) values: (f64, f64),
    /// Where they are.
    pub(crate) lengths: (f64, f64),
}

impl LogScale {
    /// Where a value is.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (first, last) = self.values;
        let part = (value / first).ln() / (last / first).ln();
        self.lengths.0 + part * (self.lengths.1 - self.lengths.0)
    }
}

/// A length with as many digits as can be seen.
struct Length(f64);

impl Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", (self.0 * 10.0).round() / 10.0)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
