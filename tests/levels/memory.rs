//! Loads, stores, gathers, slides and splats; masks and indices.

use super::*;

/// Distinct values that are valid for the type.
fn data<S: Scalar>(n: usize) -> Vec<S> {
    let (random, special) = (&mut Random(n as u64 + 1), special::<S>());
    (0..n).map(|_| any(random, &special)).collect()
}

#[track_caller]
fn assert_lanes<L: Level, S: Scalar>(l: L, x: In<L, S>, what: impl Debug, want: impl Fn(usize) -> Option<S>) {
    for lane in 0..L::WIDTH {
        if let Some(want) = want(lane) {
            let got = S::extract(l, x, lane);
            assert_eq!(got.bits(), want.bits(), "{} lanes of {:?}, lane {lane}: {what:?}", L::WIDTH, S::KIND);
        }
    }
}

/// Runs a generic check for every type at every level.
macro_rules! for_every_type {
    ($name:ident) => {
        #[test]
        fn $name() {
            struct Check<S>(PhantomData<S>);
            impl<S: Scalar> WithLevel for Check<S> {
                type Out = ();
                #[inline(always)]
                fn run<L: Level>(self, l: L) {
                    check::$name::<L, S>(l)
                }
            }
            for level in SimdLevel::available() {
                dispatch(level, Check::<bool>(PhantomData));
                dispatch(level, Check::<f32>(PhantomData));
                dispatch(level, Check::<f64>(PhantomData));
                dispatch(level, Check::<i32>(PhantomData));
                dispatch(level, Check::<u32>(PhantomData));
                dispatch(level, Check::<i64>(PhantomData));
                dispatch(level, Check::<u64>(PhantomData));
            }
        }
    };
}
for_every_type!(loads);
for_every_type!(stores);
for_every_type!(gathers);
for_every_type!(slides_and_splats);
for_every_type!(fields);

/// Spans of every count and several strides that lie inside `len` elements.
fn spans(width: usize, len: usize) -> impl Iterator<Item = Span> {
    let strides = [1, -1, 2, -2, 3, 0];
    (1..=width).flat_map(move |count| {
        strides.into_iter().flat_map(move |stride: isize| {
            (0..4).filter_map(move |shift| {
                let reach = stride.unsigned_abs() * (count - 1);
                let base = if stride < 0 { reach + shift } else { shift };
                (base.max(reach + shift) < len).then_some(Span { base, stride, count })
            })
        })
    })
}

mod check {
    use super::*;

    type Pair<S> = (bool, S);
    fn second<S: Scalar>() -> Offset {
        Offset { bytes: std::mem::offset_of!(Pair<S>, 1), words: 1 }
    }

    pub(super) fn loads<L: Level, S: Scalar>(l: L) {
        let len = 3 * L::WIDTH + 4;
        let plain = data::<S>(len);
        let pairs: Vec<Pair<S>> = plain.iter().map(|&x| (true, x)).collect();
        for span in spans(L::WIDTH, len) {
            let want = |lane| Some(plain[span.element(lane)]);
            assert_lanes::<L, S>(l, S::load(l, l.slice(Data::Slice(&plain)), span), span, want);
            // SAFETY: the second of a pair.
            let field = unsafe { l.field::<Pair<S>, S>(l.slice(Data::Slice(&pairs)), second::<S>()) };
            assert_lanes::<L, S>(l, S::load(l, field, span), ("field", span), want);
            // The very end of the memory, so that a load of more than there is would leave it.
            let end = Span { base: len - span.count, stride: 1, ..span };
            let want = |lane| Some(plain[end.element(lane)]);
            assert_lanes::<L, S>(l, S::load(l, l.slice(Data::Slice(&plain)), end), end, want);
        }
        // The type inside 64-bit words at an odd byte: any bits are a number.
        if S::KIND != Kind::Bool && size_of::<S>() == 4 {
            let words = data::<u64>(len);
            // SAFETY: four bytes of the eight, and any bits are a number.
            let field = unsafe { l.field::<u64, S>(l.slice(Data::Slice(&words)), Offset { bytes: 3, words: 0 }) };
            for span in spans(L::WIDTH, len) {
                let want = |lane| Some(S::from_bits((words[span.element(lane)] >> 24) & 0xFFFF_FFFF));
                assert_lanes::<L, S>(l, S::load(l, field, span), ("odd", span), want);
            }
        }
    }

