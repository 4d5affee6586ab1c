//! `#[derive(Element)]`: the struct's form in any lanes, and the walk over its leaves.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Index, Member, Result, Type, parse_quote};

/// `#[derive(Element)]`
pub(crate) fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let name = &input.ident;
    let fields = match &input.data {
        Data::Struct(s) => &s.fields,
        Data::Enum(e) => {
            let message =
                "an enum cannot be an element: use a struct with a `u32` that says which, and the fields of all variants";
            return Err(Error::new(e.enum_token.span, message));
        }
        Data::Union(u) => return Err(Error::new(u.union_token.span, "a union cannot be an element: use a struct")),
    };
    if fields.is_empty() {
        return Err(Error::new(name.span(), "an element has at least one field"));
    }
    for f in fields {
        match &f.ty {
            Type::Reference(_) | Type::Ptr(_) => {
                let message = "an element holds values, not references: store an index, and read the data in a kernel with a `&[T]` parameter";
                return Err(Error::new_spanned(&f.ty, message));
            }
            Type::Array(_) => {
                return Err(Error::new_spanned(
                    &f.ty,
                    "an element's fields are scalars, tuples and elements: write a tuple for a small array",
                ));
            }
            _ => {}
        }
    }
    for p in &input.generics.params {
        if let GenericParam::Lifetime(p) = p {
            return Err(Error::new_spanned(p, "an element holds values, not references: it has no lifetimes"));
        }
    }

    let vis = &input.vis;
    let lanes = format_ident!("__{}Lanes", name);
    let mut generics = input.generics.clone();
    for p in generics.type_params_mut() {
        p.bounds.push(parse_quote!(::granule::element::Element));
    }
    let (impl_generics, type_generics, wheres) = generics.split_for_impl();
    let mut lane_generics = generics.clone();
    lane_generics.params.push(parse_quote!(__L: ::granule::kernel::Lanes));
    let (lane_impl, lane_type, _) = lane_generics.split_for_impl();
    // The arguments of the struct's generics, to be followed by the lanes.
    let own: Vec<_> = generics
        .params
        .iter()
        .map(|p| match p {
            GenericParam::Type(p) => &p.ident,
            GenericParam::Const(p) => &p.ident,
            GenericParam::Lifetime(_) => unreachable!("refused above"),
        })
        .collect();
    let lanes_of = |l: TokenStream| quote!(#lanes<#(#own,)* #l>);

    let members: Vec<Member> = fields
        .iter()
        .enumerate()
        .map(|(i, f)| {
            f.ident.clone().map_or_else(|| Member::Unnamed(Index { index: i as u32, span: f.ty.span() }), Member::Named)
        })
        .collect();
    let types: Vec<&Type> = fields.iter().map(|f| &f.ty).collect();
    let values: Vec<TokenStream> = types.iter().map(|t| quote_spanned!(t.span()=> <#t as ::granule::element::Value>)).collect();
    let elements: Vec<TokenStream> =
        types.iter().map(|t| quote_spanned!(t.span()=> <#t as ::granule::element::Element>)).collect();
    let lane_fields = fields.iter().map(|f| {
        let (vis, ty, ident) = (&f.vis, &f.ty, &f.ident);
        let colon = ident.as_ref().map(|_| quote!(:));
        quote_spanned!(ty.span()=> #vis #ident #colon ::granule::kernel::Varying<__L, #ty>)
    });
    let lane_struct = match fields {
        Fields::Named(_) => quote!(#vis struct #lanes #lane_generics #wheres { #(#lane_fields),* }),
        _ => quote!(#vis struct #lanes #lane_generics (#(#lane_fields),*) #wheres;),
    };
    // `x.field.0`, written so that `x.0.0` does not become a float.
    let leaf = |x: &str| -> Vec<TokenStream> {
        let x = format_ident!("{}", x);
        members
            .iter()
            .map(|m| {
                let f = quote!(#x.#m);
                quote!(#f.0)
            })
            .collect()
    };
    let (x_leaf, a_leaf, b_leaf) = (leaf("__x"), leaf("__a"), leaf("__b"));
    let in_one = lanes_of(quote!(::granule::backend::simd::OneLane));
    let in_l = lanes_of(quote!(__L));
    let in_m = lanes_of(quote!(__M));
    let allowed = crate::emit::allowed();

    Ok(quote! {
        #allowed
        #[doc(hidden)]
        #lane_struct

        #allowed
        impl #lane_impl ::core::clone::Clone for #lanes #lane_type #wheres {
            #[inline(always)]
            fn clone(&self) -> Self {
                *self
            }
        }
        #allowed
        impl #lane_impl ::core::marker::Copy for #lanes #lane_type #wheres {}

        #allowed
        impl #impl_generics ::granule::element::Value for #name #type_generics #wheres {
            type In<__L: ::granule::kernel::Lanes> = #in_l;
            #[inline(always)]
            fn to_one(self) -> #in_one {
                #lanes { #(#members: ::granule::kernel::Varying(#values::to_one(self.#members))),* }
            }
            #[inline(always)]
            fn from_one(__x: #in_one) -> Self {
                #name { #(#members: #values::from_one(#x_leaf)),* }
            }
            #[inline(always)]
            fn map<__L: ::granule::kernel::Lanes, __M: ::granule::kernel::Lanes, __F: ::granule::element::LeafMap<__L, __M>>(
                __f: &mut __F,
                __x: #in_l,
            ) -> #in_m {
                #lanes { #(#members: ::granule::kernel::Varying(#values::map(__f, #x_leaf))),* }
            }
            #[inline(always)]
            fn zip<__L: ::granule::kernel::Lanes, __F: ::granule::element::LeafZip<__L>>(__f: &mut __F, __a: #in_l, __b: #in_l) -> #in_l {
                #lanes { #(#members: ::granule::kernel::Varying(#values::zip(__f, #a_leaf, #b_leaf))),* }
            }
        }

        // SAFETY: the byte offsets come from `offset_of!`, the word offsets are the running sum of the fields' `WORDS`.
        #allowed
        unsafe impl #impl_generics ::granule::element::Element for #name #type_generics #wheres {
            const WORDS: usize = 0 #(+ #elements::WORDS)*;
            const PACKED: bool = {
                let mut words = 0;
                let mut packed = true;
                #(
                    packed = packed && #elements::PACKED && ::core::mem::offset_of!(Self, #members) == words * 4;
                    words += #elements::WORDS;
                )*
                packed && ::core::mem::size_of::<Self>() == words * 4
            };
            #[inline(always)]
            fn build<__L: ::granule::kernel::Lanes, __F: ::granule::element::LeafBuild<__L>>(
                __f: &mut __F,
                __at: ::granule::element::Offset,
            ) -> #in_l {
                let mut __words = 0;
                #lanes { #(#members: {
                    let __field = #elements::build(__f, __at.plus(::core::mem::offset_of!(Self, #members), __words));
                    __words += #elements::WORDS;
                    ::granule::kernel::Varying(__field)
                }),* }
            }
            #[inline(always)]
            fn visit<__L: ::granule::kernel::Lanes, __F: ::granule::element::LeafVisit<__L>>(
                __f: &mut __F,
                __x: #in_l,
                __at: ::granule::element::Offset,
            ) {
                let mut __words = 0;
                #(
                    #elements::visit(__f, #x_leaf, __at.plus(::core::mem::offset_of!(Self, #members), __words));
                    __words += #elements::WORDS;
                )*
            }
            fn leaves(
                __at: ::granule::element::Offset,
                __out: &mut ::std::vec::Vec<(::granule::element::Kind, ::granule::element::Offset)>,
            ) {
                let mut __words = 0;
                #(
                    #elements::leaves(__at.plus(::core::mem::offset_of!(Self, #members), __words), __out);
                    __words += #elements::WORDS;
                )*
            }
        }
    })
}
