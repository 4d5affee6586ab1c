//! `Trace`: the lanes that record. Evaluated in them, a kernel or a source writes down what it does, as the IR of [`super::ir`].
//!
//! Masks are a matter of SIMD: a trace stands inside the branch that it records, so it stores where a SIMD level stores under a
//! mask, and the masks it hands out are dummies. Each hook of [`Lanes`](crate::kernel::Lanes) opens or closes a block, and
//! `Lanes::any` answers `true`, so each block is recorded once.
//!
//! A trace costs a few microseconds, once a call, so nothing here is forced inline.

mod lanes;
mod prune;

use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;

use crate::element::{Element, Integer, Kind, LeafBuild, LeafMap, Offset, Scalar, Value};
use crate::kernel::cost::Cost;
use crate::kernel::ir::{Affine, Binary, Binding, Block, Id, Needs, Op, Step, Stmt, Traced, Trips, Unary};
use crate::kernel::{Kernel, Varying, ops};
use crate::operator::Operator;
use crate::source::Source;

use prune::{Live, rank, renumber_bindings, renumber_uniforms, renumber_values};

/// The recording lanes. A copy writes to the same [`Recorder`].
#[derive(Clone, Copy)]
pub struct Trace<'t>(&'t Recorder);

/// A recorded value of the scalar type `S`.
pub struct Ref<S> {
    id: Id,
    kind: PhantomData<S>,
}

impl<S> Clone for Ref<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Ref<S> {}

/// Data that is read: which binding, and which word of its elements.
pub struct TraceSlice<T> {
    binding: u32,
    word: u32,
    kind: PhantomData<T>,
}

impl<T> Clone for TraceSlice<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for TraceSlice<T> {}

/// An affine map of the grid index, `offset + stride * i`.
#[derive(Clone, Copy)]
pub struct TraceIndex {
    offset: i64,
    stride: i64,
    /// What is added to it, modulo 2^32, where it would lead out of range.
    nudge: Option<Ref<u32>>,
    /// Whether the nudge leads to any element, and not to one near the affine map: then all of the data must be bound.
    whole: bool,
}

/// The counter of a `for`.
pub struct TraceRange<'t, T: Integer> {
    counter: Varying<Trace<'t>, T>,
    to: Varying<Trace<'t>, T>,
    /// For an inclusive range: whether there is another, since the counter may wrap.
    more: Option<Varying<Trace<'t>, bool>>,
    trips: Trips,
    open: bool,
}

/// Why the block that is being recorded was opened.
enum Opened {
    Body,
    Then(Id),
    /// The condition, the first branch, and whether this one is rare.
    Else(Id, Block, bool),
    Loop(Trips),
}

struct Frame {
    opened: Opened,
    stmts: Block,
    /// The values defined here, so that each is computed once.
    known: HashMap<(Op, Kind), Id>,
}

impl Frame {
    fn new(opened: Opened) -> Frame {
        Frame { opened, stmts: Block::new(), known: HashMap::new() }
    }

    /// The block, up to the statement that leaves it.
    fn block(mut self) -> Block {
        if let Some(end) = self.stmts.iter().position(|s| matches!(s, Stmt::Break | Stmt::Continue)) {
            self.stmts.truncate(end + 1);
        }
        self.stmts
    }
}

struct Inner {
    ops: Vec<Op>,
    kinds: Vec<Kind>,
    vars: Vec<Kind>,
    frames: Vec<Frame>,
    /// The `returned` flags of the scopes that are open.
    scopes: Vec<Id>,
    bindings: Vec<Binding>,
    affines: Vec<Affine>,
    uniforms: Vec<u32>,
    refusal: Option<String>,
}

impl Inner {
    fn push(&mut self, op: Op, kind: Kind) -> Id {
        self.ops.push(op);
        self.kinds.push(kind);
        (self.ops.len() - 1) as Id
    }

