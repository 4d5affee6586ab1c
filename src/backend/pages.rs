//! Fresh memory in large pages.
//!
//! The first touch of a page of 4 KiB takes longer than to write it six times; that of a page of 2 MiB takes no longer than to write it
//! twice, and many of them need few entries of the address translation's cache. Where Linux gives large pages to those who ask
//! (`transparent_hugepage` is `madvise`), this asks, as numpy does for its arrays.

/// Bytes from which on it is worth a system call: such memory has at least one whole large page.
const LARGE: usize = 4 << 20;

/// Asks for large pages for memory that nobody has touched yet. Small memory is left as it is.
#[cfg(target_os = "linux")]
pub(crate) fn in_large_pages<T>(memory: &mut [T]) {
    /// No page of any Linux is larger, but for those that are asked for.
    const PAGE: usize = 64 << 10;
    let bytes = size_of_val(memory);
    if bytes < LARGE {
        return;
    }
    let start: *mut u8 = memory.as_mut_ptr().cast();
    let ahead = start.align_offset(PAGE).min(bytes);
    let length = (bytes - ahead) / PAGE * PAGE;
    // SAFETY: the whole pages of a borrowed slice; the advice changes nothing of what they hold. That it is not taken is no error.
    _ = unsafe { libc::madvise(start.add(ahead).cast(), length, libc::MADV_HUGEPAGE) };
}

/// Other systems have no such advice.
#[cfg(not(target_os = "linux"))]
pub(crate) fn in_large_pages<T>(_: &mut [T]) {}

#[cfg(test)]
mod tests {
    use super::{LARGE, in_large_pages};

    #[test]
    fn memory_holds_what_it_held() {
        let mut x: Vec<u32> = (0..LARGE as u32 / 2).collect();
        for from in [0, 1, 5000] {
            in_large_pages(&mut x[from..]);
        }
        in_large_pages(&mut x[..7]);
        in_large_pages::<u64>(&mut []);
        assert!(x.iter().zip(0..).all(|(&x, i)| x == i));
    }
}
