//! What the levels share: methods as tables, and operations lane by lane where no instruction does them.

/// A table of methods, each a line. The head names the receiver and the level: `self, l: Level;` for methods of a vector, `self;`
/// for those of the level, `fn l: Level;` for functions.
///
/// The bodies stand in an `unsafe` block, so they may call intrinsics: whoever uses the table proves that a value of the level
/// exists only on a CPU that has its instructions, and lets the bodies work on registers alone.
macro_rules! methods {
    ($self:ident, $l:ident: $level:ty; $($(#[$doc:meta])* $name:ident($($a:ident: $A:ty),*) -> $R:ty = $body:expr;)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        #[allow(unused_unsafe, unused_variables)] // portable levels need no unsafe, and most bodies no token
        fn $name($self, $l: $level $(, $a: $A)*) -> $R {
            // SAFETY: `$l` is the proof that this CPU has the instructions of the level; the operations are on registers.
            unsafe { $body }
        }
    )+};
    (fn $l:ident: $level:ty; $($(#[$doc:meta])* $name:ident($($a:ident: $A:ty),*) -> $R:ty = $body:expr;)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        #[allow(unused_unsafe, unused_variables)] // as above
        fn $name($l: $level $(, $a: $A)*) -> $R {
            // SAFETY: as above.
            unsafe { $body }
        }
    )+};
    ($self:ident; $($(#[$doc:meta])* $name:ident($($a:ident: $A:ty),*) -> $R:ty = $body:expr;)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        #[allow(unused_unsafe)] // as above
        fn $name($self $(, $a: $A)*) -> $R {
            // SAFETY: as above; the receiver is the level.
            unsafe { $body }
        }
    )+};
}
pub(super) use methods;

/// Variables of a SIMD level: a variable is its value.
macro_rules! variables {
    ($level:ty, $scalar:ty) => {
        #[inline(always)]
        fn broadcast(l: $level, x: $scalar) -> Self {
            <Self as crate::kernel::Lane<$level, $scalar>>::splat(l, x)
        }
        #[inline(always)]
        fn var(self, _: $level) -> Self {
            self
        }
        #[inline(always)]
        fn get(self, _: $level) -> Self {
            self
        }
        #[inline(always)]
        fn set(&mut self, _: $level, value: Self) {
            *self = value;
        }
        #[inline(always)]
        fn set_masked(&mut self, l: $level, m: <$level as crate::kernel::Lanes>::Mask, value: Self) {
            *self = crate::kernel::Lane::<$level, $scalar>::select(value, l, m, *self);
        }
    };
}
pub(super) use variables;

/// `lanewise!(Out: Trait::op(a, b))`: the operation in each lane as [`OneLane`](super::OneLane) does it.
macro_rules! lanewise {
    ($out:ty: $trait:ident::$f:ident($a:expr)) => {{
        let a = $a.array();
        let mut out = <$out>::ZEROS;
        for (out, a) in out.iter_mut().zip(a) {
            *out = $trait::$f(a, crate::backend::simd::OneLane);
        }
        <$out>::from_array(out)
    }};
    ($out:ty: $trait:ident::$f:ident($a:expr, $b:expr)) => {{
        let (a, b) = ($a.array(), $b.array());
        let mut out = <$out>::ZEROS;
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = $trait::$f(a, crate::backend::simd::OneLane, b);
        }
        <$out>::from_array(out)
    }};
    ($out:ty: $trait:ident::$f:ident($a:expr, $b:expr, $c:expr)) => {{
        let (a, b, c) = ($a.array(), $b.array(), $c.array());
        let mut out = <$out>::ZEROS;
        for (((out, a), b), c) in out.iter_mut().zip(a).zip(b).zip(c) {
            *out = $trait::$f(a, crate::backend::simd::OneLane, b, c);
        }
        <$out>::from_array(out)
    }};
}
pub(super) use lanewise;

/// The vector types of a level as arrays. `$vector` has no padding and any bit pattern is one of its values, as for `[$scalar; W]`.
macro_rules! arrays {
    ($($vector:ident: $scalar:ty = $zero:expr;)+) => {$(
        impl $vector {
            const ZEROS: [$scalar; W] = [$zero; W];

            #[inline(always)]
            fn array(self) -> [$scalar; W] {
                // SAFETY: the vector holds the lanes in order; sizes are equal, and any bits are valid on both sides.
                unsafe { std::mem::transmute(self) }
            }
            #[inline(always)]
            fn from_array(x: [$scalar; W]) -> Self {
                // SAFETY: as above.
                unsafe { std::mem::transmute(x) }
            }
        }
    )+};
}
pub(super) use arrays;

/// The elements at an index a lane, one read each.
macro_rules! reads {
    ($vector:ty, $s:expr, |$lane:ident| $i:expr) => {{
        let mut out = <$vector>::ZEROS;
        for ($lane, out) in out.iter_mut().enumerate() {
            *out = $s.read($i);
        }
        <$vector>::from_array(out)
    }};
}
pub(super) use reads;

/// The lanes of a vector in another order, one read each.
macro_rules! permuted {
    ($x:expr, $from:expr) => {{
        let (x, mut out) = ($x.array(), Self::ZEROS);
        for (out, from) in out.iter_mut().zip($from.array()) {
            *out = x[from as usize % W];
        }
        Self::from_array(out)
    }};
}
pub(super) use permuted;

/// The lanes that exist to the elements of a span, one write each.
macro_rules! writes {
    ($vector:expr, $to:expr, $i:expr) => {{
        for (lane, x) in $vector.array().into_iter().enumerate() {
            if lane < $i.count {
                $to.write($i.element(lane), x);
            }
        }
    }};
}
pub(super) use writes;

/// The transcendental functions of a float vector: the polynomials of [`math`](super::math).
macro_rules! transcendentals {
    (f32 $level:ty) => {
        crate::backend::simd::lanewise::methods! { self, l: $level;
            exp() -> Self = crate::backend::simd::math::exp_f32(l, self);
            exp2() -> Self = crate::backend::simd::math::exp2_f32(l, self);
            ln() -> Self = crate::backend::simd::math::ln_f32(l, self);
            log2() -> Self = crate::backend::simd::math::log2_f32(l, self);
            log10() -> Self = crate::backend::simd::math::log10_f32(l, self);
            sin() -> Self = crate::backend::simd::math::sin_f32(l, self);
            cos() -> Self = crate::backend::simd::math::cos_f32(l, self);
            tan() -> Self = crate::backend::simd::math::tan_f32(l, self);
            tanh() -> Self = crate::backend::simd::math::tanh_f32(l, self);
            atan() -> Self = crate::backend::simd::math::atan_f32(l, self);
            atan2(o: Self) -> Self = crate::backend::simd::math::atan2_f32(l, self, o);
            powf(o: Self) -> Self = crate::backend::simd::math::powf_f32(l, self, o);
        }
    };
    (f64 $level:ty) => {
        crate::backend::simd::lanewise::methods! { self, l: $level;
            exp() -> Self = crate::backend::simd::math::exp_f64(l, self);
            exp2() -> Self = crate::backend::simd::math::exp2_f64(l, self);
            ln() -> Self = crate::backend::simd::math::ln_f64(l, self);
            log2() -> Self = crate::backend::simd::math::log2_f64(l, self);
            log10() -> Self = crate::backend::simd::math::log10_f64(l, self);
            sin() -> Self = crate::backend::simd::math::sin_f64(l, self);
            cos() -> Self = crate::backend::simd::math::cos_f64(l, self);
            tan() -> Self = crate::backend::simd::math::tan_f64(l, self);
            tanh() -> Self = crate::backend::simd::math::tanh_f64(l, self);
            atan() -> Self = crate::backend::simd::math::atan_f64(l, self);
            atan2(o: Self) -> Self = crate::backend::simd::math::atan2_f64(l, self, o);
            powf(o: Self) -> Self = crate::backend::simd::math::powf_f64(l, self, o);
        }
    };
}
pub(super) use transcendentals;
