//! Runs generated shader functions without a GPU: a small interpreter of naga's IR. It does to each function what its WGSL says,
//! reads no element out of range, and so compares a trace with the lanes of the CPU bit by bit.

use std::collections::HashMap;

use naga::{
    BinaryOperator as B, Block, Expression as E, Function, GlobalVariable, Handle, Literal, MathFunction as M, Module, Scalar,
    ScalarKind, Statement as S, SwitchValue, TypeInner, UnaryOperator,
};

/// A value of a shader.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum V {
    Bool(bool),
    F32(f32),
    I32(i32),
    U32(u32),
    F64(f64),
    I64(i64),
    U64(u64),
    Many(Vec<V>),
    Pointer(Place, Vec<usize>),
}

/// What a pointer points into.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    Local(usize),
    Global(Handle<GlobalVariable>),
}

impl V {
    /// The bits of a scalar's leaves, in order.
    pub(crate) fn bits(&self, out: &mut Vec<u64>) {
        match self {
            V::Bool(x) => out.push(*x as u64),
            V::F32(x) => out.push(x.to_bits() as u64),
            V::I32(x) => out.push(*x as u32 as u64),
            V::U32(x) => out.push(*x as u64),
            V::F64(x) => out.push(x.to_bits()),
            V::I64(x) => out.push(*x as u64),
            V::U64(x) => out.push(*x),
            V::Many(xs) => xs.iter().for_each(|x| x.bits(out)),
            V::Pointer(..) => panic!("a pointer has no bits"),
        }
    }

    fn word(&self) -> u32 {
        match *self {
            V::U32(x) => x,
            V::I32(x) => x as u32,
            _ => panic!("{self:?} is no index"),
        }
    }
}

fn scalar(s: Scalar, bits: u64) -> V {
    match (s.kind, s.width) {
        (ScalarKind::Bool, _) => V::Bool(bits != 0),
        (ScalarKind::Float, 4) => V::F32(f32::from_bits(bits as u32)),
        (ScalarKind::Float, _) => V::F64(f64::from_bits(bits)),
        (ScalarKind::Sint, 4) => V::I32(bits as i32),
        (ScalarKind::Sint, _) => V::I64(bits as i64),
        (ScalarKind::Uint, 4) => V::U32(bits as u32),
        (ScalarKind::Uint, _) => V::U64(bits),
        other => panic!("no scalar {other:?}"),
    }
}

/// A shader with its buffers.
pub(crate) struct Machine<'a> {
    pub(crate) module: &'a Module,
    /// The words behind each binding number.
    pub(crate) buffers: HashMap<u32, Vec<u32>>,
}

enum Flow {
    Next,
    Break,
    Continue,
    Return(Option<V>),
}

struct Call<'a> {
    f: &'a Function,
    arguments: &'a [V],
    locals: Vec<V>,
    known: HashMap<Handle<E>, V>,
}

