//! Loops. One runs while any lane is in it; a `for` whose ends are equal in all lanes counts once for all of them.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::visit::Visit;
use syn::{Block, Error, Expr, Ident, Pat, Result};

use super::analysis::{Leaves, has_effect};
use super::refuse::{no_labels, no_patterns};
use super::syntax::strip;
use super::{HashMap, Lower, Mode, Name};
use crate::parse::at;

impl Lower {
    /// `loop`
    pub(super) fn plain_loop(&mut self, w: &syn::ExprLoop, s: Span) -> Result<TokenStream> {
        if let Some(label) = &w.label {
            return Err(no_labels(label));
        }
        let (body, returns) = self.loop_body(&w.body, false, None)?;
        Ok(self.loop_around(body, returns, s))
    }

    /// `while`
    pub(super) fn while_loop(&mut self, w: &syn::ExprWhile, s: Span) -> Result<TokenStream> {
        if let Some(label) = &w.label {
            return Err(no_labels(label));
        }
        if let Expr::Let(e) = &*w.cond {
            return Err(no_patterns(e));
        }
        // A condition that assigns or returns is part of what the lanes still in the loop do: it moves into the body.
        if has_effect(&w.cond) {
            let (c, body) = (&w.cond, &w.body);
            let block: Block = syn::parse_quote_spanned!(s=> { if #c {} else { break; } #body });
            let (body, returns) = self.loop_body(&block, false, None)?;
            return Ok(self.loop_around(body, returns, s));
        }
        let c = self.value(&w.cond)?;
        let (mut body, returns) = self.loop_body(&w.body, false, None)?;
        let stmts = body.stmts;
        body.stmts = quote_spanned! {s=>
            let __c = #c;
            __m = __l.loop_while(__m, __c.0);
            if __l.any(__m) #stmts
        };
        Ok(self.loop_around(body, returns, s))
    }

    /// `for i in a..b`
    pub(super) fn for_loop(&mut self, f: &syn::ExprForLoop, s: Span) -> Result<TokenStream> {
        if let Some(label) = &f.label {
            return Err(no_labels(label));
        }
        let range = match strip(&f.expr) {
            Expr::Range(r) => r,
            other => {
                let message = "a `for` in a kernel runs over a range: `for i in 0..n`; elements of a slice are read as `data[i]`";
                return Err(Error::new_spanned(other, message));
            }
        };
        let (Some(from), Some(to)) = (&range.start, &range.end) else {
            return Err(Error::new_spanned(range, "a `for` in a kernel needs both ends of its range: `for i in 0..n`"));
        };
        let inclusive = matches!(range.limits, syn::RangeLimits::Closed(_));
        let hidden = format_ident!("__i", span = s);
        let (user, name) = match &*f.pat {
            Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() && p.mutability.is_none() => (Some(&p.ident), &p.ident),
            Pat::Wild(_) => (None, &hidden),
            other => {
                return Err(Error::new_spanned(other, "the counter of a `for` in a kernel is a plain name: `for i in 0..n`"));
            }
        };
        if self.is_uniform(from) && self.is_uniform(to) {
            let from = self.lower(from, Mode::Uniform)?;
            let to = self.lower(to, Mode::Uniform)?;
            let (body, returns) = self.loop_body(&f.body, true, user.map(|n| (n, Name::Uniform)))?;
            let Body { stmts, declare, rejoin } = body;
            let end = loop_end(returns, s);
            return Ok(quote_spanned! {s=> {
                let __outer = __m;
                #declare
                let mut __range = ::granule::kernel::ops::range(
                    __l,
                    ::granule::kernel::Uniform::<__L, _>(#from),
                    ::granule::kernel::Uniform::<__L, _>(#to),
                    #inclusive,
                );
                while let ::core::option::Option::Some(#name) = ::granule::kernel::ops::range_next(__l, &mut __range, __m) {
                    #stmts
                    #rejoin
                }
                #end
            }});
        }
        // The lanes count to different ends: a hidden counter, moved on before the body so that `continue` may skip the rest.
        let from = self.value(from)?;
        let to = self.value(to)?;
        let (mut body, returns) = self.loop_body(&f.body, false, user.map(|n| (n, Name::Varying)))?;
        let stmts = body.stmts;
        let (more, test, more_next) = if inclusive {
            // The last counter may be the largest number of its type, so the end is tested before the counter moves on.
            (
                quote_spanned!(s=> let mut __more = ::granule::kernel::ops::var(__l, ::granule::kernel::ops::le(__l, ::granule::kernel::ops::get(__l, __next), __to));),
                quote_spanned!(s=> ::granule::kernel::ops::get(__l, __more)),
                quote_spanned! {s=>
                    let __v = ::granule::kernel::ops::ne(__l, __now, __to);
                    ::granule::kernel::ops::set_masked(__l, __m, &mut __more, __v);
                },
            )
        } else {
            (TokenStream::new(), quote_spanned!(s=> ::granule::kernel::ops::lt(__l, __now, __to)), TokenStream::new())
        };
        body.stmts = quote_spanned! {s=>
            let __now = ::granule::kernel::ops::get(__l, __next);
            let __c = #test;
            __m = __l.loop_while(__m, __c.0);
            if __l.any(__m) {
                #more_next
                let __v = ::granule::kernel::ops::add(__l, __now, ::granule::kernel::ops::lit(__l, 1));
                ::granule::kernel::ops::set_masked(__l, __m, &mut __next, __v);
                let #name = __now;
                #stmts
            }
        };
        let around = self.loop_around(body, returns, s);
        Ok(quote_spanned! {s=> {
            let __from = #from;
            let __to = #to;
            let mut __next = ::granule::kernel::ops::var(__l, __from);
            #more
            #around
        }})
    }

    /// Lowers a loop's body, with the mask of `continue` rejoined at its end. Says whether a `return` leaves the loop.
    fn loop_body(&mut self, b: &Block, counted: bool, counter: Option<(&Ident, Name)>) -> Result<(Body, bool)> {
        let mut inside = Leaves::default();
        b.stmts.iter().for_each(|s| inside.visit_stmt(s));
        let before = self.epoch;
        // In a counted loop that no lane leaves, the mask of the body is that of the loop.
        if !counted || inside.any() {
            self.new_epoch();
        }
        self.scopes.push(HashMap::new());
        if let Some((name, what)) = counter {
            self.declare(name, what)?;
        }
        let stmts = self.statement_block(b)?;
        self.scopes.pop();
        self.rejoin_epoch(before, inside.returns);
        let s = at(b.brace_token.span.join());
        let (declare, rejoin) = if inside.continues {
            (
                quote_spanned!(s=> let mut __cont = __l.mask_none();),
                quote_spanned!(s=> __m = ::granule::kernel::MaskLane::or(__m, __l, __cont); __cont = __l.mask_none();),
            )
        } else {
            (TokenStream::new(), TokenStream::new())
        };
        Ok((Body { stmts, declare, rejoin }, inside.returns))
    }

    /// The loop around a body, for whatever condition.
    fn loop_around(&mut self, body: Body, returns: bool, s: Span) -> TokenStream {
        let Body { stmts, declare, rejoin } = body;
        let end = loop_end(returns, s);
        quote_spanned! {s=> {
            let __outer = __m;
            #declare
            let mut __loop = __l.loop_begin();
            while __l.loop_next(&mut __loop, __m) {
                #stmts
                #rejoin
            }
            #end
        }}
    }
}

/// A loop's body, and what `continue` needs before and at the end of it.
struct Body {
    stmts: TokenStream,
    declare: TokenStream,
    rejoin: TokenStream,
}

/// Ends a loop: the lanes that entered it, without those that returned.
fn loop_end(returns: bool, s: Span) -> TokenStream {
    if returns {
        quote_spanned! {s=>
            __m = ::granule::kernel::MaskLane::and(__outer, __l, ::granule::kernel::MaskLane::not(__returned, __l));
            __l.scope_check();
        }
    } else {
        quote_spanned!(s=> __m = __outer;)
    }
}
