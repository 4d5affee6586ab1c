//! What a program hears that listens with `tracing`: each decision, and what went wrong without failing a call.

#![cfg(feature = "tracing")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use granule::Calibrate;
use granule::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The fields of an event.
#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

static HEARD: Mutex<Vec<(Level, Fields)>> = Mutex::new(Vec::new());

/// Keeps every event of the library.
struct Listener(AtomicU64);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "granule"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        HEARD.lock().unwrap().push((*event.metadata().level(), fields));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn heard() -> Vec<(Level, Fields)> {
    std::mem::take(&mut *HEARD.lock().unwrap())
}

/// One test, for there is one subscriber.
#[test]
fn decisions_and_notes_are_heard() {
    tracing::subscriber::set_global_default(Listener(AtomicU64::new(1))).unwrap();
    let builder = Engine::builder().calibrate(Calibrate::Never).workers(2);
    #[cfg(feature = "gpu")]
    let builder = builder.no_gpu();
    let place = std::env::temp_dir().join(format!("granule-events-{}", std::process::id()));
    std::fs::write(&place, "a file, under which there is no directory").unwrap();
    let engine = builder.cache(place.join("below")).build().unwrap();

    let x = vec![1_u32; 300_000];
    let choice = engine.reduce(&x, Sum).on(Backend::Simd).plan().unwrap().choice;
    // Nothing was decided to be done, but the cache was looked at.
    let events = heard();
    let [(Level::WARN, Fields(fields))] = &events[..] else { panic!("{events:?}") };
    assert!(fields["message"].contains("ignored") && fields["message"].contains("below"), "{fields:?}");
    engine.reduce(&x, Sum).on(Backend::Simd).run().unwrap();
    let events = heard();
    let [(Level::DEBUG, Fields(fields))] = &events[..] else { panic!("{events:?}") };
    let expected = [
        ("backend", "simd".to_string()),
        ("grain", choice.grain.to_string()),
        ("message", "decision".to_string()),
        ("n", "300000".to_string()),
        ("operation", "reduce".to_string()),
        ("why", "least predicted time".to_string()),
        ("workers", "1".to_string()),
    ];
    assert_eq!(*fields, BTreeMap::from(expected));

    let plan = engine.scan(&x, Sum).plan().unwrap();
    _ = heard();
    engine.scan(&x, Sum).with_plan(&plan).run().unwrap();
    let events = heard();
    let [(Level::DEBUG, Fields(fields))] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&*fields["operation"], &*fields["why"]), ("scan", "as the given plan says"));

    for _ in 0..10 {
        engine.map(&x, granule::kernel!(|x: u32| x + 1)).run().unwrap();
    }
    let decisions =
        heard().into_iter().filter(|(level, fields)| *level == Level::DEBUG && fields.0["operation"] == "map").count();
    assert_eq!(decisions, 10);

    engine.calibrate().unwrap();
    let warned: Vec<String> = heard()
        .into_iter()
        .filter(|(level, _)| *level == Level::WARN)
        .map(|(_, mut fields)| fields.0.remove("message").unwrap())
        .collect();
    let not_kept: Vec<&String> = warned.iter().filter(|message| message.contains("not kept")).collect();
    let notes = engine.notes();
    assert_eq!(not_kept.len(), 1, "{warned:?}");
    assert!(notes.contains(not_kept[0]) && not_kept[0].contains("below"), "{notes:?}");
    std::fs::remove_file(place).unwrap();
}
