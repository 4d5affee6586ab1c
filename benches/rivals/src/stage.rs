//! What the benchmark's oracle needs of its stage.

use std::rc::Rc;

/// How exact an answer can be.
#[allow(dead_code, reason = "the oracle knows them all")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Cpu,
    Running,
    Gpu,
}

pub(crate) type CheckAll<'g, U> = Rc<dyn Fn(&[U], Arithmetic) -> Result<(), String> + 'g>;
pub(crate) type CheckOne<'g, R> = Rc<dyn Fn(R, Arithmetic) -> Result<(), String> + 'g>;
