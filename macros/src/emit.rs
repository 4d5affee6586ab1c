//! What stands beside a kernel's function: the struct, its constructor, the body for any lanes, and the trait impls.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Block, Error, Generics, ItemFn, Result, parse_quote};

use crate::lanes::{Lower, has_loop};
use crate::parse::{Kind, Signature, Visible, Window, at};

/// The lints that generated code is free of by construction, or that are about style.
pub(crate) fn allowed() -> TokenStream {
    quote! {
        #[allow(
            non_camel_case_types, non_snake_case, unused_mut, unused_assignments, unused_variables, unused_parens, unused_braces,
            unused_imports, unused_qualifications, unreachable_pub, unreachable_code, missing_docs, missing_debug_implementations,
            missing_copy_implementations, single_use_lifetimes, dead_code, trivial_casts, trivial_numeric_casts,
            let_underscore_drop, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction
        )]
    }
}

/// `#[kernel]`
pub(crate) fn kernel(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attr.is_empty() {
        return Err(Error::new_spanned(
            attr,
            "`#[kernel]` takes no arguments; parameters are marked one by one with `#[uniform]`",
        ));
    }
    let function = function(item, "#[kernel]")?;
    let signature = Signature::new(&function)?;
    let (kernel, ok) = around(&signature, &function.block, false);
    let function = plain(function, ok);
    Ok(quote!(#function #kernel))
}

/// The function that an attribute stands at.
pub(crate) fn function(item: TokenStream, attribute: &str) -> Result<ItemFn> {
    let at = item.clone();
    let mut function: ItemFn = syn::parse2(item).map_err(|e| {
        if syn::parse2::<syn::Item>(at.clone()).is_ok() {
            Error::new_spanned(at, format!("`{attribute}` stands at a function"))
        } else {
            e
        }
    })?;
    Visible.visit_item_fn_mut(&mut function);
    Ok(function)
}

/// The function as the user wrote it, without `#[uniform]`. It is used through the kernel even if nobody calls it. If the body
/// was refused it is left out, so that the refusal is the only error.
pub(crate) fn plain(mut f: ItemFn, ok: bool) -> TokenStream {
    for arg in &mut f.sig.inputs {
        if let syn::FnArg::Typed(p) = arg {
            p.attrs.retain(|a| !a.path().is_ident("uniform"));
        }
    }
    if ok {
        // The lints whose advice (iterators, ranges, methods without a form in lanes) would leave the kernel language.
        quote! {
            #[allow(
                dead_code, clippy::too_many_arguments, clippy::needless_range_loop, clippy::explicit_counter_loop,
                clippy::manual_range_contains, clippy::comparison_chain, clippy::manual_div_ceil, clippy::manual_swap,
                clippy::manual_abs_diff, clippy::manual_midpoint, clippy::manual_rem_euclid, clippy::implicit_saturating_sub
            )]
            #f
        }
    } else {
        f.block = parse_quote!({ loop {} });
        quote!(#[allow(dead_code, unused_variables, unused_mut, clippy::all)] #f)
    }
}

/// Everything but the function; and whether the body was accepted.
pub(crate) fn around(k: &Signature, block: &Block, inline: bool) -> (TokenStream, bool) {
    let (name, vis) = (&k.name, &k.vis);
    let allowed = allowed();
    let generics = struct_generics(k);
    let (impl_generics, type_generics, wheres) = generics.split_for_impl();
    let mut types: Vec<_> = k.generics.type_params().map(|p| p.ident.clone()).collect();
    if k.ret.is_none() {
        types.push(format_ident!("__Out"));
    }

    // Fields, the constructor, and how each is handed on.
    let mut fields = Vec::new();
    let mut with_params = Vec::new();
    let mut inits = Vec::new();
    let mut visits = Vec::new();
    for p in k.bound() {
        let (n, ty) = (&p.name, &p.ty);
        match &p.kind {
            Kind::Slice(elem) => {
                fields.push(quote!(#n: ::granule::array::Data<'__s, #elem>));
                with_params.push(quote!(#n: impl ::core::convert::Into<::granule::array::Data<'__s, #elem>>));
                inits.push(quote!(#n: ::core::convert::Into::into(#n)));
                visits.push(quote!(__visitor.visit(self.#n)?;));
            }
            Kind::Array(..) => {
                fields.push(quote!(#n: #ty));
                with_params.push(quote!(#n: #ty));
                inits.push(quote!(#n));
                visits.push(quote!(__visitor.visit(::granule::array::Data::Slice(&self.#n))?;));
            }
            _ => {
                fields.push(quote!(#n: #ty));
                with_params.push(quote!(#n: #ty));
                inits.push(quote!(#n));
            }
        }
    }
    if !types.is_empty() {
        fields.push(quote!(__types: ::core::marker::PhantomData<fn() -> (#(#types,)*)>));
        inits.push(quote!(__types: ::core::marker::PhantomData));
    }

    // The body.
    let lane_params = k.params.iter().map(|p| {
        let (n, ty) = (&p.name, &p.ty);
        match &p.kind {
            Kind::Varying => quote!(#n: impl ::granule::kernel::ToVarying<__L, #ty>),
            Kind::Uniform => quote!(#n: ::granule::kernel::Uniform<__L, #ty>),
            Kind::Slice(elem) | Kind::Array(elem) => quote!(#n: ::granule::kernel::ops::Slice<'_, __L, #elem>),
            Kind::Window(Window { item, axes, .. }) => quote!(#n: impl ::granule::grid::Neighbours<__L, #item, #axes>),
        }
    });
    let generic_names = types.iter().map(|t| t.to_string()).collect();
    let lowered = Lower::body(&k.params, generic_names, k.ret.as_ref(), block, inline);
    let ok = lowered.is_ok();
    let lowered = lowered.unwrap_or_else(|e| {
        let error = e.to_compile_error();
        quote!((#error))
    });
    let s = at(k.name.span());
    let out = k.ret.as_ref().map_or_else(|| quote!(__Out), |t| quote!(#t));
    let lowered = match &k.ret {
        None if ok => quote_spanned!(s=> ::granule::backend::same(__l, { #lowered })),
        _ => lowered,
    };
    let body = quote_spanned! {s=>
        #[doc(hidden)]
        #[inline(always)]
        #vis fn __lanes<__L: ::granule::kernel::Lanes>(__l: __L, mut __m: __L::Mask, #(#lane_params),*) -> ::granule::kernel::Varying<__L, #out> {
            use ::granule::kernel::ops::{Scale as _, Shrink as _};
            let __u = __l.uniform_level();
            #lowered
        }
    };

    // The kernel.
    let several = k.varying().count() > 1;
    let mut position = 0_u32;
    let lane_args = k.params.iter().map(|p| {
        let n = &p.name;
        match &p.kind {
            Kind::Uniform => quote!(::granule::kernel::ops::uniform(__l, self.#n)),
            Kind::Slice(_) => quote!(::granule::kernel::ops::slice(__l, self.#n)),
            Kind::Array(..) => quote!(::granule::kernel::ops::slice(__l, ::granule::array::Data::Slice(&self.#n))),
            Kind::Varying if several => {
                let i = syn::Index::from(position as usize);
                position += 1;
                let fields = quote!(__x.0);
                quote!(#fields.#i)
            }
            Kind::Varying | Kind::Window(_) => quote!(__x),
        }
    });
    let lane_args: Vec<_> = lane_args.collect();
    let loops = has_loop(block);
    let docs = format!("The kernel of the function `{name}`: built by [`with`](Self::with).");
    let data = quote! {
        fn data<__V: ::granule::array::DataVisitor>(&self, __visitor: &mut __V) -> ::granule::Result<()> {
            #(#visits)*
            ::core::result::Result::Ok(())
        }
    };
    let kernel = match k.window() {
        None => {
            let input = k.input();
            quote! {
                impl #impl_generics ::granule::kernel::Kernel<#input> for #name #type_generics #wheres {
                    type Out = #out;
                    const LOOPS: bool = #loops;
                    #[inline(always)]
                    fn eval<__L: ::granule::kernel::Lanes>(
                        &self,
                        __l: __L,
                        __x: ::granule::kernel::Varying<__L, #input>,
                    ) -> ::granule::kernel::Varying<__L, #out> {
                        Self::__lanes(__l, __l.mask_all(), #(#lane_args),*)
                    }
                    #data
                }
            }
        }
        Some(Window { item, axes, radius }) => quote! {
            impl #impl_generics ::granule::grid::Stencil<#item, #axes> for #name #type_generics #wheres {
                type Out = #out;
                const RADIUS: usize = #radius;
                const LOOPS: bool = #loops;
                #[inline(always)]
                fn eval<__L: ::granule::kernel::Lanes, __W: ::granule::grid::Neighbours<__L, #item, #axes>>(
                    &self,
                    __l: __L,
                    __x: __W,
                ) -> ::granule::kernel::Varying<__L, #out> {
                    Self::__lanes(__l, __l.mask_all(), #(#lane_args),*)
                }
                #data
            }
        },
    };
    let with_docs = "The kernel with these uniform parameters and slices.";
    (
        quote! {
            #allowed
            #[doc = #docs]
            #[derive(Clone, Copy)]
            #vis struct #name #impl_generics #wheres { #(#fields),* }

            #allowed
            impl #impl_generics #name #type_generics #wheres {
                #[doc = #with_docs]
                #[inline(always)]
                #vis fn with(#(#with_params),*) -> Self {
                    #name { #(#inits),* }
                }
                #body
            }

            #allowed
            #kernel
        },
        ok,
    )
}

/// The generics of the struct: those of the function, a lifetime if it holds slices, and the result type if rustc infers it.
/// Every type parameter is an element: `T: Number` alone would admit `usize`, which is none.
pub(crate) fn struct_generics(k: &Signature) -> Generics {
    let mut generics = k.generics.clone();
    for p in generics.type_params_mut() {
        p.bounds.push(parse_quote!(::granule::element::Element));
    }
    if k.params.iter().any(|p| matches!(p.kind, Kind::Slice(_))) {
        generics.params.insert(0, parse_quote!('__s));
    }
    if k.ret.is_none() {
        generics.params.push(parse_quote!(__Out: ::granule::element::Value));
    }
    generics
}
