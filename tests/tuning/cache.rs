//! What one engine keeps, as the next one finds it: whole, edited, damaged, or not at all.

use std::fs;

use granule::plan::Sample;
use granule::prelude::*;

use crate::world::{self, NOTHING, Place, cpu, edit, heavy, light, numbers, predicted, several_cores, sum};

const N: usize = 50_000;
const CALLS: usize = 200;

fn task<'e>(engine: &'e Engine, x: &'e [u32]) -> granule::Task<'e, impl granule::Primitive<Output = u32> + use<'e>> {
    engine.reduce(x.map(heavy::with()), Sum)
}

/// Calls until they are well known. What was seen then.
fn learn(engine: &Engine) -> [Sample; 2] {
    let x = numbers(N);
    let want = sum(x.iter().map(|&x| heavy(x)));
    (0..CALLS).for_each(|_| assert_eq!(task(engine, &x).run().unwrap(), want));
    seen(engine)
}

fn seen(engine: &Engine) -> [Sample; 2] {
    let explained = task(engine, &numbers(N)).explain().unwrap();
    [Backend::Simd, Backend::Threads].map(|backend| predicted(&explained, backend).seen)
}

#[test]
fn the_next_engine_starts_where_the_last_one_ended() {
    let place = Place::new("next");
    let first = cpu().cache(place.path()).build().unwrap();
    assert_eq!(first.cache_directory().as_deref(), Ok(place.path()));
    first.calibrate().unwrap();
    let rates = first.machine().rates;
    if several_cores() {
        let learned = learn(&first);
        assert!(learned.iter().any(|sample| sample.count > 0), "{learned:?}");
        drop(first);
        let next = cpu().cache(place.path()).build().unwrap();
        // Before any call, so that what is explained is what would run.
        for (now, then) in seen(&next).into_iter().zip(learned) {
            assert_eq!(now.count, then.count);
            assert!((now.ratio / then.ratio - 1.0).abs() < 0.1, "{now:?}, kept {then:?}");
        }
        assert_eq!((next.machine().rates, next.notes().len()), (rates, 0));
        // Another number of workers is another machine.
        let other = cpu().cache(place.path()).workers(7).build().unwrap();
        assert_eq!((other.machine().rates.measured, seen(&other)), (NOTHING, [Sample::default(); 2]));
    } else {
        drop(first);
        assert_eq!(cpu().cache(place.path()).build().unwrap().machine().rates, rates);
    }
}

/// The choice follows the samples of earlier processes, at the first call.
#[test]
fn kept_samples_decide() {
    if !several_cores() {
        return;
    }
    let place = Place::new("decide");
    let first = cpu().cache(place.path()).build().unwrap();
    learn(&first);
    drop(first);
    for (simd, threads, best) in [(50.0, 0.5, Backend::Threads), (0.02, 50.0, Backend::Simd)] {
        edit(&place.file("cpu-"), |text| {
            let of_samples = |line: &&str| line.starts_with("sample ");
            let known = text.lines().find(of_samples).unwrap().split(" backend=").next().unwrap().to_string();
            let others: Vec<&str> = text.lines().filter(|line| !of_samples(line)).collect();
            let line = |backend: &str, ratio: f64| format!("{known} backend={backend} ratio={ratio:e} count=20");
            format!("{}\n{}\n{}\n", others.join("\n"), line("simd", simd), line("threads", threads))
        });
        let kept = fs::read(place.file("cpu-")).unwrap();
        let engine = cpu().cache(place.path()).build().unwrap();
        let x = numbers(N);
        assert_eq!(task(&engine, &x).explain().unwrap().choice.unwrap().backend, best);
        assert_eq!(task(&engine, &x).decide_only().unwrap().backend, best);
        assert_eq!(engine.notes(), [""; 0]);
        drop(engine);
        assert!(fs::read(place.file("cpu-")).unwrap() == kept, "there was nothing new to keep");
    }
}

