//! Figures and names as people read them.

/// A backend, for people who do not know the library.
pub(crate) fn in_words(backend: &str) -> String {
    match backend {
        "simd" => "one core (simd)".to_owned(),
        "threads" => "all cores (threads)".to_owned(),
        "gpu" => "the GPU (gpu)".to_owned(),
        "auto" => "what it chose itself (auto)".to_owned(),
        other => other.to_owned(),
    }
}

/// A number of elements, as people write it.
pub(crate) fn size(n: u64) -> String {
    match n {
        n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => format!("{}Mi", n >> 20),
        n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => format!("{}Ki", n >> 10),
        n => n.to_string(),
    }
}

/// Roughly so many elements.
pub(crate) fn about(n: f64) -> String {
    match n {
        n if n >= 1048576.0 => format!("{}Mi", digits(n / 1048576.0)),
        n if n >= 1024.0 => format!("{}Ki", digits(n / 1024.0)),
        n => format!("{n:.0}"),
    }
}

/// Three digits, or a dash for what is not a number.
pub(crate) fn digits(x: f64) -> String {
    match x.abs() {
        _ if !x.is_finite() => "–".to_owned(),
        size if size >= 99.95 => format!("{x:.0}"),
        size if size >= 9.995 => format!("{x:.1}"),
        size if size >= 0.0995 || size == 0.0 => format!("{x:.2}"),
        size if size >= 0.000_995 => {
            let decimals = (1.0 - size.log10().floor()) as usize;
            format!("{x:.decimals$}")
        }
        _ => format!("{x:.1e}"),
    }
}

/// A time with its unit.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{} s", digits(s)),
        s if s >= 1e-3 => format!("{} ms", digits(s * 1e3)),
        s if s >= 1e-6 => format!("{} µs", digits(s * 1e6)),
        s => format!("{} ns", digits(s * 1e9)),
    }
}
