//! What a trace records: values, numbered in order, in a tree of blocks.
//!
//! Every value is defined once, in a block that encloses all of its uses; what changes lives in variables. No number that is
//! known only at run time is part of the structure: lengths, offsets and uniforms are words of one buffer, kept beside it. So
//! the printed code and its hash depend on the structure alone, and a changing scalar compiles no shader again.

use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use crate::array::DataKey;
use crate::element::Kind;
use crate::kernel::cost::Cost;

/// The number of a value.
pub type Id = u32;
/// Statements in order.
pub type Block = Vec<Stmt>;

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are those of `Lanes` and its lane traits
pub enum Unary {
    Not,
    Neg,
    Abs,
    BitNot,
    CountOnes,
    LeadingZeros,
    TrailingZeros,
    ReverseBits,
    /// The same bits as another kind of the same width.
    Bits,
    /// Rust's `as`, to the kind of the result.
    Cast,
    Sqrt,
    Floor,
    Ceil,
    Trunc,
    Round,
    IsNan,
    Exp,
    Exp2,
    Ln,
    Log2,
    Log10,
    Sin,
    Cos,
    Tan,
    Tanh,
    Atan,
}

/// A function of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are those of `Lanes` and its lane traits
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Min,
    Max,
    Eq,
    Lt,
    Le,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Copysign,
    Atan2,
    Pow,
    /// The upper half of the product of two `u32`.
    MulHi,
}

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A leaf of the function's parameters.
    Param(u32),
    /// A constant, by its bits.
    Const(u64),
    /// A run-time scalar: the word (or two words, low first) of the uniforms at which it stands.
    Uniform(u32),
    /// The grid index under an affine map: the number of the [`Affine`].
    Grid(u32),
    /// A variable itself. Reading it is [`Op::Load`].
    Var(u32),
    /// What the variable holds at this point.
    Load(u32),
    /// An index, made to lie in range of a binding.
    Clamp {
        /// The binding.
        binding: u32,
        /// The index.
        index: Id,
    },
    /// One leaf of an element of a binding.
    Read {
        /// The binding.
        binding: u32,
        /// The index of the element in the bound window; in range.
        at: Id,
        /// The leaf's word in the element.
        word: u32,
        /// Whether an empty binding must give zero.
        guarded: bool,
    },
    /// A function of one value.
    Unary(Unary, Id),
    /// A function of two values.
    Binary(Binary, Id, Id),
    /// The second if the first, a condition, holds; else the third.
    Select(Id, Id, Id),
    /// `a * b + c`, rounded once.
    MulAdd(Id, Id, Id),
    /// The upper half of the grid index under a wide affine map.
    GridHigh(u32),
}

impl Op {
    /// The same of other values.
    pub(crate) fn with_operands(self, f: impl Fn(Id) -> Id) -> Op {
        match self {
            Op::Param(_) | Op::Const(_) | Op::Uniform(_) | Op::Grid(_) | Op::GridHigh(_) | Op::Var(_) | Op::Load(_) => self,
            Op::Clamp { binding, index } => Op::Clamp { binding, index: f(index) },
            Op::Read { binding, at, word, guarded } => Op::Read { binding, at: f(at), word, guarded },
            Op::Unary(op, a) => Op::Unary(op, f(a)),
            Op::Binary(op, a, b) => Op::Binary(op, f(a), f(b)),
            Op::Select(a, b, c) => Op::Select(f(a), f(b), f(c)),
            Op::MulAdd(a, b, c) => Op::MulAdd(f(a), f(b), f(c)),
        }
    }

    /// Whether its result, of this kind, is an `f32` that IEEE 754 rounds: its bits are the same only where arithmetic is IEEE.
    pub fn rounds_f32(self, kind: Kind) -> bool {
        use Binary::{Add, Div, Mul, Sub};
        let rounds = matches!(self, Op::Unary(Unary::Sqrt, _) | Op::Binary(Add | Sub | Mul | Div, ..) | Op::MulAdd(..));
        rounds && kind == Kind::F32
    }

