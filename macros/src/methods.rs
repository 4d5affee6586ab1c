//! The functions that std spells as methods, and what they become.

/// Name in std, function in `granule::kernel::ops`, number of arguments after the receiver, and whether one evaluation costs as
/// much as many additions (then a branch around it is worth a jump).
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    pub(crate) arguments: usize,
    pub(crate) dear: bool,
}

const fn cheap(name: &'static str, function: &'static str, arguments: usize) -> Method {
    Method { name, function, arguments, dear: false }
}
const fn dear(name: &'static str, arguments: usize) -> Method {
    Method { name, function: name, arguments, dear: true }
}

pub(crate) const METHODS: &[Method] = &[
    cheap("abs", "abs", 0),
    dear("arg", 0),
    dear("atan", 0),
    dear("atan2", 1),
    cheap("carrying_mul", "carrying_mul", 2),
    cheap("ceil", "ceil", 0),
    cheap("clamp", "clamp", 2),
    cheap("conj", "conj", 0),
    cheap("copysign", "copysign", 1),
    dear("cos", 0),
    cheap("count_ones", "count_ones", 0),
    cheap("cross", "cross", 1),
    cheap("dot", "dot", 1),
    dear("exp", 0),
    dear("exp2", 0),
    cheap("floor", "floor", 0),
    cheap("fract", "fract", 0),
    cheap("is_finite", "is_finite", 0),
    cheap("is_infinite", "is_infinite", 0),
    cheap("is_multiple_of", "is_multiple_of", 1),
    cheap("is_nan", "is_nan", 0),
    cheap("leading_zeros", "leading_zeros", 0),
    dear("length", 0),
    cheap("length_squared", "length_squared", 0),
    dear("ln", 0),
    dear("log10", 0),
    dear("log2", 0),
    cheap("max", "max", 1),
    cheap("min", "min", 1),
    cheap("mul_add", "mul_add", 2),
    dear("norm", 0),
    cheap("norm_sqr", "norm_sqr", 0),
    dear("normalize", 0),
    dear("pow", 1),
    dear("powf", 1),
    dear("powi", 1),
    cheap("recip", "recip", 0),
    cheap("reverse_bits", "reverse_bits", 0),
    cheap("rotate_left", "rotate_left", 1),
    cheap("rotate_right", "rotate_right", 1),
    cheap("round", "round", 0),
    cheap("signum", "signum", 0),
    dear("sin", 0),
    dear("sin_cos", 0),
    dear("sqrt", 0),
    dear("tan", 0),
    dear("tanh", 0),
    cheap("to_bits", "to_bits", 0),
    cheap("trailing_zeros", "trailing_zeros", 0),
    cheap("trunc", "trunc", 0),
    cheap("wrapping_abs", "abs", 0),
    cheap("wrapping_add", "add", 1),
    cheap("wrapping_mul", "mul", 1),
    cheap("wrapping_neg", "neg", 0),
    cheap("wrapping_shl", "shl", 1),
    cheap("wrapping_shr", "shr", 1),
    cheap("wrapping_sub", "sub", 1),
];

/// The method of this name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|m| m.name == name)
}

/// The names, for a message.
pub(crate) fn list() -> String {
    METHODS.iter().map(|m| m.name).collect::<Vec<_>>().join(", ")
}

/// Whether `T::f(..)` with this `T` calls a method of a number type.
pub(crate) fn is_primitive(name: &str) -> bool {
    matches!(name, "f32" | "f64" | "i32" | "u32" | "i64" | "u64" | "usize" | "bool")
}
