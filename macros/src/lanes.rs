//! The generic body: each construct of the kernel language becomes calls of `granule::kernel::ops`, for any lanes.
//!
//! - A value is lowered in one of two modes. `Varying` gives a value in every lane. `Uniform` computes at the level where uniform
//!   values live: one lane for SIMD. The largest uniform subexpressions are computed there and broadcast; that is what makes
//!   `data[i]` with a loop counter one load and not a gather.
//! - `__m` is the mask of the lanes that take part. Branches narrow it, loops and `return` empty it.
//! - Assignments are masked, except where no lane can have left since the variable was declared: there the lanes outside the mask
//!   do not see the variable any more. Each place where lanes may leave starts a new *epoch*; equal epochs mean equal masks.

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{BinOp, Block, Error, Expr, Ident, Index, Lit, Member, Pat, Result, Stmt, Type, UnOp};

use crate::methods;
use crate::parse::{Kind, Param, at, value_type};

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
}

/// Branches at most this dear are evaluated without asking whether any lane takes them.
const TINY: usize = 10;

/// Translates one kernel.
pub(crate) struct Lower {
    scopes: Vec<HashMap<String, Name>>,
    epoch: u32,
    epochs: u32,
    early_return: bool,
    /// For each enclosing loop, whether it has a `continue`.
    loops: Vec<bool>,
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
        let mut this =
            Lower { scopes: vec![HashMap::new()], epoch: 0, epochs: 0, early_return, loops: Vec::new(), generics, inline };
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
        }
    }

    // ---- names ------------------------------------------------------------------------------------------------------------

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

    fn new_epoch(&mut self) {
        self.epochs += 1;
        self.epoch = self.epochs;
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

    // ---- uniformity -------------------------------------------------------------------------------------------------------

    /// Whether the syntax shows that the value is equal in all lanes.
    fn is_uniform(&self, e: &Expr) -> bool {
        match e {
            Expr::Lit(_) => true,
            Expr::Paren(e) => self.is_uniform(&e.expr),
            Expr::Group(e) => self.is_uniform(&e.expr),
            Expr::Path(p) => match self.find(e) {
                Some(Name::Uniform) => true,
                Some(_) => false,
                None => p.path.segments.len() > 1 || ident(e).is_some_and(is_constant),
            },
            Expr::Unary(e) => self.is_uniform(&e.expr),
            Expr::Binary(e) => binary(&e.op).is_some() && self.is_uniform(&e.left) && self.is_uniform(&e.right),
            Expr::Cast(e) => self.is_uniform(&e.expr),
            Expr::Field(e) => self.is_uniform(&e.base),
            Expr::Tuple(e) => e.elems.iter().all(|e| self.is_uniform(e)),
            Expr::Index(e) => self.slice(&e.expr).is_some() && self.is_uniform(&e.index),
            Expr::MethodCall(e) => {
                self.slice(&e.receiver).is_some()
                    || methods::find(&e.method.to_string()).is_some()
                        && self.is_uniform(&e.receiver)
                        && e.args.iter().all(|e| self.is_uniform(e))
            }
            Expr::Call(e) => self.number_type(&e.func).is_some() && e.args.iter().all(|e| self.is_uniform(e)),
            Expr::If(e) => {
                self.is_uniform(&e.cond)
                    && single(&e.then_branch).is_some_and(|e| self.is_uniform(e))
                    && e.else_branch.as_ref().and_then(|(_, e)| else_single(e)).is_some_and(|e| self.is_uniform(e))
            }
            _ => false,
        }
    }

    // ---- values -----------------------------------------------------------------------------------------------------------

    fn value(&mut self, e: &Expr) -> Result<TokenStream> {
        self.lower(e, Mode::Varying)
    }

    fn lower(&mut self, e: &Expr, mode: Mode) -> Result<TokenStream> {
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
                // The right side of `&&` and `||` may rely on the left one: a kernel in it must not see the other lanes.
                if mode == Mode::Varying && cost(&b.right) >= KERNEL {
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
                quote_spanned!(s=> ::granule::kernel::ops::#f(#l, #left, #right))
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

    fn slice_method(&mut self, m: &syn::ExprMethodCall, s: Span) -> Result<TokenStream> {
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

    /// `receiver.name(args)`, or `T::name(receiver, args)` with the type given.
    fn method(
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
        let f = Ident::new(m.function, at(name.span()));
        let args = args.iter().map(|e| self.lower(e, mode)).collect::<Result<Vec<_>>>()?;
        Ok(quote_spanned!(s=> ::granule::kernel::ops::#f(#l, #a #(, #args)*)))
    }

    /// The type in `f32::max(..)`, `T::sqrt(..)`, and the name of the function.
    fn number_type<'e>(&self, f: &'e Expr) -> Option<(&'e Ident, &'e Ident)> {
        let Expr::Path(p) = f else { return None };
        let segments = &p.path.segments;
        if p.qself.is_some() || segments.len() != 2 {
            return None;
        }
        let (ty, name) = (&segments[0].ident, &segments[1].ident);
        let text = ty.to_string();
        (methods::is_primitive(&text) || self.generics.contains(&text)).then_some((ty, name))
    }

    fn call(&mut self, c: &syn::ExprCall, mode: Mode, s: Span) -> Result<TokenStream> {
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

    // ---- flow as a value ------------------------------------------------------------------------------------------------------

    fn value_block(&mut self, b: &Block) -> Result<TokenStream> {
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

    fn value_if(&mut self, i: &syn::ExprIf, mode: Mode, s: Span) -> Result<TokenStream> {
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
        // Two small values: both are computed, and one is chosen.
        if let (Some(a), Some(b)) = (single(&i.then_branch), else_single(other))
            && (mode == Mode::Uniform || !self.leaves_always(a) && !self.leaves_always(b) && cost(a) + cost(b) <= TINY)
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

    fn rejoin_epoch(&mut self, before: u32, left: bool) {
        if left {
            self.new_epoch();
        } else {
            self.epoch = before;
        }
    }

    // ---- statements -------------------------------------------------------------------------------------------------------

    /// Lowers statements until one after which no lane is left; says whether there was such a one.
    fn stmts(&mut self, stmts: &[Stmt]) -> Result<(TokenStream, bool)> {
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

    fn statement_block(&mut self, b: &Block) -> Result<TokenStream> {
        self.scopes.push(HashMap::new());
        let (out, _) = self.stmts(&b.stmts)?;
        self.scopes.pop();
        Ok(quote_spanned!(at(b.brace_token.span.join())=> { #out }))
    }

    fn statement(&mut self, e: &Expr) -> Result<TokenStream> {
        let s = at(e.span());
        Ok(match e {
            Expr::Assign(a) => self.assign(&a.left, &a.right, s)?,
            Expr::Binary(b) if binary(&b.op).is_none() => {
                let f = Ident::new(compound(&b.op).ok_or_else(|| refuse(e))?, at(b.op.span()));
                let old = self.value(&b.left)?;
                let by = self.value(&b.right)?;
                self.store(&b.left, quote_spanned!(s=> ::granule::kernel::ops::#f(__l, #old, #by)), s)?
            }
            Expr::If(i) => self.statement_if(i, s)?,
            Expr::While(w) => self.while_loop(w, s)?,
            Expr::Loop(w) => {
                if let Some(label) = &w.label {
                    return Err(no_labels(label));
                }
                let (body, left) = self.loop_body(&w.body, false, None)?;
                self.loop_around(body, left, s)
            }
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

    /// The tokens of a variable or of a field of one; `None` if the expression is not rooted in a variable.
    fn place(&self, e: &Expr) -> Result<Option<TokenStream>> {
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

    fn statement_if(&mut self, i: &syn::ExprIf, s: Span) -> Result<TokenStream> {
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

    fn branch(&mut self, b: &Block, s: Span) -> Result<TokenStream> {
        let lowered = self.statement_block(b)?;
        let mut count = Cost(0);
        count.visit_block(b);
        Ok(if count.0 <= TINY { lowered } else { quote_spanned!(s=> if __l.any(__m) #lowered) })
    }

    // ---- loops ------------------------------------------------------------------------------------------------------------

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
        self.loops.push(inside.continues);
        let stmts = self.statement_block(b)?;
        self.loops.pop();
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

    fn while_loop(&mut self, w: &syn::ExprWhile, s: Span) -> Result<TokenStream> {
        if let Some(label) = &w.label {
            return Err(no_labels(label));
        }
        if let Expr::Let(e) = &*w.cond {
            return Err(no_patterns(e));
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

    fn for_loop(&mut self, f: &syn::ExprForLoop, s: Span) -> Result<TokenStream> {
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

    // ---- what leaves ------------------------------------------------------------------------------------------------------

    fn leaves_always(&self, e: &Expr) -> bool {
        match e {
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
            Expr::If(i) => {
                self.block_leaves_always(&i.then_branch) && i.else_branch.as_ref().is_some_and(|(_, e)| self.leaves_always(e))
            }
            Expr::Block(b) => self.block_leaves_always(&b.block),
            Expr::Loop(l) => {
                let mut leaves = Leaves::default();
                l.body.stmts.iter().for_each(|s| leaves.visit_stmt(s));
                !leaves.breaks
            }
            Expr::Paren(p) => self.leaves_always(&p.expr),
            _ => false,
        }
    }

    fn block_leaves_always(&self, b: &Block) -> bool {
        matches!(b.stmts.last(), Some(Stmt::Expr(e, _)) if self.leaves_always(e))
    }
}

struct Body {
    stmts: TokenStream,
    declare: TokenStream,
    rejoin: TokenStream,
}

/// Ends an `if`. Where no lane can have left, the mask is the one before.
fn if_end(left: bool, s: Span) -> TokenStream {
    if left {
        quote_spanned!(s=> __m = __l.if_end(__then, __m);)
    } else {
        quote_spanned!(s=> let _ = __l.if_end(__then, __m); __m = __before;)
    }
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

// ---- syntax ---------------------------------------------------------------------------------------------------------------

/// Which statements leave the block that contains them.
#[derive(Default)]
struct Leaves {
    depth: usize,
    returns: bool,
    breaks: bool,
    continues: bool,
}
impl Leaves {
    fn any(&self) -> bool {
        self.returns || self.breaks || self.continues
    }
}
impl<'a> Visit<'a> for Leaves {
    fn visit_expr(&mut self, e: &'a Expr) {
        let is_loop = matches!(e, Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_));
        self.depth += is_loop as usize;
        match e {
            Expr::Return(_) => self.returns = true,
            Expr::Break(_) => self.breaks |= self.depth == 0,
            Expr::Continue(_) => self.continues |= self.depth == 0,
            Expr::Closure(_) => {}
            _ => {}
        }
        syn::visit::visit_expr(self, e);
        self.depth -= is_loop as usize;
    }
}

/// A rough count of the work in an expression, to decide whether a branch is worth a jump.
struct Cost(usize);
const KERNEL: usize = 100;
impl<'a> Visit<'a> for Cost {
    fn visit_expr(&mut self, e: &'a Expr) {
        self.0 += match e {
            Expr::Binary(_) | Expr::Unary(_) | Expr::Assign(_) | Expr::Cast(_) => 1,
            Expr::If(_) => 3,
            Expr::Index(_) => 5,
            Expr::MethodCall(m) if methods::find(&m.method.to_string()).is_some_and(|m| m.dear) => 15,
            Expr::MethodCall(_) => 1,
            Expr::Call(c) => match &*c.func {
                Expr::Path(p) if p.path.segments.last().is_some_and(|s| starts_upper(&s.ident)) => 1,
                Expr::Path(p) if p.path.segments.len() == 2 && methods::is_primitive(&p.path.segments[0].ident.to_string()) => 15,
                _ => KERNEL,
            },
            Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_) => KERNEL,
            _ => 0,
        };
        syn::visit::visit_expr(self, e);
    }
}
fn cost(e: &Expr) -> usize {
    let mut cost = Cost(0);
    cost.visit_expr(e);
    cost.0
}

/// Whether a body contains a loop.
pub(crate) fn has_loop(b: &Block) -> bool {
    struct Loops(bool);
    impl<'a> Visit<'a> for Loops {
        fn visit_expr(&mut self, e: &'a Expr) {
            self.0 |= matches!(e, Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_));
            syn::visit::visit_expr(self, e);
        }
    }
    let mut loops = Loops(false);
    loops.visit_block(b);
    loops.0
}

/// The statements before a block's value, and the value.
pub(crate) fn split_tail(stmts: &[Stmt]) -> (&[Stmt], Option<&Expr>) {
    match stmts.split_last() {
        // A `while` or `for` gives no value, nor does an assignment: rustc's error would be about `()`.
        Some((Stmt::Expr(e, None), rest)) if !matches!(e, Expr::While(_) | Expr::ForLoop(_) | Expr::Assign(_)) => (rest, Some(e)),
        _ => (stmts, None),
    }
}

/// The value of a block that is nothing else.
fn single(b: &Block) -> Option<&Expr> {
    match &b.stmts[..] {
        [Stmt::Expr(e, None)] => Some(e),
        _ => None,
    }
}

fn else_single(e: &Expr) -> Option<&Expr> {
    match e {
        Expr::Block(b) if b.label.is_none() => single(&b.block),
        Expr::If(_) => Some(e),
        _ => None,
    }
}

/// The second branch of an `if` as a block: `else if` is a block of one `if`.
fn else_block(e: &Expr) -> Block {
    match e {
        Expr::Block(b) => b.block.clone(),
        e => syn::parse_quote_spanned!(e.span()=> { #e }),
    }
}

fn strip(e: &Expr) -> &Expr {
    match e {
        Expr::Paren(p) => strip(&p.expr),
        Expr::Group(p) => strip(&p.expr),
        e => e,
    }
}

/// The identifier that an expression is.
pub(crate) fn ident(e: &Expr) -> Option<&Ident> {
    match strip(e) {
        Expr::Path(p) if p.qself.is_none() => p.path.get_ident(),
        _ => None,
    }
}

fn root(e: &Expr) -> Option<&Ident> {
    match strip(e) {
        Expr::Field(f) => root(&f.base),
        e => ident(e),
    }
}

fn starts_upper(name: &Ident) -> bool {
    name.to_string().starts_with(|c: char| c.is_uppercase())
}

fn is_constant(name: &Ident) -> bool {
    starts_upper(name)
}

/// A literal, or a negated one: `-2147483648` is one number.
fn literal(e: &Expr) -> Option<&Expr> {
    match e {
        Expr::Lit(_) => Some(e),
        Expr::Unary(u) if matches!(u.op, UnOp::Neg(_)) && matches!(*u.expr, Expr::Lit(_)) => Some(e),
        Expr::Paren(p) => literal(&p.expr),
        Expr::Group(p) => literal(&p.expr),
        _ => None,
    }
}

fn check_literal(e: &Expr) -> Result<()> {
    match e {
        Expr::Lit(l) => match &l.lit {
            Lit::Int(_) | Lit::Float(_) | Lit::Bool(_) => Ok(()),
            _ => Err(Error::new_spanned(l, "kernels compute with numbers and `bool`: there is no text")),
        },
        Expr::Unary(u) => check_literal(&u.expr),
        Expr::Paren(p) => check_literal(&p.expr),
        Expr::Group(p) => check_literal(&p.expr),
        _ => Ok(()),
    }
}

fn literal_integer(e: &Expr) -> Option<i64> {
    match strip(e) {
        Expr::Lit(l) => match &l.lit {
            Lit::Int(n) => n.base10_parse().ok(),
            _ => None,
        },
        Expr::Unary(u) if matches!(u.op, UnOp::Neg(_)) => literal_integer(&u.expr).map(|n| -n),
        _ => None,
    }
}

fn binary(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Add(_) => "add",
        BinOp::Sub(_) => "sub",
        BinOp::Mul(_) => "mul",
        BinOp::Div(_) => "div",
        BinOp::Rem(_) => "rem",
        BinOp::And(_) | BinOp::BitAnd(_) => "and",
        BinOp::Or(_) | BinOp::BitOr(_) => "or",
        BinOp::BitXor(_) => "xor",
        BinOp::Shl(_) => "shl",
        BinOp::Shr(_) => "shr",
        BinOp::Eq(_) => "eq",
        BinOp::Ne(_) => "ne",
        BinOp::Lt(_) => "lt",
        BinOp::Le(_) => "le",
        BinOp::Gt(_) => "gt",
        BinOp::Ge(_) => "ge",
        _ => return None,
    })
}

fn compound(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::AddAssign(_) => "add",
        BinOp::SubAssign(_) => "sub",
        BinOp::MulAssign(_) => "mul",
        BinOp::DivAssign(_) => "div",
        BinOp::RemAssign(_) => "rem",
        BinOp::BitAndAssign(_) => "and",
        BinOp::BitOrAssign(_) => "or",
        BinOp::BitXorAssign(_) => "xor",
        BinOp::ShlAssign(_) => "shl",
        BinOp::ShrAssign(_) => "shr",
        _ => return None,
    })
}

// ---- refusals -------------------------------------------------------------------------------------------------------------

fn no_labels(label: &impl quote::ToTokens) -> Error {
    Error::new_spanned(label, "loops in kernels have no labels: leave the outer loop by a `bool` variable, or by `return`")
}

fn no_patterns(e: &syn::ExprLet) -> Error {
    Error::new(e.let_token.span, "there is no pattern matching in a kernel: compare with `==` and combine with `&&`")
}

fn no_macros(path: &syn::Path) -> Error {
    Error::new_spanned(path, "a kernel does not expand macros: write what it stands for")
}

fn plain_block(attrs: &[syn::Attribute]) -> Result<()> {
    match attrs.first() {
        Some(a) => Err(Error::new_spanned(a, "blocks in kernels have no attributes")),
        None => Ok(()),
    }
}

/// The error for an expression that kernels do not have: what to write instead.
fn refuse(e: &Expr) -> Error {
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
