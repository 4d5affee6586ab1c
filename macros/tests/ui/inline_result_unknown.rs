use granule::kernel;

fn main() {
    let _k = kernel!(|x: f32| if x > 0.0 { 1 } else { 0 });
}
