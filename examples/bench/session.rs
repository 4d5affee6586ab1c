//! A run: what is measured of the agenda, and what came of it so far.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use granule::Engine;
use serde_json::{Value, json};

use crate::agenda::{Agenda, Group, PASSES};
use crate::groups::{self, Go, Residency};
use crate::measure::{Budget, Contender, Trouble, measure};
use crate::noise::Noise;
use crate::options::{Options, Plant};
use crate::progress::Progress;
use crate::record::{self, Case};
use crate::stage::{self, Scene};
use crate::stop::{Stop, Why};
use crate::{catalogue, oracle, table};

/// The fewest and the most samples of a contender in a pass.
const SAMPLES: [u32; 2] = [3, 20];
/// The same where there is one pass alone.
const SAMPLES_AT_ONCE: [u32; 2] = [7, 60];
/// In a run whose time is short, a contender whose call takes longer is measured in the first pass alone.
const ONCE: Duration = Duration::from_millis(50);
/// One whose call takes longer than this is not measured there.
const NEVER: Duration = Duration::from_millis(1500);

/// See the module.
pub(crate) struct Session<'r> {
    pub(crate) engine: &'r Engine,
    pub(crate) options: &'r Options,
    pub(crate) gpu: bool,
    pub(crate) stop: Stop,
    pub(crate) noise: Noise,
    pub(crate) cases: Vec<Case>,
    /// What could not take part, and why.
    pub(crate) not_run: Vec<Value>,
    pub(crate) failed: bool,
    /// Why the run ended early, and how many groups were measured of how many.
    pub(crate) stopped: Option<(Why, [usize; 2])>,
    pub(crate) progress: Progress,
}

