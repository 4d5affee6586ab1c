//! The generic body: each construct of the kernel language becomes calls of `granule::kernel::ops`, for any lanes.
//!
//! - A value is lowered in one of two modes. `Varying` gives a value in every lane. `Uniform` computes at the level where uniform
//!   values live: one lane for SIMD. The largest uniform subexpressions are computed there and broadcast; that is what makes
//!   `data[i]` with a loop counter one load and not a gather.
//! - `__m` is the mask of the lanes that take part. Branches narrow it, loops and `return` empty it.
//! - Assignments are masked, except where no lane can have left since the variable was declared: there the lanes outside the mask
//!   do not see the variable any more. Each place where lanes may leave starts a new *epoch*; equal epochs mean equal masks.
//!
//! This file holds the translation's state: names, epochs, bindings, and the frame of a body. Beside it: `value` and `call` lower
//! expressions; `statement`, `flow` and `loops` statements; `analysis` asks what the syntax shows (uniformity, cost, who leaves);
//! `syntax` reads syn's trees; `refuse` says what is not part of the language.

mod analysis;
mod call;
mod flow;
mod loops;
mod refuse;
mod statement;
mod syntax;
mod value;

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Block, Error, Expr, Ident, Index, Pat, Result, Stmt, Type};

use crate::parse::{Kind, Param, at};
use analysis::Leaves;

pub(crate) use analysis::has_loop;
pub(crate) use syntax::{ident, split_tail};

/// Where a value is computed.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Varying,
    Uniform,
}

/// What a name stands for.
#[derive(Clone, Copy)]
enum Name {
    Uniform,
    Varying,
    Variable { epoch: u32 },
    Slice,
    Window,
}

/// Translates one kernel.
pub(crate) struct Lower {
    scopes: Vec<HashMap<String, Name>>,
    epoch: u32,
    epochs: u32,
    early_return: bool,
    generics: Vec<String>,
    inline: bool,
}

