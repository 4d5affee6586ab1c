//! The targets that the project set itself, measured on this machine. A report, not a test: a target that is missed is printed as
//! missed, and the run succeeds all the same.

use std::hint::black_box;
use std::time::Instant;

use crate::beside;
use crate::groups::Residency;
use crate::oracle;
use crate::progress::Progress;
use crate::record::Case;
use crate::session::Session;

const KI: usize = 1 << 10;
const MI: usize = 1 << 20;

/// One target: `ours` is at least `factor` times as fast as the fastest of `theirs`.
struct Target {
    claim: &'static str,
    op: &'static str,
    ty: &'static str,
    n: usize,
    ours: &'static str,
    theirs: &'static [&'static str],
    factor: f64,
}

const ONE: Target = Target { claim: "", op: "", ty: "f32", n: 64 * KI, ours: "simd", theirs: &["peer:std"], factor: 1.0 };
const LOOPS: &[&str] = &["peer:loop", "peer:loop-nt"];

const TARGETS: [Target; 20] = [
    Target { claim: "sum on one core against iter().sum()", op: "reduce_sum", factor: 10.0, ..ONE },
    Target { claim: "exp*sin on one core against std", op: "map_exp_sin", factor: 12.0, ..ONE },
    Target { claim: "mandelbrot on one core against scalar", op: "map_mandelbrot", factor: 6.0, ..ONE },
    Target { claim: "random words on one core against scalar", op: "philox", factor: 4.0, ..ONE },
    Target { claim: "argmax on one core against std", op: "reduce_argmax", factor: 8.0, ..ONE },
    Target { claim: "sort on one core against sort_unstable", op: "sort_keys", ty: "u32", n: MI, factor: 2.5, ..ONE },
    Target {
        claim: "sort on two threads against sort_unstable",
        op: "sort_keys",
        ty: "u32",
        n: 16 * MI,
        ours: "threads",
        factor: 4.0,
        ..ONE
    },
    Target { claim: "filter on one core against the iterator", op: "filter", ty: "u32", n: MI, factor: 6.0, ..ONE },
    Target {
        claim: "histogram on one core against the best loop",
        op: "histogram",
        ty: "u32",
        n: MI,
        theirs: &["peer:loop"],
        ..ONE
    },
    Target {
        claim: "two threads against one, histogram",
        op: "histogram",
        ty: "u32",
        n: 16 * MI,
        ours: "threads",
        theirs: &["simd"],
        factor: 1.8,
    },
    Target {
        claim: "product of matrices on one core against its multiply-adds",
        op: "matmul",
        n: MI,
        theirs: &["peer:loop"],
        factor: 0.6,
        ..ONE
    },
    Target {
        claim: "two threads against one, product of matrices",
        op: "matmul",
        n: MI,
        ours: "threads",
        theirs: &["simd"],
        factor: 1.8,
        ..ONE
    },
    Target {
        claim: "matrix times vector on one core against the best read loop",
        op: "matvec",
        n: 64 * MI,
        theirs: LOOPS,
        factor: 0.9,
        ..ONE
    },
    Target { claim: "5 x 5 convolution on one core against a plain loop", op: "convolution", n: 16 * MI, factor: 2.0, ..ONE },
    Target {
        claim: "two threads against one, exp*sin",
        op: "map_exp_sin",
        n: MI,
        ours: "threads",
        theirs: &["simd"],
        factor: 1.8,
        ..ONE
    },
    Target {
        claim: "two threads against one, mandelbrot",
        op: "map_mandelbrot",
        n: MI,
        ours: "threads",
        theirs: &["simd"],
        factor: 1.8,
        ..ONE
    },
    Target {
        claim: "sum on one core against the best read loop",
        op: "reduce_sum",
        n: 64 * MI,
        theirs: LOOPS,
        factor: 0.9,
        ..ONE
    },
    Target { claim: "copy on one core against the best loop", op: "copy", n: 64 * MI, theirs: LOOPS, factor: 0.95, ..ONE },
    Target {
        claim: "gather at random on one core against the best loop",
        op: "gather",
        ty: "u32",
        n: 16 * MI,
        factor: 0.9,
        ..ONE
    },
    Target { claim: "triad on one core against the best loop", op: "triad", n: 64 * MI, theirs: LOOPS, factor: 0.95, ..ONE },
];

/// The scan of integers, against a copy of as many bytes.
const SCAN: Target = Target {
    claim: "u32 scan on two threads against a two-thread copy",
    op: "scan_inclusive_sum",
    ty: "u32",
    n: 64 * MI,
    ours: "threads",
    theirs: &["peer:copy-2t"],
    factor: 0.9,
};

