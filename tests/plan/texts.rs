//! What plans and explanations say: as text that can be read back, for people, and as JSON.

use granule::machine::{GpuKind, Gpus, Machine, Measured};
use granule::plan::{
    Analysis, Backend, Choice, GpuNeeds, Operation, Origin, Plan, Problem, Sample, Seen, choose, explain, explain_with, plan,
};

use crate::{MI, adapter, backend, machine, machines, on, on_gpu, on_host, problems, with_gpu};

#[test]
fn text_survives_a_round_trip() {
    for machine in &machines() {
        for problem in problems().iter().step_by(7) {
            let Ok(plan) = plan(problem, machine) else { continue };
            let text = plan.to_text();
            assert_eq!(text.parse::<Plan>().as_ref(), Ok(&plan), "{text}");
        }
    }
    let machine = with_gpu(8, GpuKind::Discrete);
    for change in [
        |p: &mut Problem| p.gpu.bindings = 9,
        |p: &mut Problem| p.gpu.int64 = true,
        |p: &mut Problem| p.gpu.float64 = true,
        |p: &mut Problem| p.n = 2 << 30,
    ] {
        let mut problem = on_host(Operation::Map, MI, 1.0);
        change(&mut problem);
        let plan = plan(&problem, &machine).unwrap();
        assert_eq!(plan.to_text().parse(), Ok(plan));
    }
}

#[test]
fn a_plan_by_hand_and_bad_ones() {
    let by_hand = "# for the big machine\ngranule plan 2\n\n  choice backend=threads workers=2 grain=32768 gpu=0\n";
    let written: Plan = by_hand.parse().unwrap();
    assert_eq!(written.choice, Choice { backend: Backend::Threads, workers: 2, grain: 32768, gpu: 0 });
    assert_eq!((written.predicted(), written.to_string()), (None, "threads: 2 workers, grain 32768".to_string()));
    let mut observed = on_host(Operation::Map, MI, 1.0);
    observed.seen.simd = Sample { ratio: 0.5, count: 3 };
    let good = plan(&observed, &machine(1, 8, Gpus::NotLookedFor)).unwrap().to_text();
    assert!(good.parse::<Plan>().is_ok() && good.contains("ratio=5e-1 samples=3"), "{good}");
    for bad in [
        "",
        "granule plan 1\nchoice backend=simd workers=1 grain=4096 gpu=0",
        "granule plan 2",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096",
        "granule plan 2\nchoice backend=tpu workers=1 grain=4096 gpu=0",
        "granule plan 2\nchoice backend=simd workers=0 grain=4096 gpu=0",
        "granule plan 2\nchoice backend=simd workers=1 grain=4000 gpu=0",
        "granule plan 2\nchoice backend=simd workers=1 grain=0 gpu=0",
        "granule plan 2\nchoice backend=simd workers=x grain=4096 gpu=0",
        "granule plan 2\nnonsense",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096 gpu=0\nchoice backend=simd workers=1 grain=4096 gpu=0",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096 gpu=0\ncandidate backend=gpu gpu=0 workers=1 infeasible=moon",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096 gpu=0\ncandidate backend=gpu gpu=0 workers=1 overhead=NaN",
        &good.replace("ratio=5e-1", "ratio=0"),
        &good.replace("ratio=5e-1", "ratio=inf"),
        &good.replace("paid=", "payed="),
        &good.replace("samples=3", "samples=-1"),
    ] {
        assert!(matches!(bad.parse::<Plan>(), Err(granule::Error::Config { .. })), "{bad}");
    }
}

#[test]
fn a_plan_prints_on_one_line() {
    let plan = plan(&on_host(Operation::Map, MI, 100.0), &machine(2, 8, Gpus::Absent(String::new()))).unwrap();
    let (line, Choice { grain, .. }) = (plan.to_string(), plan.choice);
    assert!(line.starts_with(&format!("threads: 2 workers, grain {grain}; ")) && line.ends_with(" ms predicted"), "{line}");
    assert!(!line.contains('\n'));
}

