//! Statements, and where they write: variables and their fields. A write is masked, unless the variable is as young as the mask.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Block, Error, Expr, Ident, Index, Member, Pat, Result, Stmt, Type};

use super::analysis::has_effect;
use super::refuse::{no_labels, no_macros, plain_block, refuse};
use super::syntax::{binary, compound, root};
use super::value::operation;
use super::{HashMap, Lower, Mode, Name};
use crate::parse::{at, value_type};

impl Lower {
    /// Lowers statements until one after which no lane is left; says whether there was such a one.
    pub(super) fn stmts(&mut self, stmts: &[Stmt]) -> Result<(TokenStream, bool)> {
        let mut out = TokenStream::new();
        for stmt in stmts {
            match stmt {
                Stmt::Local(l) => out.extend(self.local(l)?),
                Stmt::Expr(e, _) => {
                    out.extend(self.statement(e)?);
                    if matches!(e, Expr::Break(_) | Expr::Continue(_) | Expr::Return(_)) {
                        return Ok((out, true));
                    }
                }
                Stmt::Item(item @ (syn::Item::Const(_) | syn::Item::Use(_))) => out.extend(quote!(#item)),
                Stmt::Item(item) => {
                    return Err(Error::new_spanned(
                        item,
                        "inside a kernel stand only constants: move other items out of the function",
                    ));
                }
                Stmt::Macro(m) => return Err(no_macros(&m.mac.path)),
            }
        }
        Ok((out, false))
    }

    pub(super) fn statement(&mut self, e: &Expr) -> Result<TokenStream> {
        let s = at(e.span());
        Ok(match e {
            Expr::Assign(a) => self.assign(&a.left, &a.right, s)?,
            Expr::Binary(b) if binary(&b.op).is_none() => {
                let f = Ident::new(compound(&b.op).ok_or_else(|| refuse(e))?, at(b.op.span()));
                let old = self.value(&b.left)?;
                let by = self.value(&b.right)?;
                // Of numbers, Rust evaluates the right side before it reads the left one: the right may assign to the left.
                let l = quote_spanned!(s=> __l);
                let value = if has_effect(&b.right) {
                    let value = operation(&f, &l, &old, &quote_spanned!(s=> __by), s);
                    quote_spanned!(s=> { let __by = #by; #value })
                } else {
                    operation(&f, &l, &old, &by, s)
                };
                self.store(&b.left, value, s)?
            }
            Expr::If(i) => self.statement_if(i, s)?,
            Expr::While(w) => self.while_loop(w, s)?,
            Expr::Loop(w) => self.plain_loop(w, s)?,
            Expr::ForLoop(f) => self.for_loop(f, s)?,
            Expr::Block(b) => {
                if let Some(label) = &b.label {
                    return Err(no_labels(label));
                }
                plain_block(&b.attrs)?;
                self.statement_block(&b.block)?
            }
            Expr::Paren(p) => self.statement(&p.expr)?,
            Expr::Break(b) => {
                if let Some(label) = &b.label {
                    return Err(no_labels(label));
                }
                if let Some(value) = &b.expr {
                    let message = "a loop in a kernel gives no value: assign to a variable, then `break`";
                    return Err(Error::new_spanned(value, message));
                }
                self.new_epoch();
                quote_spanned!(s=> __m = __l.loop_break();)
            }
            Expr::Continue(c) => {
                if let Some(label) = &c.label {
                    return Err(no_labels(label));
                }
                self.new_epoch();
                quote_spanned!(s=> __cont = ::granule::kernel::MaskLane::or(__cont, __l, __m); __m = __l.loop_continue();)
            }
            Expr::Return(r) => {
                let Some(value) = &r.expr else {
                    return Err(Error::new_spanned(r, "a kernel returns a value: `return x;`"));
                };
                debug_assert!(self.early_return);
                let value = self.value(value)?;
                self.new_epoch();
                quote_spanned! {s=>
                    let __v = #value;
                    ::granule::kernel::ops::set_masked(__l, __m, &mut __ret, __v);
                    __returned = ::granule::kernel::MaskLane::or(__returned, __l, __m);
                    __m = __l.scope_return();
                }
            }
            _ => {
                let value = self.value(e)?;
                quote_spanned!(s=> let _ = #value;)
            }
        })
    }

    pub(super) fn statement_block(&mut self, b: &Block) -> Result<TokenStream> {
        self.scopes.push(HashMap::new());
        let (out, _) = self.stmts(&b.stmts)?;
        self.scopes.pop();
        Ok(quote_spanned!(at(b.brace_token.span.join())=> { #out }))
    }

    fn local(&mut self, local: &syn::Local) -> Result<TokenStream> {
        let s = at(local.span());
        let Some(init) = &local.init else {
            return Err(Error::new_spanned(local, "a variable of a kernel needs its initial value: `let mut x = 0.0;`"));
        };
        if let Some((_, diverge)) = &init.diverge {
            return Err(Error::new_spanned(diverge, "there is no `let .. else` in a kernel: write `if`"));
        }
        let (pat, ty) = match &local.pat {
            Pat::Type(p) => (&*p.pat, Some(&*p.ty)),
            p => (p, None),
        };
        if let Some(ty) = ty.filter(|t| !matches!(t, Type::Infer(_))) {
            value_type(ty)?;
        }
        let mutable = matches!(pat, Pat::Ident(p) if p.mutability.is_some());
        let mode = if !mutable && self.is_uniform(&init.expr) { Mode::Uniform } else { Mode::Varying };
        let value = self.lower(&init.expr, mode)?;
        let level = match mode {
            Mode::Varying => quote_spanned!(s=> __L),
            Mode::Uniform => quote_spanned!(s=> <__L as ::granule::kernel::Lanes>::Uniform),
        };
        let typed = ty.map_or_else(|| quote_spanned!(s=> _), |t| quote!(#t));
        let bind = self.bind(pat, quote_spanned!(s=> __t), mode)?;
        Ok(quote_spanned!(s=> let __t: ::granule::kernel::Varying<#level, #typed> = #value; #bind))
    }

    fn assign(&mut self, left: &Expr, right: &Expr, s: Span) -> Result<TokenStream> {
        match left {
            Expr::Tuple(t) => {
                let value = self.value(right)?;
                let mut out = TokenStream::new();
                for (i, e) in t.elems.iter().enumerate() {
                    let i = Index { index: i as u32, span: s };
                    let leaves = quote_spanned!(s=> __t.0);
                    out.extend(match e {
                        Expr::Infer(_) => TokenStream::new(),
                        _ => self.store(e, quote_spanned!(s=> #leaves.#i), s)?,
                    });
                }
                Ok(quote_spanned!(s=> { let __t = #value; #out }))
            }
            Expr::Infer(_) => {
                let value = self.value(right)?;
                Ok(quote_spanned!(s=> let _ = #value;))
            }
            _ => {
                let value = self.value(right)?;
                self.store(left, value, s)
            }
        }
    }

    fn store(&mut self, left: &Expr, value: TokenStream, s: Span) -> Result<TokenStream> {
        let Some(place) = self.place(left)? else {
            if let Expr::Index(_) = left {
                let message = "a kernel does not write to slices: return the value, the primitive stores it";
                return Err(Error::new_spanned(left, message));
            }
            if let Some(name) = root(left) {
                return Err(match self.find(&Expr::Path(syn::parse_quote!(#name))) {
                    Some(_) => Error::new_spanned(left, format!("`{name}` is not mutable: declare it with `mut`")),
                    None => self.unknown(name),
                });
            }
            return Err(Error::new_spanned(left, "a kernel assigns to its variables and their fields"));
        };
        let declared = root(left).and_then(|name| match self.find(&Expr::Path(syn::parse_quote!(#name))) {
            Some(Name::Variable { epoch }) => Some(epoch),
            _ => None,
        });
        Ok(if declared == Some(self.epoch) {
            quote_spanned!(s=> { let __v = #value; ::granule::kernel::ops::set(__l, &mut #place, __v); })
        } else {
            quote_spanned!(s=> { let __v = #value; ::granule::kernel::ops::set_masked(__l, __m, &mut #place, __v); })
        })
    }

    /// The tokens of a variable or of a field of one; `None` if the expression is not rooted in a variable.
    pub(super) fn place(&self, e: &Expr) -> Result<Option<TokenStream>> {
        let s = at(e.span());
        Ok(match e {
            Expr::Path(_) => matches!(self.find(e), Some(Name::Variable { .. })).then(|| quote_spanned!(s=> #e)),
            Expr::Field(f) => {
                let member: &Member = &f.member;
                self.place(&f.base)?.map(|base| {
                    let leaves = quote_spanned!(s=> #base.0);
                    quote_spanned!(s=> #leaves.#member)
                })
            }
            Expr::Paren(p) => self.place(&p.expr)?,
            _ => None,
        })
    }
}
