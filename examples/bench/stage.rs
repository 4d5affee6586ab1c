//! A stage: the data of one group (operation, type, number of elements, residency), and the contenders that perform on it.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use granule::plan::Operation;
use granule::prelude::*;
use granule::primitives::{Fill, reduce};
use granule::source::{SliceSource, Source};
use granule::{Error, Primitive, Task};

use crate::groups::{Go, Residency};
use crate::measure::{Contender, Trouble};

/// What all groups share.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'e> {
    /// The engine.
    pub(crate) engine: &'e Engine,
    /// Whether it has a GPU.
    pub(crate) gpu: bool,
    /// Whether this backend or peer is to be measured.
    pub(crate) wants: &'e dyn Fn(&str) -> bool,
    /// Whether an element of each answer in host memory is spoilt, to see that it is found.
    pub(crate) spoil: bool,
}

/// How exact an answer can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// Each operation rounded by itself; sums in the library's fixed order, or a peer's tree.
    Cpu,
    /// A running sum: its error grows with every element.
    Running,
    /// A driver may contract `a * b + c`, and has its own transcendental functions.
    Gpu,
}

/// Compares a vector with the oracle's.
pub(crate) type CheckAll<'g, U> = Rc<dyn Fn(&[U], Arithmetic) -> Result<(), String> + 'g>;
/// Compares a value with the oracle's.
pub(crate) type CheckOne<'g, R> = Rc<dyn Fn(R, Arithmetic) -> Result<(), String> + 'g>;

/// Where inputs and output are.
pub(crate) enum Place<'g, T: Element, U: Element> {
    /// Slices of host memory; the result goes to host memory that exists.
    Host {
        /// The output, the same memory for all contenders.
        out: &'g RefCell<Vec<U>>,
    },
    /// Arrays on the GPU; the result stays there.
    Gpu {
        /// First input.
        x: &'g Array<T>,
        /// Second input.
        y: &'g Array<T>,
        /// The output, the same array for all contenders.
        out: &'g RefCell<Array<U>>,
    },
}

/// See the module.
pub(crate) struct Stage<'g, T: Element, U: Element = T> {
    /// What all groups share.
    pub(crate) scene: &'g Scene<'g>,
    /// First input, in host memory.
    pub(crate) x: &'g [T],
    /// Second input, in host memory.
    pub(crate) y: &'g [T],
    /// Where the contenders find them.
    pub(crate) place: Place<'g, T, U>,
    /// What an element of the output is before it is written.
    pub(crate) spoilt: U,
    /// The contenders.
    pub(crate) contenders: Vec<Contender<'g>>,
}

/// Sets a stage for inputs `x` and `y` with `outputs` elements of output, has it filled, and lets the contenders go.
pub(crate) fn on_stage<T: Element, U: Element>(
    scene: &Scene<'_>,
    (x, y): (&[T], &[T]),
    (outputs, zero, spoilt): (usize, U, U),
    residency: Residency,
    go: Go<'_>,
    fill: impl for<'g> FnOnce(&mut Stage<'g, T, U>),
) -> granule::Result<()> {
    on_stage_with(scene, (x, y), (outputs, zero, spoilt), &(), residency, go, |stage, ()| fill(stage))
}

/// The same with data of another type.
pub(crate) fn on_stage_with<T: Element, U: Element, D>(
    scene: &Scene<'_>,
    (x, y): (&[T], &[T]),
    (outputs, zero, spoilt): (usize, U, U),
    data: &D,
    residency: Residency,
    go: Go<'_>,
    fill: impl for<'g> FnOnce(&mut Stage<'g, T, U>, &'g D),
) -> granule::Result<()> {
    match residency {
        Residency::Host => {
            let out = RefCell::new(vec![zero; outputs]);
            let mut stage = Stage { scene, x, y, place: Place::Host { out: &out }, spoilt, contenders: Vec::new() };
            fill(&mut stage, data);
            go(&mut stage.contenders);
        }
        Residency::Gpu => {
            let (on_gpu_x, on_gpu_y) = (scene.engine.array(x), scene.engine.array(y));
            on_gpu_x.to_gpu()?;
            on_gpu_y.to_gpu()?;
            let out = RefCell::new(scene.engine.array_from_vec(vec![zero; outputs]));
            let place = Place::Gpu { x: &on_gpu_x, y: &on_gpu_y, out: &out };
            let mut stage = Stage { scene, x, y, place, spoilt, contenders: Vec::new() };
            fill(&mut stage, data);
            go(&mut stage.contenders);
        }
    }
    Ok(())
}