impl Machine<'_> {
    /// Calls a function by its name.
    pub(crate) fn call(&self, name: &str, arguments: &[V]) -> V {
        let f = self.module.functions.iter().find(|(_, f)| f.name.as_deref() == Some(name));
        self.run(f.unwrap_or_else(|| panic!("no function {name}")).1, arguments).expect("a function returns a value")
    }

    fn run(&self, f: &Function, arguments: &[V]) -> Option<V> {
        let mut call = Call { f, arguments, locals: Vec::new(), known: HashMap::new() };
        for (_, local) in f.local_variables.iter() {
            let value = match local.init {
                Some(e) => self.value(&call, e),
                None => self.zero(local.ty),
            };
            call.locals.push(value);
        }
        match self.block(&mut call, &f.body) {
            Flow::Return(value) => value,
            _ => None,
        }
    }

    fn zero(&self, ty: Handle<naga::Type>) -> V {
        match &self.module.types[ty].inner {
            TypeInner::Scalar(s) => scalar(*s, 0),
            TypeInner::Vector { size, scalar: s } => V::Many(vec![scalar(*s, 0); *size as usize]),
            TypeInner::Struct { members, .. } => V::Many(members.iter().map(|m| self.zero(m.ty)).collect()),
            other => panic!("no zero of {other:?}"),
        }
    }

    fn block(&self, call: &mut Call, block: &Block) -> Flow {
        for s in block.iter() {
            let flow = match s {
                S::Emit(range) => {
                    for e in range.clone() {
                        let value = self.expression(call, e);
                        call.known.insert(e, value);
                    }
                    Flow::Next
                }
                S::Block(b) => self.block(call, b),
                S::If { condition, accept, reject } => {
                    let yes = self.value(call, *condition) == V::Bool(true);
                    self.block(call, if yes { accept } else { reject })
                }
                S::Switch { selector, cases } => {
                    let x = self.value(call, *selector);
                    let hit = cases.iter().find(|c| match c.value {
                        SwitchValue::I32(n) => x == V::I32(n),
                        SwitchValue::U32(n) => x == V::U32(n),
                        SwitchValue::Default => true,
                    });
                    match self.block(call, &hit.expect("a default").body) {
                        Flow::Break => Flow::Next,
                        flow => flow,
                    }
                }
                S::Loop { body, continuing, break_if } => loop {
                    match self.block(call, body) {
                        Flow::Break => break Flow::Next,
                        Flow::Return(v) => break Flow::Return(v),
                        Flow::Next | Flow::Continue => {}
                    }
                    self.block(call, continuing);
                    if break_if.is_some_and(|e| self.value(call, e) == V::Bool(true)) {
                        break Flow::Next;
                    }
                },
                S::Break => Flow::Break,
                S::Continue => Flow::Continue,
                S::Return { value } => Flow::Return(value.map(|e| self.value(call, e))),
                S::Store { pointer, value } => {
                    let value = self.value(call, *value);
                    let V::Pointer(Place::Local(n), path) = self.value(call, *pointer) else { panic!("a store to a local") };
                    *path.iter().fold(&mut call.locals[n], |v, k| match v {
                        V::Many(xs) => &mut xs[*k],
                        _ => panic!("no parts"),
                    }) = value;
                    Flow::Next
                }
                S::Call { function, arguments, result } => {
                    let arguments: Vec<_> = arguments.iter().map(|e| self.value(call, *e)).collect();
                    let value = self.run(&self.module.functions[*function], &arguments);
                    if let Some(e) = result {
                        call.known.insert(*e, value.expect("a result"));
                    }
                    Flow::Next
                }
                other => panic!("not interpreted: {other:?}"),
            };
            if !matches!(flow, Flow::Next) {
                return flow;
            }
        }
        Flow::Next
    }

    fn value(&self, call: &Call, e: Handle<E>) -> V {
        call.known.get(&e).cloned().unwrap_or_else(|| self.expression(call, e))
    }

    fn expression(&self, call: &Call, e: Handle<E>) -> V {
        let of = |e: Handle<E>| self.value(call, e);
        match &call.f.expressions[e] {
            E::Literal(l) => match *l {
                Literal::Bool(x) => V::Bool(x),
                Literal::F32(x) => V::F32(x),
                Literal::I32(x) => V::I32(x),
                Literal::U32(x) => V::U32(x),
                Literal::F64(x) => V::F64(x),
                Literal::I64(x) => V::I64(x),
                Literal::U64(x) => V::U64(x),
                other => panic!("no literal {other:?}"),
            },
            E::ZeroValue(ty) => self.zero(*ty),
            E::FunctionArgument(n) => call.arguments[*n as usize].clone(),
            E::LocalVariable(h) => V::Pointer(Place::Local(h.index()), Vec::new()),
            E::GlobalVariable(h) => V::Pointer(Place::Global(*h), Vec::new()),
            E::Compose { components, .. } => V::Many(components.iter().map(|e| of(*e)).collect()),
            E::Access { base, index } => part(of(*base), of(*index).word() as usize),
            E::AccessIndex { base, index } => part(of(*base), *index as usize),
            E::Load { pointer } => match of(*pointer) {
                V::Pointer(Place::Local(n), path) => path.iter().fold(call.locals[n].clone(), |v, k| part(v, *k)),
                V::Pointer(Place::Global(h), path) => self.read(h, &path),
                other => panic!("{other:?} is no pointer"),
            },
            E::Unary { op, expr } => match (op, of(*expr)) {
                (UnaryOperator::LogicalNot, V::Bool(x)) => V::Bool(!x),
                (UnaryOperator::Negate, V::F32(x)) => V::F32(-x),
                (UnaryOperator::Negate, V::F64(x)) => V::F64(-x),
                (UnaryOperator::Negate, V::I32(x)) => V::I32(x.wrapping_neg()),
                (UnaryOperator::Negate, V::I64(x)) => V::I64(x.wrapping_neg()),
                (UnaryOperator::BitwiseNot, V::I32(x)) => V::I32(!x),
                (UnaryOperator::BitwiseNot, V::U32(x)) => V::U32(!x),
                (UnaryOperator::BitwiseNot, V::I64(x)) => V::I64(!x),
                (UnaryOperator::BitwiseNot, V::U64(x)) => V::U64(!x),
                other => panic!("no {other:?}"),
            },
            E::Binary { op, left, right } => binary(*op, of(*left), of(*right)),
            E::Select { condition, accept, reject } => of(if of(*condition) == V::Bool(true) { *accept } else { *reject }),
            E::Math { fun, arg, arg1, arg2, .. } => math(*fun, of(*arg), arg1.map(of), arg2.map(of)),
            E::As { expr, kind, convert } => {
                let x = of(*expr);
                match convert {
                    Some(width) => convert_to(Scalar { kind: *kind, width: *width }, x),
                    None => {
                        let width = if matches!(x, V::F64(_) | V::I64(_) | V::U64(_)) { 8 } else { 4 };
                        let mut bits = Vec::new();
                        x.bits(&mut bits);
                        scalar(Scalar { kind: *kind, width }, bits[0])
                    }
                }
            }
            other => panic!("not interpreted: {other:?}"),
        }
    }

    /// Reads from a buffer: a scalar of an array, or a word of a `vec4` of an array.
    fn read(&self, h: Handle<GlobalVariable>, path: &[usize]) -> V {
        let g = &self.module.global_variables[h];
        let TypeInner::Array { base, .. } = self.module.types[g.ty].inner else { panic!("buffers are arrays") };
        let words = &self.buffers[&g.binding.expect("a buffer is bound").binding];
        let (s, at) = match self.module.types[base].inner {
            TypeInner::Scalar(s) => (s, path[0] * s.width as usize / 4),
            TypeInner::Vector { scalar, .. } => (scalar, path[0] * 4 + path[1]),
            _ => panic!("no such element"),
        };
        let high = if s.width == 8 { (words[at + 1] as u64) << 32 } else { 0 };
        scalar(s, words[at] as u64 | high)
    }
}

