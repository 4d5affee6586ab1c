//! The text of every shader that the primitives can run, without a device: what is checked where no GPU is.

use crate::backend::gpu::{Access, Part, compose, leaves};
use crate::element::Element;
use crate::kernel::trace::{trace_operator, trace_source};
use crate::operator::Operator;
use crate::source::Source;

use super::{map, reduce, scan};

/// Each variant of each stage for this source and operator: its name and its WGSL.
pub fn shaders<S: Source<Item: Element>, O: Operator<S::Item>>(source: &S, operator: &O) -> Vec<(String, String)> {
    let item = leaves::<S::Item>();
    let (source, operator) = (trace_source(source), trace_operator::<S::Item, O>(operator));
    let mut all = Vec::new();
    let mut add = |template: &[Part], from_source: bool, combines: bool, buffers: &[(&'static str, Access)], shuffles: bool| {
        let parts: Vec<_> = template.iter().map(|part| part.name).collect();
        let name = format!("{} of {}", parts.join(" + "), if from_source { "a source" } else { "items" });
        let input = from_source.then_some(&source);
        let (module, _) = compose(template, &item, input, combines.then_some(&operator), buffers, shuffles);
        all.push((name, module.source().to_owned()));
    };
    add(&map::gpu::TEMPLATE, true, false, &[("out", Access::ReadWrite)], false);
    for from_source in [true, false] {
        for shuffles in [false, true] {
            // A reduction in order has no use for subgroups, but the device may offer them all the same.
            for commutative in [true, false] {
                let template = reduce::gpu::template(commutative, shuffles);
                add(&template, from_source, true, &[("out", Access::ReadWrite)], shuffles && commutative);
            }
            add(&scan::gpu::template(shuffles), from_source, true, &scan::gpu::BUFFERS, shuffles);
        }
    }
    all
}
