//! Expressions. Each is lowered in a mode, and the largest subexpressions that are equal in all lanes change to the uniform one.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Block, Error, Expr, Ident, Result, Type, UnOp};

use super::analysis::{KERNEL, cost, has_effect};
use super::refuse::{no_labels, plain_block, refuse};
use super::syntax::{binary, check_literal, ident, is_constant, literal, split_tail};
use super::{HashMap, Lower, Mode, Name};
use crate::parse::{at, value_type};

impl Lower {
    /// The value in every lane.
    pub(super) fn value(&mut self, e: &Expr) -> Result<TokenStream> {
        self.lower(e, Mode::Varying)
    }

    /// The value in this mode. In the uniform mode, `is_uniform` holds.
    pub(super) fn lower(&mut self, e: &Expr, mode: Mode) -> Result<TokenStream> {
        let s = at(e.span());
        if mode == Mode::Varying && literal(e).is_none() && self.is_uniform(e) {
            let value = self.lower(e, Mode::Uniform)?;
            return Ok(self.spread(value, Mode::Uniform, s));
        }
        let l = match mode {
            Mode::Varying => quote_spanned!(s=> __l),
            Mode::Uniform => quote_spanned!(s=> __u),
        };
        if let Some(literal) = literal(e) {
            check_literal(e)?;
            return Ok(quote_spanned!(s=> ::granule::kernel::ops::lit(#l, #literal)));
        }
        Ok(match e {
            Expr::Paren(e) => self.lower(&e.expr, mode)?,
            Expr::Group(e) => self.lower(&e.expr, mode)?,
            Expr::Path(p) => match self.find(e) {
                Some(Name::Uniform) => quote_spanned!(s=> #e.0),
                Some(Name::Varying) => quote_spanned!(s=> #e),
                Some(Name::Variable { .. }) => quote_spanned!(s=> ::granule::kernel::ops::get(__l, #e)),
                Some(Name::Slice) => {
                    let message = "a slice is read by index: `data[i]`, or passed to a kernel that takes a slice";
                    return Err(Error::new_spanned(e, message));
                }
                Some(Name::Window) => {
                    let message = "a window is read at offsets: `w.at(-1, 0)`, or passed to a kernel that takes a window";
                    return Err(Error::new_spanned(e, message));
                }
                None => {
                    if let Some(name) = ident(e).filter(|n| !is_constant(n)) {
                        return Err(self.unknown(name));
                    }
                    if p.qself.is_some() {
                        return Err(Error::new_spanned(e, "name the constant without `<..>`"));
                    }
                    quote_spanned!(s=> ::granule::kernel::ops::lit(#l, #e))
                }
            },
            Expr::Unary(u) => {
                let f = match u.op {
                    UnOp::Neg(_) => format_ident!("neg", span = s),
                    UnOp::Not(_) => format_ident!("not", span = s),
                    _ => return Err(Error::new_spanned(u, "there are no references in a kernel: leave the `*` out")),
                };
                let a = self.lower(&u.expr, mode)?;
                quote_spanned!(s=> ::granule::kernel::ops::#f(#l, #a))
            }
            Expr::Binary(b) => {
                let Some(f) = binary(&b.op) else {
                    return Err(Error::new_spanned(b, "an assignment gives no value: make it a statement of its own"));
                };
                // The right side of `&&` and `||` may rely on the left one: a kernel in it must not see the other lanes,
                // and what it assigns or leaves is theirs alone.
                if mode == Mode::Varying && (cost(&b.right) >= KERNEL || has_effect(&b.right)) {
                    let (left, right) = (&b.left, &b.right);
                    let written = match b.op {
                        BinOp::And(_) => Some(syn::parse_quote_spanned!(s=> if #left { #right } else { false })),
                        BinOp::Or(_) => Some(syn::parse_quote_spanned!(s=> if #left { true } else { #right })),
                        _ => None,
                    };
                    if let Some(e) = written {
                        let e: Expr = e;
                        return self.value(&e);
                    }
                }
                let f = Ident::new(f, at(b.op.span()));
                let left = self.lower(&b.left, mode)?;
                let right = self.lower(&b.right, mode)?;
                operation(&f, &l, &left, &right, s)
            }
            Expr::Cast(c) => {
                let ty = &c.ty;
                if !matches!(**ty, Type::Infer(_)) {
                    value_type(ty)?;
                }
                if literal(&c.expr).is_some() {
                    check_literal(&c.expr)?;
                    return Ok(quote_spanned!(s=> ::granule::kernel::ops::lit(#l, #c)));
                }
                let a = self.lower(&c.expr, mode)?;
                quote_spanned!(s=> ::granule::kernel::ops::cast::<#ty, _, _>(#l, #a))
            }
            Expr::Field(f) => {
                if let Some(place) = self.place(e)? {
                    return Ok(quote_spanned!(s=> ::granule::kernel::ops::get(__l, #place)));
                }
                let base = self.lower(&f.base, mode)?;
                let member = &f.member;
                let leaves = quote_spanned!(s=> #base.0);
                quote_spanned!(s=> #leaves.#member)
            }
            Expr::Index(i) => {
                let Some(data) = self.slice(&i.expr) else {
                    let message = "only slice parameters `&[T]` and `#[uniform]` arrays are indexed in a kernel; fields of tuples are `.0`, `.1`";
                    return Err(Error::new_spanned(&i.expr, message));
                };
                if let Expr::Range(_) = &*i.index {
                    return Err(Error::new_spanned(&i.index, "a kernel reads one element at a time: index with a number"));
                }
                if self.is_uniform(&i.index) {
                    let index = self.lower(&i.index, Mode::Uniform)?;
                    // In varying mode a uniform index is reached through the uniform mode, above.
                    quote_spanned!(s=> ::granule::kernel::ops::index_uniform(__l, #data, ::granule::kernel::Uniform::<__L, usize>(#index)).0)
                } else {
                    let index = self.value(&i.index)?;
                    quote_spanned!(s=> ::granule::kernel::ops::index(__l, #data, #index))
                }
            }
            Expr::Tuple(t) => {
                if t.elems.is_empty() || t.elems.len() > 8 {
                    return Err(Error::new_spanned(
                        t,
                        "tuples in kernels have 1 to 8 fields: use a struct with `#[derive(Element)]`",
                    ));
                }
                let f = format_ident!("tuple{}", t.elems.len(), span = s);
                let elems = t.elems.iter().map(|e| self.lower(e, mode)).collect::<Result<Vec<_>>>()?;
                quote_spanned!(s=> ::granule::kernel::ops::#f(#(#elems),*))
            }
            Expr::MethodCall(m) => {
                if self.slice(&m.receiver).is_some() {
                    return self.slice_method(m, s);
                }
                if let Some(window) = self.window(&m.receiver) {
                    return self.window_method(&window, m, s);
                }
                let args: Vec<&Expr> = m.args.iter().collect();
                let value = self.method(&m.method, &m.receiver, &args, None, mode, s)?;
                if let Some(t) = &m.turbofish {
                    return Err(Error::new_spanned(t, "methods in kernels take no type arguments"));
                }
                value
            }
            Expr::Call(c) => self.call(c, mode, s)?,
            Expr::Struct(t) => {
                let path = &t.path;
                let members: Vec<_> = t.fields.iter().map(|f| &f.member).collect();
                let start = match &t.rest {
                    Some(rest) => self.value(rest)?,
                    None => {
                        // Never called: rustc infers from it which struct this is, with its type arguments.
                        let names: Vec<_> = (0..members.len()).map(|i| format_ident!("__{}", i, span = s)).collect();
                        quote_spanned!(s=> ::granule::kernel::ops::zero_as(__l, |(#(#names,)*)| #path { #(#members: #names),* }))
                    }
                };
                let values = t.fields.iter().map(|f| self.value(&f.expr)).collect::<Result<Vec<_>>>()?;
                quote_spanned!(s=> {
                    let mut __s = #start;
                    #({ let __v = #values; let __f = &mut __s.0; __f.#members = __v; })*
                    __s
                })
            }
            Expr::If(i) => self.value_if(i, mode, s)?,
            Expr::Block(b) => {
                if let Some(label) = &b.label {
                    return Err(no_labels(label));
                }
                plain_block(&b.attrs)?;
                self.value_block(&b.block)?
            }
            _ => return Err(refuse(e)),
        })
    }

    /// A block that gives a value.
    pub(super) fn value_block(&mut self, b: &Block) -> Result<TokenStream> {
        let s = at(b.brace_token.span.close());
        let (rest, tail) = split_tail(&b.stmts);
        self.scopes.push(HashMap::new());
        let (stmts, left) = self.stmts(rest)?;
        let value = match tail {
            Some(e) if !left => self.value(e)?,
            _ => {
                let message = "this block must end in an expression: its value (without a semicolon)";
                return Err(Error::new(b.brace_token.span.close(), message));
            }
        };
        self.scopes.pop();
        if rest.is_empty() {
            return Ok(value);
        }
        Ok(quote_spanned!(s=> { #stmts #value }))
    }
}

/// An operator's function. A product or a quotient may be one of a vector and a number, which has two types: rustc chooses by both.
pub(super) fn operation(f: &Ident, l: &TokenStream, left: &TokenStream, right: &TokenStream, s: Span) -> TokenStream {
    if f == "mul" || f == "div" {
        quote_spanned!(s=> ::granule::kernel::ops::Operands(#left, #right).#f(#l))
    } else {
        quote_spanned!(s=> ::granule::kernel::ops::#f(#l, #left, #right))
    }
}
