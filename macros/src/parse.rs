//! The accepted signatures.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, GenericParam, Generics, Ident, ItemFn, Pat, PathArguments, Result,
    ReturnType, Type, Visibility,
};

/// How a parameter reaches the kernel.
pub(crate) enum Kind {
    /// Differs from lane to lane.
    Varying,
    /// Equal in all lanes, given at construction.
    Uniform,
    /// A `#[uniform]` array: stored in the kernel, read by index.
    Array(Type),
    /// `&[T]`, given at construction, read by index.
    Slice(Type),
    /// `Window<T, D, R>`: a grid around each element, read at offsets.
    Window(Window),
}

/// A window's type.
#[derive(Clone)]
pub(crate) struct Window {
    /// The element.
    pub(crate) item: Type,
    /// The number of axes.
    pub(crate) axes: TokenStream,
    /// How far it reaches.
    pub(crate) radius: TokenStream,
}

impl Window {
    /// The window that a type is.
    fn of(ty: &Type) -> Result<Option<Window>> {
        let Type::Path(path) = ty else { return Ok(None) };
        let Some(last) = path.path.segments.last().filter(|s| s.ident == "Window") else { return Ok(None) };
        let PathArguments::AngleBracketed(list) = &last.arguments else {
            return Err(Error::new_spanned(ty, "write the window's element and its number of axes: `Window<f32, 2>`"));
        };
        let mut args = list.args.iter().filter(|a| !matches!(a, GenericArgument::Lifetime(_)));
        let (Some(GenericArgument::Type(item)), Some(axes)) = (args.next(), args.next()) else {
            return Err(Error::new_spanned(ty, "write the window's element and its number of axes: `Window<f32, 2>`"));
        };
        value_type(item)?;
        let radius = args.next().map_or_else(|| quote!(1), |r| quote!(#r));
        Ok(Some(Window { item: item.clone(), axes: quote!(#axes), radius }))
    }
}

/// A parameter.
pub(crate) struct Param {
    /// As the user wrote it: a name, or a pattern for a varying parameter.
    pub(crate) pat: Pat,
    /// Its name, or a hidden one if it is a pattern.
    pub(crate) name: Ident,
    /// Its type as written.
    pub(crate) ty: Type,
    /// How it reaches the kernel.
    pub(crate) kind: Kind,
}

/// What a kernel looks like from outside.
pub(crate) struct Signature {
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    pub(crate) params: Vec<Param>,
    /// `None` for an inline kernel whose result rustc infers.
    pub(crate) ret: Option<Type>,
}

/// Generated tokens at the user's place, with names that the user's code cannot see.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// Makes the invisible groups visible that `macro_rules` puts around what it inserts. rustc does not see them in what a macro
/// gives back: `x * $k` with `1 + 2` for `$k` would become `x * 1 + 2` in the plain function.
pub(crate) struct Visible;

impl VisitMut for Visible {
    fn visit_expr_mut(&mut self, e: &mut Expr) {
        if let Expr::Group(g) = e {
            let inner = std::mem::replace(&mut *g.expr, Expr::Verbatim(TokenStream::new()));
            *e = match inner {
                simple @ (Expr::Path(_) | Expr::Lit(_) | Expr::Paren(_) | Expr::Group(_)) => simple,
                expr => Expr::Paren(syn::ExprParen {
                    attrs: Vec::new(),
                    paren_token: syn::token::Paren(expr.span()),
                    expr: Box::new(expr),
                }),
            };
            return self.visit_expr_mut(e);
        }
        syn::visit_mut::visit_expr_mut(self, e);
    }
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Group(g) = ty {
            *ty = (*g.elem).clone();
            return self.visit_type_mut(ty);
        }
        syn::visit_mut::visit_type_mut(self, ty);
    }
}

impl Signature {
    /// Checks a function's signature.
    pub(crate) fn new(f: &ItemFn) -> Result<Signature> {
        let sig = &f.sig;
        if let Some(t) = &sig.asyncness {
            return Err(Error::new(t.span, "a kernel cannot be `async`: write a plain `fn`"));
        }
        if let Some(t) = &sig.unsafety {
            return Err(Error::new(t.span, "a kernel cannot be `unsafe`: write a plain `fn`"));
        }
        if let Some(t) = &sig.abi {
            return Err(Error::new_spanned(t, "a kernel has no ABI of its own: write a plain `fn`"));
        }
        if let Some(t) = &sig.variadic {
            return Err(Error::new_spanned(t, "a kernel has a fixed number of parameters"));
        }
        for p in &sig.generics.params {
            match p {
                GenericParam::Type(_) => {}
                GenericParam::Lifetime(p) => {
                    return Err(Error::new_spanned(p, "a kernel has no lifetimes: write slice parameters as `&[T]`"));
                }
                GenericParam::Const(p) => {
                    let message = "a kernel has no const generics: pass the number as a `#[uniform]` parameter";
                    return Err(Error::new_spanned(p, message));
                }
            }
        }
        let ret = match &sig.output {
            ReturnType::Type(_, ty) => (**ty).clone(),
            ReturnType::Default => {
                return Err(Error::new(sig.paren_token.span.close(), "a kernel returns a value: write `-> T` with its type"));
            }
        };
        value_type(&ret)?;
        let mut params = Vec::new();
        for arg in &sig.inputs {
            match arg {
                FnArg::Receiver(r) => {
                    return Err(Error::new_spanned(
                        r,
                        "a kernel is a free function: take the value as a parameter instead of `self`",
                    ));
                }
                FnArg::Typed(p) => params.push(param(&p.attrs, &p.pat, &p.ty, params.len())?),
            }
        }
        let this =
            Signature { vis: f.vis.clone(), name: sig.ident.clone(), generics: sig.generics.clone(), params, ret: Some(ret) };
        this.check()?;
        Ok(this)
    }

    /// Checks what holds of all kernels.
    pub(crate) fn check(&self) -> Result<()> {
        let windows = self.params.iter().filter(|p| matches!(p.kind, Kind::Window(_))).count();
        if windows > 0 {
            let others = self.varying().next();
            return match (windows, others) {
                (1, None) => Ok(()),
                (1, Some(p)) => Err(Error::new_spanned(
                    &p.ty,
                    "a window is the only parameter that differs between elements: zip the sources, and read the tuple at `w.at(..)`",
                )),
                _ => Err(Error::new(
                    self.name.span(),
                    "a kernel has one window: zip the sources, and read tuples in a window of them",
                )),
            };
        }
        match self.varying().count() {
            0 => Err(Error::new(
                self.name.span(),
                "a kernel needs a parameter that differs between elements: one that is neither `#[uniform]` nor a slice",
            )),
            1..=8 => Ok(()),
            _ => Err(Error::new(
                self.name.span(),
                "a kernel has at most 8 parameters that differ between elements: group some in a tuple or a struct",
            )),
        }
    }

    /// The window that it is a kernel of, if it is of one.
    pub(crate) fn window(&self) -> Option<&Window> {
        self.params.iter().find_map(|p| if let Kind::Window(window) = &p.kind { Some(window) } else { None })
    }

    pub(crate) fn varying(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|p| matches!(p.kind, Kind::Varying))
    }

    /// The parameters that are given at construction.
    pub(crate) fn bound(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|p| !matches!(p.kind, Kind::Varying | Kind::Window(_)))
    }

    /// The type `X` of `Kernel<X>`.
    pub(crate) fn input(&self) -> TokenStream {
        let types: Vec<_> = self.varying().map(|p| &p.ty).collect();
        match &types[..] {
            [one] => quote!(#one),
            many => quote!((#(#many,)*)),
        }
    }
}

/// Checks one parameter. `uniform` parameters of inline kernels come without an attribute.
pub(crate) fn param(attrs: &[Attribute], pat: &Pat, ty: &Type, position: usize) -> Result<Param> {
    let mut uniform = false;
    for a in attrs {
        if a.path().is_ident("uniform") {
            a.meta.require_path_only()?;
            uniform = true;
        } else {
            return Err(Error::new_spanned(a, "the only attribute of a kernel's parameter is `#[uniform]`"));
        }
    }
    let kind = match ty {
        Type::Reference(r) => {
            let Type::Slice(s) = &*r.elem else {
                let inner = &r.elem;
                let message = match r.mutability {
                    Some(_) => "a kernel cannot write through a reference: return the value".to_owned(),
                    None => format!("write the type without the reference: `{}`", shown(&quote!(#inner))),
                };
                return Err(Error::new_spanned(ty, message));
            };
            if r.mutability.is_some() {
                return Err(Error::new_spanned(
                    ty,
                    "a kernel cannot write to a slice: return the value, the primitive stores it",
                ));
            }
            if let Some(l) = &r.lifetime {
                return Err(Error::new_spanned(l, "a kernel has no lifetimes: write slice parameters as `&[T]`"));
            }
            if uniform {
                return Err(Error::new_spanned(&attrs[0], "a slice is the same for all elements anyway: leave `#[uniform]` out"));
            }
            value_type(&s.elem)?;
            Kind::Slice((*s.elem).clone())
        }
        Type::Array(a) => {
            if !uniform {
                return Err(Error::new_spanned(ty, "an array parameter must be `#[uniform]`; for data write `&[T]`"));
            }
            value_type(&a.elem)?;
            Kind::Array((*a.elem).clone())
        }
        _ => match Window::of(ty)? {
            Some(_) if uniform => {
                return Err(Error::new_spanned(&attrs[0], "a window differs between elements: leave `#[uniform]` out"));
            }
            Some(window) => Kind::Window(window),
            None => {
                value_type(ty)?;
                if uniform { Kind::Uniform } else { Kind::Varying }
            }
        },
    };
    let name = match (pat, &kind) {
        (Pat::Ident(p), _) if p.by_ref.is_none() && p.subpat.is_none() => {
            if p.mutability.is_some() && !matches!(kind, Kind::Varying) {
                return Err(Error::new_spanned(pat, "this parameter cannot be `mut`: copy a uniform with `let mut`"));
            }
            p.ident.clone()
        }
        (_, Kind::Varying) => format_ident!("__p{}", position, span = at(pat.span())),
        _ => return Err(Error::new_spanned(pat, "a uniform, slice or window parameter needs a plain name")),
    };
    Ok(Param { pat: pat.clone(), name, ty: ty.clone(), kind })
}

/// Refuses the types that are known not to be values in a kernel. Other mistakes are left to rustc: the trait bound says it.
pub(crate) fn value_type(ty: &Type) -> Result<()> {
    const LIST: &str = "f32, f64, i32, u32, i64, u64, bool, usize, tuples of these, and structs with `#[derive(Element)]`";
    match ty {
        Type::Path(p) => {
            if let Some(name) = p.path.get_ident() {
                let instead = match name.to_string().as_str() {
                    "i8" | "i16" | "isize" => "i32",
                    "u8" | "u16" | "char" => "u32",
                    "i128" => "i64",
                    "u128" => "u64",
                    _ => return Ok(()),
                };
                let message = format!("kernels do not compute with `{name}`: use `{instead}` (there are {LIST})");
                return Err(Error::new_spanned(ty, message));
            }
            Ok(())
        }
        Type::Tuple(t) => {
            if t.elems.is_empty() {
                return Err(Error::new_spanned(ty, format!("a kernel computes a value; there are {LIST}")));
            }
            if t.elems.len() > 8 {
                return Err(Error::new_spanned(
                    ty,
                    "tuples in kernels have at most 8 fields: use a struct with `#[derive(Element)]`",
                ));
            }
            t.elems.iter().try_for_each(value_type)
        }
        Type::Paren(t) => value_type(&t.elem),
        Type::Group(t) => value_type(&t.elem),
        Type::Reference(_) => {
            Err(Error::new_spanned(ty, "a reference is not a value in a kernel; slices are parameters of the form `&[T]`"))
        }
        Type::Array(_) | Type::Slice(_) => Err(Error::new_spanned(
            ty,
            "an array is not a value in a kernel; arrays are `#[uniform]` parameters, slices `&[T]` parameters",
        )),
        Type::ImplTrait(_) => Err(Error::new_spanned(ty, "write a type parameter instead: `fn name<T: Number>(x: T)`")),
        _ => Err(Error::new_spanned(ty, format!("this type cannot be used in a kernel; there are {LIST}"))),
    }
}

/// Tokens for a message.
pub(crate) fn shown(tokens: &TokenStream) -> String {
    let mut s = tokens.to_string();
    for (from, to) in [(" :: ", "::"), (" ,", ","), ("& ", "&"), ("< ", "<"), (" <", "<"), (" >", ">")] {
        s = s.replace(from, to);
    }
    s
}
