//! What one element costs, counted from the IR. The planner multiplies it with what the machine was measured to do.

use std::collections::HashSet;

use crate::element::Kind;
use crate::kernel::ir::{Binary, Block, Id, Op, Stmt, Traced, Trips, Unary};

/// The cost of evaluating a traced function once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Bytes read at the grid index: they stream.
    pub bytes_read: f32,
    /// Bytes read at computed indices.
    pub bytes_random: f32,
    /// Operations.
    pub ops: Ops,
    /// Whether a loop runs for a number of times that depends on the data. It is counted once.
    pub loops_unknown: bool,
    /// Whether a loop runs for a number of times that the host passes in: then the cost holds for this call only.
    pub loops_passed: bool,
}

/// Operations by class, each weighted by what it is expected to take of an addition's throughput. How fast a machine really is at a
/// class is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ops {
    /// Additions, multiplications, comparisons, selections, bits.
    pub simple: f32,
    /// Divisions, remainders and square roots, which have a unit of their own.
    pub divide: f32,
    /// Exponentials, logarithms, trigonometry: polynomials on a CPU, tables on a GPU.
    pub function: f32,
}

impl Ops {
    /// So many simple ones.
    pub const fn simple(count: f32) -> Ops {
        Ops { simple: count, divide: 0.0, function: 0.0 }
    }

    /// All of them, weighted.
    pub fn total(&self) -> f32 {
        self.simple + self.divide + self.function
    }
}

/// The leaves of bindings that were read beside a grid index.
type Neighbours = HashSet<(u32, u32, Id)>;

/// How often a loop of unknown length is counted: the cost of one iteration is kept.
const UNKNOWN_TRIPS: f32 = 1.0;

impl Cost {
    /// The cost of a function.
    pub fn of(f: &Traced) -> Cost {
        let mut cost = Cost::default();
        cost.block(f, &f.body, 1.0, &mut HashSet::new());
        cost
    }

    fn block(&mut self, f: &Traced, block: &Block, times: f32, near: &mut Neighbours) {
        for s in block {
            match s {
                Stmt::Let(id) => self.value(f, *id, times, near),
                Stmt::Store { .. } | Stmt::Break | Stmt::Continue => {}
                Stmt::If { then, other, rare, .. } => {
                    // Lanes of one vector or subgroup take both branches, but one that hardly any lane goes into.
                    self.ops.simple += times;
                    self.block(f, then, times, near);
                    if !rare {
                        self.block(f, other, times, near);
                    }
                }
                Stmt::Loop { body, trips } => {
                    let trips = match *trips {
                        Trips::Once => 1.0,
                        Trips::Range { from, to, inclusive } => match (known(f, from), known(f, to)) {
                            (Some(first), Some(last)) => {
                                self.loops_passed |= !is_constant(f, from) || !is_constant(f, to);
                                (last - first + inclusive as i128).max(0) as f32
                            }
                            _ => {
                                self.loops_unknown = true;
                                UNKNOWN_TRIPS
                            }
                        },
                        Trips::Unknown => {
                            self.loops_unknown = true;
                            UNKNOWN_TRIPS
                        }
                    };
                    self.block(f, body, times * trips, near);
                }
            }
        }
    }

    fn value(&mut self, f: &Traced, id: Id, times: f32, near: &mut Neighbours) {
        let kind = f.kinds[id as usize];
        match f.ops[id as usize] {
            Op::Read { guarded, binding, at, word } => {
                let times_read = match f.ops[at as usize] {
                    // Neighbours are in the caches: each element comes from memory once.
                    Op::Binary(Binary::Add, grid, _) if matches!(f.ops[grid as usize], Op::Grid(_)) => {
                        near.insert((binding, word, grid)) as u8 as f32
                    }
                    _ => times,
                };
                let bytes = times_read * 4.0 * kind.words() as f32;
                *(if guarded { &mut self.bytes_random } else { &mut self.bytes_read }) += bytes;
                self.ops.simple += times * if guarded { 4.0 } else { 1.0 };
            }
            op => {
                let class = match op {
                    Op::Unary(Unary::Sqrt, _) | Op::Binary(Binary::Div | Binary::Rem, ..) => &mut self.ops.divide,
                    Op::Unary(f, _) if is_function(f) => &mut self.ops.function,
                    Op::Binary(Binary::Atan2 | Binary::Pow, ..) => &mut self.ops.function,
                    _ => &mut self.ops.simple,
                };
                *class += times * weight(op, kind);
            }
        }
    }
}

