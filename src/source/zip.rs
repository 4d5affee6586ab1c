//! Several sources read together. A tuple of sources is a source of tuples.

use crate::array::{DataVisitor, Pending};
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying};

use super::{IntoSource, Source, UNBOUNDED};

/// The common length, or the error that names both.
fn together(left: usize, right: usize) -> Result<usize> {
    match (left, right) {
        (UNBOUNDED, n) | (n, UNBOUNDED) => Ok(n),
        (left, right) if left == right => Ok(left),
        (left, right) => Err(Error::LengthMismatch { left, right }),
    }
}

macro_rules! zip {
    ($(#[$doc:meta])* $f:ident, $zip:ident: $($s:ident $x:ident $i:tt),+) => {
        $(#[$doc])*
        pub fn $f<$($s: IntoSource),+>($($x: $s),+) -> $zip<$($s::Source),+> {
            $zip($($x.into_source()),+)
        }

        /// Sources read together.
        #[derive(Clone, Copy)]
        pub struct $zip<$($s),+>($($s),+);

        // SAFETY: the length is that of every source that has an end, and each is read at the same index.
        unsafe impl<$($s: Source),+> Source for $zip<$($s),+> {
            type Item = ($($s::Item,)+);
            type Bound<'a, LANES: Lanes> = ($($s::Bound<'a, LANES>,)+) where Self: 'a;
            const LOOPS: bool = false $(|| $s::LOOPS)+;
            const STRETCHES: bool = false $(|| $s::STRETCHES)+;
            const FIELDS: bool = false $(|| $s::FIELDS)+;

            fn len(&self) -> Result<usize> {
                let mut n = UNBOUNDED;
                $(n = together(n, self.$i.len()?)?;)+
                Ok(n)
            }
            fn pending(&self) -> Option<Pending> {
                let mut all = None;
                $(
                    match (self.$i.pending(), &all) {
                        (Some(one), None) => all = Some(one),
                        (Some(one), Some(other)) if one.is(other) => {}
                        (None, _) if matches!(self.$i.len(), Ok(UNBOUNDED)) => {}
                        // The lengths must be known to be compared.
                        _ => return None,
                    }
                )+
                all
            }
            fn data<VISITOR: DataVisitor>(&self, visitor: &mut VISITOR) -> Result<()> {
                $(self.$i.data(visitor)?;)+
                Ok(())
            }
            #[inline(always)]
            fn bind<'a, LANES: Lanes>(&'a self, l: LANES) -> Self::Bound<'a, LANES> where Self: 'a {
                ($(self.$i.bind(l),)+)
            }
            #[inline(always)]
            fn load<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, i: LANES::Index) -> Varying<LANES, Self::Item> where Self: 'a {
                Varying(($($s::load(l, bound.$i, i),)+))
            }
            #[inline(always)]
            fn inner<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, first: usize, end: usize) -> usize where Self: 'a {
                $(let end = $s::inner(l, bound.$i, first, end);)+
                end
            }
            #[inline(always)]
            fn settle<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, first: usize) -> Self::Bound<'a, LANES> where Self: 'a {
                ($($s::settle(l, bound.$i, first),)+)
            }
            #[inline(always)]
            fn load_inner<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, i: LANES::Index) -> Varying<LANES, Self::Item> where Self: 'a {
                Varying(($($s::load_inner(l, bound.$i, i),)+))
            }
            #[inline(always)]
            fn load_by<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, i: LANES::Index, by: Uniform<LANES, i32>) -> Varying<LANES, Self::Item> where Self: 'a {
                Varying(($($s::load_by(l, bound.$i, i, by),)+))
            }
            #[inline(always)]
            fn prefetch<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, first: usize, count: usize) where Self: 'a {
                $($s::prefetch(l, bound.$i, first, count);)+
            }
            #[inline(always)]
            fn at<'a, LANES: Lanes>(l: LANES, bound: Self::Bound<'a, LANES>, i: Varying<LANES, u32>) -> Varying<LANES, Self::Item> where Self: 'a {
                Varying(($($s::at(l, bound.$i, i),)+))
            }
        }
    };
}
zip!(
    /// Reads two sources together, as pairs. Their lengths must be equal (or one of them unbounded).
    zip, Zip2: A a 0, B b 1);
zip!(
    /// Reads three sources together.
    zip3, Zip3: A a 0, B b 1, C c 2);
zip!(
    /// Reads four sources together.
    zip4, Zip4: A a 0, B b 1, C c 2, D d 3);
zip!(
    /// Reads five sources together.
    zip5, Zip5: A a 0, B b 1, C c 2, D d 3, E e 4);
zip!(
    /// Reads six sources together.
    zip6, Zip6: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
