use granule::kernel;

fn main() {
    let _k = kernel!(1 + 1);
}
