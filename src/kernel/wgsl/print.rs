//! The body of one function, printed from its IR: each value by a `let`, in order.
//!
//! `a * b + c` stays two operations and `mul_add` is WGSL's `fma`; WGSL leaves it to the driver to fuse the one or to round the
//! other twice (lavapipe rounds twice).

use std::fmt::Write;

use super::{build, from_words, leaf, literal, type_name, zero};
use crate::element::Kind;
use crate::kernel::ir::{Binary, Binding, Block, Id, Op, Step, Stmt, Traced, Unary};

/// Prints one function's body.
pub(super) struct Printer<'a> {
    name: &'a str,
    f: &'a Traced,
    /// What each value is called, once it is.
    names: Vec<Option<String>>,
    count: usize,
    depth: usize,
    out: String,
}

impl<'a> Printer<'a> {
    pub(super) fn new(name: &'a str, f: &'a Traced) -> Self {
        Printer { name, f, names: vec![None; f.ops.len()], count: 0, depth: 1, out: String::new() }
    }

    pub(super) fn function(mut self, item: &str, body: &Block, results: &[(Kind, Id)]) -> String {
        let mut used = vec![false; self.f.ops.len()];
        let mut vars = vec![false; self.f.vars.len()];
        self.uses(body, &mut used, &mut vars);
        results.iter().for_each(|(_, id)| used[*id as usize] = true);
        for (v, _) in vars.iter().enumerate().filter(|(_, used)| **used) {
            self.line(&format!("var x{v}: {};", type_name(self.f.vars[v])));
        }
        // What is the same wherever it is used stands at the top.
        for id in (0..self.f.ops.len()).filter(|&id| used[id]) {
            if matches!(self.f.ops[id], Op::Uniform(_) | Op::Grid(_) | Op::GridHigh(_)) {
                self.define(id as Id);
            }
        }
        self.block(body);
        let leaves: Vec<_> = results.iter().map(|(_, id)| self.operand(*id)).collect();
        self.line(&format!("return {};", build(item, &leaves)));
        self.out
    }

    fn uses(&self, block: &Block, used: &mut [bool], vars: &mut [bool]) {
        for s in block {
            match s {
                Stmt::Let(id) => self.f.ops[*id as usize].operands().for_each(|id| used[id as usize] = true),
                Stmt::Store { var, value } => {
                    used[*value as usize] = true;
                    vars[*var as usize] = true;
                }
                Stmt::If { cond, then, other, .. } => {
                    used[*cond as usize] = true;
                    self.uses(then, used, vars);
                    self.uses(other, used, vars);
                }
                Stmt::Loop { body, .. } => self.uses(body, used, vars),
                Stmt::Break | Stmt::Continue => {}
            }
        }
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", self.depth * 4);
    }

    fn block(&mut self, block: &Block) {
        for s in block {
            match s {
                Stmt::Let(id) => self.define(*id),
                Stmt::Store { var, value } => {
                    let value = self.operand(*value);
                    self.line(&format!("x{var} = {value};"));
                }
                Stmt::If { cond, then, other, .. } => {
                    let cond = self.operand(*cond);
                    self.line(&format!("if {cond} {{"));
                    self.nested(then);
                    if !other.is_empty() {
                        self.line("} else {");
                        self.nested(other);
                    }
                    self.line("}");
                }
                Stmt::Loop { body, .. } => {
                    self.line("loop {");
                    self.nested(body);
                    self.line("}");
                }
                Stmt::Break => self.line("break;"),
                Stmt::Continue => self.line("continue;"),
            }
        }
    }

    fn nested(&mut self, block: &Block) {
        self.depth += 1;
        self.block(block);
        self.depth -= 1;
    }

    /// Writes `let` for a value, under a fresh name.
    fn define(&mut self, id: Id) {
        let text = self.expression(id);
        let name = self.fresh("let", &text);
        self.names[id as usize] = Some(name);
    }

    fn fresh(&mut self, keyword: &str, text: &str) -> String {
        let name = format!("v{}", self.count);
        self.count += 1;
        self.line(&format!("{keyword} {name} = {text};"));
        name
    }

    fn constant(&self, id: Id) -> Option<u64> {
        if let Op::Const(bits) = self.f.ops[id as usize] { Some(bits) } else { None }
    }

    fn operand(&self, id: Id) -> String {
        match (self.f.ops[id as usize], &self.names[id as usize]) {
            (Op::Const(bits), _) => literal(self.f.kinds[id as usize], bits),
            (Op::Param(p), _) => {
                let half = self.f.params.len() / 2;
                let (side, k) = if (p as usize) < half { ("a", p as usize) } else { ("b", p as usize - half) };
                leaf(&self.f.params[..half], side, k)
            }
            (_, Some(name)) => name.clone(),
            (op, None) => unreachable!("{op:?} is used before it is defined"),
        }
    }

