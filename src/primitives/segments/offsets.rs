//! Where segments begin and end.

use crate::array::Data;
use crate::backend::cpu::Cpu;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::primitives::find::cpu::find;
use crate::source::{IntoSource, SliceSource};

/// Offsets of segments: segment `i` is what lies from `offsets[i]` to below `offsets[i + 1]`.
#[derive(Clone, Copy)]
pub(in crate::primitives) struct Offsets<'d>(Data<'d, u32>);

fn bad(reason: String) -> Error {
    Error::Offsets { reason }
}

impl<'d> Offsets<'d> {
    pub(in crate::primitives) fn new(data: Data<'d, u32>) -> Self {
        Offsets(data)
    }

    /// The data that they are.
    pub(in crate::primitives) fn words(&self) -> Data<'d, u32> {
        self.0
    }

    /// The number of segments. Waits, if only a GPU knows it.
    pub(in crate::primitives) fn segments(&self) -> Result<usize> {
        let count = match self.0 {
            Data::Slice(s) => s.len(),
            Data::Array(a) => a.len()?,
        };
        count.checked_sub(1).ok_or_else(|| bad("there is none: no segments have one, which is 0".into()))
    }

    /// The offsets in host memory, copied there if need be.
    fn on_host(&self) -> Result<&'d [u32]> {
        match self.0 {
            Data::Slice(s) => Ok(s),
            Data::Array(a) => a.as_slice(),
        }
    }

    /// The offsets, if they are those of segments of `n` elements. What an array holds does not change: it is looked through once.
    pub(in crate::primitives) fn check(&self, cpu: &Cpu<'_>, n: usize) -> Result<&'d [u32]> {
        let descents = SliceSource::new(self.0).pairs().map(Descends);
        self.check_by(n, || find(cpu, &descents, self.segments()?))
    }

    /// The same on this thread alone.
    pub(in crate::primitives) fn check_alone(&self, n: usize) -> Result<&'d [u32]> {
        let host = self.on_host()?;
        self.check_by(n, || Ok(host.windows(2).position(|pair| pair[0] > pair[1])))
    }

    /// The offsets on a GPU, copied there if need be.
    #[cfg(feature = "gpu")]
    pub(in crate::primitives) fn on_device(
        &self,
        gpu: &std::sync::Arc<crate::backend::gpu::Gpu>,
    ) -> Result<crate::backend::gpu::Buffer> {
        Ok(match self.0 {
            Data::Slice(s) => crate::backend::gpu::DeviceArray::upload(gpu, s)?.buffer().clone(),
            Data::Array(a) => a.device(gpu)?.buffer().clone(),
        })
    }

    fn check_by(&self, n: usize, descent: impl FnOnce() -> Result<Option<usize>>) -> Result<&'d [u32]> {
        let (segments, offsets) = (self.segments()?, self.on_host()?);
        if offsets[0] != 0 {
            return Err(bad(format!("the first is {}, and the first segment begins at 0", offsets[0])));
        }
        if offsets[segments] as usize != n {
            return Err(bad(format!("the last is {}, and the last segment ends behind {n} elements", offsets[segments])));
        }
        if let Data::Array(a) = self.0
            && a.ascends()
        {
            return Ok(offsets);
        }
        if let Some(i) = descent()? {
            let (this, next) = (offsets[i], offsets[i + 1]);
            return Err(bad(format!(
                "a segment ends where it begins or behind, and offset {i} is {this}, offset {} is {next}",
                i + 1
            )));
        }
        if let Data::Array(a) = self.0 {
            a.set_ascends();
        }
        Ok(offsets)
    }
}

/// Whether the second number is below the first.
#[derive(Clone, Copy)]
struct Descends;

impl Kernel<(u32, u32)> for Descends {
    type Out = bool;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((this, next)): Varying<L, (u32, u32)>) -> Varying<L, bool> {
        ops::lt(l, next, this)
    }
}
