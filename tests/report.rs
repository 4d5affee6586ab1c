//! Reports of records: figures by hand, texts that are meant to do harm, records beside each other, and the page in a browser.

#[path = "report/browser.rs"]
mod browser;
#[path = "../examples/bench/catalogue.rs"]
#[allow(dead_code, reason = "the benchmark runs what is only described here")]
mod catalogue;
#[path = "report/compare.rs"]
mod compare;
#[path = "../examples/bench/context.rs"]
mod context;
#[path = "../examples/bench/measure.rs"]
#[allow(dead_code, reason = "the benchmark reads all of an outcome")]
mod measure;
#[path = "../examples/bench/record.rs"]
#[allow(dead_code, reason = "the benchmark prints figures of its own")]
mod record;
#[path = "../examples/bench/report/mod.rs"]
#[allow(dead_code, reason = "the benchmark writes files, which tests do without")]
mod report;
#[path = "bench_json/schema.rs"]
mod schema;
#[path = "../examples/bench/stop.rs"]
#[allow(dead_code, reason = "the benchmark listens for Ctrl-C")]
mod stop;

use std::path::Path;

use serde_json::{Value, json};

use report::compare::{Comparison, page};
use report::data::Record;
use report::{advice, csv, html, markdown, stats};

/// A record that is kept in the repository.
fn kept(name: &str) -> Record {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/record").join(name);
    Record::parse(name, &std::fs::read_to_string(path).expect("the record can be read")).expect("the record is one")
}

/// A run of one machine and of one sweep.
fn kept_records() -> [Record; 2] {
    ["xeon-sapphire-rapids-2-cores/2026-11-20.json", "epyc-2-cores/2026-11-21-regret.json"].map(kept)
}

/// Six passes of four samples around this time, the same noise each time.
fn around(time: f64) -> Vec<f64> {
    (0..24).map(|i| time * (1.0 + 0.01 * f64::from((i * 7) % 23 - 11) / 11.0)).collect()
}

fn case(op: &str, n: u64, backend: &str, seconds: &[f64]) -> Value {
    let mut case = json!({
        "op": op, "type": "f32", "n": n, "residency": "host", "backend": backend,
        "seconds": seconds, "bytes": 8 * n, "verified": true,
    });
    if seconds.len() == 24 {
        case["passes"] = json!(vec![4; 6]);
    }
    if backend == "auto" {
        case["chose"] = json!("simd");
    }
    case
}

fn a_record(name: &str, cases: Vec<Value>) -> Record {
    let json = json!({
        "schema": 1, "granule": "0.1.0",
        "machine": { "cpu": "a processor", "cores": 2, "simd": "avx2", "gpus": [] },
        "cases": cases,
    });
    Record::parse(name, &json.to_string()).expect("it is a record")
}

/// Two backends that cross at 2^14, the copy that is the roof, and a plain iterator.
fn two_lines() -> Record {
    let mut cases = Vec::new();
    for log in [10, 12, 16, 18] {
        let n = 1_u64 << log;
        let x = n as f64;
        // Equal where 1e-9 x = 8.192e-6 + 0.5e-9 x; on logarithmic scales between 2^12 and 2^16 not quite there.
        for (backend, time) in
            [("simd", 1e-9 * x), ("threads", 8.192e-6 + 0.5e-9 * x), ("peer:std", 4e-9 * x), ("auto", 1e-9 * x)]
        {
            cases.push(case("dot", n, backend, &around(time)));
        }
        cases.push(case("copy", n, "simd", &around(0.5e-9 * x)));
    }
    a_record("two lines", cases)
}