/// The transpose of a square of 4096 rows and a stencil on it, against a copy of as many bytes.
const SQUARES: [Target; 4] = [
    Target {
        claim: "transpose on one core against a copy",
        op: "transpose",
        n: 16 * MI,
        theirs: &["peer:copy", "peer:copy-nt"],
        factor: 0.6,
        ..ONE
    },
    Target {
        claim: "transpose on two threads against a two-thread copy",
        op: "transpose",
        n: 16 * MI,
        ours: "threads",
        theirs: &["peer:copy-2t"],
        factor: 0.6,
        ..ONE
    },
    Target {
        claim: "5-point stencil on one core against a copy",
        op: "stencil_2d",
        n: 16 * MI,
        theirs: &["peer:copy", "peer:copy-nt"],
        factor: 0.8,
        ..ONE
    },
    Target {
        claim: "5-point stencil on two threads against a two-thread copy",
        op: "stencil_2d",
        n: 16 * MI,
        ours: "threads",
        theirs: &["peer:copy-2t"],
        factor: 0.8,
        ..ONE
    },
];

/// What a call on 64 elements of a host slice may take, all in all.
const CALL_SECONDS: f64 = 150e-9;
const CALL_OPS: [&str; 2] = ["reduce_sum", "add"];

/// Measures all of them, and prints each with pass or fail.
pub(crate) fn run(session: &mut Session<'_>) -> granule::Result<()> {
    println!("two threads of plain arithmetic do {:.2} times the work of one at this moment", two_threads_gain());
    println!("ratio: ours to the fastest of theirs, fastest samples (median samples in brackets)\n");
    session.progress = Progress::new(TARGETS.len() + 1 + SQUARES.len() + CALL_OPS.len());
    for target in &TARGETS {
        let wants = |name: &str| name == target.ours || target.theirs.contains(&name);
        let before = session.cases.len();
        session.group(target.op, target.ty, target.n, Residency::Host, &wants)?;
        report(target, &session.cases[before..]);
    }

    let before = session.cases.len();
    let wants = |name: &str| name == SCAN.ours || SCAN.theirs.contains(&name);
    let x = oracle::integers(SCAN.n, 1);
    session.perform(SCAN.op, SCAN.ty, SCAN.n, Residency::Host, &wants, |scene, go| beside::scan_beside_copy(scene, &x, go))?;
    drop(x);
    report(&SCAN, &session.cases[before..]);

    let x = oracle::floats(SQUARES[0].n, 2);
    for target in &SQUARES {
        let before = session.cases.len();
        let wants = |name: &str| name == target.ours || target.theirs.contains(&name);
        session.perform(target.op, target.ty, target.n, Residency::Host, &wants, |scene, go| {
            beside::square_beside_copy(target.op, scene, &x, go)
        })?;
        report(target, &session.cases[before..]);
    }

    for op in CALL_OPS {
        let before = session.cases.len();
        session.group(op, "f32", 64, Residency::Host, &|name| name == "auto" || name == "peer:std")?;
        let Some(case) = session.cases[before..].iter().find(|c| c.backend == "auto" && c.verified) else { continue };
        let nanoseconds = |seconds: f64| seconds * 1e9;
        println!(
            "{:<4} {:<60} {:>7.0} ns ({:.0})   at most {:.0} ns",
            if case.best() <= CALL_SECONDS { "pass" } else { "FAIL" },
            format!("a call of auto on 64 elements, {op}"),
            nanoseconds(case.best()),
            nanoseconds(case.median()),
            nanoseconds(CALL_SECONDS),
        );
    }
    session.progress.finish();
    Ok(())
}

fn report(target: &Target, cases: &[Case]) {
    let fastest = |names: &[&str], time: fn(&Case) -> f64| {
        cases.iter().filter(|c| c.verified && names.contains(&c.backend.as_str())).map(time).min_by(f64::total_cmp)
    };
    let ratio = |time: fn(&Case) -> f64| Some(fastest(target.theirs, time)? / fastest(&[target.ours], time)?);
    let what = format!("{}, {} {}", target.claim, target.ty, crate::table::size(target.n));
    match (ratio(Case::best), ratio(Case::median)) {
        (Some(best), Some(median)) => {
            let verdict = if best >= target.factor { "pass" } else { "FAIL" };
            println!("{verdict:<4} {what:<60} {best:>7.2} ({median:.2})   at least {}", target.factor);
        }
        _ => println!("none {what:<60} not measured: a contender is missing here"),
    }
}

/// How many times the work of one thread two threads do now: 2 if nothing else runs on this machine. The best of a few tries, each
/// thread with arithmetic that touches no memory.
fn two_threads_gain() -> f64 {
    const STEPS: u32 = 20_000_000;
    let work = || black_box((0..black_box(STEPS)).fold(1.0_f32, |x, i| black_box(x) * 0.5 + i as f32));
    let time = |f: &dyn Fn()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    let tries = || 0..3;
    let one = tries().map(|_| time(&|| _ = work())).fold(f64::INFINITY, f64::min);
    let two = tries()
        .map(|_| {
            time(&|| {
                std::thread::scope(|scope| {
                    scope.spawn(work);
                    work();
                });
            })
        })
        .fold(f64::INFINITY, f64::min);
    2.0 * one / two
}