    fn word(&self, word: u32) -> String {
        format!("{}_u[{}].{}", self.name, word / 4, ["x", "y", "z", "w"][word as usize % 4])
    }

    fn uniform(&self, kind: Kind, word: u32) -> String {
        from_words(kind, |w| self.word(word + w))
    }

    fn expression(&mut self, id: Id) -> String {
        let kind = self.f.kinds[id as usize];
        let op = self.f.ops[id as usize];
        match op {
            Op::Param(_) | Op::Const(_) => self.operand(id),
            Op::Var(v) | Op::Load(v) => format!("x{v}"),
            Op::Uniform(word) => self.uniform(kind, word),
            Op::Grid(slot) => {
                let a = &self.f.affines[slot as usize];
                let (start, i) = (self.uniform(kind, a.word), if a.wide { "u64(i)" } else { "i" });
                match a.step {
                    Step::Up => format!("{start} + {i}"),
                    Step::Down => format!("{start} - {i}"),
                    Step::Word(step) => format!("{start} + {i} * {}", self.uniform(kind, step)),
                }
            }
            Op::GridHigh(slot) => {
                let a = &self.f.affines[slot as usize];
                let (low, high) = (self.word(a.word), self.word(a.word + 1));
                match a.step {
                    Step::Up => format!("{high} + select(0u, 1u, {low} + i < i)"),
                    Step::Down => format!("{high} - select(0u, 1u, {low} < i)"),
                    Step::Word(step) => {
                        format!("g_affine_high({low}, {high}, i, {}, {})", self.word(step), self.word(step + 1))
                    }
                }
            }
            Op::Clamp { binding, index } => {
                let len = self.word(self.f.bindings[binding as usize].len_word);
                format!("min({}, max({len}, 1u) - 1u)", self.operand(index))
            }
            Op::Read { binding, at, word, guarded } => {
                let b: &Binding = &self.f.bindings[binding as usize];
                let (array, at) = (format!("{}_d{binding}", self.name), self.operand(at));
                let x = match b.scalar {
                    Some(Kind::Bool) => format!("({array}[{at}] != 0u)"),
                    Some(_) => format!("{array}[{at}]"),
                    None => from_words(kind, |w| format!("{array}[{at} * {}u + {}u]", b.words, word + w)),
                };
                if guarded { format!("select({}, {x}, {} != 0u)", zero(kind), self.word(b.len_word)) } else { x }
            }
            Op::Unary(f, a) => {
                let from = self.f.kinds[a as usize];
                let a = self.operands([a])[0].clone();
                unary(f, from, kind, &a)
            }
            Op::Binary(f @ (Binary::Shl | Binary::Shr), a, by) => {
                let bits = kind.words() as u32 * 32 - 1;
                let amount = match self.constant(by) {
                    Some(n) => format!("{}u", n as u32 & bits),
                    None => format!("({} & {bits}u)", self.operand(by)),
                };
                let [a] = self.operands([a]);
                format!("{a} {} {amount}", if f == Binary::Shl { "<<" } else { ">>" })
            }
            Op::Binary(f, a, b) => {
                let from = self.f.kinds[a as usize];
                let [a, b] = self.operands([a, b]);
                binary(f, from, &a, &b)
            }
            Op::Select(c, a, b) => {
                let [c, a, b] = self.operands([c, a, b]);
                format!("select({b}, {a}, {c})")
            }
            Op::MulAdd(a, b, c) => {
                let [a, b, c] = self.operands([a, b, c]);
                format!("fma({a}, {b}, {c})")
            }
        }
    }

    /// The operands' texts. An expression of constants only, or a division by the constant 0, would be evaluated by the shader
    /// compiler under rules that refuse overflow; what a variable holds is not.
    fn operands<const N: usize>(&mut self, ids: [Id; N]) -> [String; N] {
        let all = ids.iter().all(|&id| self.constant(id).is_some());
        ids.map(|id| {
            let text = self.operand(id);
            if all || self.constant(id) == Some(0) { self.fresh("var", &text) } else { text }
        })
    }
}

fn float(kind: Kind) -> bool {
    matches!(kind, Kind::F32 | Kind::F64)
}

