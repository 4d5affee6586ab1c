// The product of two matrices, row-major: a workgroup makes EDGE x EDGE of the result, a thread 8 x 8 of it, as four blocks of 4 x 4
// that are half an EDGE apart, so that neighbouring threads read neighbouring words.
// The source is the first matrix, as it is or transposed (ACROSS_A); `others` is the second (ACROSS_B).
// params: nothing, rows of the window of the result, columns, nothing; length of the sums, rows in all, the first row of the window in a
// matrix that is transposed.

// Vectors of four lines from one place of the sums to the next: one more than there are, so that what is written at once goes to different
// banks.
const PITCH = EDGE / 4u + 1u;

var<workgroup> left: array<vec4<f32>, 8u * PITCH>;
var<workgroup> right: array<vec4<f32>, 8u * PITCH>;

fn a_at(row: u32, p: u32) -> f32 {
    if row >= params.y || p >= params.more.x {
        return 0.0;
    }
    if ACROSS_A {
        return source(p * params.more.y + params.more.z + row);
    }
    return source(row * params.more.x + p);
}

fn b_at(column: u32, p: u32) -> f32 {
    if column >= params.z || p >= params.more.x {
        return 0.0;
    }
    if ACROSS_B {
        return load_others(column * params.more.x + p);
    }
    return load_others(p * params.z + column);
}

// Which place of the sums (x) and which four lines (y) a thread brings, such that neighbours read neighbours.
fn place(t: u32, along: bool) -> vec2<u32> {
    if along {
        return vec2(t / (EDGE / 4u), t % (EDGE / 4u));
    }
    return vec2(t % 8u, t / 8u);
}

fn put(row: u32, column: u32, sums: vec4<f32>) {
    if row < params.y {
        for (var c = 0u; c < 4u; c++) {
            if column + c < params.z {
                let at = row * params.z + column + c;
                if ADDS {
                    store_out(at, load_out(at) + sums[c]);
                } else {
                    store_out(at, sums[c]);
                }
            }
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let across = (params.z + EDGE - 1u) / EDGE;
    let number = group.y * groups.x + group.x;
    let row = number / across * EDGE;
    let column = number % across * EDGE;
    let x = thread % SIDE;
    let y = thread / SIDE;
    var a0 = vec4(0.0);
    var a1 = vec4(0.0);
    var a2 = vec4(0.0);
    var a3 = vec4(0.0);
    var a4 = vec4(0.0);
    var a5 = vec4(0.0);
    var a6 = vec4(0.0);
    var a7 = vec4(0.0);
    var b0 = vec4(0.0);
    var b1 = vec4(0.0);
    var b2 = vec4(0.0);
    var b3 = vec4(0.0);
    var b4 = vec4(0.0);
    var b5 = vec4(0.0);
    var b6 = vec4(0.0);
    var b7 = vec4(0.0);
    if row < params.y {
        for (var p = 0u; p < params.more.x; p += 8u) {
            for (var t = thread; t < 2u * EDGE; t += THREADS) {
                let of_a = place(t, ACROSS_A);
                let i = row + 4u * of_a.y;
                let q = p + of_a.x;
                left[of_a.x * PITCH + of_a.y] = vec4(a_at(i, q), a_at(i + 1u, q), a_at(i + 2u, q), a_at(i + 3u, q));
                let of_b = place(t, !ACROSS_B);
                let j = column + 4u * of_b.y;
                let r = p + of_b.x;
                right[of_b.x * PITCH + of_b.y] = vec4(b_at(j, r), b_at(j + 1u, r), b_at(j + 2u, r), b_at(j + 3u, r));
            }
            workgroupBarrier();
            for (var q = 0u; q < 8u; q++) {
                let at = q * PITCH;
                let low = left[at + y];
                let high = left[at + SIDE + y];
                let a = right[at + x];
                let b = right[at + SIDE + x];
                a0 = fma(vec4(low.x), a, a0);
                b0 = fma(vec4(low.x), b, b0);
                a1 = fma(vec4(low.y), a, a1);
                b1 = fma(vec4(low.y), b, b1);
                a2 = fma(vec4(low.z), a, a2);
                b2 = fma(vec4(low.z), b, b2);
                a3 = fma(vec4(low.w), a, a3);
                b3 = fma(vec4(low.w), b, b3);
                a4 = fma(vec4(high.x), a, a4);
                b4 = fma(vec4(high.x), b, b4);
                a5 = fma(vec4(high.y), a, a5);
                b5 = fma(vec4(high.y), b, b5);
                a6 = fma(vec4(high.z), a, a6);
                b6 = fma(vec4(high.z), b, b6);
                a7 = fma(vec4(high.w), a, a7);
                b7 = fma(vec4(high.w), b, b7);
            }
            workgroupBarrier();
        }
    }
    let i = row + 4u * y;
    let j = column + 4u * x;
    let half = EDGE / 2u;
    put(i, j, a0);
    put(i, j + half, b0);
    put(i + 1u, j, a1);
    put(i + 1u, j + half, b1);
    put(i + 2u, j, a2);
    put(i + 2u, j + half, b2);
    put(i + 3u, j, a3);
    put(i + 3u, j + half, b3);
    put(i + half, j, a4);
    put(i + half, j + half, b4);
    put(i + half + 1u, j, a5);
    put(i + half + 1u, j + half, b5);
    put(i + half + 2u, j, a6);
    put(i + half + 2u, j + half, b6);
    put(i + half + 3u, j, a7);
    put(i + half + 3u, j + half, b7);
}
