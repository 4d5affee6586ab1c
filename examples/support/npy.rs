//! Reads NumPy's `.npy` files: the numbers in them, whatever their type, as `f32`.
//!
//! The format: the magic `\x93NUMPY`, two bytes of version, the length of the header (two bytes in version 1, four from 2 on), a
//! header that is a Python dictionary, the data. (NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", 2007.)

use std::path::Path;

/// A grid of numbers, row after row. A one-dimensional file is a grid of one row.
pub(crate) struct Grid {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f32>,
    /// The type in the file, as NumPy names it.
    pub(crate) kind: String,
}

/// Reads a file: little-endian `f4`, `f8`, `i4` or `u4`, one or two dimensions, C order.
pub(crate) fn read(path: &Path) -> Result<Grid, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    parse(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Grid, String> {
    let cut = || "the file ends inside its header".to_owned();
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("not a .npy file: it does not begin with \\x93NUMPY".into());
    }
    let start = if *bytes.get(6).ok_or_else(cut)? == 1 { 10 } else { 12 };
    let mut length = [0; 4];
    let written = bytes.get(8..start).ok_or_else(cut)?;
    length[..written.len()].copy_from_slice(written);
    let end = start.checked_add(u32::from_le_bytes(length) as usize).ok_or_else(cut)?;
    let header = std::str::from_utf8(bytes.get(start..end).ok_or_else(cut)?).map_err(|_| "its header is not text")?;

    if field(header, "fortran_order")?.starts_with("True") {
        return Err("it is in Fortran order: save it with numpy.ascontiguousarray".into());
    }
    let (rows, columns) = shape(field(header, "shape")?)?;
    let count = rows.checked_mul(columns).ok_or("its shape is too large")?;
    let kind = field(header, "descr")?.trim_start_matches('\'').split('\'').next().unwrap_or_default().to_owned();
    let data = &bytes[end..];
    let values = match kind.as_str() {
        "<f4" => numbers(data, count, f32::from_le_bytes),
        "<f8" => numbers(data, count, |b| f64::from_le_bytes(b) as f32),
        "<i4" => numbers(data, count, |b| i32::from_le_bytes(b) as f32),
        "<u4" => numbers(data, count, |b| u32::from_le_bytes(b) as f32),
        other => {
            return Err(format!("its elements are `{other}`; <f4, <f8, <i4 and <u4 are read: convert it with astype('<f4')"));
        }
    }?;
    Ok(Grid { rows, columns, values, kind })
}

/// What follows `'name':` in the header.
fn field<'h>(header: &'h str, name: &str) -> Result<&'h str, String> {
    let key = format!("'{name}':");
    let at = header.find(&key).ok_or_else(|| format!("its header has no {name}"))?;
    Ok(header[at + key.len()..].trim_start())
}

fn shape(text: &str) -> Result<(usize, usize), String> {
    let inside = text.strip_prefix('(').and_then(|t| t.split_once(')')).ok_or("its shape is not a tuple")?.0;
    let sizes: Result<Vec<usize>, _> = inside.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse).collect();
    match sizes.map_err(|e| format!("its shape ({inside}) is not of whole numbers: {e}"))?[..] {
        [n] => Ok((1, n)),
        [rows, columns] => Ok((rows, columns)),
        ref other => Err(format!("it has {} dimensions; 1 and 2 are read", other.len())),
    }
}

fn numbers<const N: usize>(data: &[u8], count: usize, number: impl Fn([u8; N]) -> f32) -> Result<Vec<f32>, String> {
    let (whole, _) = data.as_chunks::<N>();
    match whole.get(..count) {
        Some(whole) => Ok(whole.iter().map(|&b| number(b)).collect()),
        None => Err(format!("its shape says {count} elements, but it holds {}", whole.len())),
    }
}
