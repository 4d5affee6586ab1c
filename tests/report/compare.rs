//! Records beside each other: what is found, and what is left in doubt.

use serde_json::json;

use super::report::compare::{Comparison, Verdict};
use super::report::html;
use super::{a_record, around, case};

#[test]
fn a_slowdown_of_ten_percent_is_found_and_noise_is_not() {
    let run = |slow: f64| {
        let time = |backend: &str| if backend == "threads" { 1e-6 * slow } else { 1e-6 };
        a_record("run", ["simd", "threads"].map(|backend| case("dot", 1024, backend, &around(time(backend)))).to_vec())
    };
    let (base, same, slower) = (run(1.0), run(1.005), run(1.1));
    assert!(!Comparison::of(&base, &base, 0.05).regressed());
    assert!(!Comparison::of(&base, &same, 0.05).regressed());
    assert_eq!(Comparison::of(&base, &same, 0.05).with(Verdict::Same).len(), 2);

    let found = Comparison::of(&base, &slower, 0.05);
    assert!(found.regressed());
    let slow = found.with(Verdict::Slower);
    assert_eq!(slow.len(), 1);
    assert_eq!(slow[0].base.backend, "threads");
    let interval = slow[0].interval.expect("there are samples enough");
    assert!((slow[0].ratio - 1.1).abs() < 1e-9 && interval.low < 1.1 && 1.1 < interval.high);
    assert!(found.text().contains("SLOWER"));
    // The other way round it is faster, and within a wider threshold nothing.
    assert_eq!(Comparison::of(&slower, &base, 0.05).with(Verdict::Faster).len(), 1);
    assert!(!Comparison::of(&base, &slower, 0.15).regressed());
    // Where a peer is slower, the machine is.
    let peer = |time: f64| a_record("run", vec![case("dot", 1024, "peer:std", &around(time))]);
    let (base, slower) = (peer(1.0), peer(1.1));
    let comparison = Comparison::of(&base, &slower, 0.05);
    assert!(!comparison.regressed() && comparison.with(Verdict::Slower).len() == 1);
}

/// The same slowdown in samples so wild, or so few, that it may be luck.
#[test]
fn doubt_is_no_regression() {
    let run = |samples: &[f64]| a_record("run", vec![case("dot", 1024, "simd", samples)]);
    let wild = |scale: f64| run(&around(1.0).iter().map(|s| scale * (1.0 + 30.0 * (s - 1.0))).collect::<Vec<_>>());
    let (base, slower) = (wild(1.0), wild(1.1));
    let comparison = Comparison::of(&base, &slower, 0.05);
    assert!(!comparison.regressed() && comparison.with(Verdict::Unsure).len() == 1);

    // One pass alone, of however many samples: they share the moment.
    let (base, slower) = (run(&[1.0; 60]), run(&[2.0; 60]));
    let comparison = Comparison::of(&base, &slower, 0.05);
    assert!(!comparison.regressed() && comparison.with(Verdict::Unknown).len() == 1);
}

#[test]
fn what_one_record_lacks_is_named_and_a_wrong_answer_counts() {
    let base = a_record("base", vec![case("dot", 1024, "simd", &around(1.0)), case("dot", 1024, "gpu", &around(1.0))]);
    let mut wrong = case("dot", 1024, "simd", &around(1.0));
    wrong["verified"] = json!(false);
    let other = a_record("other", vec![wrong, case("dot", 2048, "simd", &around(1.0))]);
    let comparison = Comparison::of(&base, &other, 0.05);
    assert_eq!(
        comparison.lonely.iter().map(|(record, case)| (&*record.name, case.n)).collect::<Vec<_>>(),
        [("base", 1024), ("other", 2048)]
    );
    assert!(comparison.regressed() && comparison.with(Verdict::Wrong).len() == 1);
    assert!(comparison.text().contains("only in other"));
    let page = html::report(&other);
    assert!(page.contains("Wrong answers") && page.contains("WRONG ANSWER"));
}

/// Where a peer of that size is slower as well, it may be the machine; what is slower by more is the library.
#[test]
fn what_the_machine_does_to_all_is_no_regression() {
    let run = |machine: f64, simd: f64, threads: f64| {
        let peers = [("peer:std", machine), ("peer:rayon", 1.0)].map(|(who, slow)| case("dot", 1024, who, &around(slow * 1e-6)));
        let own = [("simd", simd), ("threads", threads)];
        let own = own.map(|(who, slow)| case("dot", 1024, who, &around(machine * slow * 1e-6)));
        a_record("run", [peers, own].concat())
    };
    let (base, busy, slower) = (run(1.0, 1.0, 1.0), run(1.2, 1.0, 1.0), run(1.2, 1.0, 1.15));
    assert!(!Comparison::of(&base, &busy, 0.05).regressed());
    assert_eq!(Comparison::of(&base, &busy, 0.05).with(Verdict::Machine).len(), 2);
    let found = Comparison::of(&base, &slower, 0.05);
    assert!(found.regressed());
    assert_eq!(found.with(Verdict::Slower).iter().filter(|pair| pair.base.backend == "threads").count(), 1);
    assert!(found.with(Verdict::Slower).iter().all(|pair| pair.base.backend != "simd"));
    // The other way round: faster by no more than a peer is no gain.
    assert_eq!(Comparison::of(&busy, &base, 0.05).with(Verdict::Machine).len(), 2);
    // Another processor is what the records are compared for.
    let mut elsewhere = busy;
    elsewhere.cpu = "another processor".to_owned();
    assert!(Comparison::of(&base, &elsewhere, 0.05).regressed());
}