fn part(v: V, k: usize) -> V {
    match v {
        V::Many(xs) => xs[k].clone(),
        V::Pointer(place, mut path) => {
            path.push(k);
            V::Pointer(place, path)
        }
        other => panic!("{other:?} has no parts"),
    }
}

macro_rules! integers {
    ($op:expr, $a:expr, $b:expr, $($v:ident)+) => {
        match ($op, $a, $b) {
            $(
                (B::Add, V::$v(a), V::$v(b)) => V::$v(a.wrapping_add(b)),
                (B::Subtract, V::$v(a), V::$v(b)) => V::$v(a.wrapping_sub(b)),
                (B::Multiply, V::$v(a), V::$v(b)) => V::$v(a.wrapping_mul(b)),
                (B::Divide, V::$v(a), V::$v(b)) => V::$v(if b == 0 { a } else { a.wrapping_div(b) }),
                (B::Modulo, V::$v(a), V::$v(b)) => V::$v(if b == 0 { 0 } else { a.wrapping_rem(b) }),
                (B::And, V::$v(a), V::$v(b)) => V::$v(a & b),
                (B::InclusiveOr, V::$v(a), V::$v(b)) => V::$v(a | b),
                (B::ExclusiveOr, V::$v(a), V::$v(b)) => V::$v(a ^ b),
                (B::ShiftLeft, V::$v(a), V::U32(b)) => V::$v(a.checked_shl(b).expect("a shift below the width")),
                (B::ShiftRight, V::$v(a), V::U32(b)) => V::$v(a.checked_shr(b).expect("a shift below the width")),
            )+
            (B::Add, V::F32(a), V::F32(b)) => V::F32(a + b),
            (B::Subtract, V::F32(a), V::F32(b)) => V::F32(a - b),
            (B::Multiply, V::F32(a), V::F32(b)) => V::F32(a * b),
            (B::Divide, V::F32(a), V::F32(b)) => V::F32(a / b),
            (B::Add, V::F64(a), V::F64(b)) => V::F64(a + b),
            (B::Subtract, V::F64(a), V::F64(b)) => V::F64(a - b),
            (B::Multiply, V::F64(a), V::F64(b)) => V::F64(a * b),
            (B::Divide, V::F64(a), V::F64(b)) => V::F64(a / b),
            (B::And | B::LogicalAnd, V::Bool(a), V::Bool(b)) => V::Bool(a & b),
            (B::InclusiveOr | B::LogicalOr, V::Bool(a), V::Bool(b)) => V::Bool(a | b),
            (op, a, b) => panic!("no {a:?} {op:?} {b:?}"),
        }
    };
}

