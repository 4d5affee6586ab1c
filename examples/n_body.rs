//! Bodies that attract each other: every kernel reads all bodies in a loop, and the arrays stay where they are between steps.
//!
//! `cargo run --release --example n_body -- [--bodies 2048] [--steps 20]`

use std::process::ExitCode;
use std::time::Instant;

use granule::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Body {
    x: f32,
    y: f32,
    z: f32,
    mass: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Vector {
    x: f32,
    y: f32,
    z: f32,
}

/// The velocity after `dt` in the field of all bodies. `soft` keeps bodies that meet from being flung away: H. C. Plummer's potential
/// (1911). A body does not attract itself, since it is at distance zero.
#[kernel]
fn kick(body: Body, velocity: Vector, bodies: &[Body], #[uniform] dt: f32, #[uniform] soft: f32) -> Vector {
    let mut x = 0.0;
    let mut y = 0.0;
    let mut z = 0.0;
    for j in 0..bodies.len() {
        let other = bodies[j];
        let dx = other.x - body.x;
        let dy = other.y - body.y;
        let dz = other.z - body.z;
        let r2 = dx * dx + dy * dy + dz * dz + soft * soft;
        let pull = other.mass / (r2 * r2.sqrt());
        x += pull * dx;
        y += pull * dy;
        z += pull * dz;
    }
    Vector { x: velocity.x + dt * x, y: velocity.y + dt * y, z: velocity.z + dt * z }
}

/// The place after `dt`.
#[kernel]
fn drift(body: Body, velocity: Vector, #[uniform] dt: f32) -> Body {
    Body { x: body.x + dt * velocity.x, y: body.y + dt * velocity.y, z: body.z + dt * velocity.z, mass: body.mass }
}

/// A body's kinetic energy, and its potential one in the field of all others (each pair is counted twice).
#[kernel]
fn energy(body: Body, velocity: Vector, bodies: &[Body], #[uniform] soft: f32) -> (f32, f32) {
    let mut potential = 0.0;
    for j in 0..bodies.len() {
        let other = bodies[j];
        let dx = other.x - body.x;
        let dy = other.y - body.y;
        let dz = other.z - body.z;
        potential -= other.mass / (dx * dx + dy * dy + dz * dz + soft * soft).sqrt();
    }
    // The loop met the body itself, at distance zero.
    potential += body.mass / soft;
    let speed2 = velocity.x * velocity.x + velocity.y * velocity.y + velocity.z * velocity.z;
    (0.5 * body.mass * speed2, body.mass * potential)
}

const SOFT: f32 = 0.05;
const DT: f32 = 0.01;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("n_body: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (n, steps) = options()?;
    let engine = Engine::new().map_err(|e| e.to_string())?;
    println!("{n} bodies, {steps} steps of leapfrog\n");
    println!("  backend        step   interactions   energy before      after      change");

    let mut reference: Option<Vec<Body>> = None;
    let mut wrong = Vec::new();
    for backend in [Some(Backend::Simd), Some(Backend::Threads), Some(Backend::Gpu), None] {
        let name = backend.map_or("planned".to_owned(), |b| b.to_string());
        let end = match simulate(&engine, backend, &name, n, steps) {
            Ok(end) => end,
            Err(Error::Unsupported { reason, .. }) => {
                println!("  {name:<9}  not here: {reason}");
                continue;
            }
            Err(error) => return Err(error.to_string()),
        };
        if end.change.is_nan() || end.change > 1e-3 {
            wrong.push(format!("{name}: the energy changed by {:.1e} of itself", end.change));
        }
        match &reference {
            None => reference = Some(end.bodies),
            // Square roots and quotients are exact to the bit on the CPU; a GPU may be a few ulp off, and orbits amplify that.
            Some(first) => {
                let far = |(a, b): (&Body, &Body)| (a.x - b.x).abs().max((a.y - b.y).abs()).max((a.z - b.z).abs());
                let off = first.iter().zip(&end.bodies).map(far).fold(0.0, |a: f32, b| if b > a || b.is_nan() { b } else { a });
                let allowed = if backend == Some(Backend::Threads) { 0.0 } else { 1e-3 };
                if off.is_nan() || off > allowed {
                    wrong.push(format!("{name}: bodies are {off:.1e} from where simd has them"));
                }
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

struct End {
    bodies: Vec<Body>,
    /// Change of the total energy, relative to it.
    change: f64,
}

/// A simulation from start to end on one backend, or on the planner's choice.
fn simulate(engine: &Engine, backend: Option<Backend>, name: &str, n: usize, steps: usize) -> granule::Result<End> {
    let (mut bodies, mut velocities) = cluster(engine, n);
    let before = total_energy(engine, backend, &bodies, &velocities)?;

    // Leapfrog: half a kick, then drifts and kicks in turn, and half a kick at the end. The new arrays are made where the old ones
    // are: with a GPU, nothing is read back until the end.
    let started = Instant::now();
    for step in 0..=steps {
        let dt = if step == 0 || step == steps { 0.5 * DT } else { DT };
        let kicked = engine.map(zip(&bodies, &velocities), kick::with(&bodies, dt, SOFT));
        velocities = pin(kicked, backend).run()?;
        if step < steps {
            bodies = pin(engine.map(zip(&bodies, &velocities), drift::with(DT)), backend).run()?;
        }
    }
    let places = bodies.to_vec()?;
    let time = started.elapsed() / steps.max(1) as u32;

    let after = total_energy(engine, backend, &bodies, &velocities)?;
    let change = ((after - before) / before).abs();
    let rate = (n * n) as f64 / time.as_secs_f64() / 1e9;
    println!("  {name:<9} {:>7.2} ms {rate:>9.2} G/s {before:>15.6} {after:>10.6} {change:>11.1e}", time.as_secs_f64() * 1e3);
    Ok(End { bodies: places, change })
}

fn pin<P: granule::Primitive>(task: granule::Task<'_, P>, backend: Option<Backend>) -> granule::Task<'_, P> {
    match backend {
        Some(backend) => task.on(backend),
        None => task,
    }
}

fn total_energy(
    engine: &Engine,
    backend: Option<Backend>,
    bodies: &Array<Body>,
    velocities: &Array<Vector>,
) -> granule::Result<f64> {
    let shares = zip(bodies, velocities).map(energy::with(bodies, SOFT));
    let (kinetic, pairs) = pin(engine.reduce(shares, (Sum, Sum)), backend).run()?;
    Ok(f64::from(kinetic) + 0.5 * f64::from(pairs))
}

/// A ball of bodies, of total mass 1 and radius 1, that turns about the z axis. The numbers come from a fixed generator, so that
/// every run is the same.
fn cluster(engine: &Engine, n: usize) -> (Array<Body>, Array<Vector>) {
    let mut seed = 1_u64;
    let mut random = || {
        // The generator of G. Marsaglia, "Xorshift RNGs" (2003).
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut bodies = Vec::with_capacity(n);
    let mut velocities = Vec::with_capacity(n);
    while bodies.len() < n {
        let (x, y, z) = (random(), random(), random());
        if x * x + y * y + z * z <= 1.0 {
            bodies.push(Body { x, y, z, mass: 1.0 / n as f32 });
            velocities.push(Vector { x: -0.8 * y, y: 0.8 * x, z: 0.0 });
        }
    }
    (engine.array_from_vec(bodies), engine.array_from_vec(velocities))
}

fn options() -> Result<(usize, usize), String> {
    let (mut bodies, mut steps) = (2048, 20);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().and_then(|v| v.parse().ok()).filter(|n| (1..=1 << 20).contains(n));
        let value = value.ok_or_else(|| format!("{flag} needs a whole number from 1 to 1048576"))?;
        match flag.as_str() {
            "--bodies" => bodies = value,
            "--steps" => steps = value,
            _ => return Err(format!("{flag} is not an option; there are --bodies and --steps")),
        }
    }
    Ok((bodies, steps))
}