    /// A value that needs no place in a block: a constant, a uniform, a parameter, the grid index.
    fn leaf(&mut self, op: Op, kind: Kind) -> Id {
        if let Some(&id) = self.frames[0].known.get(&(op, kind)) {
            return id;
        }
        let id = self.push(op, kind);
        self.frames[0].known.insert((op, kind), id);
        id
    }

    /// What index arithmetic gives without computing: of two constants, and where 0 is added to, or 0 or 1 multiplied with, a number.
    fn fold(&mut self, f: Binary, a: Id, b: Id, kind: Kind) -> Option<Id> {
        if !matches!(kind, Kind::I32 | Kind::U32) {
            return None;
        }
        let constant = |id: Id| if let Op::Const(bits) = self.ops[id as usize] { Some(bits as u32) } else { None };
        let bits = match (f, constant(a), constant(b)) {
            (Binary::Add, Some(a), Some(b)) => a.wrapping_add(b),
            (Binary::Sub, Some(a), Some(b)) => a.wrapping_sub(b),
            (Binary::Mul, Some(a), Some(b)) => a.wrapping_mul(b),
            (Binary::Min, Some(a), Some(b)) if kind == Kind::I32 => (a as i32).min(b as i32) as u32,
            (Binary::Max, Some(a), Some(b)) if kind == Kind::I32 => (a as i32).max(b as i32) as u32,
            (Binary::Add, Some(0), None) | (Binary::Mul, Some(1), None) => return Some(b),
            (Binary::Add, None, Some(0)) | (Binary::Mul, None, Some(1)) => return Some(a),
            (Binary::Mul, Some(0), None) | (Binary::Mul, None, Some(0)) => 0,
            _ => return None,
        };
        Some(self.leaf(Op::Const(bits.into()), kind))
    }

    /// A value computed from others, here or in an enclosing block before.
    fn pure(&mut self, op: Op, kind: Kind) -> Id {
        if let Some(&id) = self.frames.iter().rev().find_map(|f| f.known.get(&(op, kind))) {
            return id;
        }
        let id = self.push(op, kind);
        let frame = self.frames.last_mut().expect("the body is open");
        frame.known.insert((op, kind), id);
        frame.stmts.push(Stmt::Let(id));
        id
    }

    fn stmt(&mut self, s: Stmt) {
        self.frames.last_mut().expect("the body is open").stmts.push(s);
    }

    /// The value of an operand: a variable is read.
    fn read(&mut self, id: Id) -> Id {
        let Op::Var(var) = self.ops[id as usize] else { return id };
        let key = (Op::Load(var), self.kinds[id as usize]);
        // Read once between two stores: an entry lives until the next store, or the next block, which may store.
        if let Some(&id) = self.frames.last().and_then(|f| f.known.get(&key)) {
            return id;
        }
        let id = self.push(key.0, key.1);
        self.stmt(Stmt::Let(id));
        self.frames.last_mut().expect("the body is open").known.insert(key, id);
        id
    }

    fn forget(&mut self, var: u32) {
        let kind = self.vars[var as usize];
        self.frames.last_mut().expect("the body is open").known.remove(&(Op::Load(var), kind));
    }

    fn var(&mut self, value: Id) -> Id {
        let value = self.read(value);
        let kind = self.kinds[value as usize];
        self.vars.push(kind);
        let var = (self.vars.len() - 1) as u32;
        self.stmt(Stmt::Store { var, value });
        self.push(Op::Var(var), kind)
    }

    fn store(&mut self, place: Id, value: Id) -> bool {
        let Op::Var(var) = self.ops[place as usize] else { return false };
        let value = self.read(value);
        self.stmt(Stmt::Store { var, value });
        self.forget(var);
        true
    }

    fn words(&mut self, wide: bool) -> u32 {
        let word = self.uniforms.len() as u32;
        self.uniforms.resize(self.uniforms.len() + 1 + wide as usize, 0);
        word
    }

    fn uniform(&mut self, bits: u64, kind: Kind) -> Id {
        let wide = kind.words() == 2;
        let word = self.words(wide);
        self.uniforms[word as usize] = bits as u32;
        if wide {
            self.uniforms[word as usize + 1] = (bits >> 32) as u32;
        }
        self.leaf(Op::Uniform(word), kind)
    }

