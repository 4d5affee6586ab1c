//! Prints traced functions as WGSL, and puts a shader module together from them.
//!
//! A [`Module`] declares item types, buffers and functions in the order in which they are asked for, numbers the bindings, and
//! takes in those functions of `shaders/` that are called. Run-time scalars stand in one uniform buffer a function: a uniform
//! buffer, not a storage buffer, since it takes none of the eight storage bindings that WebGPU promises, and the same word for
//! all lanes is what constant memory is made for.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::element::Kind;
use crate::kernel::ir::{Binary, Binding, Block, Id, Needs, Op, Step, Stmt, Traced, Unary};

/// The functions that generated code may call, one text a file.
const LIBRARY: [&str; 3] =
    [include_str!("../../shaders/scalar.wgsl"), include_str!("../../shaders/math.wgsl"), include_str!("../../shaders/wide.wgsl")];

/// A shader module in the making.
#[derive(Clone, Debug, Default)]
pub struct Module {
    text: String,
    next_binding: u32,
    items: Vec<(String, Vec<Kind>)>,
    needs: Needs,
}

/// How a shader uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads.
    Read,
    /// It reads and writes.
    ReadWrite,
}

/// The binding numbers of a function, all in group 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Its uniform buffer: [`Traced::uniform_words`], filled up to [`Slots::uniform_size`]. `None` if it has no uniforms.
    pub uniforms: Option<u32>,
    /// Size of the uniform buffer in words.
    pub uniform_size: usize,
    /// Its data, in the order of [`Traced::bindings`].
    pub data: Vec<u32>,
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::F32 => "f32",
        Kind::I32 => "i32",
        Kind::U32 => "u32",
        Kind::F64 => "f64",
        Kind::I64 => "i64",
        Kind::U64 => "u64",
    }
}

/// The type in memory: `bool` has none of its own.
fn stored_name(kind: Kind) -> &'static str {
    if kind == Kind::Bool { "u32" } else { type_name(kind) }
}

fn zero(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "false",
        Kind::F32 => "0.0f",
        Kind::I32 => "0i",
        Kind::U32 => "0u",
        Kind::F64 => "0.0lf",
        Kind::I64 => "0li",
        Kind::U64 => "0lu",
    }
}

/// A value from the words that hold its bits, low first.
fn from_words(kind: Kind, word: impl Fn(u32) -> String) -> String {
    let wide = || format!("((u64({}) << 32u) | u64({}))", word(1), word(0));
    match kind {
        Kind::Bool => format!("({} != 0u)", word(0)),
        Kind::U32 => word(0),
        Kind::F32 | Kind::I32 => format!("bitcast<{}>({})", type_name(kind), word(0)),
        Kind::U64 => wide(),
        Kind::F64 | Kind::I64 => format!("bitcast<{}>({})", type_name(kind), wide()),
    }
}

/// The words that hold the bits of a value, low first.
fn to_words(kind: Kind, x: &str) -> Vec<String> {
    let wide = |x: String| vec![format!("u32({x} & 0xfffffffflu)"), format!("u32({x} >> 32u)")];
    match kind {
        Kind::Bool => vec![format!("select(0u, 1u, {x})")],
        Kind::U32 => vec![x.to_string()],
        Kind::F32 | Kind::I32 => vec![format!("bitcast<u32>({x})")],
        Kind::U64 => wide(x.to_string()),
        Kind::F64 | Kind::I64 => wide(format!("bitcast<u64>({x})")),
    }
}

fn literal(kind: Kind, bits: u64) -> String {
    match kind {
        Kind::Bool => (bits != 0).to_string(),
        Kind::F32 => format!("{:?}f", f32::from_bits(bits as u32)),
        Kind::U32 => format!("{}u", bits as u32),
        // The literal of the smallest integer would be the negation of one that is too large.
        Kind::I32 if bits as u32 as i32 == i32::MIN => "i32(-2147483648)".into(),
        Kind::I32 => format!("{}i", bits as u32 as i32),
        Kind::F64 => format!("{:?}lf", f64::from_bits(bits)),
        Kind::I64 if bits as i64 == i64::MIN => "(-9223372036854775807li - 1li)".into(),
        Kind::I64 => format!("{}li", bits as i64),
        Kind::U64 => format!("{bits}lu"),
    }
}

/// A leaf of an item.
fn leaf(item: &[Kind], x: &str, k: usize) -> String {
    if item.len() == 1 { x.to_string() } else { format!("{x}.f{k}") }
}

/// An item from its leaves.
fn build(name: &str, leaves: &[String]) -> String {
    if let [one] = leaves { one.clone() } else { format!("{name}({})", leaves.join(", ")) }
}

impl Module {
    /// An empty module whose bindings are numbered from `first_binding` on, in group 0.
    pub fn new(first_binding: u32) -> Module {
        Module { next_binding: first_binding, ..Module::default() }
    }

