//! The picture: for each kernel predicted times as lines, measured ones as marks, and below them what is chosen and what was fastest.

use granule::machine::Machine;
use granule::prelude::*;

use crate::measure::{Curves, Point};
use crate::svg::{LogScale, Shape, Svg};
use crate::{elements, seconds};

const COLUMNS: usize = 3;
/// A panel with its labels.
const PANEL: (f64, f64) = (352.0, 314.0);
/// The plot in its panel.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 338.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 228.0;
/// Height of a strip below the plot.
const STRIP: f64 = 9.0;
/// Height of the title.
const HEAD: f64 = 78.0;
const MARGIN: f64 = 14.0;

const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #3d434c }
.title { font-size: 20px; font-weight: 600; fill: #14181f }
.name { font-size: 15px; font-weight: 600; fill: #14181f }
.end { text-anchor: end }
.mid { text-anchor: middle }
.page { fill: #ffffff }
.plot { fill: #f5f7f9 }
.grid { stroke: #d9dee4; stroke-width: 1 }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.mark { stroke: #ffffff; stroke-width: 0.8 }
.curve.simd { stroke: #0a64ad } .fill.simd { fill: #0a64ad }
.curve.threads { stroke: #c9590a } .fill.threads { fill: #c9590a }
.curve.gpu { stroke: #0b8560 } .fill.gpu { fill: #0b8560 }
@media (prefers-color-scheme: dark) {
text { fill: #b9c1cb }
.title, .name { fill: #f1f4f8 }
.page { fill: #14171c }
.plot { fill: #1d2229 }
.grid { stroke: #363d47 }
.mark { stroke: #14171c }
.curve.simd { stroke: #62b4ff } .fill.simd { fill: #62b4ff }
.curve.threads { stroke: #ffa04d } .fill.threads { fill: #ffa04d }
.curve.gpu { stroke: #3ed6a4 } .fill.gpu { fill: #3ed6a4 }
}";

fn shape(backend: Backend) -> Shape {
    match backend {
        Backend::Simd => Shape::Circle,
        Backend::Threads => Shape::Square,
        Backend::Gpu => Shape::Triangle,
    }
}

/// Draws all kernels, on the same scales.
pub(crate) fn draw(machine: &Machine, all: &[Curves]) -> String {
    let rows = (all.len() + 1).div_ceil(COLUMNS);
    let (width, height) = (2.0 * MARGIN + COLUMNS as f64 * PANEL.0, HEAD + rows as f64 * PANEL.1 + MARGIN);
    let title = "Where each call is fastest, and where it runs";
    let scales = Scales::of(all);
    let mut svg = Svg::new(width, height, title, &description(all), STYLE);
    svg.text(MARGIN + 8.0, 32.0, "title", title);
    svg.text(MARGIN + 8.0, 54.0, "", "Time of a call over the number of elements; f32, from and to host memory.");
    svg.text(MARGIN + 8.0, 72.0, "", &machine_name(machine));
    let place = |index: usize| (MARGIN + (index % COLUMNS) as f64 * PANEL.0, HEAD + (index / COLUMNS) as f64 * PANEL.1);
    for (index, curves) in all.iter().enumerate() {
        let (x, y) = place(index);
        svg.at(x, y, |svg| panel(svg, &scales, curves));
    }
    let (x, y) = place(all.len());
    let has_gpu = all.iter().any(|curves| curves.no_gpu.is_none());
    svg.at(x, y, |svg| legend(svg, has_gpu));
    svg.finish()
}

fn machine_name(machine: &Machine) -> String {
    let cpu = &machine.cpu;
    let s = if cpu.cores == 1 { "" } else { "s" };
    let gpus: Vec<_> = machine.gpus().iter().map(|gpu| format!(", {} ({})", gpu.name, gpu.kind)).collect();
    format!("{}, {} core{s}, SIMD of {} lanes{}", cpu.name, cpu.cores, cpu.simd_lanes, gpus.concat())
}

/// The picture in words.
fn description(all: &[Curves]) -> String {
    let mut text = "Time of a call over the number of elements, on logarithmic axes. What is chosen: ".to_owned();
    for curves in all {
        text += curves.name;
        let mut now = None;
        for point in &curves.points {
            if now != Some(point.chosen) {
                text += &format!(", {} from {} elements", point.chosen, point.n);
                now = Some(point.chosen);
            }
        }
        text += "; ";
    }
    text.trim_end_matches("; ").to_owned() + "."
}

/// The axes, which all panels share.
struct Scales {
    n: LogScale,
    time: LogScale,
    /// Half of the way to the next size.
    half: f64,
}

impl Scales {
    fn of(all: &[Curves]) -> Scales {
        let points = || all.iter().flat_map(|curves| &curves.points);
        let (first, last) = points().fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), p| (a.min(p.n as f64), b.max(p.n as f64)));
        let times = || points().flat_map(|p| p.predicted.iter().chain(&p.measured).flatten().copied());
        // Whole decades.
        let shortest = times().fold(f64::INFINITY, f64::min).log10().floor();
        let longest = times().fold(f64::MIN_POSITIVE, f64::max).log10().ceil();
        // A size stands for half a step to each side of it.
        let half = 2_f64.powf(0.25);
        Scales {
            n: LogScale { values: (first / half, last * half), lengths: (LEFT, RIGHT) },
            time: LogScale { values: (10_f64.powf(shortest), 10_f64.powf(longest)), lengths: (BOTTOM, TOP) },
            half,
        }
    }

    fn at(&self, n: usize, time: f64) -> (f64, f64) {
        (self.n.at(n as f64), self.time.at(time))
    }
}

fn panel(svg: &mut Svg, scales: &Scales, curves: &Curves) {
    svg.text(LEFT, TOP - 9.0, "name", curves.name);
    svg.text(RIGHT, TOP - 9.0, "end", curves.formula);
    svg.rect(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, "plot");
    axes(svg, scales);
    for backend in Backend::ALL {
        let predicted = |p: &Point| p.predicted[backend as usize].map(|time| scales.at(p.n, time));
        let line: Vec<_> = curves.points.iter().filter_map(predicted).collect();
        if line.len() > 1 {
            svg.polyline(&line, &format!("curve {backend}"));
        }
    }
    // One core is drawn last: where threads do the same, their larger squares still show around its circles.
    for backend in Backend::ALL.into_iter().rev() {
        for point in &curves.points {
            if let Some(time) = point.measured[backend as usize] {
                let hint = format!("{backend}, {} elements: {} measured", elements(point.n), seconds(time));
                svg.mark(scales.at(point.n, time), shape(backend), &format!("fill mark {backend}"), &hint);
            }
        }
    }
    let chosen = |p: &Point| Some(p.chosen);
    strip(svg, scales, curves, BOTTOM + 26.0, "chosen", scales.half, &chosen);
    // Measured sizes may be farther apart than predicted ones.
    let measured: Vec<_> = curves.points.iter().filter(|p| p.is_measured()).map(|p| p.n as f64).collect();
    let half = measured.windows(2).map(|pair| (pair[1] / pair[0]).sqrt()).fold(scales.half, f64::max);
    strip(svg, scales, curves, BOTTOM + 26.0 + STRIP + 5.0, "fastest", half, &Point::fastest);
    svg.text((LEFT + RIGHT) / 2.0, BOTTOM + 26.0 + 2.0 * STRIP + 22.0, "mid", "number of elements");
}

/// Grid and labels.
fn axes(svg: &mut Svg, scales: &Scales) {
    svg.text(LEFT - 6.0, TOP - 9.0, "end", "time");
    let (shortest, longest) = scales.time.values;
    let mut time = shortest;
    while time < longest * 1.5 {
        let y = scales.time.at(time);
        svg.line((LEFT, y), (RIGHT, y), "grid");
        svg.text(LEFT - 6.0, y + 4.0, "end", &seconds(time * 1.000_001).replace(".0", "").replace('u', "µ"));
        time *= 10.0;
    }
    let (first, last) = scales.n.values;
    for power in (0..usize::BITS).step_by(4) {
        let n = 1_usize << power;
        if (first..=last).contains(&(n as f64)) {
            let x = scales.n.at(n as f64);
            svg.line((x, TOP), (x, BOTTOM), "grid");
            svg.text(x, BOTTOM + 16.0, "mid", &elements(n));
        }
    }
}

/// A band of colour: a backend for each size.
fn strip(svg: &mut Svg, scales: &Scales, curves: &Curves, y: f64, name: &str, half: f64, of: &dyn Fn(&Point) -> Option<Backend>) {
    svg.text(LEFT - 6.0, y + STRIP, "end", name);
    // Neighbours of one colour are one rectangle: no seams.
    let mut run: Option<(Backend, f64, f64)> = None;
    let draw = |svg: &mut Svg, (backend, from, to): (Backend, f64, f64)| {
        let [from, to] = [from, to].map(|n| scales.n.at(n).clamp(LEFT, RIGHT));
        svg.rect(from, y, to - from, STRIP, &format!("fill {backend}"));
    };
    for point in &curves.points {
        let Some(backend) = of(point) else { continue };
        let (from, to) = (point.n as f64 / half, point.n as f64 * half);
        run = match run {
            Some((same, begin, _)) if same == backend => Some((same, begin, to)),
            other => {
                if let Some(done) = other {
                    draw(svg, done);
                }
                Some((backend, from, to))
            }
        };
    }
    if let Some(done) = run {
        draw(svg, done);
    }
}

fn legend(svg: &mut Svg, has_gpu: bool) {
    let mut y = TOP + 14.0;
    svg.text(LEFT, TOP - 9.0, "name", "how to read it");
    let names =
        [(Backend::Simd, "simd: one core"), (Backend::Threads, "threads: all cores"), (Backend::Gpu, "gpu, transfers included")];
    for (backend, name) in names {
        if backend == Backend::Gpu && !has_gpu {
            continue;
        }
        svg.polyline(&[(LEFT, y - 4.0), (LEFT + 34.0, y - 4.0)], &format!("curve {backend}"));
        svg.mark((LEFT + 17.0, y - 4.0), shape(backend), &format!("fill mark {backend}"), name);
        svg.text(LEFT + 44.0, y, "", name);
        y += 22.0;
    }
    let lines = [
        "lines: what the model predicts, by what",
        "probes measured of this machine",
        "marks: what was measured (medians)",
        "chosen: where a call runs",
        "fastest: by measurement; where the chosen",
        "one is within 5 % of it, the chosen one",
    ];
    y += 6.0;
    for line in lines {
        svg.text(LEFT, y, "", line);
        y += 18.0;
    }
}
