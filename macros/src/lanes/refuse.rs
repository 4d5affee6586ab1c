//! What is not part of the kernel language: one error at the user's own place, which says what to write instead.

use syn::{Error, Expr, Result};

/// The error for an expression that kernels do not have: what to write instead.
pub(super) fn refuse(e: &Expr) -> Error {
    match e {
        Expr::Closure(c) => {
            Error::new_spanned(c, "there are no closures in a kernel: write a function with `#[kernel]` and call it")
        }
        Expr::Reference(r) => {
            Error::new(r.and_token.span, "there are no references in a kernel: values are copied, leave the `&` out")
        }
        Expr::Match(m) => Error::new(m.match_token.span, "there is no `match` in a kernel: write `if`, `else if`, `else`"),
        Expr::Let(l) => no_patterns(l),
        Expr::Macro(m) => no_macros(&m.mac.path),
        Expr::Try(t) => Error::new_spanned(
            t.question_token,
            "there is no `?` in a kernel: return a value that says so, such as NaN or a flag",
        ),
        Expr::Await(a) => Error::new(a.await_token.span, "there is no `.await` in a kernel"),
        Expr::Async(a) => Error::new(a.async_token.span, "there is no `async` in a kernel: write a plain block"),
        Expr::Unsafe(u) => Error::new(u.unsafe_token.span, "there is no `unsafe` in a kernel: its operations are all safe"),
        Expr::Const(c) => Error::new(c.const_token.span, "write a constant with a name: `const N: u32 = ..;`"),
        Expr::Array(_) | Expr::Repeat(_) => Error::new_spanned(
            e,
            "there are no arrays in a kernel: use a tuple, a `#[uniform]` array parameter, or a slice parameter",
        ),
        Expr::Range(r) => Error::new_spanned(r, "a range stands only in `for i in a..b`; a test is `a <= x && x < b`"),
        Expr::While(w) => Error::new(w.while_token.span, "a loop gives no value: assign to a variable"),
        Expr::Loop(w) => Error::new(w.loop_token.span, "a loop in a kernel gives no value: assign to a variable, then `break`"),
        Expr::ForLoop(w) => Error::new(w.for_token.span, "a loop gives no value: assign to a variable"),
        Expr::Assign(a) => Error::new_spanned(a, "an assignment gives no value: make it a statement of its own"),
        Expr::Break(_) | Expr::Continue(_) | Expr::Return(_) => {
            Error::new_spanned(e, "`break`, `continue` and `return` are statements of their own in a kernel")
        }
        Expr::Infer(_) => Error::new_spanned(e, "`_` is not a value"),
        _ => Error::new_spanned(e, "this expression is not part of the kernel language: see the documentation of `#[kernel]`"),
    }
}

pub(super) fn no_labels(label: &impl quote::ToTokens) -> Error {
    Error::new_spanned(label, "loops in kernels have no labels: leave the outer loop by a `bool` variable, or by `return`")
}

pub(super) fn no_patterns(e: &syn::ExprLet) -> Error {
    Error::new(e.let_token.span, "there is no pattern matching in a kernel: compare with `==` and combine with `&&`")
}

pub(super) fn no_macros(path: &syn::Path) -> Error {
    Error::new_spanned(path, "a kernel does not expand macros: write what it stands for")
}

pub(super) fn plain_block(attrs: &[syn::Attribute]) -> Result<()> {
    match attrs.first() {
        Some(a) => Err(Error::new_spanned(a, "blocks in kernels have no attributes")),
        None => Ok(()),
    }
}