    /// What the device must offer for what was added so far.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    fn bind(&mut self) -> u32 {
        self.next_binding += 1;
        self.next_binding - 1
    }

    fn leaves(&self, item: &str) -> Vec<Kind> {
        let known = self.items.iter().find(|(name, _)| name == item);
        known.map(|(_, leaves)| leaves.clone()).expect("an item type is declared before it is used")
    }

    /// Adds text as it is: a template, an entry point.
    pub fn add(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Declares an item type: an alias for a scalar, else a struct with the fields `f0`, `f1`, ...
    pub fn item(&mut self, name: &str, leaves: &[Kind]) {
        self.needs = leaves
            .iter()
            .fold(self.needs, |n, k| n.union(Needs { int64: matches!(k, Kind::I64 | Kind::U64), float64: *k == Kind::F64 }));
        if let [one] = leaves {
            self.add(&format!("alias {name} = {};\n", type_name(*one)));
        } else {
            let fields: Vec<_> = leaves.iter().enumerate().map(|(k, kind)| format!("f{k}: {}", type_name(*kind))).collect();
            self.add(&format!("struct {name} {{ {} }}\n", fields.join(", ")));
        }
        self.items.push((name.into(), leaves.into()));
    }

    /// Declares a storage buffer of items, with `load_<name>(i) -> Item` and, if writable, `store_<name>(i, v)`. Returns its
    /// binding. A single scalar lies in an array of its type (`bool` as `u32`), anything else in 32-bit words.
    pub fn buffer(&mut self, name: &str, item: &str, access: Access) -> u32 {
        let leaves = self.leaves(item);
        let binding = self.bind();
        let mode = if access == Access::Read { "read" } else { "read_write" };
        let (ty, load, store);
        if let [one] = leaves[..] {
            ty = stored_name(one);
            load = if one == Kind::Bool { format!("{name}[i] != 0u") } else { format!("{name}[i]") };
            let value = if one == Kind::Bool { "select(0u, 1u, v)" } else { "v" };
            store = format!("    {name}[i] = {value};\n");
        } else {
            ty = "u32";
            let words: usize = leaves.iter().map(|k| k.words()).sum();
            let (mut parts, mut lines, mut at) = (Vec::new(), String::new(), 0);
            for (k, &kind) in leaves.iter().enumerate() {
                self.needs.int64 |= kind.words() == 2;
                parts.push(from_words(kind, |w| format!("{name}[i * {words}u + {}u]", at + w)));
                for word in to_words(kind, &leaf(&leaves, "v", k)) {
                    let _ = writeln!(lines, "    {name}[i * {words}u + {at}u] = {word};");
                    at += 1;
                }
            }
            load = build(item, &parts);
            store = lines;
        }
        let text = format!("@group(0) @binding({binding}) var<storage, {mode}> {name}: array<{ty}>;\n");
        self.add(&text);
        self.add(&format!("fn load_{name}(i: u32) -> {item} {{\n    return {load};\n}}\n"));
        if access == Access::ReadWrite {
            self.add(&format!("fn store_{name}(i: u32, v: {item}) {{\n{store}}}\n"));
        }
        binding
    }

    /// Defines `shuffle_up_<Item>(v, n)` and `shuffle_down_<Item>(v, n)`: the item `n` lanes below, or above, in the subgroup.
    pub fn shuffles(&mut self, item: &str) {
        let leaves = self.leaves(item);
        for (name, f) in [("up", "subgroupShuffleUp"), ("down", "subgroupShuffleDown")] {
            let parts: Vec<_> = (0..leaves.len())
                .map(|k| {
                    let x = leaf(&leaves, "v", k);
                    let word = |w: &String| format!("{f}({w}, n)");
                    match leaves[k] {
                        Kind::F32 | Kind::I32 | Kind::U32 => format!("{f}({x}, n)"),
                        kind => {
                            let words: Vec<_> = to_words(kind, &x).iter().map(word).collect();
                            from_words(kind, |w| words[w as usize].clone())
                        }
                    }
                })
                .collect();
            self.needs.int64 |= leaves.iter().any(|k| k.words() == 2);
            self.add(&format!(
                "fn shuffle_{name}_{item}(v: {item}, n: u32) -> {item} {{\n    return {};\n}}\n",
                build(item, &parts)
            ));
        }
    }

    /// Defines a traced function: `fn <name>(i: u32) -> Item` for a source; `fn <name>(a: Item, b: Item) -> Item` and
    /// `fn <name>_identity() -> Item` for an operator.
    pub fn function(&mut self, name: &str, item: &str, f: &Traced) -> Slots {
        self.needs = self.needs.union(f.needs);
        let uniform_size = f.uniforms.len().div_ceil(4) * 4;
        let uniforms = (uniform_size > 0).then(|| {
            let binding = self.bind();
            let n = uniform_size / 4;
            self.add(&format!("@group(0) @binding({binding}) var<uniform> {name}_u: array<vec4<u32>, {n}>;\n"));
            binding
        });
        let data = f.bindings.iter().enumerate().map(|(k, b)| {
            let binding = self.bind();
            let ty = b.scalar.map_or("u32", stored_name);
            self.add(&format!("@group(0) @binding({binding}) var<storage, read> {name}_d{k}: array<{ty}>;\n"));
            binding
        });
        let data = data.collect();
        let parameters = if f.params.is_empty() { "i: u32".into() } else { format!("a: {item}, b: {item}") };
        self.add(&format!(
            "fn {name}({parameters}) -> {item} {{\n{}}}\n",
            Printer::new(name, f).function(item, &f.body, &f.results)
        ));
        if !f.identity.is_empty() {
            let body = Printer::new(name, f).function(item, &Block::new(), &f.identity);
            self.add(&format!("fn {name}_identity() -> {item} {{\n{body}}}\n"));
        }
        Slots { uniforms, uniform_size, data }
    }

    /// The module's text, with the library functions that it calls.
    pub fn finish(self) -> String {
        let library = library();
        let mut wanted = BTreeSet::new();
        let mut todo = vec![self.text.as_str()];
        while let Some(text) = todo.pop() {
            for (k, (name, body)) in library.iter().enumerate() {
                if !wanted.contains(&k) && calls(text, name) {
                    wanted.insert(k);
                    todo.push(body);
                }
            }
        }
        let functions: String = wanted.into_iter().map(|k| library[k].1).collect();
        format!("{functions}{}", self.text)
    }
}