/// Binds `$task` to the task, pinned if the contender is a backend.
macro_rules! pinned {
    ($task:expr, $backend:expr) => {
        match $backend {
            Some(backend) => $task.on(backend),
            None => $task,
        }
    };
}

type Run<'g> = Box<dyn FnMut(u64) -> granule::Result<()> + 'g>;
type Verify<'g> = Box<dyn FnMut() -> Result<(), Trouble> + 'g>;

impl<'g, T: Element, U: Element> Stage<'g, T, U> {
    /// The backends with a task that writes a vector.
    pub(crate) fn writes<P: Fill<Item = U> + 'g>(
        &mut self,
        task: impl Fn(SliceSource<'g, T>, SliceSource<'g, T>) -> Task<'g, P> + Copy + 'g,
        check: CheckAll<'g, U>,
    ) {
        for (name, backend) in self.backends() {
            let check = check.clone();
            let (run, verify, plan): (Run<'g>, Verify<'g>, _);
            match self.place {
                Place::Host { out } => {
                    let (x, y, spoilt, spoil) = (self.x, self.y, self.spoilt, self.scene.spoil);
                    let task = move || pinned!(task(black_box(x).into_source(), black_box(y).into_source()), backend);
                    plan = described(&task().into(&mut *out.borrow_mut()));
                    let arithmetic = arithmetic(&plan.0);
                    run = Box::new(move |iterations| {
                        let out = &mut *out.borrow_mut();
                        (0..iterations).try_for_each(|_| task().into(&mut *out).run())
                    });
                    verify = Box::new(move || {
                        let out = &mut *out.borrow_mut();
                        out.fill(spoilt);
                        task().into(&mut *out).run()?;
                        let middle = out.len() / 2;
                        out.get_mut(middle).filter(|_| spoil).into_iter().for_each(|element| *element = spoilt);
                        check(out, arithmetic).map_err(Trouble::Wrong)
                    });
                }
                Place::Gpu { x, y, out } => {
                    let (scene, spoilt) = (self.scene, self.spoilt);
                    let task = move || pinned!(task(black_box(x).into_source(), black_box(y).into_source()), backend);
                    plan = described(&task().into(&mut *out.borrow_mut()));
                    let arithmetic = arithmetic(&plan.0);
                    run = Box::new(move |iterations| {
                        let out = &mut *out.borrow_mut();
                        (0..iterations).try_for_each(|_| task().into(&mut *out).run())?;
                        settle(scene.engine, out)
                    });
                    verify = Box::new(move || {
                        let out = &mut *out.borrow_mut();
                        *out = scene.engine.array_from_vec(vec![spoilt; out.bound()]);
                        out.to_gpu()?;
                        task().into(&mut *out).run()?;
                        check(&out.to_vec()?, arithmetic).map_err(Trouble::Wrong)
                    });
                }
            }
            self.enter(name, backend, plan, run, verify);
        }
    }

    /// The backends with a reduction.
    pub(crate) fn reduce<S: Source<Item: Element> + 'g, O: Operator<S::Item> + 'g>(
        &mut self,
        task: impl Fn(SliceSource<'g, T>, SliceSource<'g, T>) -> Task<'g, reduce::Reduce<S, O>> + Copy + 'g,
        check: CheckOne<'g, S::Item>,
    ) {
        for (name, backend) in self.backends() {
            let check = check.clone();
            let (place_x, place_y) = match self.place {
                Place::Host { .. } => (self.x.into_source(), self.y.into_source()),
                Place::Gpu { x, y, .. } => (x.into_source(), y.into_source()),
            };
            let task = move || pinned!(task(black_box(place_x), black_box(place_y)), backend);
            let plan = described(&task());
            let arithmetic = arithmetic(&plan.0);
            let run = Box::new(move |iterations| {
                (0..iterations).try_for_each(|_| {
                    black_box(task().run()?);
                    Ok(())
                })
            });
            let verify = Box::new(move || check(task().run()?, arithmetic).map_err(Trouble::Wrong));
            self.enter(name, backend, plan, run, verify);
        }
    }

    /// The backends with a task whose results are new arrays.
    pub(crate) fn arrays<P: Primitive<Output: Arrays> + 'g>(
        &mut self,
        task: impl Fn(SliceSource<'g, T>, SliceSource<'g, T>) -> Task<'g, P> + Copy + 'g,
        check: CheckOne<'g, <P::Output as Arrays>::Values>,
    ) {
        for (name, backend) in self.backends() {
            let (check, engine) = (check.clone(), self.scene.engine);
            let (place_x, place_y) = match self.place {
                Place::Host { .. } => (self.x.into_source(), self.y.into_source()),
                Place::Gpu { x, y, .. } => (x.into_source(), y.into_source()),
            };
            let on_host = matches!(self.place, Place::Host { .. });
            let task = move || pinned!(task(black_box(place_x), black_box(place_y)), backend);
            let plan = described(&task());
            let arithmetic = arithmetic(&plan.0);
            let run = Box::new(move |iterations| {
                for _ in 0..iterations {
                    let arrays = task().run()?;
                    if on_host { arrays.read()? } else { arrays.settle(engine)? }
                }
                Ok(())
            });
            let verify = Box::new(move || check(task().run()?.values()?, arithmetic).map_err(Trouble::Wrong));
            self.enter(name, backend, plan, run, verify);
        }
    }

    /// A peer that writes the output. Peers work on host memory only.
    pub(crate) fn peer_writes(&mut self, name: &str, f: impl Fn(&[T], &[T], &mut [U]) + Copy + 'g, check: &CheckAll<'g, U>) {
        let Place::Host { out } = self.place else { return };
        if !(self.scene.wants)(name) {
            return;
        }
        let (x, y, spoilt, check) = (self.x, self.y, self.spoilt, check.clone());
        self.contenders.push(Contender {
            backend: name.to_owned(),
            chose: None,
            plan: None,
            ops: None,
            run: Box::new(move |iterations| {
                let out = &mut *out.borrow_mut();
                for _ in 0..iterations {
                    f(black_box(x), black_box(y), black_box(out));
                }
                Ok(())
            }),
            verify: Box::new(move || {
                let out = &mut *out.borrow_mut();
                out.fill(spoilt);
                f(x, y, out);
                check(out, Arithmetic::Cpu).map_err(Trouble::Wrong)
            }),
        });
    }

    /// A peer that returns one value. Peers work on host memory only.
    pub(crate) fn peer_returns<R: 'g>(&mut self, name: &str, f: impl Fn(&[T], &[T]) -> R + Copy + 'g, check: &CheckOne<'g, R>) {
        if !matches!(self.place, Place::Host { .. }) || !(self.scene.wants)(name) {
            return;
        }
        let (x, y, check) = (self.x, self.y, check.clone());
        self.contenders.push(Contender {
            backend: name.to_owned(),
            chose: None,
            plan: None,
            ops: None,
            run: Box::new(move |iterations| {
                for _ in 0..iterations {
                    black_box(f(black_box(x), black_box(y)));
                }
                Ok(())
            }),
            verify: Box::new(move || check(f(x, y), Arithmetic::Running).map_err(Trouble::Wrong)),
        });
    }

    /// The backends that perform here, and what pins a task to them.
    fn backends(&self) -> Vec<(&'static str, Option<Backend>)> {
        let on_host = matches!(self.place, Place::Host { .. });
        [
            ("simd", Some(Backend::Simd), on_host),
            ("threads", Some(Backend::Threads), on_host && cfg!(feature = "threads")),
            ("gpu", Some(Backend::Gpu), self.scene.gpu),
            ("auto", None, true),
        ]
        .into_iter()
        .filter(|&(name, _, can)| can && (self.scene.wants)(name))
        .map(|(name, backend, _)| (name, backend))
        .collect()
    }

    fn enter(&mut self, name: &str, backend: Option<Backend>, (plan, ops): Described, run: Run<'g>, verify: Verify<'g>) {
        let plan = plan.ok();
        self.contenders.push(Contender {
            backend: name.to_owned(),
            chose: plan.as_ref().filter(|_| backend.is_none()).map(|plan| plan.choice.backend.to_string()),
            plan: plan.map(|plan| plan.to_string()),
            ops,
            run,
            verify,
        });
    }
}

