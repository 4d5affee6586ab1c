//! `Trace`: the lanes that record. Evaluated in them, a kernel or a source writes down what it does, as the IR of [`super::ir`].
//!
//! Masks are a matter of SIMD: a trace stands inside the branch that it records, so it stores where a SIMD level stores under a
//! mask, and the masks it hands out are dummies. Each hook of [`Lanes`] opens or closes a block; [`Lanes::any`] answers `true`, so
//! each block is recorded once.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;

use crate::array::Data;
use crate::element::{Element, Integer, Kind, LeafBuild, LeafMap, Offset, Scalar, Value};
use crate::kernel::cost::Cost;
use crate::kernel::ir::{Affine, Binary, Binding, Block, Id, Needs, Op, Step, Stmt, Traced, Trips, Unary};
use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane, Varying, ops};
use crate::operator::Operator;
use crate::source::Source;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIndex {
    offset: i64,
    stride: i64,
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
    Else(Id, Block),
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
        self.leaf(Op::Grid(slot as u32), if wide { Kind::U64 } else { Kind::U32 })
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

    /// Leaves the innermost loop if `c` holds.
    fn break_if(&mut self, c: Id) {
        self.stmt(Stmt::If { cond: c, then: vec![Stmt::Break], other: Block::new() });
    }

    fn refuse(&mut self, reason: impl FnOnce() -> String) {
        self.refusal.get_or_insert_with(reason);
    }
}

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
    fn finish(self, params: Vec<Kind>, results: Vec<(Kind, Id)>, identity: Vec<(Kind, Id)>) -> Traced {
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

/// Keeps the bindings that live values read, and notes how.
fn renumber_bindings(inner: &mut Inner, live: &Live) {
    let mut used = vec![None; inner.bindings.len()];
    let mut kept = Vec::new();
    for i in 0..inner.ops.len() {
        let op = inner.ops[i];
        let (Op::Read { binding, .. } | Op::Clamp { binding, .. }) = op else { continue };
        let new = if live.values[i] {
            *used[binding as usize].get_or_insert_with(|| {
                kept.push(inner.bindings[binding as usize]);
                kept.len() as u32 - 1
            })
        } else {
            0
        };
        if live.values[i] {
            match op {
                Op::Read { guarded: false, .. } => kept[new as usize].direct = true,
                _ => kept[new as usize].random = true,
            }
        }
        inner.ops[i] = match op {
            Op::Read { at, word, guarded, .. } => Op::Read { binding: new, at, word, guarded },
            Op::Clamp { index, .. } => Op::Clamp { binding: new, index },
            other => other,
        };
    }
    inner.bindings = kept;
    for a in &mut inner.affines {
        a.binding = a.binding.and_then(|b| used[b as usize]);
    }
}

/// Which values, and stores to which variables, the results depend on.
struct Live {
    values: Vec<bool>,
    vars: Vec<bool>,
}

impl Live {
    fn of(inner: &Inner, results: &[(Kind, Id)], identity: &[(Kind, Id)], body: &Block) -> Live {
        let mut live = Live { values: vec![false; inner.ops.len()], vars: vec![false; inner.vars.len()] };
        for &(_, id) in results.iter().chain(identity) {
            live.mark(inner, id);
        }
        while live.visit(inner, body) {}
        live
    }

    fn mark(&mut self, inner: &Inner, id: Id) -> bool {
        let mut new = false;
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if !std::mem::replace(&mut self.values[id as usize], true) {
                new = true;
                let op = inner.ops[id as usize];
                if let Op::Load(var) = op {
                    self.vars[var as usize] = true;
                }
                todo.extend(op.operands());
            }
        }
        new
    }

    /// Whether the block does something that outlives it: stores to a live variable, or leaves.
    fn acts(&self, block: &Block) -> bool {
        block.iter().any(|s| match s {
            Stmt::Let(_) => false,
            Stmt::Store { var, .. } => self.vars[*var as usize],
            Stmt::If { then, other, .. } => self.acts(then) || self.acts(other),
            Stmt::Loop { body, .. } => self.stores(body),
            Stmt::Break | Stmt::Continue => true,
        })
    }

    fn stores(&self, block: &Block) -> bool {
        block.iter().any(|s| match s {
            Stmt::Store { var, .. } => self.vars[*var as usize],
            Stmt::If { then, other, .. } => self.stores(then) || self.stores(other),
            Stmt::Loop { body, .. } => self.stores(body),
            _ => false,
        })
    }

    /// Marks what the block's live statements use; whether anything was new.
    fn visit(&mut self, inner: &Inner, block: &Block) -> bool {
        let mut new = false;
        for s in block {
            match s {
                Stmt::Store { var, value } if self.vars[*var as usize] => new |= self.mark(inner, *value),
                Stmt::If { cond, then, other } if self.acts(then) || self.acts(other) => {
                    new |= self.mark(inner, *cond) | self.visit(inner, then) | self.visit(inner, other);
                }
                Stmt::Loop { body, trips } if self.stores(body) => {
                    if let Trips::Range { from, to, .. } = trips {
                        new |= self.mark(inner, *from) | self.mark(inner, *to);
                    }
                    new |= self.visit(inner, body);
                }
                _ => {}
            }
        }
        new
    }

    fn prune(&self, block: &mut Block) {
        block.retain_mut(|s| match s {
            Stmt::Let(id) => self.values[*id as usize],
            Stmt::Store { var, .. } => self.vars[*var as usize],
            Stmt::If { then, other, .. } => {
                let acts = self.acts(then) || self.acts(other);
                self.prune(then);
                self.prune(other);
                acts
            }
            Stmt::Loop { body, .. } => {
                let stores = self.stores(body);
                self.prune(body);
                stores
            }
            Stmt::Break | Stmt::Continue => true,
        });
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
    let item = S::load(l, source.bind(l), TraceIndex { offset: 0, stride: 1 });
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

impl<S> Ref<S> {
    fn new(id: Id) -> Self {
        Ref { id, kind: PhantomData }
    }
}

impl<'t> Trace<'t> {
    fn with<R>(self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.0.0.borrow_mut())
    }

    fn unary<A: Scalar, B: Scalar>(self, f: Unary, a: Ref<A>) -> Ref<B> {
        let float = !matches!(f, Unary::Cast | Unary::Bits | Unary::Neg | Unary::Abs);
        let exact = matches!(f, Unary::Sqrt | Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::Round | Unary::IsNan);
        self.with(|r| {
            if A::KIND == Kind::F64 && float && !exact {
                r.refuse(|| format!("WGSL has no {f:?} of f64: use f32, or run this on the CPU"));
            }
            let a = r.read(a.id);
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

impl<'t> Lanes for Trace<'t> {
    type Uniform = Self;
    type Mask = Ref<bool>;
    type F32 = Ref<f32>;
    type F64 = Ref<f64>;
    type I32 = Ref<i32>;
    type U32 = Ref<u32>;
    type I64 = Ref<i64>;
    type U64 = Ref<u64>;
    type Slice<'a, T: Element> = TraceSlice<T>;
    type Index = TraceIndex;
    type Loop = bool;
    type Range<T: Integer> = TraceRange<'t, T>;

    fn uniform_level(self) -> Self {
        self
    }

    fn slice<T: Element>(self, data: Data<'_, T>) -> TraceSlice<T> {
        let (key, ty) = (data.key(), TypeId::of::<T>());
        self.with(|r| {
            let known = r.bindings.iter().position(|b| b.key == key && b.ty == ty);
            let binding = known.unwrap_or_else(|| {
                let mut leaves = Vec::new();
                T::leaves(Offset::START, &mut leaves);
                let scalar = if let [(kind, _)] = leaves[..] { Some(kind) } else { None };
                let len_word = r.words(false);
                r.uniforms[len_word as usize] = data.len().min(u32::MAX as usize) as u32;
                r.bindings.push(Binding {
                    key,
                    ty,
                    len: data.len(),
                    words: T::WORDS as u32,
                    scalar,
                    direct: false,
                    random: false,
                    len_word,
                });
                r.bindings.len() - 1
            });
            TraceSlice { binding: binding as u32, word: 0, kind: PhantomData }
        })
    }
    fn slice_len<T: Element>(self, s: TraceSlice<T>) -> Ref<u32> {
        Ref::new(self.with(|r| {
            let word = r.bindings[s.binding as usize].len_word;
            r.leaf(Op::Uniform(word), Kind::U32)
        }))
    }
    fn field<'a, T: Element, F: Element>(self, s: Self::Slice<'a, T>, at: Offset) -> Self::Slice<'a, F> {
        TraceSlice { binding: s.binding, word: s.word + at.words as u32, kind: PhantomData }
    }
    fn uniform<S: Scalar>(self, x: S) -> S::In<Self> {
        S::to_trace(Ref::new(self.with(|r| r.uniform(x.bits(), S::KIND))))
    }
    fn gather_uniform<S: Scalar>(self, s: TraceSlice<S>, i: Ref<u32>) -> S::In<Self> {
        S::to_trace(self.gather(s, i))
    }

    fn index_shift(self, i: TraceIndex, by: usize) -> TraceIndex {
        TraceIndex { offset: i.offset.wrapping_add(by as i64), ..i }
    }
    fn index_flip(self, i: TraceIndex, last: usize) -> TraceIndex {
        TraceIndex { offset: (last as i64).wrapping_sub(i.offset), stride: i.stride.wrapping_neg() }
    }
    fn index_scale(self, i: TraceIndex, by: usize) -> TraceIndex {
        TraceIndex { offset: i.offset.wrapping_mul(by as i64), stride: i.stride.wrapping_mul(by as i64) }
    }
    fn index_u32(self, i: TraceIndex) -> Ref<u32> {
        Ref::new(self.with(|r| r.grid(None, i, false)))
    }
    fn index_u64(self, i: TraceIndex) -> Ref<u64> {
        Ref::new(self.with(|r| r.grid(None, i, true)))
    }

    fn f32_bits(self, x: Ref<f32>) -> Ref<u32> {
        self.unary(Unary::Bits, x)
    }
    fn f32_from_bits(self, x: Ref<u32>) -> Ref<f32> {
        self.unary(Unary::Bits, x)
    }
    fn f64_bits(self, x: Ref<f64>) -> Ref<u64> {
        self.unary(Unary::Bits, x)
    }
    fn f64_from_bits(self, x: Ref<u64>) -> Ref<f64> {
        self.unary(Unary::Bits, x)
    }

    fn mask_all(self) -> Ref<bool> {
        self.boolean(true)
    }
    fn mask_none(self) -> Ref<bool> {
        self.boolean(false)
    }
    fn any(self, _: Ref<bool>) -> bool {
        true
    }

    fn if_then(self, _: Ref<bool>, c: Ref<bool>) -> Ref<bool> {
        self.with(|r| {
            let c = r.read(c.id);
            r.open(Opened::Then(c));
        });
        self.mask_all()
    }
    fn if_else(self, _: Ref<bool>, _: Ref<bool>) -> Ref<bool> {
        self.with(|r| {
            let (opened, then) = r.close();
            let Opened::Then(c) = opened else { panic!("`if_else` follows `if_then`") };
            r.open(Opened::Else(c, then));
        });
        self.mask_all()
    }
    fn if_end(self, _: Ref<bool>, _: Ref<bool>) -> Ref<bool> {
        self.with(|r| {
            let (opened, other) = r.close();
            let Opened::Else(cond, then) = opened else { panic!("`if_end` follows `if_else`") };
            r.stmt(Stmt::If { cond, then, other });
        });
        self.mask_all()
    }

    fn loop_begin(self) -> bool {
        false
    }
    fn loop_next(self, open: &mut bool, _: Ref<bool>) -> bool {
        self.with(|r| {
            if *open {
                r.close_loop();
            } else {
                r.open(Opened::Loop(Trips::Unknown));
            }
        });
        *open = !*open;
        *open
    }
    fn loop_while(self, _: Ref<bool>, c: Ref<bool>) -> Ref<bool> {
        let leave = MaskLane::not(c, self);
        self.with(|r| r.break_if(leave.id));
        self.mask_all()
    }
    fn loop_break(self) -> Ref<bool> {
        self.with(|r| r.stmt(Stmt::Break));
        self.mask_none()
    }
    fn loop_continue(self) -> Ref<bool> {
        self.with(|r| r.stmt(Stmt::Continue));
        self.mask_none()
    }

    fn range<T: Integer>(self, from: T::In<Self>, to: T::In<Self>, inclusive: bool) -> TraceRange<'t, T> {
        let id = |x| leaves::<T>(self, x)[0].1;
        let trips = Trips::Range { from: id(from), to: id(to), inclusive };
        let (from, to) = (Varying::<Self, T>(from), Varying::<Self, T>(to));
        let more = inclusive.then(|| ops::var(self, ops::le(self, from, to)));
        TraceRange { counter: ops::var(self, from), to, more, trips, open: false }
    }
    fn range_next<T: Integer>(self, range: &mut TraceRange<'t, T>, _: Ref<bool>) -> Option<T::In<Self>> {
        if range.open {
            self.with(Inner::close_loop);
            return None;
        }
        range.open = true;
        self.with(|r| r.open(Opened::Loop(range.trips)));
        let i = ops::get(self, range.counter);
        let inside = match range.more {
            Some(more) => ops::get(self, more),
            None => ops::lt(self, i, range.to),
        };
        self.loop_while(inside.0, inside.0);
        // The counter moves before the body runs, so `continue` needs nothing more.
        if let Some(more) = &mut range.more {
            ops::set(self, more, ops::ne(self, i, range.to));
        }
        ops::set(self, &mut range.counter, ops::add(self, i, ops::lit(self, T::ONE)));
        Some(i.0)
    }

    fn scope_begin(self) {
        let no = self.boolean(false);
        self.with(|r| {
            let returned = r.var(no.id);
            r.scopes.push(returned);
            r.open(Opened::Loop(Trips::Once));
        });
    }
    fn scope_return(self) -> Ref<bool> {
        let yes = self.boolean(true);
        self.with(|r| {
            let returned = *r.scopes.last().expect("a `return` stands in a scope");
            r.store(returned, yes.id);
            r.stmt(Stmt::Break);
        });
        self.mask_none()
    }
    fn scope_check(self) {
        self.with(|r| {
            let returned = *r.scopes.last().expect("a `return` stands in a scope");
            let returned = r.read(returned);
            r.break_if(returned);
        });
    }
    fn scope_end(self) {
        self.with(|r| {
            r.scopes.pop();
            r.stmt(Stmt::Break);
            r.close_loop();
        });
    }
}

impl Inner {
    fn close_loop(&mut self) {
        let (opened, body) = self.close();
        let Opened::Loop(trips) = opened else { panic!("a loop is closed in the block in which it was opened") };
        self.stmt(Stmt::Loop { body, trips });
    }
}

/// Whether the bits of a float are kept by a decimal literal in every compiler on the way: not those of NaN, infinity, -0 and
/// subnormal numbers. Those go through the uniforms.
fn printable(kind: Kind, bits: u64) -> bool {
    match kind {
        Kind::F32 => bits == 0 || f32::from_bits(bits as u32).is_normal(),
        Kind::F64 => bits == 0 || f64::from_bits(bits).is_normal(),
        _ => true,
    }
}

macro_rules! lane {
    ($($s:ty),+) => {$(
        impl<'t> Lane<Trace<'t>, $s> for Ref<$s> {
            fn splat(l: Trace<'t>, x: $s) -> Self {
                let (kind, bits) = (<$s as Scalar>::KIND, Scalar::bits(x));
                Ref::new(l.with(|r| if printable(kind, bits) { r.leaf(Op::Const(bits), kind) } else { r.uniform(bits, kind) }))
            }
            fn broadcast(_: Trace<'t>, x: Self) -> Self {
                x
            }
            fn select(self, l: Trace<'t>, m: Ref<bool>, other: Self) -> Self {
                Ref::new(l.with(|r| {
                    let op = Op::Select(r.read(m.id), r.read(self.id), r.read(other.id));
                    r.pure(op, <$s as Scalar>::KIND)
                }))
            }
            fn load(l: Trace<'t>, s: TraceSlice<$s>, i: TraceIndex) -> Self {
                Ref::new(l.with(|r| {
                    let at = r.grid(Some(s.binding), i, false);
                    r.pure(Op::Read { binding: s.binding, at, word: s.word, guarded: false }, <$s as Scalar>::KIND)
                }))
            }
            fn gather(l: Trace<'t>, s: TraceSlice<$s>, i: Ref<u32>) -> Self {
                l.gather(s, i)
            }
            fn var(self, l: Trace<'t>) -> Self {
                Ref::new(l.with(|r| r.var(self.id)))
            }
            fn get(self, l: Trace<'t>) -> Self {
                Ref::new(l.with(|r| r.read(self.id)))
            }
            fn set(&mut self, l: Trace<'t>, value: Self) {
                // A place that is no variable is a temporary of straight-line code: it becomes the value.
                if !l.with(|r| r.store(self.id, value.id)) {
                    *self = value;
                }
            }
            fn set_masked(&mut self, l: Trace<'t>, _: Ref<bool>, value: Self) {
                let stored = l.with(|r| r.store(self.id, value.id));
                assert!(stored, "what is assigned under a mask was made by `ops::var`");
            }
        }
    )+};
}
lane!(bool, f32, f64, i32, u32, i64, u64);

impl<'t> MaskLane<Trace<'t>> for Ref<bool> {
    fn and(self, l: Trace<'t>, o: Self) -> Self {
        l.binary(Binary::And, self, o)
    }
    fn or(self, l: Trace<'t>, o: Self) -> Self {
        l.binary(Binary::Or, self, o)
    }
    fn xor(self, l: Trace<'t>, o: Self) -> Self {
        l.binary(Binary::Xor, self, o)
    }
    fn not(self, l: Trace<'t>) -> Self {
        l.unary(Unary::Not, self)
    }
}

macro_rules! methods {
    (unary $s:ty: $($f:ident $op:ident -> $to:ty),+) => {$(
        fn $f(self, l: Trace<'t>) -> Ref<$to> {
            l.unary(Unary::$op, self)
        }
    )+};
    (binary $s:ty: $($f:ident $op:ident ($o:ty) -> $to:ty),+) => {$(
        fn $f(self, l: Trace<'t>, o: Ref<$o>) -> Ref<$to> {
            l.binary(Binary::$op, self, o)
        }
    )+};
    (cast $s:ty: $($f:ident $to:ty),+) => {$(
        fn $f(self, l: Trace<'t>) -> Ref<$to> {
            if <$s as Scalar>::KIND == <$to as Scalar>::KIND { Ref::new(self.get(l).id) } else { l.unary(Unary::Cast, self) }
        }
    )+};
}
macro_rules! number {
    ($($s:ident),+) => {$(
        impl<'t> NumLane<Trace<'t>, $s> for Ref<$s> {
            methods!(binary $s: add Add ($s) -> $s, sub Sub ($s) -> $s, mul Mul ($s) -> $s, div Div ($s) -> $s,
                rem Rem ($s) -> $s, min Min ($s) -> $s, max Max ($s) -> $s, lt Lt ($s) -> bool, le Le ($s) -> bool);
            methods!(unary $s: neg Neg -> $s, abs Abs -> $s);
            methods!(cast $s: to_f32 f32, to_f64 f64, to_i32 i32, to_u32 u32, to_i64 i64, to_u64 u64);
            fn eq(self, l: Trace<'t>, o: Self) -> Ref<bool> {
                let (a, b) = (self.get(l), o.get(l));
                let float = matches!(<$s as Scalar>::KIND, Kind::F32 | Kind::F64);
                if a.id == b.id && float {
                    // How NaN is tested for. Some shader compilers take `x == x` to be true always; the bits cannot be mistaken.
                    return l.unary::<$s, bool>(Unary::IsNan, a).not(l);
                }
                l.binary(Binary::Eq, a, b)
            }
        }
    )+};
}
number!(f32, f64, i32, u32, i64, u64);

macro_rules! integer {
    ($($s:ident),+) => {$(
        impl<'t> IntLane<Trace<'t>, $s> for Ref<$s> {
            methods!(binary $s: bit_and And ($s) -> $s, bit_or Or ($s) -> $s, bit_xor Xor ($s) -> $s,
                shl Shl (u32) -> $s, shr Shr (u32) -> $s);
            methods!(unary $s: bit_not BitNot -> $s, count_ones CountOnes -> u32, leading_zeros LeadingZeros -> u32,
                trailing_zeros TrailingZeros -> u32, reverse_bits ReverseBits -> $s);
        }
    )+};
}
integer!(i32, u32, i64, u64);

macro_rules! float {
    ($($s:ident),+) => {$(
        impl<'t> FloatLane<Trace<'t>, $s> for Ref<$s> {
            methods!(unary $s: sqrt Sqrt -> $s, floor Floor -> $s, ceil Ceil -> $s, trunc Trunc -> $s, round Round -> $s,
                is_nan IsNan -> bool, exp Exp -> $s, exp2 Exp2 -> $s, ln Ln -> $s, log2 Log2 -> $s, log10 Log10 -> $s,
                sin Sin -> $s, cos Cos -> $s, tan Tan -> $s, tanh Tanh -> $s, atan Atan -> $s);
            methods!(binary $s: copysign Copysign ($s) -> $s, atan2 Atan2 ($s) -> $s, powf Pow ($s) -> $s);
            fn mul_add(self, l: Trace<'t>, a: Self, b: Self) -> Self {
                Ref::new(l.with(|r| {
                    let op = Op::MulAdd(r.read(self.id), r.read(a.id), r.read(b.id));
                    r.pure(op, <$s as Scalar>::KIND)
                }))
            }
        }
    )+};
}
float!(f32, f64);
