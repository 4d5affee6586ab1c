//! The text of a stage: a template, and what it is written against.

use crate::element::Kind;
use crate::kernel::ir::Traced;
use crate::kernel::wgsl;

use super::{Access, Module};

/// One file of a template.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Names it in errors, and tells variants apart.
    pub(crate) name: &'static str,
    /// The WGSL.
    pub(crate) text: &'static str,
}

/// Names a file of `shaders/`.
macro_rules! part {
    ($name:literal) => {
        $crate::backend::gpu::Part { name: $name, text: include_str!(concat!("../../../shaders/", $name, ".wgsl")) }
    };
}
pub(crate) use part;

/// What a buffer holds.
#[derive(Clone, Copy)]
pub(crate) enum Holds<'a> {
    /// The stage's items.
    Items,
    /// Others, of which this is the type's name.
    Others(&'static str, &'a [Kind]),
    /// Integers of 32 bits, of this kind, that many threads combine into: an array of atomics, without functions to load and store.
    Atomics(Kind),
}

/// A buffer as a shader declares it.
pub(crate) type Declared<'a> = (&'static str, Holds<'a>, Access);

/// What the text of a stage is made of.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) template: &'a [Part],
    pub(crate) item: &'a [Kind],
    /// `source(i)`; `None` for the items of a buffer.
    pub(crate) input: Option<&'a Traced>,
    pub(crate) operator: Option<&'a Traced>,
    pub(crate) buffers: &'a [Declared<'a>],
    pub(crate) shuffles: bool,
    /// Whether the device knows how many elements there are.
    pub(crate) counted: bool,
    /// As a stage's.
    pub(crate) glue: &'a str,
}

impl Text<'_> {
    /// Puts it together: uniforms, `extent()`, the item, `source`, `combine`, the buffers, and the template. Also gives the number of
    /// the first buffer's binding. Needs no device.
    pub(crate) fn compose(&self) -> (Module, u32) {
        let mut generated = wgsl::Module::new(if self.counted { 3 } else { 1 });
        generated.add(PARAMS);
        generated.add(if self.counted { COUNTED } else { DISPATCHED });
        generated.item("Item", self.item);
        match self.input {
            Some(function) => {
                generated.function("source", "Item", function);
            }
            None => {
                generated.buffer("input", "Item", wgsl::Access::Read);
                generated.add("fn source(i: u32) -> Item {\n    return load_input(i);\n}\n");
            }
        }
        if let Some(operator) = self.operator {
            generated.function(if operator.is_comparison() { "precedes" } else { "combine" }, "Item", operator);
        }
        let mut declared = Vec::new();
        let mut first = 0;
        for (k, (name, holds, access)) in self.buffers.iter().enumerate() {
            let ty = match holds {
                Holds::Items => Some("Item"),
                Holds::Atomics(_) => None,
                Holds::Others(ty, kinds) => {
                    if !declared.contains(ty) {
                        generated.item(ty, kinds);
                        declared.push(ty);
                    }
                    Some(*ty)
                }
            };
            let access = if *access == Access::Read { wgsl::Access::Read } else { wgsl::Access::ReadWrite };
            let binding = match (ty, holds) {
                (None, Holds::Atomics(kind)) => generated.atomics(name, *kind),
                (ty, _) => generated.buffer(name, ty.unwrap_or("Item"), access),
            };
            if k == 0 {
                first = binding;
            }
        }
        if self.shuffles {
            generated.shuffles("Item");
        }
        generated.add(self.glue);
        let start = Module::new().add("generated", &generated.finish());
        (self.template.iter().fold(start, |module, part| module.add(part.name, part.text)), first)
    }
}

/// The numbers of a dispatch, as each template names them.
const PARAMS: &str = "\
struct Params { x: u32, y: u32, z: u32, w: u32, more: vec4<u32> }
@group(0) @binding(0) var<uniform> params: Params;
";
/// `extent()`: how many elements of this dispatch there are.
const DISPATCHED: &str = "fn extent() -> u32 {\n    return params.x;\n}\n";
/// `pending`: the word of `counts`, how often to divide by a tile, the first element of this dispatch.
const COUNTED: &str = "\
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<uniform> pending: vec4<u32>;
fn extent() -> u32 {
    var all = counts[pending.x];
    for (var level = 0u; level < pending.y; level++) {
        all = all / 4096u + select(0u, 1u, all % 4096u != 0u);
    }
    return min(params.x, all - min(all, pending.z));
}
";
