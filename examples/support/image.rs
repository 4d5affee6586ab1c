//! Writes PNG images.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

pub(crate) use png::ColorType;

/// Writes 8-bit samples, row after row, and makes the folder if need be.
pub(crate) fn write_png(path: &Path, width: usize, color: ColorType, samples: &[u8]) -> Result<(), String> {
    let write = || -> Result<(), Box<dyn std::error::Error>> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let height = samples.len() / (width * color.samples()).max(1);
        let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width.try_into()?, height.try_into()?);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(samples)?;
        Ok(writer.finish()?)
    };
    write().map_err(|e| format!("{}: {e}", path.display()))
}