#[test]
fn intervals_are_those_of_the_tables() {
    let samples = |n: usize| (1..=n).map(|i| i as f64).collect::<Vec<_>>();
    // Conover, table A3; Hollander and Wolfe: 5 samples have none at 95%, 6 have the whole range, 10 the 2nd to the 9th, 100 the 40th to
    // the 61st.
    assert_eq!(stats::interval(&samples(5), 0.95), None);
    for (n, low, high, confidence) in [(6, 1.0, 6.0, 0.96875), (10, 2.0, 9.0, 0.978515625), (100, 40.0, 61.0, 0.9647997997822952)]
    {
        let interval = stats::interval(&samples(n), 0.95).expect("there are enough samples");
        assert_eq!((interval.low, interval.high), (low, high), "{n} samples");
        assert!((interval.confidence - confidence).abs() < 1e-9, "{n} samples: {}", interval.confidence);
    }
    // So many samples that powers of 1/2 vanish.
    let interval = stats::interval(&samples(10_000), 0.95).expect("there are enough samples");
    assert_eq!((interval.low, interval.high), (4902.0, 5099.0));
    // What reaches over passes that are too few to be samples themselves; and from six on their medians are.
    let passes = |count: u32| -> Vec<Vec<f64>> {
        (0..count).map(|i| samples(10).iter().map(|x| x + 100.0 * f64::from(i)).collect()).collect()
    };
    let over = stats::of_passes(&passes(2), 0.95).expect("both have samples enough");
    assert_eq!((over.low, over.high), (2.0, 109.0));
    assert_eq!(stats::of_passes(&[samples(10), samples(3)], 0.95), None);
    let over = stats::of_passes(&passes(6), 0.95).expect("there are passes enough");
    assert_eq!((over.low, over.high, over.confidence), (5.5, 505.5, 0.96875));
}

/// Against the tables of Mann and Whitney's statistic, and against all orders in which two runs of five passes can lie.
#[test]
fn intervals_of_ratios_are_those_of_mann_and_whitney() {
    let run = |count: u32, step: f64| (0..count).map(|i| (step * f64::from(i)).exp()).collect::<Vec<_>>();
    // Two-sided, 1% at most, critical values of U: 5 and 5: 0; 6 and 6: 2; 8 and 8: 7; 10 and 10: 16. 4 and 4 have none.
    assert_eq!(stats::ratio_of_passes(&run(4, 1.0), &run(4, 10.0)), None);
    assert_eq!(stats::ratio_of_passes(&run(9, 1.0), &run(1, 10.0)), None);
    assert_eq!(stats::ratio_of_passes(&[], &run(9, 1.0)), None);
    for (count, critical) in [(5, 0), (6, 2), (8, 7), (10, 16)] {
        let (of, to) = (run(count, 1.0), run(count, 100.0));
        let mut ratios: Vec<f64> = of.iter().flat_map(|of| to.iter().map(move |to| of / to)).collect();
        ratios.sort_by(f64::total_cmp);
        let interval = stats::ratio_of_passes(&of, &to).expect("there are passes enough");
        assert_eq!((interval.low, interval.high), (ratios[critical], ratios[ratios.len() - 1 - critical]), "{count} passes");
        assert!((0.99..1.0).contains(&interval.confidence), "{count} passes: {}", interval.confidence);
    }
    // Of all 252 ways to deal ten different times to two runs of five, the interval misses the true ratio, 1, in as many as it says.
    let times: Vec<f64> = (1..=10).map(|i| 1.0 + 0.01 * f64::from(i)).collect();
    let (mut all, mut missed, mut confidence) = (0, 0, 0.0);
    for deal in (0_u32..1 << 10).filter(|deal| deal.count_ones() == 5) {
        let of = |bit: u32| -> Vec<f64> { (0..10).filter(|i| (deal >> i) & 1 == bit).map(|i| times[i as usize]).collect() };
        let interval = stats::ratio_of_passes(&of(1), &of(0)).expect("there are passes enough");
        (all, confidence) = (all + 1, interval.confidence);
        missed += usize::from(interval.low > 1.0 || interval.high < 1.0);
    }
    assert_eq!((all, missed), (252, 2));
    assert!((confidence - (1.0 - 2.0 / 252.0)).abs() < 1e-12, "{confidence}");
}

#[test]
fn the_summary_finds_the_crossover_and_the_gains() {
    let record = two_lines();
    let groups = advice::groups(&record);
    assert_eq!(groups.iter().map(|group| group.op).collect::<Vec<_>>(), ["dot", "copy"]);
    let stretches = groups[0].stretches();
    assert_eq!(
        stretches.iter().map(|s| (s.backend, s.from, s.to)).collect::<Vec<_>>(),
        [("simd", 1 << 10, 1 << 12), ("threads", 1 << 16, 1 << 18)]
    );
    let (before, at) = stretches[1].crossing.expect("the lines cross");
    assert_eq!(before, 1 << 12);
    assert!((8e3..4e4).contains(&at), "they cross about {at}");
    let (backend, best) = groups[0].best().expect("there is a fastest");
    assert_eq!((backend, best.n), ("threads", 1 << 18));
    assert!(groups[0].to_std(best).is_some_and(|ratio| (7.0..8.0).contains(&ratio)));
    // The library's choice, one core, costs nothing below and up to 1.9 above.
    assert!(groups[0].cost_at(1 << 10).is_some_and(|cost| (cost - 1.0).abs() < 1e-9));
    assert!(groups[0].cost_at(1 << 18).is_some_and(|cost| (1.8..2.0).contains(&cost)));
    // 8 bytes in half a nanosecond.
    assert!(advice::roof(&record, "host").iter().all(|(_, speed)| (15.9..16.1).contains(speed)));
    let words = advice::sentences(&record, &groups).join(" ");
    assert!(words.contains("one core (simd)") && words.contains("Data on the host"), "{words}");
}

