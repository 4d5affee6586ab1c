use granule::kernel;

fn main() {
    let _k = kernel!(|data: &[f32]| data[0]);
}
