//! `Task`: a call that is described but not yet made.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::array::{Data, DataVisitor};
use crate::backend::cpu::{Cpu, Deadline};
use crate::element::Element;
use crate::engine::{Engine, unsupported};
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::plan::{Analysis, Backend, Choice, Explanation, Plan, Problem, Why, explain_with};
use crate::tune::Decision;

/// What a primitive must say of itself. Everything else (planning, running, waiting, explaining) is the same for all.
pub trait Primitive: Sized {
    /// What `.run()` gives.
    type Output;

    /// Checks the input and describes the problem, but for what the task adds.
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem>;

    /// Shows the data that is read.
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()>;

    /// Charges an array that results with the seconds that the calls before it lost because their data did not move: what comes
    /// next on it is the same chain. A result that is no array has nothing to charge.
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        let _ = (output, forgone);
    }

    /// Runs on the CPU. The data is in host memory.
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output>;

    /// Records the work on the GPU.
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>>;
}

/// A call, described. It does nothing until it is run.
///
/// - [`run`](Task::run) runs and waits;
/// - `.await` does the same without blocking on a GPU (a plan for the CPU computes within the first poll: there is nothing to wait
///   for). It needs no runtime;
/// - [`plan`](Task::plan) and [`explain`](Task::explain) say what would be done, and why;
/// - [`on`](Task::on), [`deadline`](Task::deadline), [`unordered`](Task::unordered) set conditions.
#[must_use = "a task only describes work: call `.run()`, `.await` it, or `.explain()` it"]
pub struct Task<'e, P> {
    engine: &'e Engine,
    primitive: P,
    options: Options,
}

#[derive(Clone, Default)]
struct Options {
    backend: Option<Backend>,
    plan: Option<Choice>,
    deadline: Option<Duration>,
    unordered: bool,
}

impl<'e, P: Primitive> Task<'e, P> {
    pub(crate) fn new(engine: &'e Engine, primitive: P) -> Self {
        Task { engine, primitive, options: Options::default() }
    }

