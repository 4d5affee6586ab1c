use granule::kernel;

fn main() {
    let _k = kernel!(move |x: f32| x);
}
