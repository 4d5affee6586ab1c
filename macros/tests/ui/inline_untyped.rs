use granule::kernel;

fn main() {
    let _k = kernel!(|x| x * 2.0);
}