impl<'r> Session<'r> {
    /// Nothing is measured.
    pub(crate) fn new(engine: &'r Engine, options: &'r Options, gpu: bool, stop: Stop, noise: Noise) -> Session<'r> {
        let (cases, not_run, progress) = (Vec::new(), Vec::new(), Progress::new(0));
        Session { engine, options, gpu, stop, noise, cases, not_run, failed: false, stopped: None, progress }
    }

    /// All operations at all sizes, in passes. `software`: the GPU is a program on the CPU.
    pub(crate) fn sweep(&mut self, software: bool) -> granule::Result<()> {
        let (agenda, reduced) = Agenda::new(self.options, self.gpu, software);
        self.not_run.extend(reduced);
        self.progress = Progress::new(agenda.len());
        self.progress.limit(self.stop.end());
        let begun = Instant::now();
        self.pass(&agenda.first(), &HashSet::new())?;
        // Each group is measured again when all the others were: what changes from moment to moment, and where memory lies, is seen.
        let slow = self.slow();
        self.pass(&agenda.rest(begun.elapsed(), self.stop.left()), &slow)?;
        if let Some((why, _)) = self.stopped {
            let reason = match why {
                Why::Interrupted => "the run was interrupted before",
                Why::TimeBudget => "the time of the run was over before",
            };
            let known: HashSet<_> = self.cases.iter().map(|case| (case.op, case.ty, case.n, case.residency)).collect();
            let has = |group: &Group| known.contains(&(group.op.name, group.ty, group.n, group.residency.name()));
            self.not_run.extend(agenda.missed(has, reason));
        }
        self.cases = record::merged(std::mem::take(&mut self.cases));
        Ok(())
    }

    /// Measures these groups, without the contenders in `slow`, unless the run ends before.
    fn pass(&mut self, groups: &[Group], slow: &HashSet<Key>) -> granule::Result<()> {
        let options = self.options;
        for group in groups {
            if let Some(why) = self.stop.now() {
                self.stopped = Some((why, self.progress.so_far()));
                break;
            }
            self.noise.between();
            let Group { op, ty, n, residency, gpu } = *group;
            let wants = |name: &str| {
                let key = (op.name, ty, n, residency.name(), name.to_owned());
                options.wants_backend(name) && (gpu || name != "gpu") && !slow.contains(&key)
            };
            self.group(op.name, ty, n, residency, &wants)?;
        }
        Ok(())
    }

    /// Who takes so long for a call that a run whose time is short measures it once.
    fn slow(&self) -> HashSet<Key> {
        let limited = self.options.time_budget().is_some();
        let slow = self.cases.iter().filter(|case| limited && case.best() > ONCE.as_secs_f64());
        slow.map(|case| (case.op, case.ty, case.n, case.residency, case.backend.clone())).collect()
    }

    /// One group, with inputs of its own.
    pub(crate) fn group(
        &mut self,
        op: &str,
        ty: &'static str,
        n: usize,
        residency: Residency,
        wants: &dyn Fn(&str) -> bool,
    ) -> granule::Result<()> {
        let op = catalogue::op(op);
        let on = |scene: &Scene<'_>, n: usize, go: Go<'_>| match ty {
            "f32" => {
                let (x, y) = (oracle::floats(n, 1), oracle::floats(n, 2));
                groups::on_f32(scene, op, (&x, &y), residency, go)
            }
            _ => {
                let (x, y) = (oracle::integers(n, 1), oracle::integers(n, 2));
                groups::on_u32(scene, op, (&x, &y), residency, go)
            }
        };
        let slower = self.options.plant == Some(Plant::Slower);
        self.perform(op.name, ty, n, residency, wants, |scene, go| {
            if !slower {
                return on(scene, n, go);
            }
            // The library gets a tenth more elements under the same name, its peers what the name says.
            let is_peer = |name: &str| name.starts_with("peer:");
            on(&Scene { wants: &|name| (scene.wants)(name) && !is_peer(name), ..*scene }, n + n / 10, &mut *go)?;
            on(&Scene { wants: &|name| (scene.wants)(name) && is_peer(name), ..*scene }, n, go)
        })
    }

    /// Measures the contenders that `perform` sets up, and keeps the cases.
    pub(crate) fn perform(
        &mut self,
        op: &str,
        ty: &'static str,
        n: usize,
        residency: Residency,
        wants: &dyn Fn(&str) -> bool,
        perform: impl FnOnce(&Scene<'_>, Go<'_>) -> granule::Result<()>,
    ) -> granule::Result<()> {
        let op = catalogue::op(op);
        let name = format!("{} {ty} {} on the {}", op.name, table::size(n), residency.name());
        self.progress.begin(&name);
        let budget = self.budget(residency);
        let spoil = self.options.plant == Some(Plant::Wrong);
        let scene = Scene { engine: self.engine, gpu: self.gpu, wants, spoil };
        let clock = |work: &mut dyn FnMut() -> granule::Result<()>| by_the_gpu(self.engine, work);
        let (cases, not_run, failed, progress) = (&mut self.cases, &mut self.not_run, &mut self.failed, &self.progress);
        let mut absent = |backend: &str, reason: String| {
            let entry = json!({
                "backend": backend, "op": op.name, "type": ty, "n": n, "residency": residency.name(), "reason": reason,
            });
            if !not_run.contains(&entry) {
                progress.note(&format!("not run: {name} on {backend}: {reason}"));
                not_run.push(entry);
            }
        };
        let set_up = perform(&scene, &mut |contenders: &mut [Contender<'_>]| {
            let outcomes = measure(contenders, budget.shared_by(contenders.len()), &clock);
            for (contender, outcome) in contenders.iter().zip(outcomes) {
                let verified = match &outcome.verdict {
                    Ok(()) => true,
                    Err(Trouble::Stopped) => continue,
                    Err(Trouble::TooSlow(took)) => {
                        let reason = format!("one call takes {:.1} s, for which this run has no time", took.as_secs_f64());
                        absent(&contender.backend, reason);
                        continue;
                    }
                    Err(Trouble::Failed(error)) if stage::is_refusal(error) => {
                        absent(&contender.backend, error.to_string());
                        continue;
                    }
                    Err(Trouble::Failed(error)) => {
                        *failed = true;
                        progress.note(&format!("FAILED: {name} on {}: {error}", contender.backend));
                        false
                    }
                    Err(Trouble::Wrong(message)) => {
                        *failed = true;
                        progress.note(&format!("WRONG ANSWER: {name} on {}: {message}", contender.backend));
                        false
                    }
                };
                cases.push(Case {
                    op: op.name,
                    ty,
                    n,
                    residency: residency.name(),
                    backend: contender.backend.clone(),
                    chose: contender.chose.clone(),
                    plan: contender.plan.clone(),
                    seconds: outcome.seconds,
                    passes: Vec::new(),
                    gpu_seconds: outcome.gpu_seconds,
                    bytes: (n * op.bytes) as u64,
                    ops: contender.ops,
                    verified,
                });
            }
        });
        let set_up = match set_up {
            Err(error) if stage::is_refusal(&error) => {
                absent("all", error.to_string());
                Ok(())
            }
            other => other,
        };
        self.progress.end();
        set_up
    }

    /// What a group may take, for all its contenders together.
    fn budget(&self, residency: Residency) -> Budget {
        // A read that waits for the GPU ends each sample on it, so those samples are longer.
        let sample = Duration::from_millis(if residency == Residency::Gpu { 5 } else { 1 });
        let at_once = self.options.targets;
        let [done, of] = self.progress.so_far();
        // Of what is left of the time each group gets its part, and half of it goes into checks and warming up.
        let share = self.stop.left().map(|left| left / (2 * of.saturating_sub(done).max(1)) as u32);
        Budget {
            sample,
            contender: self.options.budget() / if at_once { 1 } else { PASSES as u32 },
            group: share,
            samples: if at_once { SAMPLES_AT_ONCE } else { SAMPLES },
            longest: share.map(|_| NEVER),
            stop: self.stop,
        }
    }
}

/// What makes a case another one.
type Key = (&'static str, &'static str, usize, &'static str, String);

/// Has work done, and says how long it took by the GPU's own clock, where there is one.
fn by_the_gpu(engine: &Engine, work: &mut dyn FnMut() -> granule::Result<()>) -> granule::Result<Option<Duration>> {
    #[cfg(feature = "gpu")]
    return engine.gpu()?.time_passes(work).map(|((), took)| took);
    #[cfg(not(feature = "gpu"))]
    {
        _ = engine;
        work().map(|()| None)
    }
}
