//! `kernel!`: a kernel in place.
//!
//! It becomes a block with a struct and its impls in it, and a closure with the user's body that is never called: rustc checks
//! the plain form, and without `-> T` it infers from the closure what the kernel returns.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    Block, Error, Expr, ExprClosure, Generics, Ident, Pat, Result, ReturnType, Token, Type, Visibility, bracketed, parse_quote,
};

use crate::emit::{allowed, around};
use crate::infer::result_is_fixed;
use crate::parse::{Kind, Param, Signature, Visible, Window, at, param, value_type};

/// `a: f32` or `a: f32 = expression`
struct Capture {
    name: Ident,
    ty: Type,
    value: Option<Expr>,
}

impl Parse for Capture {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        if !input.peek(Token![:]) {
            return Err(Error::new(name.span(), format!("write the type of what is captured: `[{name}: f32]`")));
        }
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Capture { name, ty, value })
    }
}

struct Inline {
    captures: Vec<Capture>,
    closure: ExprClosure,
}

impl Parse for Inline {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut captures = Vec::new();
        if input.peek(syn::token::Bracket) {
            let list;
            bracketed!(list in input);
            captures = Punctuated::<Capture, Token![,]>::parse_terminated(&list)?.into_iter().collect();
        }
        if input.is_empty() {
            return Err(Error::new(Span::call_site(), "write the kernel as a closure: `kernel!(|x: f32| x * x)`"));
        }
        let closure = match input.parse::<Expr>()? {
            Expr::Closure(c) => c,
            other => return Err(Error::new_spanned(other, "write the kernel as a closure: `kernel!(|x: f32| x * x)`")),
        };
        if !input.is_empty() {
            return Err(input.error("the kernel ends with its closure"));
        }
        Ok(Inline { captures, closure })
    }
}

/// `kernel!(..)`
pub(crate) fn kernel(input: TokenStream) -> Result<TokenStream> {
    let Inline { captures, mut closure } = syn::parse2(input)?;
    Visible.visit_expr_closure_mut(&mut closure);
    if let Some(t) = &closure.capture {
        return Err(Error::new(
            t.span,
            "leave `move` out: what stands in brackets is captured, `kernel!([a: f32] |x: f32| a * x)`",
        ));
    }
    if let Some(t) = &closure.asyncness {
        return Err(Error::new(t.span, "a kernel cannot be `async`: write a plain closure"));
    }
    let mut params: Vec<Param> = Vec::new();
    for c in &captures {
        let name = &c.name;
        let mut p = param(&[], &parse_quote!(#name), &c.ty, params.len()).or_else(|e| match &c.ty {
            // Captures are uniform without saying so, which makes arrays legal.
            Type::Array(_) => param(&[parse_quote!(#[uniform])], &parse_quote!(#name), &c.ty, params.len()),
            _ => Err(e),
        })?;
        if matches!(p.kind, Kind::Varying) {
            p.kind = Kind::Uniform;
        }
        params.push(p);
    }
    for pat in &closure.inputs {
        let Pat::Type(p) = pat else {
            return Err(Error::new_spanned(pat, format!("write the parameter's type: `|{}: f32|`", quote!(#pat))));
        };
        if let Type::Reference(r) = &*p.ty {
            let message = "a slice is captured: `kernel!([data: &[f32]] |i: u32| ..)`; other types stand without `&`";
            return Err(Error::new(r.and_token.span, message));
        }
        params.push(param(&p.attrs, &p.pat, &p.ty, params.len())?);
        if !matches!(params.last().expect("just pushed").kind, Kind::Varying | Kind::Window(_)) {
            return Err(Error::new_spanned(pat, "a uniform is captured: `kernel!([a: f32] |x: f32| ..)`"));
        }
    }
    let ret = match &closure.output {
        ReturnType::Type(_, ty) => {
            value_type(ty)?;
            Some((**ty).clone())
        }
        ReturnType::Default => None,
    };
    let body: Block = match &*closure.body {
        Expr::Block(b) if b.label.is_none() && b.attrs.is_empty() => b.block.clone(),
        e => parse_quote_block(e),
    };
    let s = at(closure.body.span());
    let signature = Signature {
        vis: Visibility::Inherited,
        name: format_ident!("__Kernel", span = s),
        generics: Generics::default(),
        params,
        ret,
    };
    if signature.varying().next().is_none() && signature.window().is_none() {
        let message = "a kernel needs a parameter that differs between elements: `kernel!(|x: f32| ..)`";
        return Err(Error::new(closure.or2_token.span, message));
    }
    signature.check()?;
    let (items, ok) = around(&signature, &body, true);
    if !ok {
        // The items hold the one error. A value of the right shape keeps the call around it from adding more.
        return Ok(quote_spanned!(s=> { #items ::core::unreachable!() }));
    }
    if signature.ret.is_none() && !result_is_fixed(&signature.params, &body) {
        let message =
            "the type of the result does not follow from the kernel: write it, `|..| -> T { .. }`, or give a literal its suffix";
        return Err(Error::new_spanned(&closure.body, message));
    }
    let allowed = allowed();
    let values = captures.iter().map(|c| match &c.value {
        Some(e) => quote!(#e),
        None => {
            let name = &c.name;
            quote!(#name)
        }
    });
    let (pats, types): (Vec<_>, Vec<_>) = signature.params.iter().map(|p| (&p.pat, &p.ty)).unzip();
    let plain = &body;
    let (parameter, kernel) = match signature.window() {
        None => (quote!(, __X: ::granule::element::Value), quote!(::granule::kernel::Kernel<__X, Out = __Out>)),
        Some(Window { item, axes, .. }) => (quote!(), quote!(::granule::grid::Stencil<#item, #axes, Out = __Out>)),
    };
    Ok(match &signature.ret {
        Some(ret) => quote_spanned! {s=> {
            #items
            #allowed
            let _ = |#(#pats: #types),*| -> #ret #plain;
            __Kernel::with(#(#values),*)
        }},
        None => quote_spanned! {s=> {
            #items
            #allowed
            #[inline(always)]
            fn __same<__Out: ::granule::element::Value, __K: #kernel #parameter>(
                _: impl Fn(#(#types),*) -> __Out,
                __kernel: __K,
            ) -> __K {
                __kernel
            }
            #allowed
            let __plain = |#(#pats: #types),*| #plain;
            __same(__plain, __Kernel::with(#(#values),*))
        }},
    })
}

fn parse_quote_block(e: &Expr) -> Block {
    let brace_token = syn::token::Brace(e.span());
    Block { brace_token, stmts: vec![syn::Stmt::Expr(e.clone(), None)] }
}