impl Lower {
    /// The statements and the value of a kernel's body: what stands in braces after the signature of `__lanes`.
    pub(crate) fn body(
        params: &[Param],
        generics: Vec<String>,
        ret: Option<&Type>,
        body: &Block,
        inline: bool,
    ) -> Result<TokenStream> {
        let (stmts, last_return) = match body.stmts.split_last() {
            Some((Stmt::Expr(Expr::Return(r), _), rest)) if r.expr.is_some() => (rest, r.expr.as_deref()),
            _ => (&body.stmts[..], None),
        };
        let early_return = {
            let mut leaves = Leaves::default();
            stmts.iter().for_each(|s| leaves.visit_stmt(s));
            last_return.iter().for_each(|e| leaves.visit_expr(e));
            leaves.returns
        };
        let mut this = Lower { scopes: vec![HashMap::new()], epoch: 0, epochs: 0, early_return, generics, inline };
        let mut out = TokenStream::new();
        for p in params {
            out.extend(this.parameter(p)?);
        }
        this.scopes.push(HashMap::new());
        let (lowered, tail) = match last_return {
            Some(e) => {
                let (lowered, left) = this.stmts(stmts)?;
                (lowered, if left { None } else { Some(e) })
            }
            None => {
                let (rest, tail) = split_tail(stmts);
                let (lowered, left) = this.stmts(rest)?;
                (lowered, if left { None } else { tail })
            }
        };
        let s = at(body.brace_token.span.close());
        if !early_return {
            let Some(tail) = tail else {
                let message = "a kernel ends in an expression: its value (without a semicolon)";
                return Err(Error::new(body.brace_token.span.close(), message));
            };
            let tail = this.value(tail)?;
            return Ok(quote_spanned!(s=> #out #lowered #tail));
        }
        let zero = ret.map_or_else(|| quote_spanned!(s=> ::granule::kernel::ops::zero(__l)), |t| zero(t, s));
        let annotation = ret.map_or_else(|| quote!(_), |t| quote!(#t));
        let tail = match tail {
            None => TokenStream::new(),
            Some(e) if this.leaves_always(e) => {
                let e = this.statement(e)?;
                quote_spanned!(s=> if __l.any(__m) { #e })
            }
            Some(e) => {
                let e = this.value(e)?;
                quote_spanned!(s=> if __l.any(__m) {
                    let __v = #e;
                    ::granule::kernel::ops::set_masked(__l, __m, &mut __ret, __v);
                })
            }
        };
        Ok(quote_spanned! {s=>
            #out
            __l.scope_begin();
            let mut __ret: ::granule::kernel::Varying<__L, #annotation> = ::granule::kernel::ops::var(__l, #zero);
            let mut __returned = __l.mask_none();
            #lowered
            #tail
            __l.scope_end();
            ::granule::kernel::ops::get(__l, __ret)
        })
    }

    fn parameter(&mut self, p: &Param) -> Result<TokenStream> {
        let (name, ty, s) = (&p.name, &p.ty, at(p.name.span()));
        match p.kind {
            Kind::Varying => {
                let value = quote_spanned!(s=> #name);
                let bind = self.bind(&p.pat, value, Mode::Varying)?;
                Ok(quote_spanned! {s=>
                    let #name: ::granule::kernel::Varying<__L, #ty> = ::granule::kernel::ToVarying::to_varying(#name, __l);
                    #bind
                })
            }
            Kind::Uniform => {
                self.declare(name, Name::Uniform)?;
                Ok(TokenStream::new())
            }
            Kind::Slice(_) | Kind::Array(..) => {
                self.declare(name, Name::Slice)?;
                Ok(TokenStream::new())
            }
            Kind::Window(_) => {
                self.declare(name, Name::Window)?;
                Ok(TokenStream::new())
            }
        }
    }

    fn declare(&mut self, name: &Ident, what: Name) -> Result<()> {
        let text = name.to_string();
        if text.starts_with("__") {
            return Err(Error::new(
                name.span(),
                "names in kernels do not begin with two underscores: the generated code uses these",
            ));
        }
        self.scopes.last_mut().expect("a scope").insert(text, what);
        Ok(())
    }

    fn find(&self, e: &Expr) -> Option<Name> {
        let name = ident(e)?.to_string();
        self.scopes.iter().rev().find_map(|s| s.get(&name).copied())
    }

    fn slice(&self, e: &Expr) -> Option<Ident> {
        match (e, self.find(e)) {
            (_, Some(Name::Slice)) => ident(e).cloned(),
            (Expr::Reference(r), _) if r.mutability.is_none() => self.slice(&r.expr),
            _ => None,
        }
    }

    fn window(&self, e: &Expr) -> Option<Ident> {
        if let Some(Name::Window) = self.find(e) { ident(e).cloned() } else { None }
    }

    fn unknown(&self, name: &Ident) -> Error {
        let how = if self.inline {
            format!(
                "`{name}` is not a parameter or a variable of this kernel: capture it as a uniform with its type, `kernel!([{name}: f32] |..| ..)`"
            )
        } else {
            format!("`{name}` is not a parameter or a variable of this kernel: pass it as a parameter, `#[uniform] {name}: f32`")
        };
        Error::new(name.span(), format!("{how}; constants are UPPERCASE or paths"))
    }

    fn new_epoch(&mut self) {
        self.epochs += 1;
        self.epoch = self.epochs;
    }

    fn rejoin_epoch(&mut self, before: u32, left: bool) {
        if left {
            self.new_epoch();
        } else {
            self.epoch = before;
        }
    }

    /// Binds a pattern to a value, which is tokens without side effect: a name, or fields of a name.
    fn bind(&mut self, pat: &Pat, value: TokenStream, mode: Mode) -> Result<TokenStream> {
        let s = at(pat.span());
        Ok(match pat {
            Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() => {
                let name = &p.ident;
                match (p.mutability, mode) {
                    (Some(_), _) => {
                        self.declare(name, Name::Variable { epoch: self.epoch })?;
                        let value = self.spread(value, mode, s);
                        quote_spanned!(s=> let mut #name = ::granule::kernel::ops::var(__l, #value);)
                    }
                    (None, Mode::Varying) => {
                        self.declare(name, Name::Varying)?;
                        quote_spanned!(s=> let #name = #value;)
                    }
                    (None, Mode::Uniform) => {
                        self.declare(name, Name::Uniform)?;
                        quote_spanned!(s=> let #name = ::granule::kernel::Uniform::<__L, _>(#value);)
                    }
                }
            }
            Pat::Wild(_) => quote_spanned!(s=> let _ = #value;),
            Pat::Paren(p) => self.bind(&p.pat, value, mode)?,
            Pat::Tuple(t) => {
                let mut out = TokenStream::new();
                for (i, p) in t.elems.iter().enumerate() {
                    let i = Index { index: i as u32, span: s };
                    let leaves = quote_spanned!(s=> #value.0);
                    out.extend(self.bind(p, quote_spanned!(s=> #leaves.#i), mode)?);
                }
                out
            }
            Pat::Struct(t) => {
                let mut out = TokenStream::new();
                for f in &t.fields {
                    let member = &f.member;
                    let leaves = quote_spanned!(s=> #value.0);
                    out.extend(self.bind(&f.pat, quote_spanned!(s=> #leaves.#member), mode)?);
                }
                out
            }
            _ => {
                let message = "a kernel binds plain names, tuples and structs of them: `x`, `mut x`, `(a, b)`, `_`";
                return Err(Error::new_spanned(pat, message));
            }
        })
    }

    /// A value in every lane.
    fn spread(&self, value: TokenStream, mode: Mode, s: Span) -> TokenStream {
        match mode {
            Mode::Varying => value,
            Mode::Uniform => {
                quote_spanned!(s=> ::granule::kernel::ops::broadcast(__l, ::granule::kernel::Uniform::<__L, _>(#value)))
            }
        }
    }
}

/// A zero of the type: `usize` is a value but not an element.
fn zero(ty: &Type, s: Span) -> TokenStream {
    match ty {
        Type::Path(p) if p.path.is_ident("usize") => quote_spanned!(s=> ::granule::kernel::ops::lit(__l, 0usize)),
        Type::Tuple(t) => {
            let f = format_ident!("tuple{}", t.elems.len(), span = s);
            let elems = t.elems.iter().map(|t| zero(t, s));
            quote_spanned!(s=> ::granule::kernel::ops::#f(#(#elems),*))
        }
        Type::Paren(t) => zero(&t.elem, s),
        _ => quote_spanned!(s=> ::granule::kernel::ops::zero::<_, #ty>(__l)),
    }
}
