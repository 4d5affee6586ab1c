//! Plan files: what was chosen, written down, edited, and followed.

use granule::plan::{Plans, Why};
use granule::prelude::*;

use crate::world::{Place, cpu, heavy, light, numbers, several_cores, sum};

const SIZES: [usize; 3] = [3000, 50_000, 150_000];

/// Makes the calls, and checks what they give.
fn program(engine: &Engine) {
    for n in SIZES {
        let x = numbers(n);
        let heavies = sum(x.iter().map(|&x| heavy(x)));
        assert_eq!(engine.reduce((&x).map(heavy::with()), Sum).run().unwrap(), heavies, "{n}");
        let y = engine.map(&x, light::with(3)).run().unwrap();
        assert!(y.as_slice().unwrap().iter().eq(&x.iter().map(|&x| light(x, 3)).collect::<Vec<_>>()), "{n}");
    }
}

#[test]
fn what_was_chosen_is_written_edited_and_followed() {
    if !several_cores() {
        return;
    }
    let place = Place::new("plans");
    let file = place.path().join("plans.txt");
    let engine = cpu().build().unwrap();
    program(&engine);
    engine.plans().write(&file).unwrap();
    assert_eq!(Plans::read(&file).unwrap(), engine.plans());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!engine.plans().is_empty() && text.contains("reduce code="), "{text}");

    // Each the other way round: a hand with an editor.
    let swapped = text.replace("backend=simd", "backend=-").replace("backend=threads", "backend=simd");
    let swapped = swapped.replace("backend=- workers=1", "backend=threads workers=2");
    std::fs::write(&file, swapped).unwrap();
    let plans = Plans::read(&file).unwrap();
    assert_eq!(plans.len(), engine.plans().len());
    for frozen in [false, true] {
        let builder = cpu().plans(plans.clone());
        let pinned = if frozen { builder.frozen() } else { builder }.build().unwrap();
        let mut followed = 0;
        for _ in 0..6 {
            program(&pinned);
            for n in SIZES {
                let x = numbers(n);
                let task = || pinned.reduce((&x).map(heavy::with()), Sum);
                let explained = task().explain().unwrap();
                let Some(planned) = plans.get(&explained.problem) else { continue };
                followed += 1;
                assert_eq!(explained.why, Why::Planned, "{explained}");
                for choice in [explained.choice.unwrap(), task().plan().unwrap().choice, task().decide_only().unwrap()] {
                    assert_eq!(choice, planned, "{n}, frozen: {frozen}");
                }
                assert_eq!(task().explain_analyze().unwrap().1.explanation.choice, Ok(planned));
                // A pin of the call's own comes first.
                let other = if planned.backend == Backend::Simd { Backend::Threads } else { Backend::Simd };
                assert_eq!(task().on(other).decide_only().unwrap().backend, other);
            }
        }
        assert!(followed > 0, "{plans}");
        // What is planned stays in the file, and is not learned anew.
        let after = pinned.plans();
        assert!(plans.iter().all(|(key, choice)| after.iter().any(|pair| pair == (key, choice))), "{after}");
    }
}

#[test]
fn a_bad_file_names_the_line() {
    let place = Place::new("bad-plans");
    let file = place.path().join("plans.txt");
    std::fs::write(&file, "granule plans 1\n\nreduce code=0 from=host to=host n=0..=92681 backend=simd workers=1 grain=4096\n")
        .unwrap();
    let Err(Error::Config { message }) = Plans::read(&file) else { panic!("accepted") };
    assert!(message.contains("line 3") && message.contains("code") && message.contains("plans.txt"), "{message}");
}

/// As on the machine of a colleague, which has no GPU: what cannot be followed is planned.
#[test]
fn a_plan_for_a_gpu_that_is_not_there_is_planned_anew() {
    let engine = cpu().build().unwrap();
    let x = numbers(50_000);
    let key = granule::plan::PlanKey::of(&engine.reduce((&x).map(heavy::with()), Sum).explain().unwrap().problem);
    let text = format!("granule plans 1\n{key} backend=gpu workers=1 grain=4096 gpu=0\n");
    let plans: Plans = text.parse().unwrap();
    let usual = engine.reduce((&x).map(heavy::with()), Sum).plan().unwrap().choice;
    for frozen in [false, true] {
        let builder = cpu().plans(plans.clone());
        let elsewhere = if frozen { builder.frozen() } else { builder }.build().unwrap();
        let task = || elsewhere.reduce((&x).map(heavy::with()), Sum);
        let explained = task().explain().unwrap();
        assert_eq!((explained.choice, explained.why), (Ok(usual), Why::Least), "{explained}");
        assert_eq!(task().decide_only().unwrap().backend, usual.backend);
        assert_eq!(task().run().unwrap(), sum(x.iter().map(|&x| heavy(x))));
    }
}
