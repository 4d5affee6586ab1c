//! The procedural macros of `granule`. Use them through that crate.
//!
//! A kernel goes through three steps: `parse` checks the signature, `lanes` writes the body that is generic over the lanes (and
//! refuses what it cannot translate, at the user's span), `emit` puts the struct, its constructor and the trait impls around it.

mod element;
mod emit;
mod infer;
mod inline;
mod lanes;
mod methods;
mod operator;
mod parse;

use proc_macro::TokenStream;

/// Makes a function a kernel: the function stays as it is, and a struct of the same name can be given to the primitives.
///
/// `name::with(..)` takes the `#[uniform]` parameters by value and the `&[T]` parameters by reference, in the order of the
/// function, and gives the kernel of the other parameters: of one element, or of a tuple of them.
///
/// ```ignore
/// #[kernel]
/// fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
///     a * x + y
/// }
/// let z = engine.map(zip(&x, &y), saxpy::with(2.0)).run()?;
/// ```
///
/// # The kernel language
///
/// - **Types**: `f32`, `f64`, `i32`, `u32`, `i64`, `u64`, `bool`, `usize` (a 32-bit index), tuples, structs with
///   `#[derive(Element)]`, and type parameters bounded by `Number`, `Integer` or `Float`.
/// - **Parameters**: values; `#[uniform]` values and small arrays; slices `&[T]`, which are read at any index.
/// - **Expressions**: arithmetic, comparison, logic, shifts, `as`, literals, constants, tuples, struct literals, fields,
///   `data[i]`, `data.len()`, `if`/`else`, blocks, calls of other kernels, and std's methods of numbers: `sqrt`, `abs`, `min`,
///   `max`, `clamp`, `exp`, `ln`, `sin`, `powi`, `mul_add`, `floor`, `to_bits`, `count_ones`, `rotate_left` and so on.
/// - **Statements**: `let`, `let mut`, assignment to variables and their fields, `if`, `while`, `loop`, `for i in a..b`,
///   `break`, `continue`, `return`.
///
/// What is not accepted is an error at its place that says what to write instead. Both sides of `&&` and `||` are evaluated,
/// unless the right one calls a kernel. Integers wrap, and an index out of range reads the nearest element in range.
#[proc_macro_attribute]
pub fn kernel(attr: TokenStream, item: TokenStream) -> TokenStream {
    emit::kernel(attr.into(), item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}

/// A kernel in place: `kernel!([a: f32] |x: f32| a * x)`. What stands in brackets is captured from the scope, as a uniform or a
/// slice; `[a: f32 = expression]` computes it.
#[proc_macro]
pub fn kernel_inline(input: TokenStream) -> TokenStream {
    inline::kernel(input.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}

/// Makes a function of two elements an operator for reductions and scans. It must be associative, and
/// `f(identity, x) = f(x, identity) = x`.
///
/// ```ignore
/// #[operator(identity = f32::NEG_INFINITY, commutative)]
/// fn log_sum_exp(a: f32, b: f32) -> f32 {
///     let high = a.max(b);
///     if high == f32::NEG_INFINITY { high } else { high + ((a - high).exp() + (b - high).exp()).ln() }
/// }
/// let total = engine.reduce(&x, log_sum_exp::with()).run()?;
/// ```
#[proc_macro_attribute]
pub fn operator(attr: TokenStream, item: TokenStream) -> TokenStream {
    operator::operator(attr.into(), item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}

/// Lets a struct be an array's element and a value in kernels. Its fields must be elements, and it must be `Copy`.
#[proc_macro_derive(Element)]
pub fn element(item: TokenStream) -> TokenStream {
    element::derive(item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}
