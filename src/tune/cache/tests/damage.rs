//! Files that are damaged, of another version or no cache at all.

use super::*;

#[test]
fn a_truncated_file_is_ignored_at_every_length() {
    let place = Place::new("truncated");
    let path = place.cache().path(&key());
    let text = text::write(&record(), &key());
    for length in 0..text.len() {
        fs::write(&path, &text[..length]).unwrap();
        ignored(place.cache().load(&key()));
    }
    fs::write(&path, &text).unwrap();
    assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    fs::write(&path, text + "\n").unwrap();
    ignored(place.cache().load(&key()));
}

#[test]
fn a_damaged_byte_is_found_anywhere() {
    let text = text::write(&record(), &key());
    let mut bytes = text.into_bytes();
    for index in 0..bytes.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            bytes[index] ^= change;
            assert!(text::read(&bytes, &key()).is_err(), "byte {index} ^ {change}");
            bytes[index] ^= change;
        }
    }
    assert_eq!(text::read(&bytes, &key()), Ok(record()));
}

#[test]
fn another_version_says_so() {
    for (from, to, expected) in [
        ("granule cache 1", "granule cache 2", "another version"),
        ("granule cache 1", "\u{feff}granule cache 1", "another version"),
        ("key crate=", "key crate=9", "another machine"),
        ("key probes=", "key probes=9", "another machine"),
        ("key probes=", "", "another machine"),
    ] {
        let reason = text::read(forged(from, to).as_bytes(), &key()).unwrap_err();
        assert!(reason.contains(expected), "{to}: {reason}");
    }
}

/// With a checksum that agrees: what a hand with an editor, or a faulty release, could bring about.
#[test]
fn absurd_values_are_refused() {
    let figure = |line: &str, name: &str| {
        let text = text::write(&record(), &key());
        let line = text.lines().find(|l| l.starts_with(line)).unwrap().to_string();
        line.split(' ').find(|pair| pair.starts_with(&format!("{name}="))).unwrap().to_string()
    };
    for (line, name, values) in [
        ("rates-cpu", "read.l1", ["NaN", "inf", "-1", "0", "1e300", "fast", ""].as_slice()),
        ("rates-cpu", "wake-hot", &["NaN", "inf", "-1e-9", "11"]),
        ("rates-cpu", "int64-slowdown", &["NaN", "0", "-2", "1e7"]),
        ("rates-cpu", "measured.wake", &["yes", "1", ""]),
        ("rates-gpu", "upload.bandwidth", &["NaN", "-inf", "0"]),
        ("rates-gpu", "cache-bytes", &["NaN", "-1", "1e16"]),
        ("rates-gpu", "workgroups", &["NaN", "0", "1e10"]),
        ("iterations", "value", &["NaN", "0", "-1", "inf"]),
        ("sample", "ratio", &["NaN", "0", "-1", "inf", "1e10"]),
        ("sample", "count", &["0", "-1", "4294967296", "1.5"]),
        ("sample", "bucket", &["128", "-1", "256"]),
        ("sample", "backend", &["tpu", ""]),
        ("sample", "kind", &["1", "000000000000000g", ""]),
    ] {
        let before = figure(line, name);
        let line_start = format!("\n{line} ");
        for value in values {
            // Within its line: other lines may have the same pair.
            let text = text::write(&record(), &key());
            let (head, tail) = text.split_once(&line_start).unwrap();
            let tail = tail.replacen(&before, &format!("{name}={value}"), 1);
            let text = format!("{head}{line_start}{tail}");
            let body = &text[..text.rfind("checksum=").unwrap()];
            let text = format!("{body}checksum={:016x}\n", text::fnv1a(body.as_bytes()));
            let reason = text::read(text.as_bytes(), &key()).unwrap_err();
            assert!(reason.contains(name), "{name}={value}: {reason}");
        }
    }
    for (from, to) in
        [("\nsample ", "\nexample "), ("\nsample ", "\n\nsample "), (" wake-hot=", " "), ("\nrates-cpu", "\nrates-gpu")]
    {
        assert!(text::read(forged(from, to).as_bytes(), &key()).is_err(), "{to:?}");
    }
}

#[test]
fn what_would_be_ignored_is_not_saved() {
    let place = Place::new("absurd");
    place.cache().save(&key(), &record()).unwrap();
    let mut bad = record();
    bad.cpu.as_mut().unwrap().read.l2 = f64::NAN;
    let reason = place.cache().save(&key(), &bad).unwrap_err();
    assert!(reason.contains("not saved: read.l2 is `NaN`"), "{reason}");
    assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    assert_eq!(place.files(), [key().file_name()]);
}

#[test]
fn what_is_no_cache_file_is_ignored_and_replaced() {
    let place = Place::new("junk");
    let path = place.cache().path(&key());
    let junk: [&[u8]; 5] = [b"", b"\n", b"\xff\xfe\x00", b"granule cache 1\n", &[0; 5000]];
    for bytes in junk {
        fs::write(&path, bytes).unwrap();
        let reason = ignored(place.cache().load(&key()));
        assert!(reason.contains(&key().file_name()), "{reason}");
        place.cache().save(&key(), &record()).unwrap();
        assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    }
    File::create(&path).unwrap().set_len(1 << 40).unwrap(); // it takes no space
    let reason = ignored(place.cache().load(&key()));
    assert!(reason.contains("more than 1048576 bytes"), "{reason}");
    place.cache().save(&key(), &record()).unwrap();
    assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
}

#[test]
fn a_directory_in_its_place_is_left_alone() {
    let place = Place::new("directory");
    fs::create_dir(place.cache().path(&key())).unwrap();
    fs::write(place.cache().path(&key()).join("mine"), "x").unwrap();
    assert!(ignored(place.cache().load(&key())).contains("is not a file"));
    assert!(place.cache().save(&key(), &record()).unwrap_err().contains("cannot be written"));
    assert_eq!(place.files(), [key().file_name()], "a temporary file was left");
    assert!(place.cache().path(&key()).join("mine").exists());
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let place = Place::new("under");
    let file = place.0.join("file");
    fs::write(&file, "x").unwrap();
    let cache = Cache::at(file.join("below"));
    assert!(cache.save(&key(), &record()).unwrap_err().contains("its directory cannot be made"));
    assert!(!matches!(cache.load(&key()), Loaded::Found(_)));
    assert_eq!(fs::read_to_string(&file).unwrap(), "x");
}

#[cfg(unix)]
#[test]
fn a_read_only_directory_is_an_error_and_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new("read-only");
    place.cache().save(&key(), &record()).unwrap();
    let mode = |mode| fs::set_permissions(&place.0, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    // The superuser may write all the same: then there is nothing to be seen here.
    if File::create(place.0.join("probe")).is_err() {
        let reason = place.cache().save(&key(), &samples([entry(9, 9, 9)])).unwrap_err();
        assert!(reason.contains("cannot be"), "{reason}");
        assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    }
    mode(0o755);
}
