//! Libraries for GPUs. lampshade gets the device of this library's engine; massively opens one of its own, through CubeCL.

use granule::Engine;
use serde_json::Value;

use crate::work::Work;
use crate::{Entrant, absent};

/// Where sizes end on a software adapter, as in a quick run of the benchmark.
const LARGEST_IN_SOFTWARE: usize = 1 << 16;

/// Those that can be opened.
pub(crate) struct Rivals<'e> {
    gpu: bool,
    /// Whether that is a program on the CPU.
    software: bool,
    #[cfg(feature = "lampshade")]
    lampshade: Option<std::sync::Arc<granule::gpu::Gpu>>,
    #[cfg(feature = "massively")]
    massively: Option<crate::massive::Massively>,
    _engine: std::marker::PhantomData<&'e Engine>,
}

impl<'e> Rivals<'e> {
    pub(crate) fn open(engine: &'e Engine, software: bool, not_run: &mut Vec<Value>) -> Rivals<'e> {
        use granule::machine::GpuKind;
        let gpus = engine.machine().gpus();
        let usable = gpus.iter().any(|gpu| software || gpu.asked_for || gpu.kind != GpuKind::Software);
        let opened = match gpus.len() {
            0 => Err("there is no GPU".to_owned()),
            _ if usable => engine.gpu().map_err(|error| error.to_string()),
            _ => Err("there is only a software adapter, which counts with --software-gpu alone".to_owned()),
        };
        for (name, built) in [("peer:lampshade", cfg!(feature = "lampshade")), ("peer:massively", cfg!(feature = "massively"))] {
            match &opened {
                Err(reason) => not_run.push(absent(name, None, reason.clone())),
                Ok(_) if !built => not_run.push(absent(name, None, "this program was built without it")),
                Ok(_) => {}
            }
        }
        if let Err(reason) = &opened {
            not_run.push(absent("gpu", None, reason.clone()));
        }
        Rivals {
            gpu: opened.is_ok(),
            software: gpus.iter().all(|gpu| gpu.kind == GpuKind::Software),
            #[cfg(feature = "massively")]
            massively: opened.is_ok().then(crate::massive::Massively::open).and_then(|opened| match opened {
                Ok(opened) => Some(opened),
                Err(reason) => {
                    not_run.push(absent("peer:massively", None, reason));
                    None
                }
            }),
            #[cfg(feature = "lampshade")]
            lampshade: opened.ok(),
            _engine: std::marker::PhantomData,
        }
    }

    /// Whether a GPU does this work, which one in software does on few elements only.
    pub(crate) fn has_gpu(&self, work: &Work) -> bool {
        self.gpu && !(self.software && work.n > LARGEST_IN_SOFTWARE)
    }

    /// All that know this work.
    pub(crate) fn entrants<'w>(&'w self, work: &'w Work, residency: &'static str, not_run: &mut Vec<Value>) -> Vec<Entrant<'w>> {
        let mut entrants = Vec::new();
        let resident = residency == "gpu";
        if !self.has_gpu(work) {
            for name in ["gpu", "peer:lampshade", "peer:massively"].into_iter().filter(|_| self.gpu) {
                let reason = format!("a software adapter is slow, so it does up to {LARGEST_IN_SOFTWARE} elements");
                not_run.push(absent(name, Some(work), reason));
            }
            return entrants;
        }
        let mut enter = |name: &str, entrant: Option<Result<Entrant<'w>, String>>| match entrant {
            Some(Ok(entrant)) => entrants.push(entrant),
            Some(Err(reason)) => not_run.push(absent(name, Some(work), reason)),
            // Said once, not for each place of the data.
            None if resident => not_run.push(absent(name, Some(work), "it has no such operation, or not on this type")),
            None => {}
        };
        #[cfg(feature = "lampshade")]
        if let Some(gpu) = &self.lampshade {
            enter("peer:lampshade", lampshade::entrant(gpu, work, resident));
        }
        #[cfg(feature = "massively")]
        if let Some(massively) = &self.massively {
            enter("peer:massively", massively.entrant(work, resident));
        }
        _ = &mut enter;
        entrants
    }
}

