//! Selection on a GPU: count the elements of each class in each tile, sum the counts, move the elements. No workgroup waits for
//! another. How many there are of each class stays on the device.

use std::fmt::Write;

use crate::array::{Array, Length, Pending};
use crate::backend::cpu::TILE;
use crate::backend::gpu::{
    Access, Declared, DeviceArray, Extent, Function, Holds, Input, Part, Recording, Share, Slot, Stage, Started,
    counts_in_32_bits, element_bytes, leaves, part, slots,
};
use crate::element::{Element, Kind};
use crate::error::Result;
use crate::primitives::scan::gpu::prefix_sums;
use crate::source::Source;

/// What counts.
pub(crate) const COUNT: [Part; 1] = [part!("select_count")];

/// What moves.
pub(crate) fn template(subgroups: bool) -> [Part; 2] {
    [if subgroups { part!("count_subgroup") } else { part!("count_workgroup") }, part!("select_main")]
}

/// A buffer of counts.
pub(crate) const COUNTS: Holds<'static> = Holds::Others("Count", &[Kind::U32]);

const OUTS: [&str; 3] = ["out0", "out1", "out2"];

/// The buffers that the elements are moved with, in the order of their bindings.
pub(crate) fn buffers(element: &[Kind], outs: usize) -> Vec<Declared<'_>> {
    let counts = [("prefix", COUNTS, Access::Read), ("totals", COUNTS, Access::ReadWrite)];
    let outs = OUTS[..outs].iter().map(|name| (*name, Holds::Others("Element", element), Access::ReadWrite));
    counts.into_iter().chain(outs).collect()
}

/// The functions that the templates call.
pub(crate) struct Glue {
    /// `CLASSES`, and `class_of(item)`.
    pub(crate) classes: String,
    /// `put(class, position, item)`
    pub(crate) put: String,
}

/// For elements of these leaves, which go to so many outputs.
pub(crate) fn glue(element: &[Kind], outs: usize) -> Glue {
    let leaves = element.len();
    let classes = format!("const CLASSES = {outs}u;\nfn class_of(x: Item) -> u32 {{\n    return x.f{leaves};\n}}\n");
    let fields: Vec<_> = (0..leaves).map(|k| format!("x.f{k}")).collect();
    let value = if leaves == 1 { fields[0].clone() } else { format!("Element({})", fields.join(", ")) };
    let mut put = String::from(
        "fn put(which: u32, at: u32, x: Item) {\n    if at < params.more.x || at >= params.more.y {\n        return;\n    }\n",
    );
    for (k, name) in OUTS[..outs].iter().enumerate() {
        _ = writeln!(put, "    if which == {k}u {{\n        store_{name}(at - params.more.x, {value});\n    }}");
    }
    put.push_str("}\n");
    Glue { classes, put }
}

/// Records the selection into new arrays.
pub(crate) fn select<'t, T: Element, S: Source<Item = (T, u32)>, const K: usize>(
    on: Recording<'_>,
    source: &S,
) -> Result<Started<'t, [Array<T>; K]>> {
    let length = Length::of(source)?;
    let n = length.bound() as u64;
    if n == 0 {
        return Ok(Started::Ready(std::array::from_fn(|_| Array::empty(on.engine))));
    }
    counts_in_32_bits(n)?;
    let (executor, function) = (on.executor(), Function::source(on.gpu, source)?);
    let (item, element, glue) = (leaves::<(T, u32)>(), leaves::<T>(), glue(&leaves::<T>(), K));
    let (extent, share) = (Extent::of(&length), Share::tiles(on.grain));
    let tiles = n.div_ceil(TILE as u64);
    let chunk = executor.chunk(&function, 1)?;
    let stage = Stage {
        template: &COUNT,
        item: &item,
        input: Input::Function(&function),
        operator: None,
        buffers: &[],
        shuffles: false,
        extent,
        glue: &glue.classes,
    };

    let tallies = executor.items(1, tiles * K as u64)?;
    let count = [Slot { name: "tallies", holds: COUNTS, access: Access::ReadWrite, binding: tallies.all() }];
    for base in (0..n).step_by(chunk as usize) {
        let words = [(base / TILE as u64) as u32, tiles as u32];
        executor.dispatch(&Stage { buffers: &count, ..stage }, words, base, chunk.min(n - base), share)?;
    }
    let prefix = prefix_sums(&executor, tallies, tiles * K as u64)?;

    let totals = executor.items(1, K as u64)?;
    let mut outs = Vec::with_capacity(K);
    for _ in 0..K {
        outs.push(executor.items(T::WORDS, n)?);
    }
    // Where an element goes is known when it moves. Outputs larger than a binding are written a window at a time.
    let (parts, put) = (template(executor.subgroups()), glue.classes.clone() + &glue.put);
    for base in (0..n).step_by(chunk as usize) {
        let count = chunk.min(n - base);
        for (start, room) in executor.windows(T::WORDS, base + count)? {
            let outs = outs.iter().map(|out| out.range(start * element_bytes::<T>(), room * element_bytes::<T>()));
            let slots = slots(&buffers(&element, K), [prefix.all(), totals.all()].into_iter().chain(outs));
            let words = [(base / TILE as u64) as u32, tiles as u32, start as u32, (start + room) as u32];
            executor.dispatch(&Stage { template: &parts, buffers: &slots, glue: &put, ..stage }, words, base, count, share)?;
        }
    }
    let counts = DeviceArray::new(on.gpu, totals);
    let mut outs = outs.into_iter().zip(0..).map(|(out, k)| {
        let length = Length::Pending(Pending::new(n as usize, counts.clone(), k));
        on.array(length, out)
    });
    Ok(Started::Ready(std::array::from_fn(|_| outs.next().expect("there is an output for each class"))))
}
