//! Charts as SVG, with text alternatives. Colours are classes, which the page's style sheet knows for light and for dark.

use std::fmt::Write;

use super::html::escape;
use super::words::{digits, size};

/// What is on the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Across {
    /// Numbers of elements.
    #[default]
    Elements,
    /// Operations a byte.
    Intensity,
}

/// A chart with logarithmic axes.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    /// What it shows, in few words.
    pub(crate) title: String,
    /// What can be seen on it, for those who do not see it.
    pub(crate) description: String,
    /// What is on the horizontal axis.
    pub(crate) across: Across,
    /// What is on the vertical axis.
    pub(crate) unit: String,
    /// The lines.
    pub(crate) lines: Vec<Line>,
    /// Dots without a line, as `(x, y, class, what it is)`.
    pub(crate) dots: Vec<(f64, f64, &'static str, String)>,
    /// Levels drawn through, with their names.
    pub(crate) levels: Vec<(f64, String)>,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    /// The name at its end.
    pub(crate) name: String,
    /// The class that says how it looks.
    pub(crate) class: &'static str,
    /// Its points, left to right.
    pub(crate) points: Vec<Point>,
}

/// A point of a line.
#[derive(Debug)]
pub(crate) struct Point {
    /// Number of elements.
    pub(crate) x: f64,
    /// Value.
    pub(crate) y: f64,
    /// From the worst to the best sample, where there are samples.
    pub(crate) range: Option<(f64, f64)>,
    /// What a pointer that rests there is told.
    pub(crate) note: String,
}

/// The look of a backend or peer. Names come from files, classes from here only.
pub(crate) fn class(backend: &str) -> &'static str {
    match backend {
        "simd" => "simd",
        "threads" => "threads",
        "gpu" => "gpu",
        "auto" => "auto",
        "peer:std" => "std",
        "peer:rayon" => "rayon",
        "peer:loop" => "loop",
        "peer:loop-nt" => "loop-nt",
        "peer:loop-2t" => "loop-2t",
        "roof" => "roof",
        _ => "other",
    }
}

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 92.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = HEIGHT - 40.0;
/// Between the names at the ends of lines.
const LEADING: f64 = 13.0;

/// Values to pixels, by their logarithms.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, margin: f64, from: f64, to: f64) -> Axis {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        if high == 0.0 {
            (low, high) = (1.0, 1.0);
        }
        // One size alone stands in the middle.
        let margin = if high / low < 1.2 { margin.max(1.5) } else { margin };
        Axis { low: low / margin, high: high * margin, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value / self.low).ln() / (self.high / self.low).ln();
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    fn has(&self, value: f64) -> bool {
        (self.low * 0.999..=self.high * 1.001).contains(&value)
    }

    /// Powers of two, at most eight of them.
    fn sizes(&self) -> Vec<f64> {
        let powers: Vec<i32> = (0..64).filter(|&p| self.has(2_f64.powi(p))).collect();
        let step = [1, 2, 4, 8].into_iter().find(|step| powers.len() <= 8 * step).unwrap_or(8) as i32;
        powers.into_iter().filter(|p| p % step == 0).map(|p| 2_f64.powi(p)).collect()
    }

    /// Decades; with 2 and 5 between if there are few.
    fn decades(&self) -> Vec<f64> {
        let of = |steps: &[f64]| -> Vec<f64> {
            let all = (-15..16).flat_map(|p| steps.iter().map(move |s| s * 10_f64.powi(p)));
            all.filter(|value| self.has(*value)).collect()
        };
        let candidates =
            [of(&[1.0]), of(&[1.0, 3.0]), of(&[1.0, 2.0, 5.0]), of(&[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0])];
        let enough = candidates.iter().position(|ticks| ticks.len() >= 3).unwrap_or(3);
        candidates.into_iter().nth(enough).unwrap_or_default()
    }
}

