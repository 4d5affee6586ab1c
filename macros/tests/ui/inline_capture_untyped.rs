use granule::kernel;

fn main() {
    let gain = 2.0;
    let _k = kernel!([gain] |x: f32| x * gain);
}