    fn grid(&mut self, binding: Option<u32>, i: TraceIndex, wide: bool) -> Id {
        let slot = self.affine(binding, i, wide);
        self.leaf(Op::Grid(slot), if wide { Kind::U64 } else { Kind::U32 })
    }

    /// The number of the affine map.
    fn affine(&mut self, binding: Option<u32>, i: TraceIndex, wide: bool) -> u32 {
        let same = |a: &Affine| (a.binding, a.offset, a.stride, a.wide) == (binding, i.offset, i.stride, wide);
        let slot = self.affines.iter().position(same).unwrap_or_else(|| {
            let word = self.words(wide);
            let step = match i.stride {
                1 => Step::Up,
                -1 => Step::Down,
                _ => Step::Word(self.words(wide)),
            };
            self.affines.push(Affine { binding, offset: i.offset, stride: i.stride, word, step, wide });
            self.affines.len() - 1
        });
        slot as u32
    }

    /// The upper half of the 64-bit index.
    fn grid_high(&mut self, i: TraceIndex) -> Id {
        let slot = self.affine(None, i, true);
        self.leaf(Op::GridHigh(slot), Kind::U32)
    }

    fn open(&mut self, opened: Opened) {
        self.frames.push(Frame::new(opened));
    }

    fn close(&mut self) -> (Opened, Block) {
        let mut frame = self.frames.pop().expect("every hook that closes a block follows one that opened it");
        let opened = std::mem::replace(&mut frame.opened, Opened::Body);
        let around = self.frames.last_mut().expect("the body stays open");
        around.known.retain(|(op, _), _| !matches!(op, Op::Load(_)));
        (opened, frame.block())
    }

    fn close_loop(&mut self) {
        let (opened, body) = self.close();
        let Opened::Loop(trips) = opened else { panic!("a loop is closed in the block in which it was opened") };
        self.stmt(Stmt::Loop { body, trips });
    }

    /// Leaves the innermost loop if `c` holds.
    fn break_if(&mut self, c: Id) {
        self.stmt(Stmt::If { cond: c, then: vec![Stmt::Break], other: Block::new(), rare: false });
    }

    fn refuse(&mut self, reason: impl FnOnce() -> String) {
        self.refusal.get_or_insert_with(reason);
    }
}

/// WebGPU promises uniform buffers of 16 KiB in vertex stages and 64 KiB elsewhere.
const MAX_UNIFORM_WORDS: usize = 16 * 1024;

/// Where a trace is written down.
pub struct Recorder(RefCell<Inner>);

impl Default for Recorder {
    fn default() -> Self {
        Recorder(RefCell::new(Inner {
            ops: Vec::new(),
            kinds: Vec::new(),
            vars: Vec::new(),
            frames: vec![Frame::new(Opened::Body)],
            scopes: Vec::new(),
            bindings: Vec::new(),
            affines: Vec::new(),
            uniforms: Vec::new(),
            refusal: None,
        }))
    }
}