impl Chart {
    /// As an `svg` element. `id` names its text alternatives and must be unique in the page.
    pub(crate) fn svg(&self, id: &str) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Axis::of(points().map(|p| p.x).chain(self.dots.iter().map(|dot| dot.0)), 1.0, LEFT, RIGHT);
        let levels = self.levels.iter().map(|level| level.0);
        let y = Axis::of(points().map(|p| p.y).chain(self.dots.iter().map(|dot| dot.1)).chain(levels), 1.15, BOTTOM, TOP);
        let mut svg = format!(
            "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            escape(&self.title),
            escape(&self.description)
        );
        grid(&mut svg, (&x, self.across), &y, &self.unit);
        for (level, name) in self.levels.iter().filter(|(level, _)| y.has(*level)) {
            let at = y.at(*level);
            put(&mut svg, format_args!("<path class=\"level\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/>"));
            put(
                &mut svg,
                format_args!("<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", RIGHT + 6.0, at + 4.0, escape(name)),
            );
        }
        // What is found most often lies below the rest, the library's backends on top.
        for line in self.lines.iter().rev() {
            draw(&mut svg, line, &x, &y);
        }
        for (at, value, class, note) in &self.dots {
            let (px, py) = (x.at(*at), y.at(*value));
            let shape = marker(class, px, py).unwrap_or_default();
            put(&mut svg, format_args!("<g class=\"dot {class}\"><title>{}</title>{shape}</g>", escape(note)));
        }
        self.names(&mut svg, &y);
        svg.push_str("</svg>");
        svg
    }

    /// The name of each line beside its end, moved apart where they would overlap.
    fn names(&self, svg: &mut String, y: &Axis) {
        let ends = self.lines.iter().filter_map(|line| line.points.last().map(|end| (line, y.at(end.y), end.x)));
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut places: Vec<f64> = ends.iter().map(|end| end.1).collect();
        for i in 1..places.len() {
            places[i] = places[i].max(places[i - 1] + LEADING);
        }
        if let Some(last) = places.last_mut() {
            *last = last.min(BOTTOM);
        }
        for i in (0..places.len().saturating_sub(1)).rev() {
            places[i] = places[i].min(places[i + 1] - LEADING);
        }
        for ((line, at, _), place) in ends.iter().zip(&places) {
            let (class, name) = (line.class, escape(&cut(&line.name, 11)));
            put(
                svg,
                format_args!(
                    "<g class=\"name {class}\"><path d=\"M{:.1} {at:.1}L{:.1} {place:.1}h12\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\">{name}</text></g>",
                    RIGHT + 3.0,
                    RIGHT + 9.0,
                    RIGHT + 24.0,
                    place + 3.5
                ),
            );
        }
    }
}

fn put(svg: &mut String, what: std::fmt::Arguments<'_>) {
    svg.write_fmt(what).expect("a string takes everything");
}

fn grid(svg: &mut String, (x, across): (&Axis, Across), y: &Axis, unit: &str) {
    svg.push_str("<g class=\"grid\">");
    for tick in y.decades() {
        let at = y.at(tick);
        put(svg, format_args!("<path d=\"M{LEFT} {at:.1}H{RIGHT}\"/>"));
        put(svg, format_args!("<text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", LEFT - 6.0, at + 4.0, plain(tick)));
    }
    let (ticks, name) = match across {
        Across::Elements => (x.sizes(), "elements"),
        Across::Intensity => (x.decades(), "operations a byte"),
    };
    for tick in ticks {
        let at = x.at(tick);
        let label = if across == Across::Elements { size(tick as u64) } else { plain(tick) };
        put(svg, format_args!("<path d=\"M{at:.1} {TOP}V{BOTTOM}\"/>"));
        put(svg, format_args!("<text class=\"x\" x=\"{at:.1}\" y=\"{:.1}\">{label}</text>", BOTTOM + 15.0));
    }
    svg.push_str("</g>");
    put(svg, format_args!("<path class=\"frame\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>"));
    put(svg, format_args!("<text class=\"unit\" x=\"4\" y=\"12\">{}</text>", escape(unit)));
    let middle = (LEFT + RIGHT) / 2.0;
    put(svg, format_args!("<text class=\"x\" x=\"{middle}\" y=\"{:.1}\">{name}</text>", HEIGHT - 6.0));
}

/// A power of ten or what lies between.
fn plain(tick: f64) -> String {
    if (0.001..1e5).contains(&tick) { format!("{}", (tick * 1e6).round() / 1e6) } else { format!("{tick:.0e}") }
}

