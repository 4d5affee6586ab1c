//! stub
#![allow(missing_docs)]
#[derive(Clone, Debug, PartialEq)]
pub enum Gpus { NotLookedFor, Absent(String) }
#[derive(Clone, Debug, PartialEq)]
pub struct Machine { pub gpus: Gpus }
impl Machine { pub fn without_gpus(_: usize) -> Machine { Machine { gpus: Gpus::NotLookedFor } } }
