//! The page: one file, nothing from a network, light and dark.

use std::fmt::Write;

use super::advice::{self, Group};
use super::data::{Case, Record, unit_name};
use super::notes::NotRun;
use super::words::{digits, duration, size};
use super::{regret, roofline, speed, summary};

/// Text in HTML, between tags and in quoted attributes. Characters that no page may contain are replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON inside a `script` element, which only `<` can leave; JSON has it in strings alone, where it may be written by its number.
pub(crate) fn json_in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// A page with these sections, between a heading and the style and script that all pages share. `sections` is HTML.
pub(crate) fn page(title: &str, records: &[&Record], sections: &str) -> String {
    let mut data = String::new();
    for record in records {
        put(
            &mut data,
            format_args!(
                "<script type=\"application/json\" class=\"record\" data-name=\"{}\">{}</script>\n",
                escape(&record.name),
                json_in_script(&record.text)
            ),
        );
    }
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <style>\n{}</style>\n</head>\n<body>\n<header><h1>{title}</h1></header>\n<main>\n{sections}</main>\n{data}<script>\n{}</script>\n\
         </body>\n</html>\n",
        include_str!("page.css"),
        include_str!("page.js"),
    )
}

pub(crate) fn put(html: &mut String, what: std::fmt::Arguments<'_>) {
    html.write_fmt(what).expect("a string takes everything");
}

/// The page of one record.
pub(crate) fn report(record: &Record) -> String {
    let groups = advice::groups(record);
    let mut html = String::new();
    wrong(&mut html, record);
    summary::section(&mut html, record, &groups);
    if let Some(figures) = &record.regret {
        regret::section(&mut html, figures);
    }
    speed::charts(&mut html, record, &groups);
    roofline::section(&mut html, record, &groups);
    speed::crossovers(&mut html, record, &groups);
    not_run(&mut html, record);
    machine(&mut html, &[record]);
    all_cases(&mut html, record, &groups);
    download(&mut html, &[record]);
    page(&format!("What should run where: {}", record.cpu), &[record], &html)
}

fn wrong(html: &mut String, record: &Record) {
    let wrong: Vec<_> = record.wrong().collect();
    if wrong.is_empty() {
        return;
    }
    html.push_str(
        "<section class=\"alarm\" role=\"alert\"><h2>Wrong answers</h2><p>This run failed. None of its \
        figures is to be trusted; what gave a wrong answer, or none, is left out of all figures below:</p><ul>",
    );
    for case in wrong {
        put(html, format_args!("<li>{}</li>", escape(&describe(case))));
    }
    html.push_str("</ul></section>\n");
}

fn not_run(html: &mut String, record: &Record) {
    if record.not_run.is_empty() {
        return;
    }
    html.push_str("<section id=\"not-run\"><h2>Not run</h2>\n");
    table(html, "plain", "Not run", &["who", "operation", "elements", "reason"]);
    for NotRun { who, what, at, reason } in &record.not_run {
        let or_all = |text: &str| escape(if text.is_empty() { "all" } else { text });
        put(
            html,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>not run: {}</td></tr>\n",
                escape(who),
                or_all(what),
                or_all(&at.join(", ")),
                escape(reason)
            ),
        );
    }
    html.push_str(TABLE_END);
    html.push_str("</section>\n");
}

/// A case in one line.
pub(crate) fn describe(case: &Case) -> String {
    format!("{} {} {} on the {}, {}", case.op, case.ty, size(case.n), case.residency, case.backend)
}

/// What records say of machine and run, side by side.
pub(crate) fn machine(html: &mut String, records: &[&Record]) {
    html.push_str("<section id=\"machine\"><h2>The machine and the run</h2>\n");
    let mut columns = vec![""];
    columns.extend(records.iter().map(|record| &*record.name));
    table(html, "plain", "The machine and the run", &columns);
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in records.iter().flat_map(|record| &record.machine) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    for key in keys {
        put(html, format_args!("<tr><th scope=\"row\">{}</th>", escape(key)));
        for record in records {
            let values: Vec<_> = record.machine.iter().filter(|(k, _)| k == key).map(|(_, v)| v.as_str()).collect();
            let text = if values.is_empty() { "–".to_owned() } else { values.join("; ") };
            put(html, format_args!("<td>{}</td>", escape(&text)));
        }
        html.push_str("</tr>\n");
    }
    html.push_str(TABLE_END);
    html.push_str("</section>\n");
}

