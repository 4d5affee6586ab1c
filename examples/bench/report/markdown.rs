//! A record as Markdown: the summary, the machine, and a table for each operation.

use super::advice;
use super::data::{Record, unit_name};
use super::html::put;
use super::notes::NotRun;
use super::summary::{Row, cautions, findings, headline, who};
use super::words::{digits, duration, size};

/// Text in a cell of a table: what has a meaning in Markdown or HTML has none in it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '&' | '#' | '~' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The whole record, medians only.
pub(crate) fn markdown(record: &Record) -> String {
    let groups = advice::groups(record);
    let [title, headline, who] = [&record.cpu, &headline(record), &who(&groups)].map(|text| escape(text));
    let mut text = format!("# What should run where: {title}\n\n{headline}\n\n{who}\n\n");
    for case in record.wrong() {
        put(&mut text, format_args!("**Wrong answer, so this run failed:** {}\n\n", escape(&super::html::describe(case))));
    }
    for sentence in findings(record, &groups) {
        put(&mut text, format_args!("- {}\n", escape(&sentence)));
    }
    let cautions = cautions(record);
    if !cautions.is_empty() {
        text.push_str("\nAbout this run:\n\n");
    }
    for sentence in cautions {
        put(&mut text, format_args!("- {}\n", escape(&sentence)));
    }
    text.push_str(
        "\n| operation | data on | fastest | best speed | × std there | fastest other there | the library chose | its cost \
        |\n|---|---|---|---|---:|---|---|---:|\n",
    );
    for group in &groups {
        let row = Row::of(group);
        let place = record.place(group.residency);
        let cells = [&place, &row.fastest, &row.best, &row.to_std, &row.other, &row.chose, &row.cost].map(|cell| escape(cell));
        put(&mut text, format_args!("| {} {} | {} |\n", escape(group.op), escape(group.ty), cells.join(" | ")));
    }
    if let Some(regret) = &record.regret {
        text.push_str("\n| regret | geometric mean | 95th percentile | greatest |\n|---|---:|---:|---:|\n");
        for (name, figures) in &regret.rows {
            put(&mut text, format_args!("| {} | {} |\n", escape(name), figures.map(digits).join(" | ")));
        }
    }
    if !record.not_run.is_empty() {
        text.push_str("\n## Not run\n\n| who | operation | elements | reason |\n|---|---|---|---|\n");
    }
    for NotRun { who, what, at, reason } in &record.not_run {
        let cells = [who, what, &at.join(", "), &format!("not run: {reason}")].map(|cell| escape(cell));
        put(
            &mut text,
            format_args!("| {} |\n", cells.map(|cell| if cell.is_empty() { "all".to_owned() } else { cell }).join(" | ")),
        );
    }
    text.push_str("\n## The machine and the run\n\n| | |\n|---|---|\n");
    for (key, value) in &record.machine {
        put(&mut text, format_args!("| {} | {} |\n", escape(key), escape(value)));
    }
    for group in &groups {
        let names = group.contenders();
        let unit = unit_name(group.unit);
        let what = escape(record.meaning(group.op));
        let (op, ty, residency) = (escape(group.op), escape(group.ty), escape(&record.place(group.residency)));
        put(&mut text, format_args!("\n## {op} {ty}, data on the {residency}, {unit}\n\n{what}\n\n| n |"));
        names.iter().for_each(|name| put(&mut text, format_args!(" {} |", escape(&record.place(name)))));
        put(&mut text, format_args!("\n|---:|{}\n", "---:|".repeat(names.len())));
        for &n in &group.sizes {
            put(&mut text, format_args!("| {} |", size(n)));
            for name in &names {
                let speed = group.at(name, n).map(|case| case.speed(case.median).map_or(duration(case.median), digits));
                put(&mut text, format_args!(" {} |", speed.unwrap_or("–".to_owned())));
            }
            text.push('\n');
        }
    }
    text
}