/// A file that is of no use costs what it held, and a note; the next one is good again.
#[test]
fn a_damaged_file_is_ignored_with_a_note_and_replaced() {
    let place = Place::new("damaged");
    cpu().cache(place.path()).build().unwrap().calibrate().unwrap();
    let file = place.file("cpu-");
    let good = fs::read_to_string(&file).unwrap();
    let absurd = |name: &str, value: &str| {
        let start = good.find(&format!(" {name}=")).unwrap() + name.len() + 2;
        let end = start + good[start..].find([' ', '\n']).unwrap();
        format!("{}{value}{}", &good[..start], &good[end..])
    };
    let damages: [(&str, &dyn Fn()); 6] = [
        ("truncated", &|| fs::write(&file, &good[..good.len() / 2]).unwrap()),
        ("empty", &|| fs::write(&file, "").unwrap()),
        ("of another version", &|| fs::write(&file, good.replacen("cache 1", "cache 99", 1)).unwrap()),
        ("no text", &|| fs::write(&file, [0xff_u8; 3000]).unwrap()),
        ("absurd", &|| {
            fs::write(&file, absurd("ops.simple", "NaN")).unwrap();
            edit(&file, |text| text);
        }),
        ("of another machine", &|| edit(&file, |text| text.replacen("key cores=", "key cores=9", 1))),
    ];
    for (what, damage) in damages {
        fs::write(&file, &good).unwrap();
        damage();
        let engine = cpu().cache(place.path()).build().unwrap();
        let x = numbers(N);
        let (got, analysis) = task(&engine, &x).explain_analyze().unwrap();
        assert_eq!(got, sum(x.iter().map(|&x| heavy(x))), "{what}");
        assert!(analysis.total.is_finite(), "{what}");
        assert_eq!(engine.machine().rates.measured, NOTHING, "{what}: it was believed");
        let notes = engine.notes();
        let [note] = &notes[..] else { panic!("{what}: {notes:?}") };
        assert!(note.contains("ignored") && note.contains(file.to_str().unwrap()), "{what}: {note}");
        engine.calibrate().unwrap();
        let rates = engine.machine().rates;
        drop(engine);
        let next = cpu().cache(place.path()).build().unwrap();
        assert_eq!((next.machine().rates, next.notes()), (rates, Vec::new()), "{what}");
    }
}

/// Under a file there is no directory, not even for the superuser.
#[test]
fn a_directory_that_cannot_be_made_costs_a_note() {
    let place = Place::new("unwritable");
    let file = place.path().join("file");
    fs::write(&file, "mine").unwrap();
    let below = file.join("below");
    let engine = cpu().cache(&below).build().unwrap();
    engine.calibrate().unwrap();
    assert!(engine.machine().rates.measured.overhead);
    learn(&engine);
    let notes = engine.notes();
    assert!(notes.iter().any(|note| note.contains("not kept") && note.contains(below.to_str().unwrap())), "{notes:?}");
    drop(engine);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_directory_that_vanishes_is_made_again() {
    let place = Place::new("vanishes");
    let engine = cpu().cache(place.path().join("cache")).build().unwrap();
    for _ in 0..2 {
        engine.calibrate().unwrap();
        fs::remove_dir_all(place.path().join("cache")).unwrap();
    }
    engine.calibrate().unwrap();
    let rates = engine.machine().rates;
    assert_eq!(engine.notes(), [""; 0]);
    drop(engine);
    assert_eq!(cpu().cache(place.path().join("cache")).build().unwrap().machine().rates, rates);
}

#[test]
fn without_a_cache_nothing_is_written() {
    let place = Place::new("none");
    let engine = cpu().cache(place.path()).no_cache().build().unwrap();
    engine.calibrate().unwrap();
    learn(&engine);
    assert!(engine.cache_directory().unwrap_err().contains("without"));
    drop(engine);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

/// One of the processes that keep what they learned at the same time.
pub(crate) fn child() {
    for a in 1..4 {
        let engine = Engine::builder().build().unwrap();
        learn(&engine);
        let x = numbers(N);
        let y = engine.map(&x, light::with(a)).run().unwrap();
        assert!(y.as_slice().unwrap().iter().eq(&x.iter().map(|&x| light(x, a)).collect::<Vec<_>>()));
        engine.calibrate().unwrap();
        // A disk may be so slow that somebody waits in vain for his turn; all else is a fault.
        let bad = engine.notes().into_iter().find(|note| !note.contains("lock was not to be had"));
        assert_eq!(bad, None);
        learn(&engine);
    }
}

#[test]
fn processes_share_a_cache() {
    let place = Place::new("processes");
    let variables = [("GRANULE_CACHE", place.path().to_str().unwrap()), ("GRANULE_CALIBRATE", "never")];
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = world::command("keep", &variables);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let engine = cpu().cache(place.path()).build().unwrap();
    assert!(engine.machine().rates.measured.overhead, "{:?}", engine.notes());
    if several_cores() {
        let samples = seen(&engine);
        assert!(samples.iter().any(|sample| sample.count > 0), "{samples:?}");
    }
    assert_eq!(engine.notes(), [""; 0]);
    let left = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.ends_with(".tmp")).collect();
    assert_eq!(left, [""; 0], "temporary files were left");
}
