//! What an engine learns of its machine: how fast its parts are, and how long calls really took.
//!
//! Three sources of numbers, each better than the one before: priors by kind of machine ([`crate::machine`]), probes that measure
//! this machine once ([`probes`]), and the calls themselves, every one of which is a free sample ([`history`]). What was learned is
//! kept between processes ([`cache`]). The planner stays a pure function: it is handed a machine with these rates and a problem with
//! these samples.

mod cache;
mod history;
mod probes;
