//! The roofline (Williams, Waterman, Patterson: Roofline, CACM 2009): what memory and arithmetic allow at most, and what was reached.

use super::advice::Group;
use super::chart::{Across, Chart, Line, Point, class};
use super::data::{BACKENDS, Case, Record};
use super::html::{describe, escape, put};
use super::words::{digits, in_words, size};

/// A chart for each place of the data where there are a measured copy, a measured peak and operations that are counted.
pub(crate) fn section(html: &mut String, record: &Record, groups: &[Group<'_>]) {
    if record.regret.is_some() {
        return;
    }
    html.push_str("<section id=\"roofline\"><h2>Roofline</h2>\n");
    let charts: Vec<(&str, Chart)> =
        ["host", "gpu"].into_iter().filter_map(|residency| Some((residency, chart(record, groups, residency)?))).collect();
    if charts.is_empty() {
        html.push_str(
            "<p>None: it takes a copy, a measured peak and operations that are counted, and this record does not have them \
             all.</p></section>\n",
        );
        return;
    }
    html.push_str(
        "<p class=\"note\">To the right, how many operations an operation does for each byte that it must move; upwards, how many it \
         does in a second, at the largest size that was measured. The lines are what a backend can do at most: on the left as many \
         bytes as its copy of that size moves, on the right as many fused multiplications and additions as a loop of nothing else \
         does. What is far below its line leaves something to be gained. One operation is what takes as long as an addition, as \
         the planner counts: reading counts one, a function several. What lies above its line only reads, or stays in the caches, or \
         is counted for each element where neighbours share it (stencils, random words).</p>\n\
         <div class=\"charts\">\n",
    );
    for (residency, chart) in charts {
        put(
            html,
            format_args!(
                "<figure><figcaption><strong>Roofline</strong>, data on the {}</figcaption>{}</figure>\n",
                escape(residency),
                chart.svg(&format!("roofline-{residency}"))
            ),
        );
    }
    html.push_str("</div></section>\n");
}

/// Operations a second, in 10^9, and operations a byte.
struct Reached<'r> {
    backend: &'static str,
    case: &'r Case,
    intensity: f64,
    speed: f64,
}

/// What each backend reached at the largest size of a group.
fn reached<'r>(group: &Group<'r>) -> Vec<Reached<'r>> {
    let Some(&n) = group.sizes.last() else { return Vec::new() };
    let Some(ops) = group.cases.iter().find_map(|case| case.ops) else { return Vec::new() };
    let of = |backend: &'static str| {
        let case = group.at(backend, n)?;
        let ops = ops * n as f64;
        Some(Reached { backend, case, intensity: ops / case.bytes.filter(|b| *b > 0)? as f64, speed: ops / case.median * 1e-9 })
    };
    BACKENDS.into_iter().filter_map(of).collect()
}

fn chart(record: &Record, groups: &[Group<'_>], residency: &str) -> Option<Chart> {
    let here = || groups.iter().filter(|group| group.residency == residency);
    let reached: Vec<Reached<'_>> = here().flat_map(reached).collect();
    let (low, high) =
        reached.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), r| (low.min(r.intensity), high.max(r.intensity)));
    let mut chart = Chart {
        title: format!("Operations a second against operations a byte, data on the {residency}"),
        across: Across::Intensity,
        unit: "10⁹ operations/s".to_owned(),
        ..Chart::default()
    };
    let mut words = Vec::new();
    for backend in BACKENDS.into_iter().filter(|name| reached.iter().any(|r| r.backend == *name)) {
        let Some((_, peak)) = record.peaks.iter().find(|(name, _)| name == backend) else { continue };
        let copies = here().filter(|group| group.op == "copy");
        let copy = copies.filter_map(|group| group.at(backend, *group.sizes.last()?)).max_by_key(|case| case.n);
        let Some((copy, bytes)) = copy.and_then(|copy| Some((copy, copy.bytes?))) else { continue };
        let (peak, bandwidth) = (peak * 1e-9, bytes as f64 / copy.median * 1e-9);
        let ridge = peak / bandwidth;
        let mut ends = vec![low / 2.0, ridge.max(low / 2.0), (high * 2.0).max(ridge * 2.0)];
        ends.dedup();
        let note = format!("{backend}: {} GB/s, {} × 10⁹ operations/s", digits(bandwidth), digits(peak));
        let point = |x: f64| Point { x, y: peak.min(bandwidth * x), range: None, note: note.clone() };
        chart.lines.push(Line { name: backend.to_owned(), class: class(backend), points: ends.into_iter().map(point).collect() });
        words.push(format!(
            "{} copies {} GB/s at {} elements and does {} × 10⁹ operations a second at most",
            in_words(backend),
            digits(bandwidth),
            size(copy.n),
            digits(peak)
        ));
    }
    if chart.lines.is_empty() {
        return None;
    }
    for r in &reached {
        let note = format!("{}: {} × 10⁹ operations/s, {} a byte", describe(r.case), digits(r.speed), digits(r.intensity));
        chart.dots.push((r.intensity, r.speed, class(r.backend), note));
    }
    let best = reached.iter().max_by(|a, b| a.speed.total_cmp(&b.speed))?;
    words.push(format!("the most is reached by {}, {} × 10⁹ a second", describe(best.case), digits(best.speed)));
    chart.description = format!("{}.", words.join("; "));
    Some(chart)
}