impl Recorder {
    /// The lanes that write to this recorder.
    pub fn trace(&self) -> Trace<'_> {
        Trace(self)
    }

    /// Ends the recording.
    fn finish(self, params: Vec<Kind>, mut results: Vec<(Kind, Id)>, mut identity: Vec<(Kind, Id)>) -> Traced {
        let mut inner = self.0.into_inner();
        assert_eq!(inner.frames.len(), 1, "every block that was opened is closed");
        let mut body = inner.frames.pop().expect("the body is open").block();
        let live = Live::of(&inner, &results, &identity, &body);
        live.prune(&mut body);

        let mut needs = Needs::default();
        for (&kind, _) in inner.kinds.iter().zip(&live.values).filter(|(_, live)| **live) {
            match kind {
                Kind::F64 => needs.float64 = true,
                Kind::I64 | Kind::U64 => needs.int64 = true,
                _ => {}
            }
        }
        // A 64-bit scalar that is put together from two words passes through a 64-bit integer.
        let composed = |op: &Op| match *op {
            Op::Uniform(_) => true,
            Op::Read { binding, .. } => inner.bindings[binding as usize].scalar.is_none(),
            _ => false,
        };
        let wide = |i: usize| live.values[i] && inner.kinds[i].words() == 2 && composed(&inner.ops[i]);
        needs.int64 |= (0..inner.ops.len()).any(wide);

        renumber_bindings(&mut inner, &live);
        renumber_uniforms(&mut inner, &live);
        if let Some(n) = inner.bindings.iter().filter(|b| b.random).map(|b| b.len).find(|&n| n > u32::MAX as usize) {
            inner.refuse(|| format!("{n} elements are more than a 32-bit index reaches: run this on the CPU"));
        }
        if inner.uniforms.len() > MAX_UNIFORM_WORDS {
            let n = inner.uniforms.len();
            inner.refuse(|| format!("{n} words of uniforms are more than {MAX_UNIFORM_WORDS}: pass them as a slice instead"));
        }
        renumber_values(&mut inner, &live, &mut body);
        for (_, id) in results.iter_mut().chain(&mut identity) {
            *id = rank(&live.values, *id);
        }
        let mut traced = Traced {
            params,
            results,
            identity,
            ops: inner.ops,
            kinds: inner.kinds,
            vars: inner.vars,
            body,
            bindings: inner.bindings,
            affines: inner.affines,
            uniforms: inner.uniforms,
            needs,
            refusal: inner.refusal,
            cost: Cost::default(),
        };
        traced.cost = Cost::of(&traced);
        traced
    }
}

/// Collects the recorded leaves of a value.
struct Leaves<'t>(Trace<'t>, Vec<(Kind, Id)>);

impl<'t> LeafMap<Trace<'t>, Trace<'t>> for Leaves<'t> {
    fn leaf<S: Scalar>(&mut self, x: S::In<Trace<'t>>) -> S::In<Trace<'t>> {
        let id = self.0.with(|r| r.read(S::from_trace(x).id));
        self.1.push((S::KIND, id));
        x
    }
}

fn leaves<'t, T: Value>(l: Trace<'t>, x: T::In<Trace<'t>>) -> Vec<(Kind, Id)> {
    let mut leaves = Leaves(l, Vec::new());
    T::map(&mut leaves, x);
    leaves.1
}

/// Makes a parameter, leaf by leaf.
struct Params<'t>(Trace<'t>, Vec<Kind>);

impl<'t> LeafBuild<Trace<'t>> for Params<'t> {
    fn leaf<S: Scalar>(&mut self, _: Offset) -> S::In<Trace<'t>> {
        let id = self.0.with(|r| r.leaf(Op::Param(self.1.len() as u32), S::KIND));
        self.1.push(S::KIND);
        S::to_trace(Ref::new(id))
    }
}

/// Traces a source: the function from the grid index to the element.
pub fn trace_source<S: Source>(source: &S) -> Traced {
    let recorder = Recorder::default();
    let l = recorder.trace();
    let item = S::load(l, source.bind(l), TraceIndex { offset: 0, stride: 1, nudge: None, whole: false });
    let results = leaves::<S::Item>(l, item.0);
    recorder.finish(Vec::new(), results, Vec::new())
}

/// Traces an operator: the function from two elements to one.
pub fn trace_operator<T: Element, O: Operator<T>>(operator: &O) -> Traced {
    let recorder = Recorder::default();
    let l = recorder.trace();
    let mut params = Params(l, Vec::new());
    let a = T::build(&mut params, Offset::START);
    let b = T::build(&mut params, Offset::START);
    let params = params.1;
    let results = leaves::<T>(l, operator.combine(l, Varying(a), Varying(b)).0);
    let identity = leaves::<T>(l, ops::uniform(l, operator.identity()).0.0);
    recorder.finish(params, results, identity)
}

