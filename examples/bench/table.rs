//! The table at the end of a run.

use crate::catalogue::{OPS, Unit};
use crate::record::Case;

/// Prints a block for every operation, type and residency, a row for every size, a column for every backend and peer.
pub(crate) fn print(cases: &[Case]) {
    println!(
        "Each cell: speed of the fastest sample / of the median sample, and in brackets how many times as fast as peer:std the"
    );
    println!("medians are. GB/s counts every input and every output once.");
    for op in &OPS {
        for (ty, residency) in [("f32", "host"), ("u32", "host"), ("f32", "gpu"), ("u32", "gpu")] {
            let block: Vec<_> = cases.iter().filter(|c| (c.op, c.ty, c.residency) == (op.name, ty, residency)).collect();
            if block.is_empty() {
                continue;
            }
            let unit = match op.unit {
                Unit::GigabytesPerSecond => "GB/s",
                Unit::MitemsPerSecond => "Mitems/s",
            };
            println!("\n{} {ty}, data on the {residency}, {unit}: {}", op.name, op.meaning);
            print_block(&block, cases, op.unit);
        }
    }
}

fn print_block(block: &[&Case], all: &[Case], unit: Unit) {
    let mut backends: Vec<&str> = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    for case in block {
        if !backends.contains(&case.backend.as_str()) {
            backends.push(&case.backend);
        }
        if !sizes.contains(&case.n) {
            sizes.push(case.n);
        }
    }
    print!("{:>10}", "n");
    for backend in &backends {
        print!("  {backend:>22}");
    }
    println!("{}", if backends.contains(&"auto") { "  auto chose" } else { "" });
    for n in sizes {
        print!("{:>10}", size(n));
        let mut chose = "";
        for backend in &backends {
            let cell = match block.iter().find(|c| c.n == n && c.backend == *backend) {
                None => "-".to_owned(),
                Some(case) => {
                    chose = case.chose.as_deref().unwrap_or(chose);
                    cell(case, all, unit)
                }
            };
            print!("  {cell:>22}");
        }
        println!("{}{chose}", if chose.is_empty() { "" } else { "  " });
    }
}

fn cell(case: &Case, all: &[Case], unit: Unit) -> String {
    if !case.verified {
        return "WRONG".to_owned();
    }
    let speed = |seconds: f64| match unit {
        Unit::GigabytesPerSecond => case.bytes as f64 / seconds / 1e9,
        Unit::MitemsPerSecond => case.n as f64 / seconds / 1e6,
    };
    // Data on the GPU is compared with std on the host: that is what moving there is for.
    let std = all.iter().find(|c| {
        (c.op, c.ty, c.n, c.residency, c.backend.as_str()) == (case.op, case.ty, case.n, "host", "peer:std") && c.verified
    });
    let ratio = std.map_or(String::new(), |std| format!(" ({:.2}x)", std.median() / case.median()));
    format!("{}/{}{ratio}", number(speed(case.best())), number(speed(case.median())))
}

/// Three digits.
fn number(x: f64) -> String {
    let decimals = if x < 9.995 {
        2
    } else if x < 99.95 {
        1
    } else {
        0
    };
    format!("{x:.decimals$}")
}

/// A number of elements, as people write it.
pub(crate) fn size(n: usize) -> String {
    match n {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{}Mi", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{}Ki", n >> 10),
        n => n.to_string(),
    }
}