    pub(super) fn stores<L: Level, S: Scalar>(l: L) {
        let len = 3 * L::WIDTH + 4;
        let (source, old) = (data::<S>(L::WIDTH), data::<S>(len));
        let x = S::load(l, l.slice(Data::Slice(&source)), Span::new(0, L::WIDTH));
        let spans = spans(L::WIDTH, len).chain((0..2 * L::WIDTH).map(|base| Span::new(base, L::WIDTH)));
        for (span, stream) in spans.flat_map(|span| [(span, false), (span, true)]) {
            let mut want = old.clone();
            for (lane, &x) in source.iter().enumerate().take(span.count) {
                want[span.element(lane)] = x;
            }
            if span.stride == 0 && span.count > 1 {
                continue; // which of the lanes wins is not said
            }
            let put = |to: ViewMut<'_, S>| {
                if stream {
                    S::stream(l, x, to, span);
                    l.fence();
                } else {
                    S::store(l, x, to, span);
                }
            };
            let mut plain = memory(&old);
            put(ViewMut::new(&mut plain));
            let mut pairs = memory(&old.iter().map(|&x| (true, x)).collect::<Vec<Pair<S>>>());
            put(ViewMut::new(&mut pairs).field::<S>(second::<S>()));
            for (j, (got, field)) in written(&plain).into_iter().zip(written::<Pair<S>>(&pairs)).enumerate() {
                assert_eq!(got.bits(), want[j].bits(), "{:?}, element {j}: {span:?}", S::KIND);
                assert_eq!((field.0, field.1.bits()), (true, want[j].bits()), "{:?}, field of element {j}: {span:?}", S::KIND);
            }
        }
    }

    /// A vector of the field `$field` of elements of type `$T`, up to the very end of the memory: each lane is where it stands, and when it is
    /// written nothing else is.
    macro_rules! field {
        ($l:ident, $L:ident, $S:ident, $T:ty: $($old:expr),+; $field:tt) => {
            for base in 0..3 {
                let (lanes, new) = (data::<$S>($L::WIDTH), data::<$S>($L::WIDTH + 7));
                let mut elements: Vec<$T> = (0..base + $L::WIDTH).map(|i| ($($old(i)),+)).collect();
                lanes.iter().zip(&mut elements[base..]).for_each(|(x, element)| element.$field = *x);
                let at = Offset { bytes: std::mem::offset_of!($T, $field), words: 0 };
                // SAFETY: the field stands there.
                let view = unsafe { $l.field::<$T, $S>($l.slice(Data::Slice(&elements)), at) };
                let span = Span::new(base, $L::WIDTH);
                let what = (stringify!($T), stringify!($field), base);
                assert_lanes::<$L, $S>($l, $S::load($l, view, span), what, |lane| Some(lanes[lane]));

                let x = $S::load($l, $l.slice(Data::Slice(&new)), Span::new(0, $L::WIDTH));
                let mut written_to = memory(&elements);
                $S::store($l, x, ViewMut::new(&mut written_to).field::<$S>(at), span);
                new.iter().zip(&mut elements[base..]).for_each(|(x, element)| element.$field = *x);
                let text = |elements: &[$T]| elements.iter().map(|element| format!("{element:?}")).collect::<Vec<_>>();
                assert_eq!(text(&written(&written_to)), text(&elements), "{} lanes of {:?}: {what:?}", $L::WIDTH, $S::KIND);
            }
        };
    }
    pub(super) fn fields<L: Level, S: Scalar>(l: L) {
        let values = data::<S>(64);
        let (s, w) = (|i: usize| values[i], |i: usize| i as u32);
        field!(l, L, S, (S, S): s, s; 0);
        field!(l, L, S, (S, S): s, s; 1);
        field!(l, L, S, (S, S, S): s, s, s; 0);
        field!(l, L, S, (S, S, S): s, s, s; 1);
        field!(l, L, S, (S, S, S): s, s, s; 2);
        field!(l, L, S, (S, S, S, S): s, s, s, s; 0);
        field!(l, L, S, (S, S, S, S): s, s, s, s; 2);
        field!(l, L, S, (S, S, S, S): s, s, s, s; 3);
        field!(l, L, S, (S, S, S, S, S): s, s, s, s, s; 4);
        // Beside words, with what no field takes between them.
        field!(l, L, S, (S, u32): s, w; 0);
        field!(l, L, S, (u32, u32, S): w, w, s; 2);
        field!(l, L, S, (u32, S, u32, u32): w, s, w, w; 1);
        field!(l, L, S, (u32, S, S, u32, u32): w, s, s, w, w; 2);
        field!(l, L, S, (u32, S, u32, u32, u32, u32): w, s, w, w, w, w; 1);
        field!(l, L, S, (u32, u32, u32, S, u32, u32, u32): w, w, w, s, w, w, w; 3);
        field!(l, L, S, (u32, u32, u32, u32, u32, u32, u32, S): w, w, w, w, w, w, w, s; 7);
    }

    pub(super) fn gathers<L: Level, S: Scalar>(l: L) {
        let random = &mut Random(7);
        for len in [0, 1, 2, 5, 40] {
            let plain = data::<S>(len);
            let pairs: Vec<Pair<S>> = plain.iter().map(|&x| (true, x)).collect();
            for _ in 0..40 {
                let index: Vec<u32> = (0..L::WIDTH)
                    .map(|_| match random.next() % 4 {
                        0 => (random.next() >> 32) as u32,
                        1 => [0, len as u32, u32::MAX, i32::MAX as u32, i32::MIN as u32][random.next() as usize % 5],
                        _ => random.next() as u32 % 40,
                    })
                    .collect();
                let i = <u32 as Scalar>::load(l, l.slice(Data::Slice(&index)), Span::new(0, L::WIDTH));
                let want = |lane: usize| Some(if len == 0 { S::ZERO } else { plain[(index[lane] as usize).min(len - 1)] });
                assert_lanes::<L, S>(l, S::gather(l, l.slice(Data::Slice(&plain)), i), &index, want);
                // SAFETY: the second of a pair.
                let field = unsafe { l.field::<Pair<S>, S>(l.slice(Data::Slice(&pairs)), second::<S>()) };
                assert_lanes::<L, S>(l, S::gather(l, field, i), ("field", &index), want);
            }
        }
    }

    pub(super) fn slides_and_splats<L: Level, S: Scalar>(l: L) {
        let source = data::<S>(L::WIDTH);
        let x = S::load(l, l.slice(Data::Slice(&source)), Span::new(0, L::WIDTH));
        assert_lanes::<L, S>(l, x, "as loaded", |lane| Some(source[lane]));
        macro_rules! slides {
            ($($n:literal)+) => {$(
                if $n < L::WIDTH {
                    assert_lanes::<L, S>(l, S::slide_down::<L, $n>(l, x), ("down", $n), |lane| source.get(lane + $n).copied());
                    let up = |lane: usize| lane.checked_sub($n).map(|lane| source[lane]);
                    assert_lanes::<L, S>(l, S::slide_up::<L, $n>(l, x), ("up", $n), up);
                }
            )+};
        }
        slides!(1 2 4 8);
        for x in special::<S>() {
            assert_lanes::<L, S>(l, S::splat(l, x), "splat", |_| Some(x));
            assert_lanes::<L, S>(l, S::broadcast(l, l.uniform(x)), "broadcast", |_| Some(x));
        }
    }
}