/// Results that are new arrays.
pub(crate) trait Arrays {
    /// The same in host memory.
    type Values;
    /// Has them in host memory.
    fn read(&self) -> granule::Result<()>;
    /// Waits for them where they are.
    fn settle(&self, engine: &Engine) -> granule::Result<()>;
    /// What they hold.
    fn values(self) -> granule::Result<Self::Values>;
}

impl<A: Element> Arrays for Array<A> {
    type Values = Vec<A>;

    fn read(&self) -> granule::Result<()> {
        black_box(self.as_slice()?);
        Ok(())
    }
    fn settle(&self, engine: &Engine) -> granule::Result<()> {
        settle(engine, self)
    }
    fn values(self) -> granule::Result<Vec<A>> {
        self.into_vec()
    }
}

impl<A: Element, B: Element> Arrays for (Array<A>, Array<B>) {
    type Values = (Vec<A>, Vec<B>);

    fn read(&self) -> granule::Result<()> {
        self.0.read()?;
        self.1.read()
    }
    fn settle(&self, engine: &Engine) -> granule::Result<()> {
        settle(engine, &self.1)
    }
    fn values(self) -> granule::Result<Self::Values> {
        Ok((self.0.into_vec()?, self.1.into_vec()?))
    }
}

impl<A: Element> Arrays for [Array<A>; 2] {
    type Values = (Vec<A>, Vec<A>);