    /// The same call, of another primitive: how a primitive's own options are set.
    pub(crate) fn with<Q: Primitive>(self, change: impl FnOnce(P) -> Q) -> Task<'e, Q> {
        Task { engine: self.engine, primitive: change(self.primitive), options: self.options }
    }

    /// Runs on this backend and no other.
    pub fn on(mut self, backend: Backend) -> Self {
        self.options.backend = Some(backend);
        self
    }

    /// Runs as this plan says, whatever the planner would choose now. A plan without workers, or with a grain that is no positive
    /// multiple of 4096, gives [`Error::Config`] when the task runs.
    pub fn with_plan(mut self, plan: &Plan) -> Self {
        self.options.backend = Some(plan.choice.backend);
        self.options.plan = Some(plan.choice);
        self
    }

    /// Gives up with [`Error::Timeout`] when this much time has passed. The CPU looks at the clock between chunks, the GPU while
    /// waiting; what was passed in stays usable, and so does the engine. (An array that
    /// stays on the GPU is there as soon as its work is recorded: its deadline cannot pass.)
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.options.deadline = Some(limit);
        self
    }

    /// Frees a reduction from the canonical order: faster for a few thousand elements, and floats may round differently from one
    /// machine to another.
    pub fn unordered(mut self) -> Self {
        self.options.unordered = true;
        self
    }

    /// What would be done now: what calls teach may change it, but on a [frozen](crate::EngineBuilder::frozen) engine.
    ///
    /// # Errors
    /// As [`Task::run`] for bad input, and [`Error::Unsupported`] if the pinned backend cannot run it.
    pub fn plan(&self) -> Result<Plan> {
        let (problem, machine) = self.recalled()?;
        let mut plan = crate::plan::plan(&problem, machine).map_err(|why| unsupported(&problem, machine, why))?;
        match (self.options.plan, self.engine.tuner().expect(&problem, machine)) {
            (Some(given), _) => plan.choice = given,
            (None, Some((kept, _))) => plan.choice = kept,
            (None, None) => {}
        }
        Ok(plan)
    }

    /// Every candidate, its predicted time by terms, and why the winner won. Nothing runs, and nothing is tried out. A call that cannot
    /// run where it is pinned to is explained too.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// # let engine = Engine::builder().no_cache().build()?;
    /// let x = vec![1.0_f32; 100_000];
    /// let explanation = engine.reduce(&x, Sum).explain()?;
    /// println!("{explanation}"); // for people; `.to_json()` for tools
    /// assert!(explanation.choice.is_ok());
    /// # Ok::<(), granule::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Task::run`] for bad input.
    pub fn explain(&self) -> Result<Explanation> {
        let (problem, machine) = self.recalled()?;
        let explanation = self.explanation(&problem, machine);
        Ok(match (self.options.plan, self.engine.tuner().expect(&problem, machine)) {
            (Some(given), _) => explanation.of_choice(given, Why::Planned),
            (None, Some((kept, why))) => explanation.of_choice(kept, why),
            (None, None) => explanation,
        })
    }

    /// Runs, waits, and sets what each part took beside what was predicted. The GPU's queue is emptied first and waited for between
    /// the parts, so that one call is measured and not its neighbours: a chain of calls runs faster than its calls do here.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// # let engine = Engine::builder().no_cache().build()?;
    /// let x = vec![1.0_f32; 100_000];
    /// let (sum, analysis) = engine.reduce(&x, Sum).explain_analyze()?;
    /// assert_eq!(sum, 100_000.0);
    /// println!("{analysis}");
    /// # Ok::<(), granule::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Task::run`].
    pub fn explain_analyze(mut self) -> Result<(P::Output, Analysis)> {
        let begun = Instant::now();
        let mut problem = self.problem()?;
        let decision = self.decide(&mut problem)?;
        let planning = begun.elapsed();
        let explanation = self.explanation(&problem, self.engine.machine_for(&problem)).of_choice(decision.choice, decision.why);
        let deadline = self.options.deadline.map(Deadline::start);
        let seconds = |since: Instant| since.elapsed().as_secs_f64();
        #[cfg(feature = "gpu")]
        if decision.choice.backend == Backend::Gpu {
            let gpu = self.engine.gpu()?;
            gpu.wait(None)?;
            let moving = Instant::now();
            let mut to_gpu = ToGpu { gpu: &gpu, slices: false };
            self.primitive.data(&mut to_gpu)?;
            let slices = to_gpu.slices;
            gpu.wait(None)?;
            let transfer = seconds(moving);
            let working = Instant::now();
            let started = self.start_gpu(Decision { ticket: None, ..decision })?;
            gpu.wait(None)?;
            let work = seconds(working);
            let reading = Instant::now();
            let output = started.wait(deadline)?;
            let readback = seconds(reading);
            let planning = planning.as_secs_f64();
            // Slices are copied for the call alone, as part of its work.
            let analysis = Analysis {
                explanation,
                total: planning + transfer + work + readback,
                planning: Some(planning),
                transfer: (!slices).then_some(transfer),
                work: (!slices).then_some(work),
                readback: Some(readback),
            };
            return Ok((output, analysis));
        }
        let moving = Instant::now();
        if problem.download_bytes > 0 {
            self.primitive.data(&mut ToHost)?;
        }
        let transfer = seconds(moving);
        let working = Instant::now();
        let output = self.run_cpu(&problem, decision, deadline)?;
        let (planning, work) = (planning.as_secs_f64(), seconds(working));
        let total = planning + transfer + work;
        let (planning, transfer, work) = (Some(planning), Some(transfer), Some(work));
        Ok((output, Analysis { explanation, total, planning, transfer, work, readback: None }))
    }

    /// The problem with what was seen of such calls, and the machine that it is planned for.
    fn recalled(&self) -> Result<(Problem, &'e Machine)> {
        let mut problem = self.problem()?;
        self.engine.knowledge().restore();
        let machine = self.engine.machine_for(&problem);
        self.engine.tuner().recall(&mut problem, machine);
        Ok((problem, machine))
    }

    fn explanation(&self, problem: &Problem, machine: &Machine) -> Explanation {
        let elsewhere = |n| if n == problem.n { problem.seen } else { self.engine.tuner().seen(problem, n) };
        explain_with(problem, machine, &elsewhere)
    }

    /// Runs, and waits for the result.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], [`Error::Unbounded`], [`Error::TooLarge`], [`Error::ForeignArray`] for bad input;
    /// [`Error::Unsupported`] if the pinned backend cannot run it; [`Error::Timeout`] past the deadline; GPU errors only if the
    /// task was pinned to the GPU, or if data was lost with it: otherwise the CPU takes over.
    ///
    /// # Panics
    /// A panic in a kernel is raised again here; the engine stays usable.
    #[inline]
    pub fn run(mut self) -> Result<P::Output> {
        let mut problem = self.problem()?;
        let decision = self.decide(&mut problem)?;
        let deadline = self.options.deadline.map(Deadline::start);
        #[cfg(feature = "gpu")]
        if decision.choice.backend == Backend::Gpu {
            let forgone = decision.forgone;
            let result = self.start_gpu(decision).and_then(|started| started.wait(deadline));
            return match result {
                Ok(output) => {
                    self.engine.after_call();
                    self.charge(&problem, forgone, &output)?;
                    Ok(output)
                }
                Err(error) if self.may_fall_back(&error) => self.fall_back(problem, error, deadline),
                result => result,
            };
        }
        self.run_cpu(&problem, decision, deadline)
    }

    pub(crate) fn problem(&self) -> Result<Problem> {
        let mut survey = Survey::new(self.engine);
        self.primitive.data(&mut survey)?;
        let mut problem = self.primitive.problem(&mut survey)?;
        problem.upload_bytes = survey.upload;
        problem.download_bytes = survey.download;
        problem.forgone = survey.forgone;
        problem.pinned = self.options.backend.or(self.engine.backend());
        problem.unordered = self.options.unordered;
        problem.max_workers = self.engine.workers();
        problem.allocates &= !self.engine.reserve().keeps(problem.result_bytes());
        Ok(problem)
    }

    #[inline]
    fn decide(&self, problem: &mut Problem) -> Result<Decision> {
        let decision = match self.options.plan {
            Some(choice) => {
                let choice = choice.check().map_err(|bad| Error::Config { message: format!("plan: {bad}") })?;
                Decision { choice, why: Why::Planned, ticket: None, forgone: 0.0 }
            }
            None => self.engine.decide(problem)?,
        };
        #[cfg(feature = "tracing")]
        tracing::debug!(
            target: "granule",
            operation = %problem.operation,
            n = problem.n,
            backend = %decision.choice.backend,
            workers = decision.choice.workers,
            grain = decision.choice.grain,
            why = %decision.why,
            "decision"
        );
        Ok(decision)
    }

    /// Describes the call and decides, and does no more: what a decision takes can be measured with it.
    #[doc(hidden)]
    pub fn decide_only(&self) -> Result<Choice> {
        let mut problem = self.problem()?;
        self.decide(&mut problem).map(|decision| decision.choice)
    }

    #[inline]
    fn run_cpu(&mut self, problem: &Problem, decision: Decision, deadline: Option<Deadline>) -> Result<P::Output> {
        if problem.download_bytes > 0 {
            self.primitive.data(&mut ToHost)?;
        }
        // What is on the host has been counted.
        let n = if problem.bounded { self.problem()?.n } else { problem.n };
        let Decision { choice, ticket, forgone, .. } = decision;
        let cpu = self.engine.cpu(&choice, deadline, problem.unordered);
        let output = self.primitive.run_cpu(self.engine, &cpu, n)?;
        if let Some(ticket) = ticket {
            self.engine.tuner().done(ticket);
            self.engine.after_call();
        }
        self.charge(problem, forgone, &output)?;
        Ok(output)
    }

    /// The arrays remember what the call lost because they did not move.
    #[inline]
    fn charge(&self, problem: &Problem, forgone: f64, output: &P::Output) -> Result<()> {
        if forgone > 0.0 {
            self.primitive.data(&mut Forgo(forgone))?;
            self.primitive.inherit(output, problem.forgone + forgone);
        }
        Ok(())
    }

    /// Records the work on the GPU.
    #[cfg(feature = "gpu")]
    fn start_gpu(&mut self, decision: Decision) -> Result<crate::backend::gpu::Started<'_, P::Output>> {
        let gpu = self.engine.gpu()?;
        let compiled = gpu.compilations();
        let started = self.primitive.start_gpu(crate::backend::gpu::Recording {
            engine: self.engine,
            gpu: &gpu,
            grain: decision.choice.grain,
        })?;
        if let Some(ticket) = decision.ticket {
            self.engine.tuner().recorded(ticket, gpu.compilations() > compiled);
        }
        Ok(started)
    }

    #[cfg(feature = "gpu")]
    fn may_fall_back(&self, error: &Error) -> bool {
        self.options.backend.or(self.engine.backend()).is_none()
            && matches!(
                error,
                Error::DeviceLost { .. }
                    | Error::OutOfMemory { .. }
                    | Error::Gpu { .. }
                    | Error::Kernel { .. }
                    | Error::Unsupported { .. }
                    | Error::TooLarge { .. }
            )
    }

    /// The GPU failed: the input is intact, so the CPU takes the call, and the reason is kept.
    #[cfg(feature = "gpu")]
    fn fall_back(&mut self, mut problem: Problem, error: Error, deadline: Option<Deadline>) -> Result<P::Output> {
        self.engine.note_fallback(error);
        problem.gpu.refused = Some("it failed in this call");
        let machine = self.engine.machine();
        let choice = crate::plan::choose(&problem, machine).map_err(|why| unsupported(&problem, machine, why))?;
        self.run_cpu(&problem, Decision { choice, why: Why::Least, ticket: None, forgone: 0.0 }, deadline)
    }
}