/// Traces a comparison: the function from two elements to whether the first comes before the second.
pub fn trace_comparison<T: Element, K: Kernel<(T, T), Out = bool>>(comparison: &K) -> Traced {
    let recorder = Recorder::default();
    let l = recorder.trace();
    let mut params = Params(l, Vec::new());
    let a = T::build(&mut params, Offset::START);
    let b = T::build(&mut params, Offset::START);
    let params = params.1;
    let results = leaves::<bool>(l, comparison.eval(l, Varying((Varying(a), Varying(b)))).0);
    recorder.finish(params, results, Vec::new())
}

impl<S> Ref<S> {
    fn new(id: Id) -> Self {
        Ref { id, kind: PhantomData }
    }
}

impl<'t> Trace<'t> {
    fn with<R>(self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.0.0.borrow_mut())
    }

    /// The 64-bit forms of an index know no neighbours.
    fn no_nudge(self, i: TraceIndex) {
        if i.nudge.is_some() {
            self.with(|r| {
                r.refuse(|| "a source that is read beside its index has no 64-bit index on a GPU: run on the CPU".into())
            });
        }
    }

    /// The index so many elements on, wherever that is.
    fn nudged(self, i: TraceIndex, by: Ref<u32>) -> TraceIndex {
        let nudge = i.nudge.map_or(by, |before| self.binary(Binary::Add, before, by));
        TraceIndex { nudge: Some(nudge), whole: true, ..i }
    }

    fn second_branch(self, rare: bool) -> Ref<bool> {
        self.with(|r| {
            let (opened, then) = r.close();
            let Opened::Then(c) = opened else { panic!("`if_else` follows `if_then`") };
            r.open(Opened::Else(c, then, rare));
        });
        self.boolean(true)
    }

    fn unary<A: Scalar, B: Scalar>(self, f: Unary, a: Ref<A>) -> Ref<B> {
        let float = !matches!(f, Unary::Cast | Unary::Bits | Unary::Neg | Unary::Abs);
        let exact = matches!(f, Unary::Sqrt | Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::Round | Unary::IsNan);
        self.with(|r| {
            if A::KIND == Kind::F64 && float && !exact {
                r.refuse(|| format!("WGSL has no {f:?} of f64: use f32, or run this on the CPU"));
            }
            let a = r.read(a.id);
            if let (Unary::Not, Op::Unary(Unary::Not, x)) = (f, r.ops[a as usize]) {
                return Ref::new(x);
            }
            if let (Unary::Cast, Kind::I32 | Kind::U32, Op::Const(bits), Kind::I32 | Kind::U32) =
                (f, A::KIND, r.ops[a as usize], B::KIND)
            {
                return Ref::new(r.leaf(Op::Const(bits), B::KIND));
            }
            Ref::new(r.pure(Op::Unary(f, a), B::KIND))
        })
    }

    fn binary<A: Scalar, B: Scalar, C: Scalar>(self, f: Binary, a: Ref<A>, b: Ref<B>) -> Ref<C> {
        self.with(|r| {
            if A::KIND == Kind::F64 && matches!(f, Binary::Rem | Binary::Atan2 | Binary::Pow) {
                r.refuse(|| format!("WGSL has no {f:?} of f64: use f32, or run this on the CPU"));
            }
            let a = r.read(a.id);
            // Two reads of one variable are one value here: nothing is stored between them.
            let b = r.read(b.id);
            if let Some(known) = r.fold(f, a, b, C::KIND) {
                return Ref::new(known);
            }
            Ref::new(r.pure(Op::Binary(f, a, b), C::KIND))
        })
    }

    fn boolean(self, x: bool) -> Ref<bool> {
        Ref::new(self.with(|r| r.leaf(Op::Const(x as u64), Kind::Bool)))
    }

    fn gather<S: Scalar>(self, s: TraceSlice<S>, i: Ref<u32>) -> Ref<S> {
        self.with(|r| {
            let index = r.read(i.id);
            let at = r.pure(Op::Clamp { binding: s.binding, index }, Kind::U32);
            Ref::new(r.pure(Op::Read { binding: s.binding, at, word: s.word, guarded: true }, S::KIND))
        })
    }
}