    fn read(&self) -> granule::Result<()> {
        self.iter().try_for_each(Arrays::read)
    }
    fn settle(&self, engine: &Engine) -> granule::Result<()> {
        settle(engine, &self[1])
    }
    fn values(self) -> granule::Result<Self::Values> {
        let [a, b] = self;
        Ok((a.into_vec()?, b.into_vec()?))
    }
}

/// What is planned of a task, and how many operations the planner counts for an element: of what is a map at heart.
type Described = (granule::Result<granule::plan::Plan>, Option<f64>);

fn described<P: Primitive>(task: &Task<'_, P>) -> Described {
    let ops = task.explain().ok().and_then(|explanation| {
        let problem = explanation.problem;
        let counted = matches!(problem.operation, Operation::Map | Operation::Reduce | Operation::Scan);
        // A loop whose length depends on the data is counted once.
        let known = counted && !problem.element.loops_unknown && problem.steps == 1;
        let ops = problem.element.ops.total() + problem.combine.ops.total();
        (known && ops > 0.0).then(|| f64::from(ops))
    });
    (task.plan(), ops)
}

fn arithmetic(plan: &granule::Result<granule::plan::Plan>) -> Arithmetic {
    match plan {
        Ok(plan) if plan.choice.backend == Backend::Gpu => Arithmetic::Gpu,
        _ => Arithmetic::Cpu,
    }
}

/// Waits for the GPU: work on arrays is only recorded, and a value that the host reads comes after all of it.
fn settle<U: Element>(engine: &Engine, array: &Array<U>) -> granule::Result<()> {
    if array.residency() == granule::Residency::Gpu {
        black_box(engine.collect(array.take(1)).on(Backend::Gpu).run()?.to_vec()?);
    }
    Ok(())
}

/// Whether an error means that this backend does not do this at all, rather than that something broke.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Unsupported { .. } | Error::TooLarge { .. } | Error::OutOfMemory { .. })
}
