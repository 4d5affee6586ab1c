//! Branches and loops.

use granule::prelude::*;

#[kernel]
pub(super) fn grade(x: f32) -> u32 {
    if x < 0.0 {
        0
    } else if x < 1.0 {
        let y = x * 10.0;
        y as u32
    } else if x > 5.0 && x < 6.0 {
        77
    } else {
        100
    }
}

#[kernel]
pub(super) fn statements(x: i32) -> i32 {
    let mut a = x;
    let mut b = 0;
    if x > 10 {
        a -= 10;
        if a % 2 == 0 {
            b += a;
        } else if a % 3 == 0 {
            b -= a;
            a = 5;
        } else {
            b = 1;
        }
        a += 1;
    } else {
        a *= 2;
    }
    a * 100 + b
}

#[kernel]
pub(super) fn uniform_branch(x: f32, #[uniform] k: i32) -> f32 {
    let factor = if k > 3 { 2.0 } else { 0.5 };
    let kk = k * 2 + 1;
    if kk > 5 { x * factor } else { x + kk as f32 }
}

#[kernel]
pub(super) fn branch_value_with_return(x: f32) -> f32 {
    let y = if x > 1.0 {
        if x > 8.0 {
            return -1.0;
        }
        x.sqrt() + x.sin()
    } else if x < -3.0 {
        return x * 2.0;
    } else {
        x * x
    };
    y + 1.0
}

/// Values of branches that assign or return inside, however small they are.
#[kernel]
pub(super) fn branch_values_with_effects(x: u32, y: u32) -> u32 {
    let mut a = y;
    let nested = if x.is_multiple_of(2) {
        if y.is_multiple_of(3) {
            a = 7;
            2
        } else {
            3
        }
    } else {
        4
    };
    let inside = if x.is_multiple_of(3) {
        1 + {
            a += 5;
            a
        }
    } else {
        a
    };
    let left = if x % 5 == 1 { if y % 4 == 3 { return 9 } else { 3 } } else { 4 };
    a * 1000 + nested * 100 + inside * 10 + left
}

/// What the right side of `&&` and `||` does belongs to the lanes that come to it.
#[kernel]
pub(super) fn lazy_sides(x: u32, y: u32) -> u32 {
    let mut a = y;
    let both = x.is_multiple_of(2) && {
        a = 7;
        y > 3
    };
    let left = x.is_multiple_of(3) && if y.is_multiple_of(4) { return 50 } else { y > 3 };
    let either = both || {
        a += 3;
        x > 4
    };
    a * 8 + both as u32 * 4 + left as u32 * 2 + either as u32
}

/// A compound assignment reads its left side after the right side has assigned to it.
#[kernel]
#[allow(unused_assignments)] // rustc does not count the read
pub(super) fn compound_order(x: u32, y: u32) -> u32 {
    let mut a = y;
    a += if x.is_multiple_of(2) {
        a = 7;
        2
    } else {
        4
    };
    let mut t = (a, y);
    t.0 ^= {
        t = (x, a);
        t.1
    };
    a * 100 + t.0
}

// ---- loops ------------------------------------------------------------------------------------------------------------------

#[kernel]
pub(super) fn mandelbrot(cx: f32, cy: f32, #[uniform] limit: u32) -> u32 {
    let mut x = 0.0;
    let mut y = 0.0;
    let mut n = 0;
    while n < limit && x * x + y * y <= 4.0 {
        let t = x * x - y * y + cx;
        y = 2.0 * x * y + cy;
        x = t;
        n += 1;
    }
    n
}

#[kernel]
pub(super) fn collatz(start: u32) -> u32 {
    let mut n = start.max(1);
    let mut steps = 0;
    loop {
        if n == 1 || steps > 200 {
            break;
        }
        steps += 1;
        if n.is_multiple_of(2) {
            n /= 2;
            continue;
        }
        n = 3 * n + 1;
    }
    steps
}

#[kernel]
pub(super) fn sum_to(n: u32) -> u32 {
    let mut sum = 0;
    for i in 0..n {
        if i % 3 == 1 {
            continue;
        }
        if sum > 60 {
            break;
        }
        sum += i;
    }
    sum
}

#[kernel]
pub(super) fn inclusive(a: u32, b: u32) -> u32 {
    let mut sum = 0;
    for i in a..=b {
        sum += i * i;
        if i == 9 {
            continue;
        }
        sum += 1;
    }
    let last = u32::MAX;
    for i in last - b % 3..=last {
        sum = sum.wrapping_add(i);
    }
    sum
}

#[kernel]
pub(super) fn nested(a: u32, b: u32) -> u32 {
    let mut found = 0;
    for i in 0..a {
        let mut j = 0;
        while j < b {
            j += 1;
            if (i + j) % 5 == 0 {
                continue;
            }
            if i * j > 40 {
                break;
            }
            if i * j == 35 {
                return 1000 + i;
            }
            for k in 0..3 {
                if k + j == 7 {
                    break;
                }
                found += k;
            }
        }
        if i == 15 {
            break;
        }
        found += j;
    }
    loop {
        if found > 50 {
            return found;
        }
        found += 7;
        if found % 4 == 0 {
            break;
        }
    }
    found * 2
}

#[kernel]
#[allow(clippy::needless_return)] // a last `return` is the value
pub(super) fn unit_tails(x: u32) -> u32 {
    let mut a = 0;
    for _ in 0..4 {
        if x > 3 { a += x } else { a += 1 }
    }
    while a > 100 {
        a -= 100
    }
    return a;
}

#[kernel]
#[allow(clippy::needless_return)] // each branch returns: there is no value after them
pub(super) fn always_returns(x: i32) -> i32 {
    if x > 5 {
        return 1;
    } else if x < -5 {
        return -1;
    } else {
        return 0;
    }
}

#[kernel]
pub(super) fn returns_from_loop(x: u32) -> usize {
    let mut i = 0;
    loop {
        i += 1;
        if i * i > x as usize {
            return i;
        }
    }
}

/// Conditions that assign and return: only lanes still in the loop evaluate them.
#[kernel]
#[allow(clippy::blocks_in_conditions)]
pub(super) fn conditions_with_effects(x: u32, y: u32) -> u32 {
    let mut a = 0;
    let mut n = 0;
    while {
        a += 1;
        a < x % 9
    } {
        if a == y {
            continue;
        }
        n += y;
    }
    while if n > 90 { return 7 } else { n < x * 4 } {
        n += y + 1;
        if n % 7 == 3 {
            break;
        }
    }
    a * 1000 + n
}