    /// The values it is made from.
    pub fn operands(self) -> impl Iterator<Item = Id> {
        let three = match self {
            Op::Param(_) | Op::Const(_) | Op::Uniform(_) | Op::Grid(_) | Op::GridHigh(_) | Op::Var(_) | Op::Load(_) => [None; 3],
            Op::Clamp { index: a, .. } | Op::Read { at: a, .. } | Op::Unary(_, a) => [Some(a), None, None],
            Op::Binary(_, a, b) => [Some(a), Some(b), None],
            Op::Select(a, b, c) | Op::MulAdd(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        three.into_iter().flatten()
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stmt {
    /// Computes a value.
    Let(Id),
    /// Stores to a variable.
    Store {
        /// The variable.
        var: u32,
        /// What it then holds.
        value: Id,
    },
    /// A branch.
    If {
        /// The condition.
        cond: Id,
        /// If it holds.
        then: Block,
        /// If not.
        other: Block,
        /// Whether hardly any lane goes into the second branch: it is not counted as a cost.
        rare: bool,
    },
    /// A loop that only `Break` leaves.
    Loop {
        /// Its body.
        body: Block,
        /// How often it runs, if that can be known.
        trips: Trips,
    },
    /// Leaves the innermost loop.
    Break,
    /// Starts the next iteration of the innermost loop.
    Continue,
}

/// How often a loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trips {
    /// It depends on the data.
    Unknown,
    /// Once: the body of a kernel with an early return.
    Once,
    /// A counter runs over this range.
    Range {
        /// The first.
        from: Id,
        /// The last, or the one after it.
        to: Id,
        /// Which of the two.
        inclusive: bool,
    },
}

/// Data that the function reads: one storage binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Which data: [`Data::key`](crate::array::Data::key) gives the same.
    pub key: DataKey,
    /// The element type.
    pub ty: TypeId,
    /// Number of elements.
    pub len: usize,
    /// Words of an element in the buffer.
    pub words: u32,
    /// The kind, if the element is a single scalar: then it is bound as an array of it (`bool` as `u32`). Else an array of words.
    pub scalar: Option<Kind>,
    /// Whether some read is at the grid index.
    pub direct: bool,
    /// Whether some read is at a computed index: then the whole data must be bound.
    pub random: bool,
    /// Word of the uniforms that holds its length in elements, if `random`.
    pub len_word: u32,
}

/// An affine map of the grid index, `offset + stride * i`: known to the host only, and given to the shader in uniforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affine {
    /// The binding that is read there, if it is for a read.
    pub binding: Option<u32>,
    /// The value at grid index 0.
    pub offset: i64,
    /// The step from one grid index to the next.
    pub stride: i64,
    /// Word of the uniforms that holds the value at the first grid index of a dispatch, counted from the bound window's start.
    pub word: u32,
    /// How the step is printed.
    pub step: Step,
    /// Whether the value is 64 bits wide, so takes two words, low first.
    pub wide: bool,
}

/// The step of an affine map as far as the printed code knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// 1
    Up,
    /// -1
    Down,
    /// Any: it stands at this word of the uniforms (two if wide).
    Word(u32),
}

/// What the device must offer beyond 32-bit arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    /// 64-bit integers (`SHADER_INT64`).
    pub int64: bool,
    /// `f64` (`SHADER_F64`).
    pub float64: bool,
}

impl Needs {
    /// What either needs.
    pub fn union(self, o: Needs) -> Needs {
        Needs { int64: self.int64 || o.int64, float64: self.float64 || o.float64 }
    }
}

/// A traced function: of the grid index (a source), or of two elements (an operator).
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// Kinds of the parameters' leaves, in order: none for a source, those of both elements for an operator.
    pub params: Vec<Kind>,
    /// The result's leaves, in order.
    pub results: Vec<(Kind, Id)>,
    /// An operator's identity, leaf by leaf; empty for a source.
    pub identity: Vec<(Kind, Id)>,
    /// How each value comes about.
    pub ops: Vec<Op>,
    /// The kind of each value.
    pub kinds: Vec<Kind>,
    /// The kinds of the variables.
    pub vars: Vec<Kind>,
    /// What is computed. Dead values are gone.
    pub body: Block,
    /// The data that is read, in the order of its bindings.
    pub bindings: Vec<Binding>,
    /// The affine maps of the grid index.
    pub affines: Vec<Affine>,
    /// The uniforms. The words that belong to `affines` are zero here; [`Traced::uniform_words`] fills them.
    pub uniforms: Vec<u32>,
    /// What the device must offer.
    pub needs: Needs,
    /// Why no GPU can run it, and what to do; `None` if one can.
    pub refusal: Option<String>,
    /// What one element costs.
    pub cost: Cost,
}

