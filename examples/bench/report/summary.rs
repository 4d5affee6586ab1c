//! The summary: what should run where on this machine, in words, as a map, and an operation a line.

use super::advice::{self, Group};
use super::chart::class;
use super::data::{BACKENDS, Case, Record, unit_name};
use super::html::{TABLE_END, describe, escape, put, table};
use super::notes;
use super::stats::geomean;
use super::words::{digits, duration, in_words, size};

/// The section that says what should run where.
pub(crate) fn section(html: &mut String, record: &Record, groups: &[Group<'_>]) {
    html.push_str("<section id=\"summary\"><h2>In short</h2>\n");
    put(html, format_args!("<p class=\"machine\">{}</p>\n<p>{}</p>\n", escape(&headline(record)), escape(&who(groups))));
    list(html, &findings(record, groups));
    let cautions = cautions(record);
    if !cautions.is_empty() {
        html.push_str("<h3>About this run</h3>\n");
        list(html, &cautions);
    }
    html.push_str("<h3>Who is the fastest</h3>\n");
    map(html, record, groups);
    html.push_str("<h3>Each operation</h3>\n");
    let columns =
        ["operation", "data on", "fastest", "best speed", "× std there", "fastest other there", "the library chose", "its cost"];
    table(html, "plain", "Each operation", &columns);
    for group in groups {
        let row = Row::of(group);
        let title = record.meaning(group.op);
        put(
            html,
            format_args!(
                "<tr><th scope=\"row\" title=\"{}\">{} <small>{}</small></th><td>{}</td><td>{}</td><td>{}</td><td \
                 class=\"n\">{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n",
                escape(title),
                escape(group.op),
                escape(group.ty),
                escape(&record.place(group.residency)),
                escape(&row.fastest),
                escape(&row.best),
                row.to_std,
                escape(&row.other),
                escape(&row.chose),
                row.cost,
            ),
        );
    }
    html.push_str(TABLE_END);
    html.push_str(
        "<p class=\"note\">All figures are of medians. <em>Fastest</em> is among simd (one core), threads (all cores) \
         and gpu; who leads by \
         less than 3%, or at one size alone, leads by noise. <em>× std</em>: times as fast as a plain iterator on one thread, on host data. \
         <em>Fastest other</em>: who else did this there, and how many times as fast the library is. \
         <em>Its cost</em>: the time of a call left to the library over that on the fastest backend, geometric mean over sizes; 1 is \
         perfect.</p></section>\n",
    );
}

/// What a summary says of a group.
pub(crate) struct Row {
    pub(crate) fastest: String,
    pub(crate) best: String,
    pub(crate) to_std: String,
    pub(crate) other: String,
    pub(crate) chose: String,
    pub(crate) cost: String,
}

impl Row {
    pub(crate) fn of(group: &Group<'_>) -> Row {
        let stretches = group.stretches();
        let fastest = from(stretches.iter().map(|stretch| (stretch.backend, stretch.from)));
        let best = group.best();
        let speed = |(backend, case): (&str, &Case)| {
            let speed =
                case.speed(case.median).map_or(duration(case.median), |s| format!("{} {}", digits(s), unit_name(case.unit)));
            format!("{speed} ({backend}, {})", size(case.n))
        };
        let choices = group.choices();
        let chose = match &choices[..] {
            few if few.len() <= 3 => from(few.iter().map(|(backend, first, _)| (*backend, *first))),
            many => BACKENDS
                .into_iter()
                .map(|name| (name, many.iter().filter(|(backend, ..)| *backend == name).map(|(.., count)| count).sum::<usize>()))
                .filter(|(_, count)| *count > 0)
                .map(|(name, count)| format!("{name} at {count} sizes"))
                .collect(),
        };
        let or_dash = |figure: Option<f64>| figure.map_or("–".to_owned(), digits);
        let text = |parts: Vec<String>| if parts.is_empty() { "–".to_owned() } else { parts.join(", ") };
        Row {
            fastest: text(fastest),
            best: best.map_or("–".to_owned(), speed),
            to_std: or_dash(best.and_then(|(_, case)| group.to_std(case))),
            other: best
                .and_then(|(_, case)| Some((case, group.fastest_peer(case.n)?)))
                .map_or("–".to_owned(), |(case, peer)| {
                    format!("{}: × {}", peer.backend.trim_start_matches("peer:"), digits(peer.median / case.median))
                }),
            chose: text(chose),
            cost: or_dash(group.cost_of_choice()),
        }
    }
}

/// Backends with the sizes from which on it is them; that of the first goes without saying.
fn from<'b>(parts: impl Iterator<Item = (&'b str, u64)>) -> Vec<String> {
    let words = |(index, (name, n)): (usize, (&str, u64))| match index {
        0 => name.to_owned(),
        _ => format!("{name} from {}", size(n)),
    };
    parts.enumerate().map(words).collect()
}

/// The machine in one line.
pub(crate) fn headline(record: &Record) -> String {
    let of = |key: &str| record.machine.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let cores = of("cores").map_or(String::new(), |n| format!(", {n} core{}", if n == "1" { "" } else { "s" }));
    let simd = of("simd").map_or(String::new(), |level| format!(", SIMD level {level}"));
    let gpu = match of("gpu") {
        Some(gpu) => format!(", GPU {gpu}"),
        None => ", no GPU".to_owned(),
    };
    let date = of("date").map_or(String::new(), |date| format!(", {date}"));
    format!("{}{cores}{simd}{gpu}; granule {}{date}.", record.cpu, record.granule)
}