/// One size alone at which another backend leads does not make a crossover, nor does a lead of 2%.
#[test]
fn noise_is_no_crossover() {
    let times = [(1.0, 2.0), (1.0, 0.98), (1.0, 2.0), (1.0, 0.5), (1.0, 2.0)];
    let cases = times.iter().enumerate().flat_map(|(i, (simd, threads))| {
        [("simd", simd), ("threads", threads)].map(|(who, time)| case("dot", 1 << (10 + i), who, &around(time * 1e-6)))
    });
    let record = a_record("noise", cases.collect());
    let stretches = advice::groups(&record)[0].stretches();
    assert_eq!(stretches.len(), 1, "{stretches:?}");
}

#[test]
fn the_command_line_has_three_ends() {
    use report::{Outcome, command};
    let folder = std::env::temp_dir().join(format!("granule-report-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is room for files");
    let path = |name: &str| folder.join(name).display().to_string();
    for (name, time) in [("a.json", 1.0), ("b.json", 1.2)] {
        let record = a_record(name, vec![case("dot", 1024, "simd", &around(time))]);
        std::fs::write(path(name), record.text).expect("a record can be written");
    }
    let run = |args: &[&str]| command(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
    let (a, b, page) = (&*path("a.json"), &*path("b.json"), &*path("folder/page.html"));
    assert_eq!(run(&["compare", a, a]), Some(Ok(Outcome::Fine)));
    assert_eq!(run(&["compare", a, b]), Some(Ok(Outcome::Regressed)));
    assert_eq!(run(&["compare", a, a, b]), Some(Ok(Outcome::Regressed)));
    assert_eq!(run(&["compare", a, b, "--threshold", "30%", "--html", page]), Some(Ok(Outcome::Fine)));
    assert_eq!(
        run(&["report", a, "--html", page, "--csv", &path("a.csv"), "--markdown", &path("a.md")]),
        Some(Ok(Outcome::Fine))
    );
    assert!(std::fs::read_to_string(page).is_ok_and(|page| page.contains("a processor")));
    let misuses: [&[&str]; 7] = [
        &["compare", a],
        &["compare", a, b, "--threshold", "much"],
        &["compare", a, b, "--threshold"],
        &["compare", a, "nowhere.json"],
        &["compare", a, b, "--what"],
        &["report"],
        &["report", a, "--html"],
    ];
    for args in misuses {
        assert!(matches!(run(args), Some(Err(_))), "{args:?}");
    }
    assert_eq!(run(&["--quick"]), None);
    std::fs::remove_dir_all(folder).expect("the files can be removed");
}

/// Whoever gives a wrong answer, at first or only after its samples, has a verdict that fails the run.
#[test]
fn a_planted_wrong_answer_is_found() {
    use measure::{Budget, Contender, Trouble};
    use std::time::{Duration, Instant};
    let contender = |backend: &str, wrong_from: u32| {
        let mut answers = 0;
        Contender {
            backend: backend.to_owned(),
            chose: None,
            plan: None,
            ops: None,
            run: Box::new(|_| {
                std::thread::sleep(Duration::from_micros(10));
                Ok(())
            }),
            verify: Box::new(move || {
                answers += 1;
                if answers >= wrong_from { Err(Trouble::Wrong("element 7 is 1, not 2".to_owned())) } else { Ok(()) }
            }),
        }
    };
    let mut contenders = [contender("right", 9), contender("wrong", 1), contender("wrong in the end", 2)];
    let micro = Duration::from_micros(1);
    let stop = stop::Stop::after(Instant::now(), None);
    let budget = Budget { sample: micro, contender: micro, group: None, samples: [3, 3], longest: None, stop };
    let outcomes = measure::measure(&mut contenders, budget, &|_| Ok(None));
    let wrong = outcomes.iter().map(|outcome| matches!(outcome.verdict, Err(Trouble::Wrong(_)))).collect::<Vec<_>>();
    assert_eq!(wrong, [false, true, true]);
    assert_eq!(outcomes.iter().map(|outcome| outcome.seconds.len()).collect::<Vec<_>>(), [3, 0, 3]);
    // Where there is no time for a call, there is no figure.
    let budget = Budget { longest: Some(Duration::ZERO), ..budget };
    let outcomes = measure::measure(&mut [contender("slow", 9)], budget, &|_| Ok(None));
    assert!(matches!(outcomes[0].verdict, Err(Trouble::TooSlow(_))) && outcomes[0].seconds.is_empty());
}

/// A record whose every text tries to leave its place.
fn hostile() -> (Record, &'static str) {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&|`,\n<!--";
    let mut bad = case("dot", 4096, "simd", &around(1e-6));
    for key in ["op", "type", "residency", "backend", "plan", "chose"] {
        bad[key] = json!(evil);
    }
    let json = json!({
        "schema": 1, "granule": evil,
        "machine": { "cpu": evil, "cores": 2, "simd": evil, "gpus": [{ "name": evil, "api": evil, "type": evil, "driver": evil }], evil: evil },
        "context": { "os": evil, evil: [evil] },
        "cases": [bad, case("dot", 4096, "simd", &around(1e-6))],
    });
    (Record::parse(evil, &json.to_string()).expect("it is a record"), evil)
}

#[test]
fn texts_from_files_stay_texts() {
    let (record, evil) = hostile();
    let comparison = Comparison::of(&record, &record, 0.05);
    let tame = html::page("", &[], "").matches("<script").count();
    for (page, data) in [(html::report(&record), 1), (page(&[comparison]), 2)] {
        assert!(page.contains("&lt;img src=x onerror"), "the text is shown");
        assert!(!page.contains("<img") && !page.contains("<!--"), "and nothing else");
        assert_eq!(page.matches("<script").count(), tame + data, "scripts are the page's own, and its data");
        // The data is what it was.
        let from = page
            .split_once("<script type=\"application/json\"")
            .and_then(|(_, rest)| rest.split_once('>'))
            .expect("it is there")
            .1;
        let json: Value = serde_json::from_str(from.split_once("</script>").expect("it ends").0).expect("it is JSON");
        assert_eq!(json["granule"], evil);
    }
    let lines = csv::csv(&record);
    assert!(lines.contains("|`,\n<!--\"") && lines.contains("onerror=alert(2)>\"\"'"), "in quotes, which are doubled");
    let text = markdown::markdown(&record);
    let unescaped = |mark: &str| text.match_indices(mark).any(|(at, _)| !text[..at].ends_with('\\'));
    assert!(!unescaped("<img") && !unescaped("`") && !unescaped("</script"));
}

#[test]
fn every_kept_record_makes_every_report() {
    for record in kept_records() {
        let page = html::report(&record);
        let groups = advice::groups(&record);
        assert!(page.matches("role=\"img\"").count() >= groups.len(), "{}: a chart for each group", record.name);
        assert!(
            !page.contains("http://") && !page.contains("src=") && !page.contains("@import"),
            "{}: nothing from outside",
            record.name
        );
        assert!(!page.contains("NaN") && !page.contains("inf\""), "{}: no figure that is none", record.name);
        assert_eq!(csv::csv(&record).lines().count(), record.cases.len() + 1);
        assert!(markdown::markdown(&record).contains("| operation |"));
        assert_eq!(page.contains("id=\"regret\""), record.regret.is_some());
        assert!(!Comparison::of(&record, &record, 0.05).regressed());
    }
}

#[test]
fn what_is_no_record_is_refused_with_a_reason() {
    let refuse = |text: &str| Record::parse("file", text).expect_err("it is no record");
    assert!(refuse("{").contains("no JSON"));
    assert!(refuse("{\"schema\":2}").contains("schema 2"));
    assert!(refuse("{\"schema\":1,\"cases\":[]}").contains("no cases"));
    assert!(refuse("{\"schema\":1,\"cases\":[{\"op\":\"dot\"}]}").contains("case 0"));
    let mut timeless = case("dot", 64, "simd", &[0.0]);
    assert!(refuse(&json!({ "schema": 1, "cases": [timeless] }).to_string()).contains("no time"));
    timeless = case("dot", 64, "simd", &[]);
    assert!(refuse(&json!({ "schema": 1, "cases": [timeless] }).to_string()).contains("no samples"));
}

/// What the benchmark writes follows the schema, and is read again as it was.
#[test]
fn a_record_of_this_machine_follows_the_schema() {
    let engine = granule::Engine::builder().no_cache().build().expect("there is always an engine");
    let context = context::now(&engine);
    let case = record::Case {
        op: "dot",
        ty: "f32",
        n: 1024,
        residency: "host",
        backend: "auto".to_owned(),
        chose: Some("simd".to_owned()),
        plan: Some("simd".to_owned()),
        seconds: around(1e-6),
        passes: vec![5, 6],
        gpu_seconds: around(1e-6),
        bytes: 8192,
        ops: Some(3.0),
        verified: true,
    };
    assert_eq!(record::Case::from_json(&case.to_json()).map(|case| case.to_json()), Some(case.to_json()));
    let text = record::text(&engine, &context, &[("noise", "null".to_owned())], [case.to_json()].into_iter());
    let json: Value = serde_json::from_str(&text).expect("it is JSON");
    let schema = include_str!("../benches/record/schema.json");
    assert_eq!(schema::check(&serde_json::from_str(schema).expect("the schema is JSON"), &json), Ok(()));
    assert_eq!(json["operations"]["dot"]["unit"], "GB/s");
    assert_eq!(json["context"]["workers"], engine.workers());
    let read = Record::parse("this run", &text).expect("it is a record");
    assert_eq!((read.cases[0].n, read.cases[0].bytes, read.meaning("dot")), (1024, Some(8192), "sum(a * b)"));
    assert!(read.machine.iter().any(|(key, _)| key == "load average"));
}

#[test]
fn a_record_says_what_it_lacks_and_how_steady_the_machine_was() {
    let mut json: Value = serde_json::from_str(&two_lines().text).expect("it is JSON");
    let said = |json: &Value| Record::parse("a run", &json.to_string()).expect("it is a record").notes;
    assert!(said(&json).is_empty());
    json["stopped"] = json!({ "why": "interrupted", "done": 3, "of": 9 });
    json["not_run"] = json!([{ "backend": "peer:cub", "op": "dot", "type": "f32", "reason": "nvcc is not found" }]);
    let moments = |after: f64| -> Vec<Value> {
        let at = |i: usize| json!({ "at": i, "arithmetic": if i < 5 { 1e-3 } else { after }, "copy": 2e-3 });
        (0..10).map(at).collect()
    };
    json["noise"] = json!({ "at_the_ends": 5, "copied_bytes": 1 << 20, "moments": moments(1.01e-3) });
    let notes = said(&json);
    assert!(notes.iter().any(|note| note.contains("interrupted after 3 of 9")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("was steady")), "{notes:?}");
    json["noise"]["moments"] = moments(1.05e-3).into();
    assert!(said(&json).iter().any(|note| note.contains("was not steady")));
    let page = html::report(&Record::parse("a run", &json.to_string()).expect("it is a record"));
    assert!(page.contains("was not steady") && page.contains("Not run: peer:cub at dot f32: nvcc is not found."));
    assert!(page.contains("<td>not run: nvcc is not found</td>"), "in the table too");
}

/// Two operations under a roof of 16 GB/s and 10^10 operations a second.
#[test]
fn the_roofline_needs_a_copy_a_peak_and_operations() {
    let json = |with: &dyn Fn(&mut Value)| {
        let mut json: Value = serde_json::from_str(&two_lines().text).expect("it is JSON");
        with(&mut json);
        html::report(&Record::parse("a run", &json.to_string()).expect("it is a record"))
    };
    let counted = |json: &mut Value| {
        for case in json["cases"].as_array_mut().expect("there are cases") {
            case["ops_per_element"] = json!(if case["op"] == "copy" { 1 } else { 4 });
        }
    };
    let peak = |json: &mut Value| json["peaks"] = json!([{ "backend": "simd", "operations_per_second": 1e10 }]);
    assert!(!json(&counted).contains("roofline-host") && !json(&peak).contains("roofline-host"));
    let page = json(&|json| {
        counted(json);
        peak(json);
    });
    // 8 bytes and 4 operations in a nanosecond.
    assert!(
        page.contains("roofline-host")
            && page.contains("copies 16.0 GB/s")
            && page.contains("4.00 × 10⁹ operations/s, 0.50 a byte")
    );
}

#[test]
fn dates_are_those_of_the_calendar() {
    let days = [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_709_251_199, "2024-02-29T23:59:59Z"),
        (4_102_444_799, "2099-12-31T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ];
    for (seconds, date) in days {
        assert_eq!(context::date(seconds), date);
    }
}
