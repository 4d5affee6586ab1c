//! [`Trace`] as [`Lanes`]: each operation notes a value, each hook opens or closes a block.

use std::any::TypeId;
use std::marker::PhantomData;

use super::{Inner, Opened, Ref, Trace, TraceIndex, TraceRange, TraceSlice, leaves};
use crate::array::Data;
use crate::element::{Element, Integer, Kind, Offset, Scalar};
use crate::kernel::ir::{Binary, Binding, Op, Stmt, Trips, Unary};
use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane, Varying, ops};

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
    unsafe fn field<'a, T: Element, F: Element>(self, s: Self::Slice<'a, T>, at: Offset) -> Self::Slice<'a, F> {
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
    fn index_beside(self, i: TraceIndex, by: isize, last: usize) -> Option<TraceIndex> {
        // No index goes further than this without a nudge: at least so far from the start, or at most so far from it.
        let limit = if by < 0 { by.unsigned_abs() } else { last.saturating_sub(by.unsigned_abs()) };
        let (now, limit) = (self.index_u32(i), self.uniform(limit.min(u32::MAX as usize) as u32));
        let beyond = self.binary::<u32, u32, u32>(Binary::Max, now, limit);
        let nudge = if by < 0 { self.binary(Binary::Sub, beyond, now) } else { self.binary(Binary::Sub, limit, beyond) };
        let nudge = i.nudge.map_or(nudge, |before| self.binary(Binary::Add, before, nudge));
        Some(TraceIndex { offset: i.offset.wrapping_add(by as i64), nudge: Some(nudge), ..i })
    }
    fn index_flip(self, i: TraceIndex, last: usize) -> TraceIndex {
        let nudge = i.nudge.map(|nudge| self.unary(Unary::Neg, nudge));
        TraceIndex { offset: (last as i64).wrapping_sub(i.offset), stride: i.stride.wrapping_neg(), nudge, ..i }
    }
    fn index_scale(self, i: TraceIndex, by: usize) -> TraceIndex {
        let nudge = i.nudge.map(|nudge| self.binary(Binary::Mul, nudge, self.uniform(by as u32)));
        TraceIndex { offset: i.offset.wrapping_mul(by as i64), stride: i.stride.wrapping_mul(by as i64), nudge, ..i }
    }
    fn index_run(self, _: TraceIndex) -> Option<(usize, usize)> {
        None
    }
    fn index_by(self, i: TraceIndex, by: Ref<i32>) -> TraceIndex {
        self.nudged(i, by.to_u32(self))
    }
    fn index_nudge(self, i: TraceIndex, by: Ref<u32>) -> Option<TraceIndex> {
        Some(self.nudged(i, by))
    }
    fn index_u32(self, i: TraceIndex) -> Ref<u32> {
        let at = Ref::new(self.with(|r| r.grid(None, i, false)));
        i.nudge.map_or(at, |nudge| self.binary(Binary::Add, at, nudge))
    }
    fn index_u64(self, i: TraceIndex) -> Ref<u64> {
        self.no_nudge(i);
        Ref::new(self.with(|r| r.grid(None, i, true)))
    }
    fn index_high(self, i: TraceIndex) -> Ref<u32> {
        self.no_nudge(i);
        Ref::new(self.with(|r| r.grid_high(i)))
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
    fn mul_hi(self, a: Ref<u32>, b: Ref<u32>) -> Ref<u32> {
        self.binary(Binary::MulHi, a, b)
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
        self.second_branch(false)
    }
    fn if_else_rarely(self, _: Ref<bool>, _: Ref<bool>) -> Ref<bool> {
        self.second_branch(true)
    }
    fn if_end(self, _: Ref<bool>, _: Ref<bool>) -> Ref<bool> {
        self.with(|r| {
            let (opened, other) = r.close();
            let Opened::Else(cond, then, rare) = opened else { panic!("`if_end` follows `if_else`") };
            r.stmt(Stmt::If { cond, then, other, rare });
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
                    r.bindings[s.binding as usize].random |= i.whole;
                    let at = i.nudge.map_or(at, |nudge| r.pure(Op::Binary(Binary::Add, at, nudge.id), Kind::U32));
                    r.pure(Op::Read { binding: s.binding, at, word: s.word, guarded: false }, <$s as Scalar>::KIND)
                }))
            }
            fn gather(l: Trace<'t>, s: TraceSlice<$s>, i: Ref<u32>) -> Self {
                l.gather(s, i)
            }
            fn permute(self, _: Trace<'t>, _: Ref<u32>) -> Self {
                self
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
