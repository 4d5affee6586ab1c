//! Prints traced functions as WGSL, and puts a shader module together from them.
//!
//! A [`Module`] declares item types, buffers and functions in the order in which they are asked for, numbers the bindings, and
//! takes in those functions of `shaders/` that are called. Run-time scalars stand in one uniform buffer a function: a uniform
//! buffer, not a storage buffer, since it takes none of the eight storage bindings that WebGPU promises, and the same word for
//! all lanes is what constant memory is made for.

mod print;

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::element::Kind;
use crate::kernel::ir::{Block, Needs, Traced};

use print::Printer;

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
pub(crate) fn to_words(kind: Kind, x: &str) -> Vec<String> {
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

    /// Declares a storage buffer of atomic integers of 32 bits. Returns its binding.
    pub fn atomics(&mut self, name: &str, kind: Kind) -> u32 {
        let (binding, ty) = (self.bind(), type_name(kind));
        self.add(&format!("@group(0) @binding({binding}) var<storage, read_write> {name}: array<atomic<{ty}>>;\n"));
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
    /// `fn <name>_identity() -> Item` for an operator; `fn <name>(a: Item, b: Item) -> bool` for a comparison.
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
        let result = if f.is_comparison() { "bool" } else { item };
        self.add(&format!(
            "fn {name}({parameters}) -> {result} {{\n{}}}\n",
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
