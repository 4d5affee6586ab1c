//! Reads and writes PNG images.
#![allow(dead_code, reason = "each example uses its part")]

use std::fs::File;
use std::io::{BufReader, BufWriter};
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

/// An image's width, and its pixels: red, green and blue, row after row. Transparency is left out.
pub(crate) fn read_rgb(path: &Path) -> Result<(usize, Vec<[u8; 3]>), String> {
    let read = || -> Result<_, Box<dyn std::error::Error>> {
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path)?));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info()?;
        let mut samples = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
        let info = reader.next_frame(&mut samples)?;
        let channels = info.color_type.samples();
        let pixel = |samples: &[u8]| if channels < 3 { [samples[0]; 3] } else { [samples[0], samples[1], samples[2]] };
        Ok((info.width as usize, samples[..info.buffer_size()].chunks_exact(channels).map(pixel).collect::<Vec<_>>()))
    };
    read().map_err(|e| format!("{}: {e}", path.display()))
}