/// What `.await` on a [`Task`] waits for.
pub struct TaskFuture<'e, O>(Pin<Box<dyn Future<Output = Result<O>> + 'e>>);

impl<O> Future for TaskFuture<'_, O> {
    type Output = Result<O>;
    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<'e, P: Primitive + 'e> IntoFuture for Task<'e, P> {
    type Output = Result<P::Output>;
    type IntoFuture = TaskFuture<'e, P::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        TaskFuture(Box::pin(async move {
            let mut problem = self.problem()?;
            let decision = self.decide(&mut problem)?;
            let deadline = self.options.deadline.map(Deadline::start);
            #[cfg(feature = "gpu")]
            if decision.choice.backend == Backend::Gpu {
                let tuner = self.engine.tuner();
                let result = match self.start_gpu(decision) {
                    Ok(started) => started.finish(deadline).await,
                    Err(error) => Err(error),
                };
                // Other tasks ran in the meantime: the clock says nothing of the GPU.
                tuner.forget_pending();
                return match result {
                    Err(error) if self.may_fall_back(&error) => self.fall_back(problem, error, deadline),
                    result => result,
                };
            }
            self.run_cpu(&problem, decision, deadline)
        }))
    }
}

/// Where the data of a task is: what would have to move.
pub struct Survey<'e> {
    engine: &'e Engine,
    /// Bytes that the GPU does not have.
    upload: u64,
    /// Bytes that only the GPU has.
    download: u64,
    /// Seconds that earlier calls lost because what would have to move stayed where it was.
    forgone: f64,
}