#[test]
fn an_explanation_names_all_that_was_considered() {
    let machine = machine(4, 8, Gpus::Present(vec![adapter(GpuKind::Software), adapter(GpuKind::Discrete)]));
    let problem = on_host(Operation::Map, MI, 10.0);
    let explanation = explain(&problem, &machine);
    assert_eq!(explanation.choice, choose(&problem, &machine));
    let text = explanation.to_string();
    for word in
        ["map of 1048576", "  simd ", "* threads x4", "gpu 1 (a \"discrete\" one)", "software adapter", "chunks of", "memory"]
    {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    let mut unknown = on_host(Operation::Map, MI, 10.0);
    unknown.element.loops_unknown = true;
    assert!(explain(&unknown, &machine).to_string().contains("64 are assumed"));
    let impossible =
        Problem { pinned: Some(Backend::Gpu), gpu: GpuNeeds { refused: Some("it recurses"), ..problem.gpu }, ..problem };
    assert!(
        explain(&impossible, &machine).to_string().contains("nothing can run it: the kernel cannot run on a GPU: it recurses")
    );
}

fn explained(problem: &Problem, machine: &Machine) -> String {
    explain(problem, machine).to_string()
}

/// The line of a candidate, without its name, and the notes below it.
fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let mut lines = text.lines().skip_while(|line| !line[2..].starts_with(name));
    let first = lines.next().unwrap_or_else(|| panic!("no `{name}` in\n{text}"));
    let notes = lines.take_while(|line| line.starts_with("    "));
    std::iter::once(first[2 + name.len()..].trim()).chain(notes.map(str::trim)).collect()
}

#[test]
fn an_explanation_says_where_each_number_comes_from() {
    let mut machine = with_gpu(4, GpuKind::Discrete);
    let problem = on_host(Operation::Map, MI, 10.0);
    let all_priors = explained(&problem, &machine);
    assert!(all_priors.contains("all terms are priors") && !all_priors.contains('~'), "{all_priors}");

    // Of the processor all is measured but reads at random; of the GPU the link alone.
    machine.rates.measured = Measured { overhead: true, wake: true, transfer: true, memory: true, random: false, compute: true };
    let Gpus::Present(list) = &mut machine.gpus else { unreachable!() };
    list[0].rates.measured = Measured { transfer: true, ..Measured::default() };
    let text = explained(&problem, &machine);
    assert!(
        text.contains("\n~: a prior") && text.contains(" time  =  overhead      wake  transfer    memory   compute  readback\n")
    );
    assert!(!lines(&text, "simd")[0].contains('~') && !lines(&text, "threads x4")[0].contains('~'), "{text}");
    let gpu: Vec<_> =
        lines(&text, "gpu 0 (a \"discrete\" one)")[0].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let guessed: Vec<_> = gpu.iter().map(|cell| cell.starts_with('~')).collect();
    assert_eq!(guessed, [false, true, false, false, true, true, false], "total, overhead, no wake, transfer, ... in\n{text}");

    let mut gather = problem;
    gather.element.bytes_random = 4.0;
    assert_eq!(
        lines(&explained(&gather, &machine), "simd")[0].matches('~').count(),
        1,
        "memory is no better than its worst part"
    );
    // What the GPU alone has comes over its link, in a submission whose price is a prior.
    let fetched = explain(&on_gpu(Operation::Map, MI, 10.0), &machine);
    assert_eq!((fetched.origins[0].transfer, fetched.origins[0].memory), (Origin::Prior, Origin::Calibrated));

    let Gpus::Present(list) = &mut machine.gpus else { unreachable!() };
    list[0].rates.measured = Measured { random: true, ..machine.rates.measured };
    let text = explained(&problem, &machine);
    assert!(text.contains("all terms were measured on this machine") && !text.contains('~'), "{text}");
}

#[test]
fn an_explanation_says_what_was_observed() {
    let machine = machine(4, 8, Gpus::Absent("no driver".into()));
    let mut problem = on_host(Operation::Map, MI, 10.0);
    problem.seen.simd = Sample { ratio: 0.93, count: 12 };
    problem.seen.threads = Sample { ratio: 1.5, count: 0 };
    let text = explained(&problem, &machine);
    assert_eq!(lines(&text, "simd")[1..], ["observed 12 times: x0.93 of the model"], "{text}");
    assert_eq!(lines(&text, "threads x4")[1..], ["x1.50, assumed from other backends or sizes"], "{text}");
    assert!(text.contains("gpu         no: no GPU was found: no driver"), "{text}");
    problem.seen.simd.count = 1;
    problem.seen.threads = Sample::default();
    let text = explained(&problem, &machine);
    assert_eq!(lines(&text, "simd")[1..], ["observed once: x0.93 of the model"], "{text}");
    assert_eq!(lines(&text, "threads x4").len(), 1, "{text}");

    problem.element.loops_unknown = true;
    assert!(explained(&problem, &machine).contains("64 are assumed"));
    problem.seen.iterations = 37.25;
    let text = explained(&problem, &machine);
    assert!(text.contains("priced as 37.2, by what was measured") && !text.contains("64 are assumed"), "{text}");
}