fn binary(op: B, a: V, b: V) -> V {
    let order = match (&a, &b) {
        (V::F32(a), V::F32(b)) => a.partial_cmp(b),
        (V::F64(a), V::F64(b)) => a.partial_cmp(b),
        (V::I32(a), V::I32(b)) => a.partial_cmp(b),
        (V::U32(a), V::U32(b)) => a.partial_cmp(b),
        (V::I64(a), V::I64(b)) => a.partial_cmp(b),
        (V::U64(a), V::U64(b)) => a.partial_cmp(b),
        (V::Bool(a), V::Bool(b)) => a.partial_cmp(b),
        _ => None,
    };
    match op {
        B::Equal => V::Bool(order.is_some_and(|o| o.is_eq())),
        B::NotEqual => V::Bool(order.is_none_or(|o| o.is_ne())),
        B::Less => V::Bool(order.is_some_and(|o| o.is_lt())),
        B::LessEqual => V::Bool(order.is_some_and(|o| o.is_le())),
        B::Greater => V::Bool(order.is_some_and(|o| o.is_gt())),
        B::GreaterEqual => V::Bool(order.is_some_and(|o| o.is_ge())),
        _ => integers!(op, a, b, I32 U32 I64 U64),
    }
}

fn math(fun: M, a: V, b: Option<V>, c: Option<V>) -> V {
    match (fun, a, b, c) {
        (M::Abs, V::F32(x), ..) => V::F32(x.abs()),
        (M::Abs, V::F64(x), ..) => V::F64(x.abs()),
        (M::Abs, V::I32(x), ..) => V::I32(x.wrapping_abs()),
        (M::Floor, V::F32(x), ..) => V::F32(x.floor()),
        (M::Ceil, V::F32(x), ..) => V::F32(x.ceil()),
        (M::Trunc, V::F32(x), ..) => V::F32(x.trunc()),
        (M::Trunc, V::F64(x), ..) => V::F64(x.trunc()),
        (M::Sqrt, V::F32(x), ..) => V::F32(x.sqrt()),
        (M::Sqrt, V::F64(x), ..) => V::F64(x.sqrt()),
        (M::Fma, V::F32(x), Some(V::F32(y)), Some(V::F32(z))) => V::F32(x.mul_add(y, z)),
        (M::Min, V::U32(x), Some(V::U32(y)), _) => V::U32(x.min(y)),
        (M::Max, V::U32(x), Some(V::U32(y)), _) => V::U32(x.max(y)),
        (M::Min, V::I32(x), Some(V::I32(y)), _) => V::I32(x.min(y)),
        (M::Max, V::I32(x), Some(V::I32(y)), _) => V::I32(x.max(y)),
        (M::Min, V::F32(x), Some(V::F32(y)), _) => V::F32(x.min(y)),
        (M::Max, V::F32(x), Some(V::F32(y)), _) => V::F32(x.max(y)),
        (M::Clamp, V::F32(x), Some(V::F32(y)), Some(V::F32(z))) => V::F32(x.max(y).min(z)),
        (M::Clamp, V::F64(x), Some(V::F64(y)), Some(V::F64(z))) => V::F64(x.max(y).min(z)),
        (M::CountOneBits, V::U32(x), ..) => V::U32(x.count_ones()),
        (M::CountLeadingZeros, V::U32(x), ..) => V::U32(x.leading_zeros()),
        (M::CountTrailingZeros, V::U32(x), ..) => V::U32(x.trailing_zeros()),
        (M::ReverseBits, V::U32(x), ..) => V::U32(x.reverse_bits()),
        other => panic!("not interpreted: {other:?}"),
    }
}

fn convert_to(to: Scalar, x: V) -> V {
    macro_rules! from {
        ($x:expr) => {
            match (to.kind, to.width) {
                (ScalarKind::Float, 4) => V::F32($x as f32),
                (ScalarKind::Float, _) => V::F64($x as f64),
                (ScalarKind::Sint, 4) => V::I32($x as i32),
                (ScalarKind::Sint, _) => V::I64($x as i64),
                (ScalarKind::Uint, 4) => V::U32($x as u32),
                (ScalarKind::Uint, _) => V::U64($x as u64),
                other => panic!("no scalar {other:?}"),
            }
        };
    }
    match x {
        V::F32(x) => from!(x),
        V::F64(x) => from!(x),
        V::I32(x) => from!(x),
        V::U32(x) => from!(x),
        V::I64(x) => from!(x),
        V::U64(x) => from!(x),
        other => panic!("no conversion of {other:?}"),
    }
}