fn unary(f: Unary, from: Kind, to: Kind, a: &str) -> String {
    let ty = type_name(from);
    let wide = from.words() == 2;
    match f {
        Unary::Not => format!("!{a}"),
        Unary::BitNot => format!("~{a}"),
        Unary::Neg if matches!(from, Kind::U32 | Kind::U64) => format!("{} - {a}", zero(from)),
        Unary::Neg => format!("-{a}"),
        Unary::Abs if matches!(from, Kind::U32 | Kind::U64) => a.into(),
        Unary::Abs if from == Kind::I64 => format!("select({a}, -{a}, {a} < 0li)"),
        Unary::Abs => format!("abs({a})"),
        Unary::Bits => format!("bitcast<{}>({a})", type_name(to)),
        Unary::Cast => cast(from, to, a),
        Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros | Unary::ReverseBits => {
            let (short, long) = match f {
                Unary::CountOnes => ("countOneBits", "g_count_ones_u64"),
                Unary::LeadingZeros => ("countLeadingZeros", "g_leading_zeros_u64"),
                Unary::TrailingZeros => ("countTrailingZeros", "g_trailing_zeros_u64"),
                _ => ("reverseBits", "g_reverse_bits_u64"),
            };
            let x = match from {
                Kind::I32 => format!("bitcast<u32>({a})"),
                Kind::I64 => format!("bitcast<u64>({a})"),
                _ => a.into(),
            };
            let y = format!("{}({x})", if wide { long } else { short });
            match to {
                Kind::I32 => format!("bitcast<i32>({y})"),
                Kind::I64 => format!("bitcast<i64>({y})"),
                _ => y,
            }
        }
        Unary::Sqrt => format!("sqrt({a})"),
        Unary::Floor => format!("floor({a})"),
        Unary::Ceil => format!("ceil({a})"),
        Unary::Trunc => format!("trunc({a})"),
        Unary::Round => format!("g_round_{ty}({a})"),
        Unary::IsNan => format!("g_is_nan_{ty}({a})"),
        Unary::Exp => format!("g_exp({a})"),
        Unary::Exp2 => format!("g_exp2({a})"),
        Unary::Ln => format!("g_ln({a})"),
        Unary::Log2 => format!("g_log2({a})"),
        Unary::Log10 => format!("g_log10({a})"),
        Unary::Sin => format!("g_sin({a})"),
        Unary::Cos => format!("g_cos({a})"),
        Unary::Tan => format!("g_tan({a})"),
        Unary::Tanh => format!("g_tanh({a})"),
        Unary::Atan => format!("g_atan({a})"),
    }
}

fn binary(f: Binary, kind: Kind, a: &str, b: &str) -> String {
    let ty = type_name(kind);
    let infix = |op: &str| format!("{a} {op} {b}");
    match f {
        Binary::Add => infix("+"),
        Binary::Sub => infix("-"),
        Binary::Mul => infix("*"),
        // For integers WGSL says what Rust's side here does: x / 0 = x, MIN / -1 = MIN, x % 0 = 0, MIN % -1 = 0.
        Binary::Div => infix("/"),
        Binary::Rem if float(kind) => format!("g_rem_{ty}({a}, {b})"),
        Binary::Rem => infix("%"),
        Binary::Min if float(kind) => format!("g_min_{ty}({a}, {b})"),
        Binary::Max if float(kind) => format!("g_max_{ty}({a}, {b})"),
        Binary::Min => format!("select({a}, {b}, {b} < {a})"),
        Binary::Max => format!("select({a}, {b}, {b} > {a})"),
        Binary::Eq => infix("=="),
        Binary::Lt => infix("<"),
        Binary::Le => infix("<="),
        Binary::And => infix("&"),
        Binary::Or => infix("|"),
        Binary::Xor if kind == Kind::Bool => infix("!="),
        Binary::Xor => infix("^"),
        Binary::MulHi => format!("g_mul_hi({a}, {b})"),
        Binary::Shl | Binary::Shr => unreachable!("printed with its amount"),
        Binary::Copysign => format!("g_copysign_{ty}({a}, {b})"),
        Binary::Atan2 => format!("g_atan2({a}, {b})"),
        Binary::Pow => format!("g_pow({a}, {b})"),
    }
}

/// Rust's `as`.
fn cast(from: Kind, to: Kind, a: &str) -> String {
    match (from, to) {
        (Kind::F32 | Kind::F64, Kind::I32 | Kind::U32 | Kind::I64 | Kind::U64) => {
            format!("g_{}_to_{}({a})", type_name(from), type_name(to))
        }
        (Kind::I32, Kind::U32) | (Kind::U32, Kind::I32) | (Kind::I64, Kind::U64) | (Kind::U64, Kind::I64) => {
            format!("bitcast<{}>({a})", type_name(to))
        }
        // Widening keeps the sign of the source; narrowing keeps the low bits.
        (Kind::I32, Kind::U64) => format!("bitcast<u64>(i64({a}))"),
        (Kind::U32, Kind::I64) => format!("bitcast<i64>(u64({a}))"),
        (Kind::I64 | Kind::U64, Kind::I32 | Kind::U32) => {
            let bits = if from == Kind::I64 { format!("bitcast<u64>({a})") } else { a.into() };
            let low = format!("u32({bits} & 0xfffffffflu)");
            if to == Kind::I32 { format!("bitcast<i32>({low})") } else { low }
        }
        _ => format!("{}({a})", type_name(to)),
    }
}
