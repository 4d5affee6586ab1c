//! Calls from many threads, awaited, dropped, with deadlines.

use super::*;

#[test]
fn nested_calls_from_workers_of_the_global_pool() {
    let engine = any();
    let x = numbers(200_000);
    let want = x.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
    for b in backends(&engine) {
        let sums = rayon::broadcast(|_| {
            let inner = || engine.reduce(&x, Sum).on(b).run().unwrap();
            rayon::join(inner, inner)
        });
        assert!(sums.iter().all(|&s| s == (want, want)), "{b}");
    }
}

#[test]
fn eight_threads_share_one_engine() {
    let engine = any();
    let shared_array = engine.array_from_vec(numbers(30_000));
    std::thread::scope(|scope| {
        for t in 0..8_u32 {
            let (engine, shared_array) = (&engine, &shared_array);
            scope.spawn(move || {
                let host = numbers(30_000);
                let want: Vec<_> = host.iter().map(|&x| x.wrapping_mul(t).wrapping_add(t)).collect();
                let sum = want.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
                for round in 0..6 {
                    for b in backends(engine) {
                        let y = engine.map(shared_array, affine::with(t, t)).on(b).run().unwrap();
                        assert_eq!(engine.reduce(&y, Sum).on(b).run().unwrap(), sum, "{b}, {t}, {round}");
                        assert_eq!(engine.scan(&y, Sum).run().unwrap().as_slice().unwrap()[29_999], sum);
                        assert_same(y.as_slice().unwrap(), &want);
                    }
                }
            });
        }
    });
}

/// A waker of our own: no runtime is involved.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
    count: AtomicUsize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.rung.lock().unwrap() = true;
        self.heard.notify_all();
    }
}

#[test]
fn tasks_can_be_awaited_and_dropped() {
    let engine = any();
    let x = numbers(50_000);
    let want = x.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
    for b in backends(&engine) {
        assert_eq!(pollster::block_on(engine.reduce(&x, Sum).on(b).into_future()).unwrap(), want, "{b}");
        let both = pollster::block_on(async {
            let y = engine.map(&x, affine::with(2, 0)).on(b).await?;
            engine.reduce(&y, Sum).on(b).await
        });
        assert_eq!(both.unwrap(), want.wrapping_mul(2), "{b}");

        let bell = Arc::new(Bell::default());
        let waker = Waker::from(bell.clone());
        let mut future = engine.reduce((&x).map(spin::with(100)), Sum).on(b).into_future();
        let mut context = Context::from_waker(&waker);
        let result = loop {
            match std::pin::Pin::new(&mut future).poll(&mut context) {
                Poll::Ready(result) => break result,
                Poll::Pending => {
                    let rung = bell.rung.lock().unwrap();
                    let (mut rung, late) = bell.heard.wait_timeout_while(rung, Duration::from_secs(60), |r| !*r).unwrap();
                    assert!(!late.timed_out(), "nobody woke the task");
                    *rung = false;
                }
            }
        };
        assert_eq!(result.unwrap(), engine.reduce((&x).map(spin::with(100)), Sum).on(Backend::Simd).run().unwrap(), "{b}");

        // Cancelled before and after the first poll; what follows is not disturbed.
        drop(engine.reduce(&x, Sum).on(b).into_future());
        for _ in 0..20 {
            let mut future = engine.reduce((&x).map(spin::with(50)), Sum).on(b).into_future();
            let _ = std::pin::Pin::new(&mut future).poll(&mut context);
        }
        assert_eq!(engine.reduce(&x, Sum).on(b).run().unwrap(), want, "{b}");
    }
}

#[test]
fn deadlines_end_calls_and_leave_the_engine_usable() {
    // A device of its own: who waits for it in another thread would hold up the submission until long after the deadline.
    let engine = adapter::engine().unwrap_or_else(any);
    let x = numbers(1 << 20);
    let limit = Duration::from_millis(20);
    for b in backends(&engine) {
        // Long enough everywhere, and on a CPU without optimisation not longer than it must be.
        let rounds = if cfg!(debug_assertions) && b != Backend::Gpu { 200 } else { 8_000 };
        let began = Instant::now();
        let sum = engine.reduce((&x).map(spin::with(rounds)), Sum).on(b).deadline(limit).run();
        let waited = began.elapsed();
        assert_eq!(sum, Err(Error::Timeout { deadline: limit }), "{b}");
        assert!(waited < Duration::from_secs(5), "{b}: the deadline of {limit:?} was noticed after {waited:?}");
        if b != Backend::Gpu {
            let map = engine.map(&x, spin::with(rounds)).on(b).deadline(limit).run().err();
            assert_eq!(map, Some(Error::Timeout { deadline: limit }), "{b}");
            let scan = engine.scan((&x).map(spin::with(rounds)), Sum).on(b).deadline(limit).run().err();
            assert_eq!(scan, Some(Error::Timeout { deadline: limit }), "{b}");
            let free = engine.reduce((&x).map(spin::with(rounds)), Sum).unordered().on(b).deadline(limit).run();
            assert_eq!(free, Err(Error::Timeout { deadline: limit }), "{b}");
        } else {
            let late = pollster::block_on(engine.reduce((&x).map(spin::with(rounds)), Sum).on(b).deadline(limit).into_future());
            assert_eq!(late, Err(Error::Timeout { deadline: limit }));
        }
        let long = Duration::from_secs(300);
        assert_eq!(engine.reduce(&x, Max).on(b).deadline(long).run().unwrap(), *x.iter().max().unwrap(), "{b}");
    }
}