/// What is no operation of a vector: masks from counts, and indices.
#[test]
fn masks_and_indices() {
    struct Check;
    impl WithLevel for Check {
        type Out = ();
        #[inline(always)]
        fn run<L: Level>(self, l: L) {
            check_masks_and_indices(l)
        }
    }
    for level in SimdLevel::available() {
        dispatch(level, Check);
    }
}
fn check_masks_and_indices<L: Level>(l: L) {
    assert!(L::WIDTH.is_power_of_two() && L::WIDTH <= MOST);
    assert_lanes::<L, bool>(l, l.mask_all(), "all", |_| Some(true));
    assert_lanes::<L, bool>(l, l.mask_none(), "none", |_| Some(false));
    for n in (0..L::WIDTH + 3).chain([usize::MAX, 1 << 32]) {
        assert_lanes::<L, bool>(l, l.first(n), n, |lane| Some(lane < n));
        assert_eq!(l.any(l.first(n)), n > 0);
    }
    for only in 0..L::WIDTH {
        let m: Vec<bool> = (0..L::WIDTH).map(|lane| lane == only).collect();
        assert!(l.any(<bool as Scalar>::load(l, l.slice(Data::Slice(&m)), Span::new(0, L::WIDTH))));
    }
    for base in [0, 1, 1000, (1 << 31) - 3, (1 << 32) - 2, (1 << 40) + 5] {
        for stride in [1, -1, 2, -3, 0, 1 << 33] {
            for count in 1..=L::WIDTH {
                let span = Span { base, stride, count };
                assert_lanes::<L, u32>(l, l.index_u32(span), span, |lane| Some(span.element(lane) as u32));
                assert_lanes::<L, u64>(l, l.index_u64(span), span, |lane| Some(span.element(lane) as u64));
            }
        }
    }
}