fn draw(svg: &mut String, line: &Line, x: &Axis, y: &Axis) {
    put(svg, format_args!("<g class=\"line {}\">", line.class));
    let mut path = String::new();
    for (index, point) in line.points.iter().enumerate() {
        let pen = if index == 0 { 'M' } else { 'L' };
        put(&mut path, format_args!("{pen}{:.1} {:.1}", x.at(point.x), y.at(point.y)));
    }
    for point in &line.points {
        if let Some((low, high)) = point.range {
            put(svg, format_args!("<path class=\"range\" d=\"M{:.1} {:.1}V{:.1}\"/>", x.at(point.x), y.at(low), y.at(high)));
        }
    }
    put(svg, format_args!("<path class=\"stroke\" d=\"{path}\"/>"));
    for point in &line.points {
        if let Some(shape) = marker(line.class, x.at(point.x), y.at(point.y)) {
            put(svg, format_args!("<g class=\"mark\"><title>{}</title>{shape}</g>", escape(&point.note)));
        }
    }
    svg.push_str("</g>");
}

/// A shape of its own for each backend, so that nobody needs to tell colours; the roof and the library's choice have none.
fn marker(class: &str, x: f64, y: f64) -> Option<String> {
    Some(match class {
        "roof" | "auto" => return None,
        "simd" => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\"/>"),
        "threads" => format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"6.4\" height=\"6.4\"/>", x - 3.2, y - 3.2),
        "gpu" => format!("<path d=\"M{x:.1} {:.1}l4 7h-8z\"/>", y - 4.4),
        _ => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"),
    })
}

/// No more letters than there is room for.
fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters { text.to_owned() } else { text.chars().take(letters - 1).chain(['…']).collect() }
}

/// A ratio with its interval, as a row of a [`forest`].
#[derive(Debug)]
pub(crate) struct Ratio {
    /// What was compared.
    pub(crate) name: String,
    /// The ratio.
    pub(crate) at: f64,
    /// Its interval.
    pub(crate) low: f64,
    /// Its interval.
    pub(crate) high: f64,
    /// `slower`, `faster` or `same`.
    pub(crate) class: &'static str,
}

/// Ratios below each other with their intervals, 1 in the middle, and the band within the threshold.
pub(crate) fn forest(id: &str, title: &str, description: &str, ratios: &[Ratio], threshold: f64) -> String {
    const ROW: f64 = 18.0;
    const NAMES: f64 = 240.0;
    let height = 40.0 + ROW * ratios.len() as f64;
    let reach = ratios.iter().flat_map(|r| [r.low, r.high]).map(|r| r.ln().abs().exp()).fold(1.0 + 2.0 * threshold, f64::max);
    let axis = Axis { low: 1.0 / reach, high: reach, from: NAMES, to: WIDTH - 10.0 };
    let mut svg = format!(
        "<svg class=\"chart forest\" role=\"img\" viewBox=\"0 0 {WIDTH} {height}\" aria-labelledby=\"{id}-t {id}-d\">\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escape(title),
        escape(description)
    );
    let (low, high, bottom) = (axis.at(1.0 / (1.0 + threshold)), axis.at(1.0 + threshold), height - 24.0);
    put(
        &mut svg,
        format_args!("<rect class=\"band\" x=\"{low:.1}\" y=\"4\" width=\"{:.1}\" height=\"{:.1}\"/>", high - low, bottom - 4.0),
    );
    svg.push_str("<g class=\"grid\">");
    let ends = [1.0 / reach.sqrt(), 1.0, reach.sqrt()];
    for tick in ends {
        let at = axis.at(tick);
        put(&mut svg, format_args!("<path d=\"M{at:.1} 4V{bottom:.1}\"/>"));
        put(&mut svg, format_args!("<text class=\"x\" x=\"{at:.1}\" y=\"{:.1}\">{}×</text>", bottom + 15.0, digits(tick)));
    }
    svg.push_str("</g>");
    for (index, ratio) in ratios.iter().enumerate() {
        let y = 15.0 + ROW * index as f64;
        let [at, low, high] = [ratio.at, ratio.low, ratio.high].map(|r| axis.at(r));
        let note = format!("{}: {}, {} to {}", ratio.name, digits(ratio.at), digits(ratio.low), digits(ratio.high));
        put(
            &mut svg,
            format_args!(
                "<g class=\"ratio {}\"><title>{}</title><text x=\"{:.1}\" y=\"{:.1}\">{}</text>\
                 <path d=\"M{low:.1} {y}H{high:.1}\"/><circle cx=\"{at:.1}\" cy=\"{y}\" r=\"3.6\"/></g>",
                ratio.class,
                escape(&note),
                NAMES - 8.0,
                y + 3.5,
                escape(&cut(&ratio.name, 42))
            ),
        );
    }
    svg.push_str("</svg>");
    svg
}
