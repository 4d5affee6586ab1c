//! `#[operator]`: a kernel of two elements that reductions and scans may use.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Meta, Result, Token};

use crate::emit::{allowed, around, function, plain, struct_generics};
use crate::parse::{Kind, Signature};

/// `#[operator(identity = .., commutative)]`
pub(crate) fn operator(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = function(item, "#[operator]")?;
    let missing = "an operator needs its identity: `#[operator(identity = 0.0)]`, and `commutative` if `f(a, b) = f(b, a)`";
    let mut identity: Option<Expr> = None;
    let mut commutative = false;
    for meta in Punctuated::<Meta, Token![,]>::parse_terminated.parse2(attr)? {
        match &meta {
            Meta::NameValue(m) if m.path.is_ident("identity") => identity = Some(m.value.clone()),
            Meta::Path(p) if p.is_ident("commutative") => commutative = true,
            _ => return Err(Error::new_spanned(meta, "`#[operator]` takes `identity = expression` and `commutative`")),
        }
    }
    let Some(identity) = identity else {
        return Err(Error::new_spanned(&function.sig.ident, missing));
    };
    let signature = Signature::new(&function)?;
    let ret = signature.ret.as_ref().expect("functions name their result");
    let varying: Vec<_> = signature.varying().collect();
    if varying.len() != 2 {
        let message =
            "an operator combines two elements: two parameters of the type it returns, and any number of `#[uniform]` ones";
        return Err(Error::new_spanned(&function.sig.inputs, message));
    }
    for p in &varying {
        if p.ty.to_token_stream().to_string() != ret.to_token_stream().to_string() {
            return Err(Error::new_spanned(&p.ty, "an operator's two elements and its result have one type"));
        }
    }
    let (kernel, ok) = around(&signature, &function.block, false);
    let allowed = allowed();
    let name = &signature.name;
    let generics = struct_generics(&signature);
    let (impl_generics, type_generics, wheres) = generics.split_for_impl();
    let uniforms = signature.bound().filter(|p| !matches!(p.kind, Kind::Slice(_))).map(|p| &p.name);
    let mut seen = 0;
    let args = signature.params.iter().map(|p| {
        let n = &p.name;
        match &p.kind {
            Kind::Varying => {
                seen += 1;
                if seen == 1 { quote!(__a) } else { quote!(__b) }
            }
            Kind::Uniform => quote!(::granule::kernel::ops::uniform(__l, self.#n)),
            Kind::Slice(_) => quote!(::granule::kernel::ops::slice(__l, self.#n)),
            Kind::Array(..) => quote!(::granule::kernel::ops::slice(__l, ::granule::array::Data::Slice(&self.#n))),
            Kind::Window(_) => unreachable!("a window is refused beside other elements"),
        }
    });
    let args: Vec<_> = args.collect();
    let input = signature.input();
    let function = plain(function, ok);
    Ok(quote! {
        #function
        #kernel

        #allowed
        impl #impl_generics ::granule::operator::Operator<#ret> for #name #type_generics #wheres {
            const COMMUTATIVE: bool = #commutative;
            #[inline(always)]
            fn identity(&self) -> #ret {
                #(let #uniforms = self.#uniforms;)*
                #identity
            }
            #[inline(always)]
            fn combine<__L: ::granule::kernel::Lanes>(
                &self,
                __l: __L,
                __a: ::granule::kernel::Varying<__L, #ret>,
                __b: ::granule::kernel::Varying<__L, #ret>,
            ) -> ::granule::kernel::Varying<__L, #ret> {
                Self::__lanes(__l, __l.mask_all(), #(#args),*)
            }
            fn data<__V: ::granule::array::DataVisitor>(&self, __visitor: &mut __V) -> ::granule::Result<()> {
                <Self as ::granule::kernel::Kernel<#input>>::data(self, __visitor)
            }
        }
    })
}
