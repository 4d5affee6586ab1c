//! A run: what is measured of the agenda, and what came of it so far.

use std::collections::HashSet;
use std::time::Duration;

use granule::Engine;
use serde_json::{Value, json};

use crate::agenda::{Group, PASSES};
use crate::groups::{self, Go, Residency};
use crate::measure::{Budget, Contender, Trouble, measure};
use crate::noise::Noise;
use crate::options::{Options, Plant};
use crate::progress::Progress;
use crate::record::{Case, Place};
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

    /// Measures these groups, without the contenders in `without`, unless the run ends before.
    pub(crate) fn groups(&mut self, groups: &[Group], without: &HashSet<Key>) -> granule::Result<()> {
        let options = self.options;
        for group in groups {
            if let Some(why) = self.stop.now() {
                self.stopped = Some((why, self.progress.so_far()));
                break;
            }
            self.noise.between();
            let Group { op, ty, n, residency, gpu } = *group;
            let wants = |name: &str| {
                let key = Key { op: op.name, ty, n, residency: residency.name(), backend: name.to_owned() };
                options.wants_backend(name) && (gpu || name != "gpu") && !without.contains(&key)
            };
            self.group(op.name, ty, n, residency, &wants)?;
        }
        Ok(())
    }

    /// Who takes so long for a call that a run whose time is short measures it once.
    pub(crate) fn slow(&self) -> HashSet<Key> {
        let limited = self.options.time_budget().is_some();
        let slow = self.cases.iter().filter(|case| limited && case.best() > ONCE.as_secs_f64());
        let key =
            |case: &Case| Key { op: case.op, ty: case.ty, n: case.n, residency: case.residency, backend: case.backend.clone() };
        slow.map(key).collect()
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    op: &'static str,
    ty: &'static str,
    n: usize,
    residency: &'static str,
    backend: String,
}

impl Key {
    /// For the process that measures the others.
    pub(crate) fn to_json(&self) -> Value {
        let Key { op, ty, n, residency, backend } = self;
        json!({ "op": op, "type": ty, "n": n, "residency": residency, "backend": backend })
    }

    /// From what [`Key::to_json`] made of it.
    pub(crate) fn from_json(json: &Value) -> Option<Key> {
        let Place { op, ty, n, residency } = Place::from_json(json)?;
        Some(Key { op: op.name, ty, n, residency, backend: json["backend"].as_str()?.to_owned() })
    }
}

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
