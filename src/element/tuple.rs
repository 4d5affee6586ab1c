//! Tuples: trees whose fields are values in lanes themselves. `#[derive(Element)]` writes the same for structs.

use super::{Element, Kind, LeafBuild, LeafMap, LeafVisit, LeafZip, Offset, Value};
use crate::backend::simd::OneLane;
use crate::kernel::{Lanes, Varying};

macro_rules! tuple {
    ($($t:ident $i:tt),+) => {
        impl<$($t: Value),+> Value for ($($t,)+) {
            type In<L: Lanes> = ($(Varying<L, $t>,)+);
            #[inline(always)]
            fn to_one(self) -> Self::In<OneLane> {
                ($(Varying(self.$i.to_one()),)+)
            }
            #[inline(always)]
            fn from_one(x: Self::In<OneLane>) -> Self {
                ($($t::from_one(x.$i.0),)+)
            }
            #[inline(always)]
            fn map<L: Lanes, M: Lanes, F: LeafMap<L, M>>(f: &mut F, x: Self::In<L>) -> Self::In<M> {
                ($(Varying($t::map(f, x.$i.0)),)+)
            }
            #[inline(always)]
            fn zip<L: Lanes, F: LeafZip<L>>(f: &mut F, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
                ($(Varying($t::zip(f, a.$i.0, b.$i.0)),)+)
            }
        }

        // SAFETY: the byte offsets come from `offset_of!`, the word offsets are the running sum of the fields' `WORDS`.
        unsafe impl<$($t: Element),+> Element for ($($t,)+) {
            const WORDS: usize = 0 $(+ $t::WORDS)+;
            const PACKED: bool = {
                let mut words = 0;
                let mut packed = true;
                $(
                    packed = packed && $t::PACKED && std::mem::offset_of!(Self, $i) == words * 4;
                    words += $t::WORDS;
                )+
                packed && size_of::<Self>() == words * 4
            };
            #[inline(always)]
            #[allow(unused_assignments)] // the last step of the running sum
            fn build<L: Lanes, F: LeafBuild<L>>(f: &mut F, at: Offset) -> Self::In<L> {
                let mut words = 0;
                ($({
                    let field = $t::build(f, at.plus(std::mem::offset_of!(Self, $i), words));
                    words += $t::WORDS;
                    Varying(field)
                },)+)
            }
            #[inline(always)]
            #[allow(unused_assignments)] // the last step of the running sum
            fn visit<L: Lanes, F: LeafVisit<L>>(f: &mut F, x: Self::In<L>, at: Offset) {
                let mut words = 0;
                $(
                    $t::visit(f, x.$i.0, at.plus(std::mem::offset_of!(Self, $i), words));
                    words += $t::WORDS;
                )+
            }
            #[allow(unused_assignments)] // the last step of the running sum
            fn leaves(at: Offset, out: &mut Vec<(Kind, Offset)>) {
                let mut words = 0;
                $(
                    $t::leaves(at.plus(std::mem::offset_of!(Self, $i), words), out);
                    words += $t::WORDS;
                )+
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, G 5);
tuple!(A 0, B 1, C 2, D 3, E 4, G 5, H 6);
tuple!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7);