fn is_function(f: Unary) -> bool {
    use Unary::*;
    matches!(f, Exp | Exp2 | Ln | Log2 | Log10 | Sin | Cos | Tan | Tanh | Atan)
}

/// The weight of an operation.
fn weight(op: Op, kind: Kind) -> f32 {
    let float = matches!(kind, Kind::F32 | Kind::F64);
    match op {
        Op::Param(_) | Op::Const(_) | Op::Uniform(_) | Op::Grid(_) | Op::GridHigh(_) | Op::Var(_) | Op::Load(_) => 0.0,
        Op::Clamp { .. } | Op::Read { .. } | Op::Select(..) | Op::MulAdd(..) => 1.0,
        Op::Unary(f, _) => match f {
            Unary::Bits => 0.0,
            Unary::Cast | Unary::Round | Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros => 2.0,
            Unary::ReverseBits => 4.0,
            Unary::Sqrt => 6.0,
            Unary::Exp | Unary::Exp2 | Unary::Atan => 12.0,
            Unary::Sin | Unary::Cos => 15.0,
            Unary::Ln | Unary::Log2 | Unary::Log10 | Unary::Tanh => 22.0,
            Unary::Tan => 60.0,
            _ => 1.0,
        },
        Op::Binary(f, ..) => match f {
            Binary::Div if float => 4.0,
            Binary::Div => 8.0,
            Binary::Rem if float => 20.0,
            Binary::Rem => 8.0,
            Binary::MulHi => 3.0,
            Binary::Atan2 => 24.0,
            Binary::Pow => 40.0,
            _ => 1.0,
        },
    }
}

fn is_constant(f: &Traced, id: Id) -> bool {
    match f.ops[id as usize] {
        Op::Uniform(_) => false,
        Op::Unary(_, a) => is_constant(f, a),
        Op::Binary(_, a, b) => is_constant(f, a) && is_constant(f, b),
        _ => true,
    }
}

/// An integer that the host knows: made of constants, uniforms and lengths.
fn known(f: &Traced, id: Id) -> Option<i128> {
    let kind = f.kinds[id as usize];
    let of_bits = |bits: u64| match kind {
        Kind::I32 => Some(bits as u32 as i32 as i128),
        Kind::U32 => Some(bits as u32 as i128),
        Kind::I64 => Some(bits as i64 as i128),
        Kind::U64 => Some(bits as i128),
        _ => None,
    };
    match f.ops[id as usize] {
        Op::Const(bits) => of_bits(bits),
        Op::Uniform(word) => {
            let low = f.uniforms[word as usize] as u64;
            of_bits(if kind.words() == 2 { low | (f.uniforms[word as usize + 1] as u64) << 32 } else { low })
        }
        Op::Unary(Unary::Cast, a) => {
            let x = known(f, a)?;
            of_bits(x as u64)
        }
        Op::Binary(op, a, b) => {
            let (a, b) = (known(f, a)?, known(f, b)?);
            let x = match op {
                Binary::Add => a + b,
                Binary::Sub => a - b,
                Binary::Mul => a.checked_mul(b)?,
                Binary::Div if b != 0 => a / b,
                Binary::Min => a.min(b),
                Binary::Max => a.max(b),
                _ => return None,
            };
            of_bits(x as u64)
        }
        _ => None,
    }
}