#[test]
fn an_explanation_says_what_is_paid_of_a_transfer() {
    let machine = with_gpu(4, GpuKind::Discrete);
    let problem = Problem { forgone: 100e-6, ..on_host(Operation::Map, MI, 10.0) };
    let (with, without) = (explain(&problem, &machine), explain(&Problem { forgone: 0.0, ..problem }, &machine));
    let [with_text, without_text] = [&with, &without].map(|explanation| explanation.to_string());
    let (with_lines, without_lines) = (lines(&with_text, "gpu 0"), lines(&without_text, "gpu 0"));
    assert_eq!(with_lines[0], without_lines[0], "the time that is expected is the same");
    assert_eq!((with_lines.len(), without_lines.len()), (2, 1));
    assert!(with_lines[1].contains("lost 100 us because the data was not moved"), "{with_text}");
    assert!(with.candidates[2].total() < without.candidates[2].total());
}

#[test]
fn crossovers_use_what_was_observed_at_their_sizes() {
    let machine = machine(4, 8, Gpus::Absent(String::new()));
    let problem = on_host(Operation::Map, 1 << 12, 10.0);
    let plain = explain(&problem, &machine).above.unwrap();
    // Threads turn out slow below 2^20 elements.
    let slow = Seen { threads: Sample { ratio: 50.0, count: 3 }, ..Seen::default() };
    let told = explain_with(&problem, &machine, &|n| if n < MI { slow } else { Seen::default() }).above.unwrap();
    assert!(plain.n < MI, "{plain:?}");
    assert_eq!((told.n, told.backend), (MI, Backend::Threads));
}

#[test]
fn an_analysis_sets_measured_beside_predicted() {
    let machine = with_gpu(4, GpuKind::Discrete);
    let mut problem = Problem { pinned: Some(Backend::Gpu), ..on_host(Operation::Map, MI, 10.0) };
    problem.seen.gpu = Sample { ratio: 2.0, count: 5 };
    let explanation = explain(&problem, &machine);
    let p = on(&problem, &machine, Backend::Gpu).unwrap();
    let analysis = Analysis {
        explanation,
        total: 3.0 * p.expected(),
        planning: Some(80e-9),
        transfer: Some(2.0 * p.transfer),
        work: Some(p.overhead + p.memory.max(p.compute)),
        readback: None,
    };
    assert_eq!(analysis.predicted(), Some(p));
    assert!((analysis.ratio().unwrap() - 3.0).abs() < 1e-12);
    let text = analysis.to_string();
    let (head, tail) = text.split_at(analysis.explanation.to_string().len());
    assert_eq!(head, analysis.explanation.to_string());
    let rows: Vec<Vec<&str>> =
        tail.lines().skip(1).map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect()).collect();
    let shown: Vec<_> = rows.iter().map(|row| (row[0], *row.last().unwrap())).collect();
    // The observed ratio corrects the parts too, so that they add up to the whole.
    let expected = [("total", "x3.00"), ("planning", "-"), ("transfer", "x1.00"), ("work", "x0.50"), ("readback", "-")];
    assert_eq!(shown, expected, "{text}");

    let json: serde_json::Value = serde_json::from_str(&analysis.to_json()).unwrap();
    let close =
        |value: &serde_json::Value, x: f64| assert!((value.as_f64().unwrap() / x - 1.0).abs() < 1e-9, "{value} is not {x}");
    close(&json["total"]["measured"], 3.0 * p.expected());
    close(&json["total"]["predicted"], p.expected());
    close(&json["transfer"]["ratio"], 1.0);
    assert!(json["planning"]["predicted"].is_null() && json["readback"]["measured"].is_null());
    let parts = ["transfer", "work", "readback"].map(|part| json[part]["predicted"].as_f64().unwrap());
    assert!((parts.iter().sum::<f64>() / p.expected() - 1.0).abs() < 1e-9);
    assert_eq!(json["explanation"], serde_json::from_str::<serde_json::Value>(&analysis.explanation.to_json()).unwrap());

    let here = Analysis { planning: None, transfer: None, work: None, readback: None, total: 1e-3, ..analysis };
    let on_cpu = Analysis { explanation: explain(&Problem { pinned: Some(Backend::Simd), ..problem }, &machine), ..here };
    assert!(!on_cpu.to_string().contains("\nplanning") && !on_cpu.to_string().contains("\ntransfer"), "{on_cpu}");
}

