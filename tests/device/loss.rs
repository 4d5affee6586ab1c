//! Errors outside any call, devices that are lost, and those of the user.

use super::*;

#[test]
fn an_error_outside_any_call_is_told_once() {
    let Some(gpu) = open() else { return };
    let buffer = upload_words(&gpu, &[8]);
    let (size, usage) = (u64::MAX, wgpu::BufferUsages::STORAGE);
    _ = gpu.device().create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    assert!(matches!(gpu.read(&buffer, 0, 4, None), Err(Error::Gpu { .. })));
    assert_eq!(read_words(&gpu, &buffer), [8]);
}

#[test]
fn a_lost_device_says_so_at_once_everywhere() {
    let Some(gpu) = open() else { return };
    let buffer = upload_words(&gpu, &[1; 64]);
    let pipeline = add_pipeline(&gpu);
    let params = gpu.params(&[64, 1]).unwrap();
    let pending = gpu.read_async(&buffer, 0, 256, None);
    gpu.device().destroy();
    // What was under way may still have succeeded; it must end.
    let pending = pollster::block_on(pending);
    assert!(matches!(pending, Ok(_) | Err(Error::DeviceLost { .. })), "{pending:?}");

    let start = Instant::now();
    let lost = |result: granule::Result<()>, what: &str| match result {
        Err(Error::DeviceLost { .. }) => {}
        other => panic!("{what}: {other:?}"),
    };
    lost(gpu.read(&buffer, 0, 256, None).map(drop), "read");
    lost(pollster::block_on(gpu.read_async(&buffer, 0, 256, None)).map(drop), "read_async");
    lost(gpu.upload(&[1; 64]).map(drop), "upload");
    lost(gpu.alloc(64).map(drop), "alloc");
    lost(gpu.write(&buffer, 0, &[0; 4]), "write");
    lost(gpu.pipeline(key(5), || spec(ADD)).map(drop), "pipeline");
    lost(gpu.dispatch(&pipeline, &[buffer.all(), buffer.all(), params], 1), "dispatch");
    lost(gpu.clear(&buffer, 0, 4), "clear");
    lost(gpu.wait(None), "wait");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // The adapter gives a new device.
    let new = open().unwrap();
    assert_eq!(read_words(&new, &upload_words(&new, &[4])), [4]);
}

#[test]
fn loss_reaches_every_thread_that_works_or_waits() {
    let Some(gpu) = open() else { return };
    let begun = std::sync::Barrier::new(5);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4u32)
            .map(|thread| {
                let (gpu, begun) = (&gpu, &begun);
                scope.spawn(move || {
                    let (input, output) = (upload_words(gpu, &[1; 4096]), upload_words(gpu, &[0; 4096]));
                    let pipeline = add_pipeline(gpu);
                    begun.wait();
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_secs(20) {
                        let step = || {
                            let params = gpu.params(&[4096, thread])?;
                            gpu.dispatch(&pipeline, &[input.all(), output.all(), params], 64)?;
                            match thread % 2 {
                                0 => gpu.read(&output, 0, 16384, None),
                                _ => pollster::block_on(gpu.read_async(&output, 0, 16384, None)),
                            }
                        };
                        if let Err(error) = step() {
                            return Some(error);
                        }
                    }
                    None
                })
            })
            .collect();
        begun.wait();
        std::thread::sleep(Duration::from_millis(50));
        gpu.device().destroy();
        for worker in workers {
            let error = worker.join().unwrap();
            assert!(matches!(error, Some(Error::DeviceLost { .. })), "{error:?}");
        }
    });
}

#[test]
fn a_device_of_the_users_own_is_used_and_left_alone() {
    let Some(gpu) = open() else { return };
    let (device, queue) = (gpu.device().clone(), gpu.queue().clone());
    let own = Gpu::from_device(device.clone(), queue);
    assert_eq!(own.summary().name, gpu.summary().name);
    let (input, output) = (upload_words(&own, &[2; 64]), upload_words(&own, &[0; 64]));
    add(&own, input.all(), output.all(), 64, 3);
    assert_eq!(read_words(&own, &output), [5; 64]);
    drop(own);
    assert_eq!(read_words(&gpu, &upload_words(&gpu, &[6])), [6], "the device outlives it");

    let own = Gpu::from_device(device.clone(), gpu.queue().clone());
    let buffer = upload_words(&own, &[1; 64]);
    device.destroy();
    let read = own.read(&buffer, 0, 256, None);
    assert!(matches!(read, Err(Error::DeviceLost { .. })), "{read:?}");
    assert!(matches!(own.alloc(4), Err(Error::DeviceLost { .. })));
}
