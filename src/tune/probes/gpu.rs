//! Probes of the GPU.
