//! Speed against size, with the measured roof; and where the lines cross.

use super::advice::{self, Group};
use super::chart::{Chart, Line, Point, class};
use super::data::{Case, Record, unit_name};
use super::html::{TABLE_END, describe, escape, put, table};
use super::words::{about, digits, duration, size};
use crate::catalogue::Unit;

/// A chart for each operation, type and residency.
pub(crate) fn charts(html: &mut String, record: &Record, groups: &[Group<'_>]) {
    let sampled = record.regret.is_none();
    let points = if sampled {
        "Each point is the median of the samples; the thin stroke through it reaches from the slowest sample to the fastest."
    } else {
        "Each point is the median of a sweep."
    };
    let roof = if record.cases.iter().any(|case| case.op == "copy") {
        "The dotted line is the roof: what the fastest copy of this record did on as many bytes. What only reads may \
         lie above it."
    } else {
        "No roof is drawn: this record has no copy."
    };
    put(
        html,
        format_args!(
            "<section id=\"speed\"><h2>Speed against size</h2>\n<p class=\"note\">{points} The wide pale line is \
             <em>auto</em>, what the \
             library chose. {roof}</p>\n<div class=\"charts\">\n"
        ),
    );
    for (index, group) in groups.iter().enumerate() {
        let chart = speed_chart(record, group);
        put(
            html,
            format_args!(
                "<figure><figcaption><strong>{}</strong> {}, data on the {}<br><small>{}</small></figcaption>{}</figure>\n",
                escape(group.op),
                escape(group.ty),
                escape(&record.place(group.residency)),
                escape(record.meaning(group.op)),
                chart.svg(&format!("speed-{index}"))
            ),
        );
    }
    html.push_str("</div></section>\n");
}

fn speed_chart(record: &Record, group: &Group<'_>) -> Chart {
    let mut chart = Chart {
        title: format!(
            "Speed of {} {}, data on the {}, against the number of elements",
            group.op,
            group.ty,
            record.place(group.residency)
        ),
        unit: unit_name(group.unit).to_owned(),
        ..Chart::default()
    };
    let mut words = Vec::new();
    for name in group.contenders() {
        let points: Vec<Point> = group.sizes.iter().filter_map(|&n| point(group.at(name, n)?)).collect();
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            words.push(format!("{name} from {} to {}", digits(first.y), digits(last.y)));
            let short = name.strip_prefix("peer:").unwrap_or(name).to_owned();
            chart.lines.push(Line { name: short, class: class(name), points });
        }
    }
    let ends = [group.sizes.first(), group.sizes.last()].map(|n| n.map_or(String::new(), |&n| size(n)));
    chart.description = format!("From {} to {} elements, in {}: {}.", ends[0], ends[1], chart.unit, words.join("; "));
    let each = group.cases.iter().find_map(|case| case.bytes.map(|bytes| bytes as f64 / case.n as f64));
    if let (Some(each), false) = (each, group.op == "copy") {
        chart.lines.extend(roof_line(record, group, each));
    }
    chart
}

fn point(case: &Case) -> Option<Point> {
    let speed = |seconds: f64| case.speed(seconds);
    let range = match (case.seconds.first(), case.seconds.last()) {
        (Some(&least), Some(&most)) => speed(most).zip(speed(least)),
        _ => None,
    };
    let y = speed(case.median)?;
    let interval = case.interval().map_or(String::new(), |i| format!(" ({} to {})", duration(i.low), duration(i.high)));
    let note = format!("{}: {} {}, {}{interval}", describe(case), digits(y), unit_name(case.unit), duration(case.median));
    Some(Point { x: case.n as f64, y, range, note })
}

/// The bandwidth of copies of as many bytes, within the sizes of the group.
fn roof_line(record: &Record, group: &Group<'_>, bytes_per_element: f64) -> Option<Line> {
    let (first, last) = (*group.sizes.first()? as f64, *group.sizes.last()? as f64);
    let roof = advice::roof(record, group.residency);
    let points: Vec<Point> = roof
        .into_iter()
        .map(|(bytes, speed)| {
            let y = match group.unit {
                Unit::GigabytesPerSecond => speed,
                Unit::MitemsPerSecond => speed * 1e9 / bytes_per_element / 1e6,
            };
            Point { x: bytes as f64 / bytes_per_element, y, range: None, note: String::new() }
        })
        .filter(|point| (first / 4.01..=last * 4.01).contains(&point.x))
        .collect();
    let points = within(points, first, last);
    (!points.is_empty()).then(|| Line { name: "roof".to_owned(), class: class("roof"), points })
}

/// A line cut to the sizes from `first` to `last`.
fn within(points: Vec<Point>, first: f64, last: f64) -> Vec<Point> {
    let at = |x: f64| -> Option<f64> {
        let after = points.iter().position(|p| p.x >= x)?;
        let (b, a) = (&points[after], &points[after.saturating_sub(1)]);
        if b.x <= x * 1.0001 || after == 0 {
            return (b.x <= x * 1.0001).then_some(b.y);
        }
        let part = (x / a.x).ln() / (b.x / a.x).ln();
        Some((a.y.ln() + part * (b.y / a.y).ln()).exp())
    };
    let ends = [first, last].map(|x| at(x).map(|y| Point { x, y, range: None, note: String::new() }));
    let [start, end] = ends;
    let mut line: Vec<Point> = start.into_iter().collect();
    line.extend(points.into_iter().filter(|p| p.x > first * 1.0001 && p.x < last * 0.9999));
    line.extend(end.filter(|_| last > first));
    line
}

/// Where the fastest backend changes.
pub(crate) fn crossovers(html: &mut String, record: &Record, groups: &[Group<'_>]) {
    html.push_str("<section id=\"crossovers\"><h2>Crossovers</h2>\n");
    let mut rows = String::new();
    for group in groups {
        let stretches = group.stretches();
        for pair in stretches.windows(2) {
            let Some((before, at)) = pair[1].crossing else { continue };
            put(
                &mut rows,
                format_args!(
                    "<tr><th scope=\"row\">{} <small>{}</small></th><td>{}</td><td>{} → {}</td><td \
                     class=\"n\">{}</td><td>{} to {}</td></tr>\n",
                    escape(group.op),
                    escape(group.ty),
                    escape(&record.place(group.residency)),
                    pair[0].backend,
                    pair[1].backend,
                    about(at),
                    size(before),
                    size(pair[1].from)
                ),
            );
        }
    }
    if rows.is_empty() {
        html.push_str(
            "<p>None: in every operation the same backend is the fastest at all sizes that were measured.</p></section>\n",
        );
        return;
    }
    table(html, "plain", "Crossovers", &["operation", "data on", "from → to", "about", "between"]);
    html.push_str(&rows);
    html.push_str(TABLE_END);
    html.push_str(
        "<p class=\"note\">Measured is only that the fastest changes between the two sizes to the right; where between \
         is reckoned as if \
         times were powers of the size.</p></section>\n",
    );
}