impl Traced {
    /// The uniforms for a dispatch whose first grid index is `base`, where `window(b)` is the element at which the bound window
    /// of binding `b` starts (0 if the whole data is bound).
    pub fn uniform_words(&self, base: u64, window: impl Fn(usize) -> u64) -> Vec<u32> {
        let mut words = self.uniforms.clone();
        let mut put = |word: u32, wide: bool, x: i64| {
            words[word as usize] = x as u32;
            if wide {
                words[word as usize + 1] = (x >> 32) as u32;
            }
        };
        for a in &self.affines {
            let start = a.binding.map_or(0, |b| window(b as usize)) as i64;
            put(a.word, a.wide, a.offset.wrapping_add(a.stride.wrapping_mul(base as i64)).wrapping_sub(start));
            if let Step::Word(word) = a.step {
                put(word, a.wide, a.stride);
            }
        }
        words
    }

    /// The elements of binding `b` that the grid indices `base..base + count` read directly; `None` if there are none.
    pub fn direct_range(&self, b: usize, base: u64, count: u64) -> Option<Range<u64>> {
        let mut range: Option<Range<u64>> = None;
        for a in self.affines.iter().filter(|a| a.binding == Some(b as u32) && count > 0) {
            // A neighbour that does not exist is not read.
            let end = self.bindings[b].len as u64;
            let at = |i: u64| ((a.offset + a.stride * i as i64).max(0) as u64).min(end.saturating_sub(1));
            let (first, last) = (at(base), at(base + count - 1));
            let (low, high) = (first.min(last), first.max(last) + 1);
            range = Some(range.map_or(low..high, |r| r.start.min(low)..r.end.max(high)));
        }
        range
    }

    /// Whether it is a comparison: two elements in, one truth value out. An operator has an identity besides.
    pub fn is_comparison(&self) -> bool {
        !self.params.is_empty() && self.identity.is_empty()
    }

    /// Whether it is a source that gives the elements of its data as they are, each at its grid index.
    pub fn is_plain(&self) -> bool {
        let in_order = |at: Id| match self.ops[at as usize] {
            Op::Grid(affine) => {
                let affine = &self.affines[affine as usize];
                (affine.offset, affine.stride) == (0, 1)
            }
            _ => false,
        };
        let mut next = 0;
        let leaves = self.results.iter().all(|&(kind, value)| match self.ops[value as usize] {
            Op::Read { binding: 0, at, word, .. } => {
                let follows = word == next && self.kinds[value as usize] == kind;
                next += kind.words() as u32;
                follows && in_order(at)
            }
            _ => false,
        });
        matches!(&self.bindings[..], [only] if only.words == next) && leaves
    }

    /// A hash of the structure: two functions with the same hash print the same code. Stable from run to run.
    pub fn hash(&self) -> u128 {
        let half = |seed: u64| {
            let mut h = Fnv(0xcbf2_9ce4_8422_2325 ^ seed);
            (&self.params, &self.results, &self.identity, &self.ops, &self.kinds, &self.vars, &self.body).hash(&mut h);
            for b in &self.bindings {
                (b.words, b.scalar, b.len_word).hash(&mut h);
            }
            for a in &self.affines {
                (a.word, a.step, a.wide).hash(&mut h);
            }
            self.uniforms.len().hash(&mut h);
            h.finish()
        };
        (half(0) as u128) << 64 | half(0x9e37_79b9_7f4a_7c15) as u128
    }
}

/// FNV-1a (Fowler, Noll, Vo 1991), which unlike std's default hasher has no random keys; by words, and mixed at the end
/// (Steele, Lea, Flood 2014).
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(b as u64);
        }
    }
    fn write_u8(&mut self, x: u8) {
        self.write_u64(x as u64);
    }
    fn write_u32(&mut self, x: u32) {
        self.write_u64(x as u64);
    }
    fn write_u64(&mut self, x: u64) {
        self.0 = (self.0.rotate_left(23) ^ x).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 ^= self.0 >> 29;
    }
    fn write_usize(&mut self, x: usize) {
        self.write_u64(x as u64);
    }
    fn write_isize(&mut self, x: isize) {
        self.write_u64(x as u64);
    }
    fn finish(&self) -> u64 {
        let x = self.0;
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}
