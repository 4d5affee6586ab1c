//! The page in a real browser: headless Chromium, where there is one.
//!
//! Chromium is given a proxy of the test's own for everything that is not a file, so a page that asks a network for anything is
//! found out, and one that does not asks nobody.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::report::{compare, html};
use super::{kept_records, two_lines};

/// A browser that is slower hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What people have.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Whom Chromium asks for the time and for news of its own, though told not to.
const OWN: [&str; 2] = ["google.com", "googleapis.com"];

/// What a page came to.
struct Visit {
    /// The document after its scripts.
    document: String,
    /// What the browser said, console included.
    log: String,
    /// First lines of what was asked of the network.
    requests: Vec<String>,
}

/// A folder of the test's own.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Chromium may still be writing there.
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The browser, or a line that says that there is none. `REQUIRE_CHROMIUM` makes that a failure.
fn browser() -> Option<&'static str> {
    let runs = |name: &&str| {
        let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    let found = NAMES.into_iter().find(runs);
    if found.is_none() {
        assert!(std::env::var_os("REQUIRE_CHROMIUM").is_none(), "none of these runs: {}", NAMES.join(", "));
        // Past the harness, which shows nothing of tests that pass.
        _ = writeln!(std::io::stderr(), "SKIPPED: the page was not seen in a browser; none of these runs: {}", NAMES.join(", "));
    }
    found
}

/// Writes down what each connection asks for, until it is dropped.
struct Proxy {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn open() -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let port = listener.local_addr().expect("it has an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let list = requests.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let line = first_line(stream);
                list.lock().expect("nobody panics with it").push(line);
            }
        });
        Proxy { port, requests }
    }
}

fn first_line(mut stream: TcpStream) -> String {
    use std::io::Read;
    _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut text = [0; 512];
    let read = stream.read(&mut text).unwrap_or(0);
    _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    String::from_utf8_lossy(&text[..read]).lines().next().unwrap_or("").to_owned()
}