#[cfg(feature = "lampshade")]
mod lampshade {
    use std::cell::RefCell;
    use std::hint::black_box;
    use std::sync::Arc;

    use granule::gpu::Gpu;
    use lampshade::{
        Compactor, Histogram, KeyValue, KeyValueSorter, MaskGenerator, Reducer, Scanner, Sorter, U32Predicate, U32Reduction,
    };
    use wgpu::BufferUsages;

    use crate::Entrant;
    use crate::work::{BINS, LIMIT, Work};

    /// What it does, with the state that it keeps from call to call.
    enum Does {
        Sum(Box<Reducer>),
        Scan(Scanner),
        Sort(Box<Sorter>),
        SortPairs(Box<KeyValueSorter>),
        Histogram(Histogram),
        Filter(Box<(MaskGenerator, Compactor)>),
    }

    struct State<'w> {
        gpu: &'w Arc<Gpu>,
        does: Does,
        work: &'w Work,
        /// What pairs are to it.
        pairs: Vec<KeyValue>,
        buffers: Option<Buffers>,
    }

    struct Buffers {
        input: wgpu::Buffer,
        mask: wgpu::Buffer,
        output: wgpu::Buffer,
        count: wgpu::Buffer,
    }

    /// lampshade with this work, if it knows it.
    pub(super) fn entrant<'w>(gpu: &'w Arc<Gpu>, work: &'w Work, resident: bool) -> Option<Result<Entrant<'w>, String>> {
        let (device, queue) = (gpu.device(), gpu.queue());
        let does = match (work.op, work.ty) {
            ("reduce_sum", "u32") => Does::Sum(Box::new(Reducer::new(device, queue))),
            ("scan_inclusive_sum", _) => Does::Scan(Scanner::new(device, queue)),
            ("sort_keys", _) => Does::Sort(Box::new(Sorter::new(device, queue))),
            ("sort_pairs", _) => Does::SortPairs(Box::new(KeyValueSorter::new(device, queue))),
            ("histogram", _) => Does::Histogram(Histogram::new(device, queue)),
            ("filter", _) => Does::Filter(Box::new((MaskGenerator::new(device, queue), Compactor::new(device, queue)))),
            _ => return None,
        };
        let pairs = match does {
            Does::SortPairs(_) => work.keys.iter().zip(&work.values).map(|(&key, &value)| KeyValue { key, value }).collect(),
            _ => Vec::new(),
        };
        let mut state = State { gpu, does, work, pairs, buffers: None };
        if resident {
            state.buffers = Some(state.make_buffers());
        }
        let state = std::rc::Rc::new(RefCell::new(state));
        let again = state.clone();
        let run = move || {
            let state = &mut *state.borrow_mut();
            if resident { state.on_gpu() } else { state.end_to_end().map(|words| _ = black_box(words)) }
        };
        let answer = move || {
            let state = &mut *again.borrow_mut();
            if resident {
                state.on_gpu()?;
                state.read()
            } else {
                state.end_to_end()
            }
        };
        Some(Ok(Entrant { name: "peer:lampshade".to_owned(), run: Box::new(run), answer: Box::new(answer) }))
    }

    impl State<'_> {
        fn make_buffers(&self) -> Buffers {
            let device = self.gpu.device();
            let bytes: &[u8] =
                if self.pairs.is_empty() { bytemuck::cast_slice(&self.work.keys) } else { bytemuck::cast_slice(&self.pairs) };
            let make = |size: u64| {
                let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
                device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
            };
            let input = make(bytes.len() as u64);
            self.gpu.queue().write_buffer(&input, 0, bytes);
            let output = make(bytes.len().max(4 * BINS) as u64);
            Buffers { input, mask: make(4 * self.work.n as u64), output, count: make(4) }
        }

        /// On buffers that exist, until the device has done it.
        fn on_gpu(&mut self) -> Result<(), String> {
            let n = self.work.n as u32;
            let Some(Buffers { input, mask, output, count }) = &self.buffers else {
                return Err("there are no buffers".to_owned());
            };
            match &mut self.does {
                Does::Sum(reducer) => reducer.reduce_gpu_to_gpu(input, output, n, U32Reduction::Sum),
                Does::Scan(scanner) => scanner.scan_gpu_to_gpu(input, output, n),
                Does::Sort(sorter) => sorter.sort_gpu_to_gpu(input, output, n),
                Does::SortPairs(sorter) => sorter.sort_gpu_to_gpu(input, output, n),
                Does::Histogram(histogram) => histogram.histogram_gpu_to_gpu(input, output, n, BINS as u32),
                Does::Filter(both) => both
                    .0
                    .mask_gpu_to_gpu(input, mask, n, U32Predicate::LessThan(LIMIT))
                    .and_then(|()| both.1.compact_gpu_to_gpu(input, mask, output, count, n)),
            }
            .map_err(|error| error.to_string())?;
            self.gpu.device().poll(wgpu::PollType::wait_indefinitely()).map(|_| ()).map_err(|error| error.to_string())
        }

        /// Its own calls from slices to vectors.
        fn end_to_end(&mut self) -> Result<Vec<u32>, String> {
            let keys = &self.work.keys[..];
            let words = match &mut self.does {
                Does::Sum(reducer) => pollster::block_on(reducer.sum(keys)).map(|sum| vec![sum]),
                Does::Scan(scanner) => pollster::block_on(scanner.scan(keys)),
                Does::Sort(sorter) => pollster::block_on(sorter.sort(keys)),
                Does::SortPairs(sorter) => pollster::block_on(sorter.sort(&self.pairs)).map(split),
                Does::Histogram(histogram) => pollster::block_on(histogram.histogram(keys, BINS as u32)),
                Does::Filter(both) => {
                    let mask = pollster::block_on(both.0.mask(keys, U32Predicate::LessThan(LIMIT)));
                    mask.and_then(|mask| pollster::block_on(both.1.compact(keys, &mask)))
                }
            };
            words.map_err(|error| error.to_string())
        }

        /// What is in the output.
        fn read(&self) -> Result<Vec<u32>, String> {
            let Some(Buffers { output, count, .. }) = &self.buffers else { return Err("there are no buffers".to_owned()) };
            let read = |buffer: &wgpu::Buffer, words: usize| -> Result<Vec<u32>, String> {
                let device = self.gpu.device();
                let size = 4 * words as u64;
                let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
                let host = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
                let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
                encoder.copy_buffer_to_buffer(buffer, 0, &host, 0, size);
                self.gpu.queue().submit([encoder.finish()]);
                host.map_async(wgpu::MapMode::Read, .., |_| ());
                device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
                let bytes = host.get_mapped_range(..).map_err(|error| error.to_string())?;
                Ok(bytemuck::pod_collect_to_vec(&bytes[..]))
            };
            match self.does {
                Does::Filter(_) => {
                    let kept = read(count, 1)?[0] as usize;
                    if kept > self.work.n { Err(format!("{kept} are kept of {}", self.work.n)) } else { read(output, kept) }
                }
                Does::SortPairs(_) => Ok(split(
                    bytemuck::cast_vec::<u32, u32>(read(output, 2 * self.work.n)?)
                        .as_chunks()
                        .0
                        .iter()
                        .map(|&[key, value]| KeyValue { key, value })
                        .collect(),
                )),
                _ => read(output, self.work.outputs()),
            }
        }
    }

    fn split(pairs: Vec<KeyValue>) -> Vec<u32> {
        pairs.iter().map(|pair| pair.key).chain(pairs.iter().map(|pair| pair.value)).collect()
    }
}