/// The library's functions: name, and text with the comment above it.
fn library() -> Vec<(&'static str, &'static str)> {
    let mut functions = Vec::new();
    for file in LIBRARY {
        let mut rest = file;
        while let Some(end) = rest.find("\n}\n") {
            let (text, tail) = rest.split_at(end + 3);
            rest = tail;
            // A file's own comment ends at the first empty line.
            let text = text.rfind("\n\n").map_or(text, |at| &text[at + 2..]).trim_start_matches('\n');
            let at = text.find("fn g_").expect("a library function's name starts with g_") + 3;
            let name = &text[at..at + text[at..].find('(').expect("a function has parameters")];
            functions.push((name, text));
        }
    }
    functions
}

/// Whether the text calls the function.
fn calls(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        text[at + name.len()..].starts_with('(') && !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Prints one function's body.
struct Printer<'a> {
    name: &'a str,
    f: &'a Traced,
    /// What each value is called, once it is.
    names: Vec<Option<String>>,
    count: usize,
    depth: usize,
    out: String,
}

impl<'a> Printer<'a> {
    fn new(name: &'a str, f: &'a Traced) -> Self {
        Printer { name, f, names: vec![None; f.ops.len()], count: 0, depth: 1, out: String::new() }
    }

    fn function(mut self, item: &str, body: &Block, results: &[(Kind, Id)]) -> String {
        let mut used = vec![false; self.f.ops.len()];
        let mut vars = vec![false; self.f.vars.len()];
        self.uses(body, &mut used, &mut vars);
        results.iter().for_each(|(_, id)| used[*id as usize] = true);
        for (v, _) in vars.iter().enumerate().filter(|(_, used)| **used) {
            self.line(&format!("var x{v}: {};", type_name(self.f.vars[v])));
        }
        // What is the same wherever it is used stands at the top.
        for id in (0..self.f.ops.len()).filter(|&id| used[id]) {
            if matches!(self.f.ops[id], Op::Uniform(_) | Op::Grid(_)) {
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
                Stmt::If { cond, then, other } => {
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
                Stmt::If { cond, then, other } => {
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
        let name = self.fresh(&text);
        self.names[id as usize] = Some(name);
    }

    fn fresh(&mut self, text: &str) -> String {
        let name = format!("v{}", self.count);
        self.count += 1;
        self.line(&format!("let {name} = {text};"));
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
                let by = match self.constant(by) {
                    Some(n) => format!("{}u", n as u32 & bits),
                    None => format!("({} & {bits}u)", self.operand(by)),
                };
                let a = self.operand(a);
                let a = if a.starts_with('v') || a.starts_with('a') || a.starts_with('b') { a } else { self.fresh(&a) };
                format!("{a} {} {by}", if f == Binary::Shl { "<<" } else { ">>" })
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
    /// compiler under rules that refuse overflow; a constant that goes through `let` is not.
    fn operands<const N: usize>(&mut self, ids: [Id; N]) -> [String; N] {
        let all = ids.iter().all(|&id| self.constant(id).is_some());
        ids.map(|id| {
            let text = self.operand(id);
            if all || self.constant(id) == Some(0) { self.fresh(&text) } else { text }
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
