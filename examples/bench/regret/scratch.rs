//! A directory for a cache of the sweep's own, so that nothing which earlier runs learned helps this one.

use std::path::{Path, PathBuf};

/// Removed when dropped: after the engine that keeps its cache there, since that writes until its end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(purpose: &str) -> Result<Scratch, String> {
        let path = std::env::temp_dir().join(format!("granule-bench-{}-{purpose}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Scratch(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