#[test]
fn the_json_of_an_explanation_says_all_that_the_text_does() {
    let mut machine = with_gpu(4, GpuKind::Discrete);
    machine.rates.measured.memory = true;
    let mut problem = Problem { forgone: 1e-4, ..on_host(Operation::Map, MI, 10.0) };
    problem.element.loops_unknown = true;
    problem.seen = Seen { simd: Sample { ratio: 0.5, count: 7 }, iterations: 20.0, ..Seen::default() };
    let json: serde_json::Value = serde_json::from_str(&explain(&problem, &machine).to_json()).unwrap();
    let (simd, gpu) = (&json["candidates"][0]["prediction"], &json["candidates"][2]["prediction"]);
    assert_eq!((&simd["sources"]["memory"], &simd["sources"]["compute"]), (&"calibrated".into(), &"prior".into()));
    assert_eq!(gpu["sources"]["memory"], "prior");
    assert_eq!((&simd["observed"]["count"], &simd["observed"]["ratio"]), (&7.into(), &0.5.into()));
    assert_eq!(simd["expected"].as_f64().unwrap(), 0.5 * simd["modelled"].as_f64().unwrap());
    assert_eq!((gpu["paid"].as_f64(), simd["paid"].as_f64()), (Some(1e-4), Some(0.0)));
    assert_eq!((json["problem"]["iterations"].as_f64(), json["problem"]["forgone"].as_f64()), (Some(20.0), Some(1e-4)));
    assert_eq!(json["problem"]["loops_unknown"], true);
}

/// The neighbours of a change lie on its two sides.
#[test]
fn changes_are_where_an_explanation_says() {
    let at = |problem: &Problem, machine: &Machine, n: usize| {
        let upload_bytes = (problem.upload_bytes as f64 * (n as f64 / problem.n as f64)) as u64;
        backend(&Problem { n, upload_bytes, ..*problem }, machine)
    };
    let mut seen = 0;
    for machine in &machines() {
        for problem in problems().iter().filter(|p| p.pinned.is_none() && p.download_bytes == 0 && p.n > 0).step_by(3) {
            let (explanation, now) = (explain(problem, machine), backend(problem, machine));
            if let Some(change) = explanation.below {
                assert!(change.backend != now && change.n < problem.n);
                assert_eq!((at(problem, machine, change.n), at(problem, machine, change.n + 1)), (change.backend, now));
                seen += 1;
            }
            if let Some(change) = explanation.above {
                assert!(change.backend != now && change.n > problem.n);
                assert_eq!((at(problem, machine, change.n), at(problem, machine, change.n - 1)), (change.backend, now));
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn explanations_are_json() {
    for machine in &machines() {
        for problem in problems().iter().step_by(11) {
            let json = explain(problem, machine).to_json();
            assert_eq!(value(json.as_bytes()), Some(&b""[..]), "{json}");
        }
    }
    for bad in ["", "{", "{\"a\":}", "[1,]", "\"\n\"", "{\"a\":1}}", "NaN", "01"] {
        assert_ne!(value(bad.as_bytes()), Some(&b""[..]), "the judge takes `{bad}`");
    }
}

/// Reads one JSON value without white space, and returns what follows it.
fn value(text: &[u8]) -> Option<&[u8]> {
    match *text.first()? {
        b'{' => items(&text[1..], b'}', |text| value(string(text)?.strip_prefix(b":")?)),
        b'[' => items(&text[1..], b']', value),
        b'"' => string(text),
        _ => {
            let end = text.iter().position(|c| b",]}".contains(c)).unwrap_or(text.len());
            let word = std::str::from_utf8(&text[..end]).ok()?;
            let digits = word.trim_start_matches('-');
            let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
            let number = digits.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok() && !leading_zero;
            (number || ["true", "false", "null"].contains(&word)).then(|| &text[end..])
        }
    }
}

fn items(mut text: &[u8], close: u8, item: impl Fn(&[u8]) -> Option<&[u8]>) -> Option<&[u8]> {
    loop {
        text = item(text)?;
        match text.split_first()? {
            (b',', rest) => text = rest,
            (c, rest) if *c == close => return Some(rest),
            _ => return None,
        }
    }
}

fn string(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        match *rest.first()? {
            b'"' => return Some(&rest[1..]),
            b'\\' => rest = rest.get(if rest.get(1) == Some(&b'u') { 6 } else { 2 }..)?,
            0..0x20 => return None,
            _ => rest = &rest[1..],
        }
    }
}
