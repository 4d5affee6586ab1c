//! What a regret sweep says of the library's choices.

use super::chart::{Chart, class};
use super::data::{Regret, RegretCase};
use super::html::{TABLE_END, escape, put, table};
use super::words::{digits, size};

/// So many of the worst cases are named.
const WORST: usize = 10;

/// The section of a sweep's figures.
pub(crate) fn section(html: &mut String, regret: &Regret) {
    put(
        html,
        format_args!(
            "<section id=\"regret\"><h2>How good the choices are</h2>\n<p>Regret is the time of a call left to the \
             library over that of \
             the same call on the fastest backend. 1 is perfect. Over {} cases:</p>\n",
            regret.cases.len()
        ),
    );
    table(html, "plain", "Regret", &["rule", "geometric mean", "95th percentile", "greatest"]);
    for (name, figures) in &regret.rows {
        put(html, format_args!("<tr><th scope=\"row\">{}</th>", escape(name)));
        figures.iter().for_each(|figure| put(html, format_args!("<td class=\"n\">{}</td>", digits(*figure))));
        html.push_str("</tr>\n");
    }
    html.push_str(TABLE_END);
    if !regret.notes.is_empty() {
        put(html, format_args!("<p class=\"note\">Beside these: {}.</p>\n", escape(&regret.notes.join("; "))));
    }
    html.push_str("<div class=\"charts\">\n");
    let mut blocks: Vec<(&str, &str)> = regret.cases.iter().map(|case| (&*case.op, &*case.residency)).collect();
    blocks.dedup();
    for (index, (op, residency)) in blocks.into_iter().enumerate() {
        let cases: Vec<_> = regret.cases.iter().filter(|case| (&*case.op, &*case.residency) == (op, residency)).collect();
        put(
            html,
            format_args!(
                "<figure><figcaption><strong>{}</strong>, data on the {}<br><small>what the library chose: circle \
                 simd, square threads, \
                 triangle gpu</small></figcaption>{}</figure>\n",
                escape(op),
                escape(residency),
                chart(op, residency, &cases).svg(&format!("regret-{index}"))
            ),
        );
    }
    html.push_str("</div>\n<h3>The greatest regrets</h3>\n<ul>");
    let mut worst: Vec<&RegretCase> = regret.cases.iter().collect();
    worst.sort_by(|a, b| b.regret.total_cmp(&a.regret));
    for case in worst.into_iter().take(WORST) {
        put(html, format_args!("<li>{}</li>\n", escape(&note(case))));
    }
    html.push_str("</ul></section>\n");
}

fn note(case: &RegretCase) -> String {
    let RegretCase { op, residency, n, chose, best_backend, regret } = case;
    format!(
        "{op} on {} elements, data on the {residency}: {} ({chose}; the fastest is {best_backend})",
        size(*n),
        digits(*regret)
    )
}

fn chart(op: &str, residency: &str, cases: &[&RegretCase]) -> Chart {
    let worst = cases.iter().map(|case| case.regret).fold(0.0, f64::max);
    let near = cases.iter().filter(|case| case.regret <= 1.1).count();
    Chart {
        title: format!("Regret of {op}, data on the {residency}, against the number of elements"),
        description: format!(
            "{near} of {} cases are within 1.1 times the fastest backend; the greatest regret is {}.",
            cases.len(),
            digits(worst)
        ),
        unit: "regret".to_owned(),
        dots: cases.iter().map(|case| (case.n as f64, case.regret, class(&case.chose), note(case))).collect(),
        levels: vec![(1.0, "the fastest".to_owned())],
        ..Chart::default()
    }
}
