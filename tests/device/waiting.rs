//! Many threads, reads that are awaited, and deadlines.

use super::*;

#[test]
fn threads_share_one_device() {
    let Some(gpu) = shared() else { return };
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let gpu = &gpu;
            scope.spawn(move || {
                for round in 0..100 {
                    let n = 1 + (thread * 997 + round * 131) % 5000;
                    let input: Vec<u32> = (0..n).map(|i| i * 31 + thread).collect();
                    let (source, target) = (upload_words(gpu, &input), gpu.alloc(u64::from(n) * 4).unwrap());
                    gpu.clear(&target, 0, u64::from(n) * 4).unwrap();
                    add(gpu, source.all(), target.all(), n, round);
                    add(gpu, source.all(), target.all(), n, thread);
                    let got = if round % 2 == 0 {
                        read_words(gpu, &target)
                    } else {
                        words(&pollster::block_on(gpu.read_async(&target, 0, target.bytes(), None)).unwrap())
                    };
                    assert!(got.into_iter().eq(input.iter().map(|x| 2 * x + round + thread)), "thread {thread}, round {round}");
                }
            });
        }
    });
}

/// A waker that counts, and tells a channel.
struct Bell(AtomicUsize, mpsc::Sender<()>);
impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        _ = self.1.send(());
    }
}

#[test]
fn a_read_can_be_awaited_without_a_runtime() {
    let Some(gpu) = shared() else { return };
    let (input, output) = (upload_words(&gpu, &[20; 500]), upload_words(&gpu, &[1; 500]));
    add(&gpu, input.all(), output.all(), 500, 0);
    // It is `Send + 'static`, and its copy is made now: what is recorded later does not show.
    let mut read: Pin<Box<dyn Future<Output = _> + Send + 'static>> = Box::pin(gpu.read_async(&output, 0, 2000, None));
    add(&gpu, input.all(), output.all(), 500, 0);
    drop((input, output));

    let (sender, receiver) = mpsc::channel();
    let bell = Arc::new(Bell(AtomicUsize::new(0), sender));
    let waker = Waker::from(bell.clone());
    let bytes: Vec<u8> = loop {
        match read.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => break result.unwrap(),
            Poll::Pending => receiver.recv_timeout(Duration::from_secs(20)).expect("it wakes"),
        }
    };
    assert_eq!(words(&bytes), [21; 500]);
    assert!(bell.0.load(Ordering::SeqCst) <= 1, "woken once at most");

    // Futures that are dropped leave nothing behind that disturbs others.
    for _ in 0..20 {
        let buffer = upload_words(&gpu, &[3; 100]);
        drop(gpu.read_async(&buffer, 0, 400, None));
        let other = gpu.read_async(&buffer, 0, 400, None);
        assert_eq!(words(&pollster::block_on(other).unwrap()), [3; 100]);
    }
}

#[test]
fn a_deadline_leaves_everything_usable() {
    let Some(gpu) = shared() else { return };
    let data = bytes(1 << 20, 9);
    let buffer = gpu.upload(&data).unwrap();
    let timeout = Error::Timeout { deadline: Duration::ZERO };
    assert_eq!(gpu.read(&buffer, 0, 1 << 20, Some(Duration::ZERO)), Err(timeout.clone()));
    let mut out = vec![0; 1 << 20];
    assert_eq!(gpu.read_into(&buffer, 0, &mut out, Some(Duration::ZERO)), Err(timeout));
    gpu.wait(Some(Duration::from_secs(60))).unwrap();
    gpu.read_into(&buffer, 0, &mut out, Some(Duration::from_secs(60))).unwrap();
    assert!(out == data);
    assert!(pollster::block_on(gpu.read_async(&buffer, 0, 1 << 20, Some(Duration::from_secs(60)))).unwrap() == data);
}

/// A dependent chain of integer steps: some hundred milliseconds on a software adapter for a million threads.
const SLOW: &str = "
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let i = (wid.y * groups.x + wid.x) * 64u + t;
    if (i < params.n) {
        var x = input[0] + output[i];
        for (var k = 0u; k < params.addend; k++) {
            x = (x ^ k) * 747796405u + 2891336453u;
        }
        output[i] = x;
    }
}
";

#[test]
fn work_that_takes_longer_than_its_deadline_still_ends_well() {
    let Some(gpu) = open() else { return };
    let pipeline = gpu.pipeline(key(3), || spec(SLOW)).unwrap();
    let (n, steps) = (1 << 20, 150);
    let (input, output) = (upload_words(&gpu, &[0]), upload_words(&gpu, &vec![1; n as usize]));
    let params = gpu.params(&[n, steps]).unwrap();
    let mut want = 1u32;
    // As long as it takes for the deadline to pass, on whatever hardware, within reason.
    let deadline = Duration::from_micros(200);
    let late = (0..100).any(|_| {
        (0..4).for_each(|_| gpu.dispatch(&pipeline, &[input.all(), output.all(), params.clone()], u64::from(n) / 64).unwrap());
        (0..4 * steps).for_each(|k| want = (want ^ (k % steps)).wrapping_mul(747_796_405).wrapping_add(2_891_336_453));
        let blocking = gpu.wait(Some(deadline));
        let read = gpu.read(&output, 0, 400, Some(deadline));
        let awaited = pollster::block_on(gpu.read_async(&output, 0, 400, Some(deadline)));
        let errors: Vec<_> = [blocking.err(), read.err(), awaited.err()].into_iter().flatten().collect();
        assert!(errors.iter().all(|e| *e == Error::Timeout { deadline }), "{errors:?}");
        !errors.is_empty()
    });
    assert!(late, "100 batches were done within {deadline:?}");
    assert_eq!(words(&gpu.read(&output, 0, 400, None).unwrap()), [want; 100]);
}
