//! Truth values: a bit a lane, in a mask register; a byte each in memory.

use std::arch::x86_64::*;
use std::mem::transmute;

use super::field::{Bytes, of_words};
use super::memory::{gather_each, permute_4, read_each, write_each};
use super::{Avx512, Mask, U32, W, below};
use crate::backend::simd::lanewise::variables;
use crate::backend::simd::{Span, VectorLane, View, ViewMut};
use crate::kernel::{Lane, MaskLane};

impl Mask {
    #[inline(always)]
    fn from_array(x: [bool; W]) -> Mask {
        let mut m = 0;
        let mut j = 0;
        while j < W {
            m |= (x[j] as u16) << j;
            j += 1;
        }
        Mask(m)
    }
}

impl Lane<Avx512, bool> for Mask {
    #[inline(always)]
    fn splat(_: Avx512, x: bool) -> Mask {
        Mask((x as u16).wrapping_neg())
    }
    #[inline(always)]
    fn select(self, _: Avx512, m: Mask, other: Mask) -> Mask {
        Mask(self.0 & m.0 | other.0 & !m.0)
    }
    #[inline(always)]
    fn load(l: Avx512, s: View<'_, bool>, i: Span) -> Mask {
        if !(s.contiguous() && i.stride == 1) {
            if i.stride == 1 && i.count >= W {
                let p = s.pointer(i.base).cast();
                // SAFETY: all lanes are elements of the view.
                unsafe {
                    of_words!(s.step(), 1: 4 8 12 16 20 24 28 32, |K| Mask(Bytes::read::<K>(l, p)));
                }
            }
            return Mask::from_array(read_each(s, i));
        }
        let p = s.pointer(i.base);
        // SAFETY: the lanes below `count` are elements of the view; masked lanes touch no memory.
        unsafe {
            if i.count >= W {
                let x = _mm_loadu_si128(p.cast());
                return Mask(_mm_test_epi8_mask(x, x));
            }
            let x = _mm_maskz_loadu_epi8(below(i.count), p.cast());
            let m = _mm_test_epi8_mask(x, x);
            let last = (m >> (i.count - 1) & 1).wrapping_neg();
            Mask(m | last & !below(i.count))
        }
    }
    #[inline(always)]
    fn gather(_: Avx512, s: View<'_, bool>, i: U32) -> Mask {
        if s.is_empty() { Mask(0) } else { Mask::from_array(gather_each(s, &i.array())) }
    }
    #[inline(always)]
    fn permute(self, l: Avx512, from: U32) -> Mask {
        // SAFETY: the token proves the instructions; registers only.
        unsafe { Mask(_mm512_movepi32_mask(permute_4(l, _mm512_movm_epi32(self.0), from))) }
    }
    variables!(Avx512, bool);
}

impl VectorLane<Avx512, bool> for Mask {
    #[inline(always)]
    fn store(self, l: Avx512, to: ViewMut<'_, bool>, i: Span) {
        // SAFETY: the lanes below `count` are elements of the view, which is an exclusive borrow; the bytes are 0 or 1.
        unsafe {
            let x = _mm_maskz_set1_epi8(self.0, 1);
            if to.contiguous() && i.stride == 1 {
                return if i.count >= W {
                    _mm_storeu_si128(to.pointer(i.base).cast(), x)
                } else {
                    _mm_mask_storeu_epi8(to.pointer(i.base).cast(), below(i.count), x)
                };
            }
            if i.stride == 1 && i.count >= W {
                let p = to.pointer(i.base).cast();
                of_words!(to.step(), 1: 4 8 12 16 20 24 28 32, |K| Bytes::write::<K>(l, p, self.0));
            }
            write_each(&transmute::<__m128i, [bool; W]>(x), to, i);
        }
    }
    #[inline(always)]
    fn stream(self, l: Avx512, to: ViewMut<'_, bool>, i: Span) {
        let p = to.pointer(i.base).cast::<__m128i>();
        if to.contiguous() && i.stride == 1 && i.count >= W && p.is_aligned() {
            // SAFETY: as in `store`, and aligned.
            return unsafe { _mm_stream_si128(p, _mm_maskz_set1_epi8(self.0, 1)) };
        }
        self.store(l, to, i);
    }
    #[inline(always)]
    fn slide_down<const N: usize>(self, _: Avx512) -> Mask {
        Mask(self.0 >> (N % W))
    }
    #[inline(always)]
    fn slide_up<const N: usize>(self, _: Avx512) -> Mask {
        Mask(self.0 << (N % W))
    }
    #[inline(always)]
    fn extract(self, _: Avx512, lane: usize) -> bool {
        self.0 >> (lane % W) & 1 != 0
    }
}

impl MaskLane<Avx512> for Mask {
    methods! { self, l:
        and(o: Mask) -> Mask = Mask(self.0 & o.0);
        or(o: Mask) -> Mask = Mask(self.0 | o.0);
        xor(o: Mask) -> Mask = Mask(self.0 ^ o.0);
        not() -> Mask = Mask(!self.0);
    }
}