fn all_cases(html: &mut String, record: &Record, groups: &[Group<'_>]) {
    html.push_str("<section id=\"cases\"><h2>All cases</h2>\n");
    let of = ["operation", "type", "elements", "data on", "who"];
    let found = ["median", "least", "95% interval", "samples", "GPU's clock", "speed", "unit", "× std", "chose"];
    sortable_table(html, &[&of[..], &found].concat());
    for case in &record.cases {
        let group = groups.iter().find(|g| (g.op, g.ty, g.residency) == (&*case.op, &*case.ty, &*case.residency));
        let speed = case.speed(case.median).filter(|_| case.verified);
        let ratio = group.filter(|_| case.verified).and_then(|group| group.to_std(case));
        let interval = case.interval();
        let chose = if case.verified { case.chose.as_deref().unwrap_or("") } else { "WRONG ANSWER" };
        html.push_str("<tr>");
        for text in [&case.op, &case.ty] {
            put(html, format_args!("<td>{}</td>", escape(text)));
        }
        number(html, case.n as f64, &size(case.n));
        for text in [&case.residency, &case.backend] {
            put(html, format_args!("<td>{}</td>", escape(text)));
        }
        number(html, case.median, &duration(case.median));
        number(html, case.least, &duration(case.least));
        match interval {
            Some(i) => number(html, i.high / i.low, &format!("{} to {}", duration(i.low), duration(i.high))),
            None => number(html, f64::NAN, "–"),
        }
        let samples = case.seconds.len();
        number(html, samples as f64, &if samples == 0 { "–".to_owned() } else { samples.to_string() });
        number(html, case.by_gpu.unwrap_or(f64::NAN), &case.by_gpu.map_or("–".to_owned(), duration));
        number(html, speed.unwrap_or(f64::NAN), &speed.map_or("–".to_owned(), digits));
        put(html, format_args!("<td>{}</td>", unit_name(case.unit)));
        number(html, ratio.unwrap_or(f64::NAN), &ratio.map_or("–".to_owned(), digits));
        put(html, format_args!("<td title=\"{}\">{}</td></tr>\n", escape(case.plan.as_deref().unwrap_or("")), escape(chose)));
    }
    html.push_str(TABLE_END);
    html.push_str("</section>\n");
}

/// A cell that sorts by a number.
pub(crate) fn number(html: &mut String, value: f64, text: &str) {
    let key = if value.is_finite() { format!("{value:e}") } else { String::new() };
    put(html, format_args!("<td class=\"n\" data-v=\"{key}\">{}</td>", escape(text)));
}

/// A table with these columns up to its first row, in a box that scrolls if it is wide.
pub(crate) fn table(html: &mut String, class: &str, label: &str, columns: &[&str]) {
    let heads: String = columns.iter().map(|column| format!("<th>{}</th>", escape(column))).collect();
    open(html, class, label, &heads);
}

/// The end of a table.
pub(crate) const TABLE_END: &str = "</tbody></table></div>\n";

/// A table that sorts by its columns and that a field above filters, up to its first row.
pub(crate) fn sortable_table(html: &mut String, columns: &[&str]) {
    html.push_str(
        "<p class=\"tools\"><label>Show rows with <input type=\"search\" class=\"filter\" placeholder=\"dot f32 simd\"></label> \
         <output class=\"count\"></output></p>\n",
    );
    let head = |column: &&str| format!("<th><button type=\"button\">{}</button></th>", escape(column));
    open(html, "sortable", "All cases", &columns.iter().map(head).collect::<String>());
}

fn open(html: &mut String, class: &str, label: &str, heads: &str) {
    put(
        html,
        format_args!(
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table \
             class=\"{class}\"><thead><tr>{heads}</tr></thead>\
             <tbody>\n",
            escape(label)
        ),
    );
}

/// Buttons for the records that the page carries.
pub(crate) fn download(html: &mut String, records: &[&Record]) {
    html.push_str(
        "<section id=\"data\"><h2>The data</h2>\n<p>This page carries the whole of it: every sample, as JSON.</p>\n<p>",
    );
    for (index, record) in records.iter().enumerate() {
        put(
            html,
            format_args!(
                "<button type=\"button\" class=\"download\" data-record=\"{index}\">Download {}</button> ",
                escape(&record.name)
            ),
        );
    }
    html.push_str("</p></section>\n");
}