/// Loads a page in a window of this width.
fn visit(browser: &str, name: &str, page: &str, width: u32) -> Visit {
    let path = std::env::temp_dir().join(format!("granule-page-{name}-{}", std::process::id()));
    let folder = Folder(path);
    std::fs::create_dir_all(&folder.0).expect("there is room for a page");
    let file = folder.0.join("page.html");
    std::fs::write(&file, page).expect("the page can be written");
    let (document, log) = (folder.0.join("document"), folder.0.join("log"));
    let create = |path: &Path| std::fs::File::create(path).expect("an output can be made");
    let proxy = Proxy::open();
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--enable-logging=stderr",
        ])
        // Nothing of the browser's own goes out.
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"])
        .args(["--disable-extensions", "--disable-features=OptimizationHints,MediaRouter,Translate", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.0.join("profile").display()))
        .arg(format!("--proxy-server=127.0.0.1:{}", proxy.port))
        .arg(format!("--window-size={width},900"))
        .arg(format!("file://{}", file.display()))
        .stdout(create(&document))
        .stderr(create(&log))
        .spawn()
        .expect("the browser runs");
    let begun = Instant::now();
    while child.try_wait().expect("the browser can be waited for").is_none() {
        if begun.elapsed() > PATIENCE {
            _ = child.kill();
            _ = child.wait();
            panic!("the browser did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).expect("an output can be read")).into_owned();
    let mut requests = proxy.requests.lock().expect("nobody panics with it").clone();
    requests.retain(|line| !OWN.iter().any(|host| line.contains(host)));
    Visit { document: read(&document), log: read(&log), requests }
}

/// What the page says of itself once its scripts have run: charts that can be seen, tables that sort and filter, its width.
const PROBE: &str = r#"<script>
"use strict";
const seen = {};
const box = (e) => e.getBoundingClientRect();
const charts = [...document.querySelectorAll("svg[role=img]")];
const named = (svg) => svg.getAttribute("aria-labelledby").split(" ").every((id) => document.getElementById(id).textContent.length > 10);
seen.charts = charts.filter((svg) => box(svg).width > 250 && box(svg).height > 50 && named(svg)).length;
seen.all = charts.length;
seen.outside = charts.filter((svg) => [...svg.querySelectorAll("text")].some((t) => box(t).right > box(svg).right + 2)).length;
seen.unseen = [...document.querySelectorAll("path.stroke")].filter((p) => ["none", "rgb(0, 0, 0)"].includes(getComputedStyle(p).stroke)).length;
const table = document.querySelector("table.sortable");
const column = (i) => [...table.tBodies[0].rows].filter((r) => !r.hidden).map((r) => r.cells[i]);
const head = (name) => [...table.tHead.rows[0].cells].findIndex((th) => th.textContent === name);
const sizes = () => column(head("elements")).map((cell) => Number(cell.dataset.v));
const button = table.tHead.rows[0].cells[head("elements")].querySelector("button");
button.click();
seen.up = sizes().every((n, i, all) => i === 0 || all[i - 1] <= n);
button.click();
seen.down = sizes().every((n, i, all) => i === 0 || all[i - 1] >= n) && sizes()[0] > sizes()[sizes().length - 1];
const field = document.querySelector(".filter");
field.value = "DOT simd";
field.dispatchEvent(new Event("input"));
const left = column(0).map((cell) => cell.parentElement.textContent);
seen.filtered = left.length > 0 && left.length < table.tBodies[0].rows.length && left.every((t) => t.includes("dot") && t.includes("simd"));
seen.json = [...document.querySelectorAll("script.record")].every((data) => JSON.parse(data.textContent).schema === 1);
let saved = "";
HTMLAnchorElement.prototype.click = function () { saved = this.download + this.href.slice(0, 5); };
document.querySelector(".download").click();
seen.saved = saved;
seen.fetched = performance.getEntriesByType("resource").filter((entry) => !/^(data|blob):/.test(entry.name)).length;
seen.fits = document.documentElement.scrollWidth <= window.innerWidth;
document.documentElement.dataset.seen = JSON.stringify(seen);
</script>"#;

#[test]
fn the_page_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    let [run, sweep] = kept_records();
    let lines = two_lines();
    let comparison = compare::page(&[compare::Comparison::of(&lines, &lines, 0.05)]);
    let pages = [("run", html::report(&run), 1280), ("sweep", html::report(&sweep), 390), ("comparison", comparison, 1280)];
    std::thread::scope(|scope| {
        for (name, page, width) in &pages {
            scope.spawn(move || {
                let charts = page.matches("role=\"img\"").count();
                let page = page.replace("</body>", &format!("{PROBE}</body>"));
                let visit = visit(browser, name, &page, *width);
                let console: Vec<&str> = visit.log.lines().filter(|line| line.contains("CONSOLE")).collect();
                assert!(console.is_empty(), "{name}: the console says {console:?}");
                assert!(!OWN.iter().any(|host| page.contains(host)), "{name}: what is the browser's own is not the page's");
                assert!(visit.requests.is_empty(), "{name}: the network was asked for {:?}", visit.requests);
                let attribute = visit.document.split_once("data-seen=\"").expect("the probe ran").1;
                let seen = attribute.split_once('"').expect("it ends").0.replace("&quot;", "\"");
                let seen: serde_json::Value = serde_json::from_str(&seen).expect("the probe writes JSON");
                assert_eq!((&seen["charts"], &seen["all"]), (&charts.into(), &charts.into()), "{name}: {seen}");
                for what in ["outside", "unseen", "fetched"] {
                    assert_eq!(seen[what], 0, "{name}: {what}: {seen}");
                }
                for what in ["up", "down", "filtered", "json", "fits"] {
                    assert_eq!(seen[what], true, "{name}: {what}: {seen}");
                }
                assert!(seen["saved"].as_str().is_some_and(|saved| saved.contains(".jsonblob:")), "{name}: {seen}");
            });
        }
    });
}

/// A page that errs and asks a network is found out, so the test above can fail.
#[test]
fn a_page_that_asks_a_network_is_found_out() {
    let Some(browser) = browser() else { return };
    let page = "<!doctype html><title>t</title><img src=\"http://granule.invalid/planted.png\"><script>planted_error()</script>";
    let planted = visit(browser, "planted", page, 1280);
    assert!(planted.requests.iter().any(|line| line.contains("planted.png")), "{:?}", planted.requests);
    assert!(planted.log.contains("CONSOLE") && planted.log.contains("planted_error"), "the console is heard");
    // The page's own policy forbids it, if somebody should write it into one.
    let page = html::page("t", &[], "<img src=\"http://granule.invalid/planted.png\">");
    let forbidden = visit(browser, "forbidden", &page, 1280);
    assert!(forbidden.requests.is_empty() && forbidden.log.contains("Content Security Policy"), "{:?}", forbidden.requests);
}
