//! The text of every shader that the primitives can run, without a device: what is checked where no GPU is.

use crate::backend::gpu::{Access, Declared, Holds, Part, Text, leaves};
use crate::element::{Element, Kind};
use crate::kernel::Kernel;
use crate::kernel::ir::Traced;
use crate::kernel::trace::{trace_comparison, trace_operator, trace_source};
use crate::operator::Operator;
use crate::source::{IntoSource, Source, iota, zip};

use super::merge::gpu::Inputs;
use super::sort::SortKey;
use super::{
    axis, convolve, histogram, map, matmul, merge, merge_sort, reduce, scan, scatter, segments, select, sort, transpose,
};

/// Each variant of each stage for this source and operator: its name and its WGSL.
pub fn shaders<S: Source<Item: Element>, O: Operator<S::Item>>(source: &S, operator: &O) -> Vec<(String, String)> {
    let item = leaves::<S::Item>();
    let (source, operator) = (trace_source(source), trace_operator::<S::Item, O>(operator));
    let mut all = Vec::new();
    let mut add = |template: &[Part], from_source: bool, combines: bool, buffers: &[(&'static str, Access)], shuffles: bool| {
        for counted in [false, true] {
            let of = if from_source { "a source" } else { "items" };
            let name = format!("{} of {of}{}", joined(template), if counted { ", counted on the device" } else { "" });
            let buffers: Vec<_> = buffers.iter().map(|(name, access)| (*name, Holds::Items, *access)).collect();
            let input = from_source.then_some(&source);
            let operator = combines.then_some(&operator);
            let text = Text { template, item: &item, input, operator, buffers: &buffers, shuffles, counted, glue: "" };
            all.push((name, text.compose().0.source().to_owned()));
        }
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

/// The same for a selection from this source of elements and their classes.
pub fn select_shaders<T: Element, S: Source<Item = (T, u32)>>(source: &S) -> Vec<(String, String)> {
    let item = leaves::<(T, u32)>();
    let element = leaves::<T>();
    let source = trace_source(source);
    let mut all = Vec::new();
    for counted in [false, true] {
        let count = [("tallies", select::gpu::COUNTS, Access::ReadWrite)];
        for outs in 1..=3 {
            let glue = select::gpu::glue(&element, outs);
            let mut add = |template: &[Part], buffers: &[Declared<'_>], glue: &str| {
                let name = format!("{} for {outs}{}", joined(template), if counted { ", counted on the device" } else { "" });
                let text =
                    Text { template, item: &item, input: Some(&source), operator: None, buffers, shuffles: false, counted, glue };
                all.push((name, text.compose().0.source().to_owned()));
            };
            add(&select::gpu::COUNT, &count, &glue.classes);
            for subgroups in [false, true] {
                let buffers = select::gpu::buffers(&element, outs);
                add(&select::gpu::template(subgroups), &buffers, &(glue.classes.clone() + &glue.put));
            }
        }
    }
    all
}

/// The same for a sort of keys from this source, alone and with values.
pub fn sort_shaders<K: SortKey, S: Source<Item = K>>(source: &S) -> Vec<(String, String)> {
    let (words, traced) = (K::WORDS, trace_source(source));
    let mut all = Vec::new();
    let mut add = |template: &[Part], item: &[Kind], input: Option<&Traced>, buffers: &[Declared<'_>], glue: &str| {
        let name = format!("{} of {} for {item:?}", joined(template), if input.is_some() { "a source" } else { "items" });
        let text = Text { template, item, input, operator: None, buffers, shuffles: false, counted: false, glue };
        all.push((name, text.compose().0.source().to_owned()));
    };
    let (keys, item) = (sort::gpu::of_words(words), leaves::<K>());
    let evaluate = sort::gpu::words_template(words);
    add(&evaluate, &item, Some(&traced), &sort::gpu::words_buffers(words), &sort::gpu::words_glue(&item));
    add(&evaluate, keys, None, &sort::gpu::words_buffers(words), &sort::gpu::words_glue(keys));
    add(&sort::gpu::count_template(words), keys, None, &sort::gpu::COUNT_BUFFERS, sort::gpu::COUNT_GLUE);
    for along in [false, true] {
        let buffers = &sort::gpu::MOVE_BUFFERS[..if along { 4 } else { 2 }];
        for subgroups in [false, true] {
            add(&sort::gpu::move_template(words, subgroups), keys, None, buffers, &sort::gpu::move_glue(along));
        }
    }
    add(&sort::gpu::GATHER, &[Kind::U32], None, &sort::gpu::GATHER_BUFFERS, "");
    all
}

/// The same for a histogram of this source of bin numbers, alone or with 32-bit integer weights.
pub fn histogram_shaders<S: Source<Item: Element>>(source: &S) -> Vec<(String, String)> {
    let item = leaves::<S::Item>();
    let source = trace_source(source);
    let mut all = Vec::new();
    for counted in [false, true] {
        for template in [&histogram::gpu::WORKGROUP, &histogram::gpu::GLOBAL] {
            let name = format!("{}{}", template[0].name, if counted { ", counted on the device" } else { "" });
            let (buffers, glue) = ([histogram::gpu::SUMS], histogram::gpu::glue(&item));
            let text = Text {
                template,
                item: &item,
                input: Some(&source),
                operator: None,
                buffers: &buffers,
                shuffles: false,
                counted,
                glue: &glue,
            };
            all.push((name, text.compose().0.source().to_owned()));
        }
    }
    all
}

/// The same for a merge sort of elements from this source, and for merges of what is in memory.
pub fn merge_shaders<T: Element, S: Source<Item = T>, K: Kernel<(T, T), Out = bool>>(
    source: &S,
    less: &K,
) -> Vec<(String, String)> {
    let item = leaves::<T>();
    let (source, less) = (trace_source(source), trace_comparison::<T, K>(less));
    let glue = merge::gpu::glue(merge::gpu::each(&item).expect("an element fits in a workgroup's memory"));
    let mut all = Vec::new();
    let mut add = |template: &[Part], input: Option<&Traced>, buffers: &[Declared<'_>]| {
        let operator = Some(&less);
        let text = Text { template, item: &item, input, operator, buffers, shuffles: false, counted: false, glue: &glue };
        all.push((joined(template), text.compose().0.source().to_owned()));
    };
    add(&merge_sort::gpu::TEMPLATE, Some(&source), &merge_sort::gpu::BUFFERS);
    add(&merge::gpu::PATH, None, &merge::gpu::PATH_BUFFERS);
    for inputs in [Inputs::Two, Inputs::Windows, Inputs::Neighbours] {
        add(&inputs.partition_template(), None, &inputs.partition_buffers());
        add(&inputs.template(), None, &inputs.merge_buffers());
    }
    all
}

/// The same for what goes along an axis of a grid over this source.
pub fn axis_shaders<T: Element, S: Source<Item = T>, O: Operator<T>>(source: &S, operator: &O) -> Vec<(String, String)> {
    let item = leaves::<T>();
    let (source, operator) = (trace_source(source), trace_operator::<T, O>(operator));
    let mut all = Vec::new();
    let mut add = |template: &[Part], from_source: bool, buffers: &[(&'static str, Access)], glue: &str| {
        let buffers: Vec<_> = buffers.iter().map(|(name, access)| (*name, Holds::Items, *access)).collect();
        let (input, operator) = (from_source.then_some(&source), Some(&operator));
        let text = Text { template, item: &item, input, operator, buffers: &buffers, shuffles: false, counted: false, glue };
        all.push((joined(template), text.compose().0.source().to_owned()));
    };
    let buffers = [("out", Access::ReadWrite), ("before", Access::Read)];
    add(&axis::gpu::LANED, true, &buffers[..1], "");
    for from_source in [false, true] {
        add(&axis::gpu::DIRECT, from_source, &buffers[..1], "");
        for exclusive in [false, true] {
            add(&axis::gpu::SCAN, from_source, &buffers[..1], &axis::gpu::glue(false, exclusive));
            add(&axis::gpu::SCAN, from_source, &buffers, &axis::gpu::glue(true, exclusive));
        }
    }
    all
}

/// The same for a convolution of this source.
pub fn convolve_shaders<S: Source<Item: Element>>(source: &S) -> Vec<(String, String)> {
    let item = leaves::<S::Item>();
    let source = trace_source(source);
    let text = |input| Text {
        template: &convolve::gpu::TEMPLATE,
        item: &item,
        input,
        operator: None,
        buffers: &convolve::gpu::BUFFERS,
        shuffles: false,
        counted: false,
        glue: "",
    };
    [Some(&source), None].map(|input| ("convolve".to_owned(), text(input).compose().0.source().to_owned())).into()
}

/// The same for a product of matrices.
pub fn matmul_shaders() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for edge in matmul::gpu::EDGES {
        for (of_a, of_b, adds) in [(false, false, false), (true, false, false), (false, true, true), (true, true, true)] {
            let text = Text {
                template: &matmul::gpu::TEMPLATE,
                item: &[Kind::F32],
                input: None,
                operator: None,
                buffers: &matmul::gpu::BUFFERS,
                shuffles: false,
                counted: false,
                glue: &matmul::gpu::glue(edge, [of_a, of_b], adds),
            };
            all.push((format!("matmul, squares of {edge}, {of_a}, {of_b}, {adds}"), text.compose().0.source().to_owned()));
        }
    }
    all
}

/// The same for a reduction of segments of this source's elements.
pub fn segment_shaders<T: Element, S: Source<Item = T>, O: Operator<T>>(source: &S, operator: &O) -> Vec<(String, String)> {
    use segments::carry::{Carry, There};
    let (item, element) = (leaves::<(u32, T)>(), leaves::<T>());
    let (source, operator) = (trace_source(&source.map(There)), trace_operator::<(u32, T), _>(&Carry(*operator)));
    let (buffers, glue) = (segments::gpu::buffers(&element), segments::gpu::glue(&element));
    let text = |template, buffers| Text {
        template,
        item: &item,
        input: None,
        operator: Some(&operator),
        buffers,
        shuffles: false,
        counted: false,
        glue: &glue,
    };
    let of_offsets = |template, buffers| Text { item: &[Kind::U32], operator: None, glue: "", ..text(template, buffers) };
    let [plain, subgroups] = [false, true].map(segments::gpu::template);
    [
        of_offsets(&segments::gpu::STARTS, &segments::gpu::STARTS_BUFFERS),
        of_offsets(&segments::gpu::HEADS, &segments::gpu::HEADS_BUFFERS),
        text(&segments::gpu::CARRY, &buffers[..3]),
        Text { input: Some(&source), ..text(&plain, &buffers) },
        Text { input: Some(&source), shuffles: true, ..text(&subgroups, &buffers) },
    ]
    .into_iter()
    .map(|text: Text<'_>| (joined(text.template), text.compose().0.source().to_owned()))
    .collect()
}

/// The same for scatters of this source's elements to the places of another, and for their combination.
pub fn scatter_shaders<T: Element, S: Source<Item = T>, O: Operator<T>>(source: &S, operator: &O) -> Vec<(String, String)> {
    let (pair, element) = (leaves::<(u32, T)>(), leaves::<T>());
    let (index, entry) = (trace_source(&iota(0..9_u32)), trace_source(&zip(iota(0..9_u32), *source)));
    let (alone, operator) = (trace_source(source), trace_operator::<T, O>(operator));
    let (last_buffers, last_glue) = (scatter::gpu::last_buffers(&element), scatter::gpu::last_glue(element.len()));
    let atomic = O::ATOMIC.zip(element.first()).filter(|(_, kind)| matches!(kind, Kind::I32 | Kind::U32));
    let atomic = atomic.map(|(f, kind)| (scatter::gpu::atomic_buffers(*kind), scatter::gpu::atomic_glue(f)));
    let mut all = Vec::new();
    for counted in [false, true] {
        let last = Text {
            template: &scatter::gpu::LAST,
            item: &pair,
            input: Some(&entry),
            operator: None,
            buffers: &last_buffers,
            shuffles: false,
            counted,
            glue: &last_glue,
        };
        let (claim, combine) = (&scatter::gpu::CLAIM_BUFFERS, &scatter::gpu::COMBINE_BUFFERS);
        let claim =
            Text { template: &scatter::gpu::CLAIM, item: &[Kind::U32], input: Some(&index), buffers: claim, glue: "", ..last };
        let (template, operator) = (&scatter::gpu::COMBINE, Some(&operator));
        let combine = Text { template, item: &element, input: Some(&alone), operator, buffers: combine, glue: "", ..last };
        let atomic = atomic.as_ref().map(|(buffers, glue)| Text { template: &scatter::gpu::ATOMIC, buffers, glue, ..last });
        for text in [claim, last, combine].into_iter().chain(atomic) {
            let name = format!("{}{}", joined(text.template), if counted { ", counted on the device" } else { "" });
            all.push((name, text.compose().0.source().to_owned()));
        }
    }
    all
}

/// The same for a transpose of this source.
pub fn transpose_shaders<S: Source<Item: Element>>(source: &S) -> Vec<(String, String)> {
    let (item, source) = (leaves::<S::Item>(), trace_source(source));
    let text = Text {
        template: &transpose::gpu::TEMPLATE,
        item: &item,
        input: Some(&source),
        operator: None,
        buffers: &[("out", Holds::Items, Access::ReadWrite)],
        shuffles: false,
        counted: false,
        glue: &transpose::gpu::glue(&item).expect("an element fits in a workgroup's memory"),
    };
    vec![("transpose".into(), text.compose().0.source().to_owned())]
}

/// The files of a template.
fn joined(template: &[Part]) -> String {
    template.iter().map(|part| part.name).collect::<Vec<_>>().join(" + ")
}