/// Who took part, for people who do not know the names.
pub(crate) fn who(groups: &[Group<'_>]) -> String {
    let mut names: Vec<&str> = groups.iter().flat_map(Group::contenders).collect();
    let known = ["simd", "threads", "gpu", "auto"];
    let own = known.iter().filter(|name| names.contains(name)).map(|name| in_words(name)).collect::<Vec<_>>();
    names.retain(|name| !known.contains(name));
    names.sort_unstable();
    names.dedup();
    let others: Vec<&str> = names.iter().map(|name| name.trim_start_matches("peer:")).collect();
    let beside = if others.is_empty() { String::new() } else { format!("; beside it {}", others.join(", ")) };
    format!("The same work was done by the library on {}{beside}. Every answer was checked.", own.join(", "))
}

/// Sentences as a list.
fn list(html: &mut String, sentences: &[String]) {
    html.push_str("<ul class=\"lead\">");
    for sentence in sentences {
        put(html, format_args!("<li>{}</li>", escape(sentence)));
    }
    html.push_str("</ul>\n");
}

/// What there is to know before its figures are believed.
pub(crate) fn cautions(record: &Record) -> Vec<String> {
    let mut cautions = record.notes.clone();
    cautions.extend(notes::in_words(&record.not_run));
    if record.software_gpu && record.cases.iter().any(|case| case.backend == "gpu") {
        cautions.insert(0, "The GPU here is a program on the CPU (software): its figures say nothing of GPUs.".to_owned());
    }
    cautions
}

/// What was found: who is the fastest, the greatest gain over the plain iterator, and what the library's own choices cost.
pub(crate) fn findings(record: &Record, groups: &[Group<'_>]) -> Vec<String> {
    let mut findings = advice::sentences(record, groups);
    let gains = groups.iter().flat_map(|g| g.sizes.iter().filter_map(|&n| g.fastest(n)).map(move |c| (g, c)));
    let gains = gains.filter_map(|(group, fastest)| Some((group, fastest, group.to_std(fastest.1)?)));
    if let Some((group, (backend, case), ratio)) = gains.max_by(|a, b| a.2.total_cmp(&b.2)) {
        findings.push(format!(
            "The greatest gain over a plain iterator: {} on {} {} elements, {} times as fast with {}.",
            group.op,
            size(case.n),
            group.ty,
            digits(ratio),
            in_words(backend)
        ));
    }
    let costs = || groups.iter().flat_map(|g| g.sizes.iter().filter_map(move |&n| Some((g, n, g.cost_at(n)?))));
    if let (Some(mean), Some((group, n, most))) =
        (geomean(costs().map(|cost| cost.2)), costs().max_by(|a, b| a.2.total_cmp(&b.2)))
    {
        findings.push(format!(
            "Left to the library, a call takes {} times as long as on the fastest backend (geometric mean of {} \
             cases); at worst {} times, in {} {} on {} elements, data on the {}.",
            digits(mean),
            costs().count(),
            digits(most),
            group.op,
            group.ty,
            size(n),
            record.place(group.residency)
        ));
    }
    findings
}

/// A row for each operation, a column for each size, in each cell who is the fastest.
fn map(html: &mut String, record: &Record, groups: &[Group<'_>]) {
    let mut sizes: Vec<u64> = groups.iter().flat_map(|group| group.sizes.iter().copied()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let names: Vec<String> = sizes.iter().map(|&n| size(n)).collect();
    let mut columns = vec!["operation", "data"];
    columns.extend(names.iter().map(String::as_str));
    table(html, "map", "Who is the fastest", &columns);
    for group in groups {
        put(
            html,
            format_args!(
                "<tr><th scope=\"row\">{} <small>{}</small></th><td>{}</td>",
                escape(group.op),
                escape(group.ty),
                escape(&record.place(group.residency))
            ),
        );
        for &n in &sizes {
            match group.fastest(n) {
                None => html.push_str("<td></td>"),
                Some((backend, case)) => {
                    let cost = group.cost_at(n).filter(|cost| *cost > 1.1);
                    let (mark, chose) = match (cost, group.at("auto", n).and_then(|auto| auto.chose.as_deref())) {
                        (Some(cost), Some(chose)) => {
                            (" *", format!("; the library chose {chose}, {} times the time", digits(cost)))
                        }
                        _ => ("", String::new()),
                    };
                    let title = format!("{}: {}{chose}", describe(case), duration(case.median));
                    let short = if backend == "threads" { "thr" } else { backend };
                    put(
                        html,
                        format_args!("<td class=\"cell {}\" title=\"{}\">{short}{mark}</td>", class(backend), escape(&title)),
                    );
                }
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str(TABLE_END);
    html.push_str(
        "<p class=\"note\">simd: one core; thr: all cores; gpu: the GPU. An asterisk: left to the library, the call \
         took over 10% longer \
         than on that backend.</p>\n",
    );
}
