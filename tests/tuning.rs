//! Choosing as programs meet it: engines that learn from their calls, measure their machine, keep what they learned, follow a plan
//! file, or do none of it. What the machine is like is planted where it matters; no test depends on how long anything takes.

#[cfg(feature = "gpu")]
mod adapter;
mod oracle;

#[path = "tuning/analyze.rs"]
mod analyze;
#[path = "tuning/cache.rs"]
mod cache;
#[path = "tuning/environment.rs"]
mod environment;
#[cfg(feature = "gpu")]
#[path = "tuning/gpu.rs"]
mod gpu;
#[path = "tuning/learning.rs"]
mod learning;
#[path = "tuning/plans.rs"]
mod plans;
#[path = "tuning/world.rs"]
mod world;

/// What other tests run in processes of their own; see [`world::child`].
#[test]
fn child() {
    let Ok(case) = std::env::var(world::CHILD) else { return };
    match case.as_str() {
        "describe" | "call" | "builder" => environment::child(&case),
        "keep" => cache::child(),
        other => panic!("no case {other}"),
    }
}