impl<'e> Survey<'e> {
    #[inline(always)]
    fn new(engine: &'e Engine) -> Self {
        Survey { engine, upload: 0, download: 0, forgone: 0.0 }
    }

    /// The engine that the task is of.
    pub(crate) fn engine(&self) -> &'e Engine {
        self.engine
    }
}

impl DataVisitor for Survey<'_> {
    #[inline(always)]
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()> {
        match data {
            Data::Slice(s) => self.upload += size_of_val(s) as u64,
            Data::Array(a) => {
                if !a.engine().is(self.engine) {
                    return Err(Error::ForeignArray);
                }
                let bytes = (a.bound() * size_of::<T>()) as u64;
                match (a.on_host(), a.on_device()) {
                    (_, false) => self.upload += bytes,
                    (false, true) => self.download += bytes,
                    (true, true) => return Ok(()),
                }
                self.forgone += a.forgone();
            }
        }
        Ok(())
    }
}

/// Charges the arrays of a call with the seconds that it lost because they did not move.
struct Forgo(f64);

impl DataVisitor for Forgo {
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()> {
        if let Data::Array(a) = data {
            a.forgo(self.0);
        }
        Ok(())
    }
}

/// Brings every array to the GPU, and notes whether there is data that is no array.
#[cfg(feature = "gpu")]
struct ToGpu<'g> {
    gpu: &'g std::sync::Arc<crate::backend::gpu::Gpu>,
    slices: bool,
}

#[cfg(feature = "gpu")]
impl DataVisitor for ToGpu<'_> {
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()> {
        match data {
            Data::Slice(_) => self.slices = true,
            Data::Array(a) => _ = a.device(self.gpu)?,
        }
        Ok(())
    }
}

/// Brings every array to the host.
struct ToHost;

impl DataVisitor for ToHost {
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()> {
        match data {
            Data::Slice(_) => Ok(()),
            Data::Array(a) => a.as_slice().map(|_| ()),
        }
    }
}
