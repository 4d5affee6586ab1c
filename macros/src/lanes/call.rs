//! Calls: of other kernels, of std's methods of numbers (the table is in `methods`), of slices' two methods, and of tuple structs.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Index, Result};

use super::syntax::{literal, literal_integer, starts_upper};
use super::{Lower, Mode};
use crate::methods;
use crate::parse::at;

impl Lower {
    /// `T::function(..)`, a tuple struct, or another kernel.
    pub(super) fn call(&mut self, c: &syn::ExprCall, mode: Mode, s: Span) -> Result<TokenStream> {
        if let Some((ty, name)) = self.number_type(&c.func) {
            let args: Vec<&Expr> = c.args.iter().collect();
            let l = match mode {
                Mode::Varying => quote_spanned!(s=> __l),
                Mode::Uniform => quote_spanned!(s=> __u),
            };
            if let ("from_bits" | "from", [a]) = (name.to_string().as_str(), &args[..]) {
                if name == "from" && literal(a).is_some() {
                    return Ok(quote_spanned!(s=> ::granule::kernel::ops::lit(#l, #c)));
                }
                let a = self.lower(a, mode)?;
                return Ok(match name.to_string().as_str() {
                    "from" => quote_spanned!(s=> ::granule::kernel::ops::cast::<#ty, _, _>(#l, #a)),
                    _ => quote_spanned!(s=> ::granule::kernel::ops::from_bits::<#ty, _>(#l, #a)),
                });
            }
            let Some((receiver, rest)) = args.split_first() else {
                return Err(Error::new_spanned(c, "write the value itself: a literal or a constant"));
            };
            return self.method(name, receiver, rest, Some(&quote!(#ty)), mode, s);
        }
        let Expr::Path(p) = &*c.func else {
            return Err(Error::new_spanned(&c.func, "a kernel calls functions by their names"));
        };
        if self.find(&c.func).is_some() {
            return Err(Error::new_spanned(&c.func, "a kernel calls other kernels by their names, not values"));
        }
        let segments = &p.path.segments;
        let last = &segments[segments.len() - 1].ident;
        if starts_upper(last) {
            // A tuple struct, as above.
            let path = &p.path;
            let values = c.args.iter().map(|e| self.value(e)).collect::<Result<Vec<_>>>()?;
            let names: Vec<_> = (0..values.len()).map(|i| format_ident!("__{}", i, span = s)).collect();
            let members = (0..values.len() as u32).map(|index| Index { index, span: s });
            return Ok(quote_spanned!(s=> {
                let mut __s = ::granule::kernel::ops::zero_as(__l, |(#(#names,)*)| #path(#(#names),*));
                #({ let __v = #values; let __f = &mut __s.0; __f.#members = __v; })*
                __s
            }));
        }
        if segments.len() > 1 && starts_upper(&segments[segments.len() - 2].ident) || p.qself.is_some() {
            let message = "a kernel calls free functions with `#[kernel]`, and the methods of numbers; not functions of a type";
            return Err(Error::new_spanned(&c.func, message));
        }
        let path = &p.path;
        let mut args = TokenStream::new();
        for e in &c.args {
            let a = at(e.span());
            args.extend(if let Some(data) = self.slice(e) {
                quote_spanned!(a=> , #data)
            } else if let Some(window) = self.window(e) {
                quote_spanned!(a=> , #window)
            } else if self.is_uniform(e) {
                let value = self.lower(e, Mode::Uniform)?;
                quote_spanned!(a=> , ::granule::kernel::Uniform::<__L, _>(#value))
            } else {
                let value = self.value(e)?;
                quote_spanned!(a=> , #value)
            });
        }
        Ok(quote_spanned!(s=> #path::__lanes(__l, __m #args)))
    }

    /// `receiver.name(args)`, or `T::name(receiver, args)` with the type given.
    pub(super) fn method(
        &mut self,
        name: &Ident,
        receiver: &Expr,
        args: &[&Expr],
        ty: Option<&TokenStream>,
        mode: Mode,
        s: Span,
    ) -> Result<TokenStream> {
        // The receiver first: in a chain, the first mistake is the one to tell.
        let mut a = self.lower(receiver, mode)?;
        let text = name.to_string();
        let Some(m) = methods::find(&text) else {
            let message = format!(
                "there is no `{text}` in kernels; there are: {}. A function of your own is called by its name and must be a `#[kernel]`",
                methods::list()
            );
            return Err(Error::new(name.span(), message));
        };
        if args.len() != m.arguments {
            let message = format!("`{text}` takes {} argument{}", m.arguments, if m.arguments == 1 { "" } else { "s" });
            return Err(Error::new(name.span(), message));
        }
        let l = match mode {
            Mode::Varying => quote_spanned!(s=> __l),
            Mode::Uniform => quote_spanned!(s=> __u),
        };
        if let Some(ty) = ty {
            a = quote_spanned!(s=> { let __a: ::granule::kernel::Varying<_, #ty> = #a; __a });
        }
        if let ("powi" | "pow", Some(n)) = (text.as_str(), args.first().and_then(|e| literal_integer(e))) {
            return Ok(unrolled_power(a, n, &l, s));
        }
        if let ("carrying_mul", [b, carry]) = (text.as_str(), args)
            && literal_integer(carry) == Some(0)
        {
            let b = self.lower(b, mode)?;
            return Ok(quote_spanned!(s=> ::granule::kernel::ops::widening_mul(#l, #a, #b)));
        }
        let f = Ident::new(m.function, at(name.span()));
        let args = args.iter().map(|e| self.lower(e, mode)).collect::<Result<Vec<_>>>()?;
        Ok(quote_spanned!(s=> ::granule::kernel::ops::#f(#l, #a #(, #args)*)))
    }

    /// The type in `f32::max(..)`, `T::sqrt(..)`, and the name of the function.
    pub(super) fn number_type<'e>(&self, f: &'e Expr) -> Option<(&'e Ident, &'e Ident)> {
        let Expr::Path(p) = f else { return None };
        let segments = &p.path.segments;
        if p.qself.is_some() || segments.len() != 2 {
            return None;
        }
        let (ty, name) = (&segments[0].ident, &segments[1].ident);
        let text = ty.to_string();
        (methods::is_primitive(&text) || self.generics.contains(&text)).then_some((ty, name))
    }

    /// `w.at(..)`
    pub(super) fn window_method(&mut self, window: &Ident, m: &syn::ExprMethodCall, s: Span) -> Result<TokenStream> {
        if m.method != "at" {
            let message = format!("there is no `{}` of a window in a kernel, only `at`: `{window}.at(-1, 0)`", m.method);
            return Err(Error::new(m.method.span(), message));
        }
        let mut offsets = Vec::new();
        for e in &m.args {
            if !self.is_uniform(e) {
                let message = "a window is read at offsets that are the same for all elements: literals, uniforms, loop counters";
                return Err(Error::new_spanned(e, message));
            }
            offsets.push(self.lower(e, Mode::Uniform)?);
        }
        Ok(
            quote_spanned!(s=> ::granule::grid::Neighbours::at(#window, __l, [#(::granule::kernel::Uniform::<__L, i32>(#offsets)),*])),
        )
    }

    /// `data.len()` and `data.is_empty()`
    pub(super) fn slice_method(&mut self, m: &syn::ExprMethodCall, s: Span) -> Result<TokenStream> {
        let data = self.slice(&m.receiver).expect("a slice");
        let len = quote_spanned!(s=> ::granule::kernel::ops::len(__l, #data).0);
        match m.method.to_string().as_str() {
            "len" => Ok(len),
            "is_empty" => Ok(quote_spanned!(s=> ::granule::kernel::ops::eq(__u, #len, ::granule::kernel::ops::lit(__u, 0usize)))),
            other => Err(Error::new(
                m.method.span(),
                format!(
                    "there is no `{other}` of a slice in a kernel, only `len`, `is_empty` and indexing: write a loop `for i in 0..{data}.len()`"
                ),
            )),
        }
    }
}

/// `x^n` by squaring, from the lowest bit on: the order in which std multiplies.
fn unrolled_power(a: TokenStream, n: i64, l: &TokenStream, s: Span) -> TokenStream {
    let mut steps = TokenStream::new();
    let mut left = n.unsigned_abs();
    let mut result = false;
    while left != 0 {
        if left & 1 == 1 {
            steps.extend(if result {
                quote_spanned!(s=> let __r = ::granule::kernel::ops::mul(#l, __r, __p);)
            } else {
                quote_spanned!(s=> let __r = __p;)
            });
            result = true;
        }
        left >>= 1;
        if left != 0 {
            steps.extend(quote_spanned!(s=> let __p = ::granule::kernel::ops::mul(#l, __p, __p);));
        }
    }
    let value = match n {
        0 => quote_spanned!(s=> ::granule::kernel::ops::one_like(#l, __p)),
        1.. => quote_spanned!(s=> __r),
        _ => quote_spanned!(s=> ::granule::kernel::ops::recip(#l, __r)),
    };
    quote_spanned!(s=> { let __p = #a; #steps #value })
}
