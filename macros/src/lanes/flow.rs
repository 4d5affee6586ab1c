//! `if`, as a value and as a statement. Either side runs under its own part of the mask; after it the parts are joined, without
//! the lanes that left.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::visit::Visit;
use syn::{Block, Error, Expr, Result};

use super::analysis::{Leaves, block_cost, cost, has_effect};
use super::refuse::no_patterns;
use super::syntax::{else_block, else_single, single};
use super::{Lower, Mode};

/// Branches at most this dear are evaluated without asking whether any lane takes them.
const TINY: usize = 10;

impl Lower {
    /// An `if` that gives a value: a selection of two small values, or a variable that either side sets under its mask.
    pub(super) fn value_if(&mut self, i: &syn::ExprIf, mode: Mode, s: Span) -> Result<TokenStream> {
        if let Expr::Let(e) = &*i.cond {
            return Err(no_patterns(e));
        }
        let Some((_, other)) = &i.else_branch else {
            return Err(Error::new(i.if_token.span, "an `if` that gives a value needs an `else`"));
        };
        let l = match mode {
            Mode::Varying => quote_spanned!(s=> __l),
            Mode::Uniform => quote_spanned!(s=> __u),
        };
        // Two small values: both are computed, and one is chosen. A value that assigns or leaves somewhere inside stays in its branch.
        if let (Some(a), Some(b)) = (single(&i.then_branch), else_single(other))
            && (mode == Mode::Uniform || !has_effect(a) && !has_effect(b) && cost(a) + cost(b) <= TINY)
        {
            let c = self.lower(&i.cond, mode)?;
            let a = self.lower(a, mode)?;
            let b = self.lower(b, mode)?;
            return Ok(quote_spanned!(s=> ::granule::kernel::ops::select(#l, #c, #a, #b)));
        }
        let c = self.value(&i.cond)?;
        let other_block = else_block(other);
        let (before, mut leaves) = (self.epoch, Leaves::default());
        leaves.visit_block(&i.then_branch);
        leaves.visit_block(&other_block);
        self.new_epoch();
        let then_leaves = self.block_leaves_always(&i.then_branch);
        let else_leaves = self.block_leaves_always(&other_block);
        let then = if then_leaves {
            self.statement_block(&i.then_branch)?
        } else {
            let then = self.value_block(&i.then_branch)?;
            quote_spanned!(s=> let mut __v = ::granule::kernel::ops::var(__l, #then);)
        };
        self.new_epoch();
        let other = if else_leaves {
            self.statement_block(&other_block)?
        } else {
            let other = self.value_block(&other_block)?;
            if then_leaves {
                quote_spanned!(s=> let mut __v = ::granule::kernel::ops::var(__l, #other);)
            } else {
                quote_spanned!(s=> let __w = #other; ::granule::kernel::ops::merge(__l, __m, &mut __v, __w);)
            }
        };
        if then_leaves && else_leaves {
            return Err(Error::new(i.if_token.span, "no branch of this `if` gives a value"));
        }
        self.rejoin_epoch(before, leaves.any());
        let end = if_end(leaves.any(), s);
        Ok(quote_spanned! {s=> {
            let __c = #c;
            let __before = __m;
            __m = __l.if_then(__before, __c.0);
            #then
            let __then = __m;
            __m = __l.if_else(__before, __c.0);
            #other
            #end
            ::granule::kernel::ops::get(__l, __v)
        }})
    }

    /// An `if` for its effects.
    pub(super) fn statement_if(&mut self, i: &syn::ExprIf, s: Span) -> Result<TokenStream> {
        if let Expr::Let(e) = &*i.cond {
            return Err(no_patterns(e));
        }
        let c = self.value(&i.cond)?;
        let (before, mut leaves) = (self.epoch, Leaves::default());
        leaves.visit_block(&i.then_branch);
        self.new_epoch();
        let then = self.branch(&i.then_branch, s)?;
        let other = match &i.else_branch {
            None => TokenStream::new(),
            Some((_, e)) => {
                let block = else_block(e);
                leaves.visit_block(&block);
                self.new_epoch();
                self.branch(&block, s)?
            }
        };
        self.rejoin_epoch(before, leaves.any());
        let end = if_end(leaves.any(), s);
        Ok(quote_spanned! {s=> {
            let __c = #c;
            let __before = __m;
            __m = __l.if_then(__before, __c.0);
            #then
            let __then = __m;
            __m = __l.if_else(__before, __c.0);
            #other
            #end
        }})
    }

    /// A side of an `if`: jumped over if no lane takes it, where that is worth a test.
    fn branch(&mut self, b: &Block, s: Span) -> Result<TokenStream> {
        let lowered = self.statement_block(b)?;
        Ok(if block_cost(b) <= TINY { lowered } else { quote_spanned!(s=> if __l.any(__m) #lowered) })
    }
}

/// Ends an `if`. Where no lane can have left, the mask is the one before.
fn if_end(left: bool, s: Span) -> TokenStream {
    if left {
        quote_spanned!(s=> __m = __l.if_end(__then, __m);)
    } else {
        quote_spanned!(s=> let _ = __l.if_end(__then, __m); __m = __before;)
    }
}
