//! Reports of real runs and of a real network, opened in a real browser.

use std::fs;
use std::path::{Path, PathBuf};

use minichain_tests::browser::{self, Page, Scheme};
use minichain_tests::network::Network;
use minichain_tests::runs::{Runs, assert_exit, shipped, words};

/// Bytes of a page at most.
const BYTES_MAX: usize = 5_000_000;

/// Faults of several kinds, some blocks, and payments to wait for.
const BUSY: &str = "\
name: busy
description: A cut, a crash and a slow line.
topology: { nodes: 4, miners: 2, block_time: 1s }
steps:
  - wait: { height: 3 }
    timeout: 60 blocks
  - title: Cut in two
    partition: [[bootstrap-0, miner-0], rest]
    for: 4s
  - kill: observer-0
    for: 2s
  - latency: { is: 100ms, on: miner-1 }
    for: 3s
  - expect:
      - converged: { max_lag: 1, fresh: 2 }
        within: 60 blocks
finally:
  - heal
";

/// An address of a file that a browser understands.
fn address(path: &Path) -> String {
    let path = fs::canonicalize(path).expect("a page");
    format!("file://{}", path.display())
}

/// Everything that must be true of every page.
#[track_caller]
fn assert_page_is_sound(path: &Path, charts_min: u64) -> Page {
    let bytes = fs::read(path).expect("a page").len();
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
    let page = Page::open(&address(path), 1_200, 900);
    let charts = page.eval(
        "[...document.querySelectorAll('svg.chart')].filter((chart) => {
           const box = chart.getBoundingClientRect();
           return box.width > 100 && box.height > 20 && chart.childElementCount > 0;
         }).length",
    );
    assert!(charts.as_u64() >= Some(charts_min), "{charts} charts");
    let odd = page.eval("[...document.querySelectorAll('svg.chart:not([aria-label])')].length");
    assert_eq!(odd, 0, "charts without a text in their place");
    for scheme in [Scheme::Light, Scheme::Dark, Scheme::Print] {
        page.set_scheme(scheme);
        assert_eq!(page.unreadable(), Vec::<String>::new(), "{scheme:?}");
    }
    page.set_scheme(Scheme::Light);
    assert_eq!(page.too_wide(), Vec::<String>::new());
    assert_eq!(page.eval("document.querySelectorAll('h1').length"), 1);
    let links = page.eval("document.querySelectorAll('nav a').length");
    assert!(links.as_u64() >= Some(4), "{links} links in the navigation");
    assert_eq!(dead_links(&page), Vec::<String>::new());
    assert_prints(&page);
    let seen = page.seen();
    assert_eq!(seen.complaints, Vec::<String>::new());
    assert_eq!(seen.requests, [address(path)]);
    page
}

/// Links of the navigation that lead to no part of the page.
fn dead_links(page: &Page) -> Vec<String> {
    let found = page.eval(
        "[...document.querySelectorAll('nav a')]
           .filter((a) => !document.getElementById(a.hash.slice(1)))
           .map((a) => a.getAttribute('href'))",
    );
    texts(&found)
}

fn texts(list: &serde_json::Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one.as_str().expect("text").to_owned())
        .collect()
}

/// Pages with text, and folded parts open.
#[track_caller]
fn assert_prints(page: &Page) {
    let pdf = page.print();
    let pdf = String::from_utf8_lossy(&pdf);
    assert!(pdf.starts_with("%PDF"), "{}", pdf.len());
    assert!(pdf.matches("/Type /Page\n").count() >= 1, "no page");
    assert!(pdf.contains("/Type /Font"), "a page without text");
    page.set_scheme(Scheme::Print);
    let hidden = page.eval(
        "[...document.querySelectorAll('details.paper > *')].filter((e) => !e.checkVisibility({ contentVisibilityAuto: true })).length",
    );
    assert_eq!(hidden, 0, "folded parts are lost on paper");
    assert_eq!(
        page.eval("getComputedStyle(document.body).backgroundColor"),
        "rgb(255, 255, 255)"
    );
    page.set_scheme(Scheme::Light);
}

fn text_of(page: &Page, selector: &str) -> String {
    let text = page.eval(&format!(
        "document.querySelector('{selector}')?.innerText ?? ''"
    ));
    text.as_str().unwrap_or_default().to_owned()
}

/// The page that the run wrote, and the same made again from a copy of the
/// bundle elsewhere.
fn made_again(runs: &Runs, bundle: &Path) -> PathBuf {
    let copy = PathBuf::from(runs.path("copy"));
    copy_folder(bundle, &copy);
    let html = runs.path("again.html");
    let folder = copy.to_str().expect("a plain path");
    runs.network.must(&["report", folder, "--html", &html]);
    let (first, again) = (fs::read(bundle.join("report.html")), fs::read(&html));
    assert!(
        first.expect("a page") == again.expect("a page"),
        "the pages differ"
    );
    PathBuf::from(html)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable disk");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[test]
fn what_is_too_wide_or_leads_nowhere_is_found() {
    if !browser::available("what_is_too_wide_or_leads_nowhere_is_found") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bad.html");
    let text = "<nav><a href='#here'>a</a><a href='#there'>b</a><a href=''>c</a></nav>
        <p id=here class=wide style='width: 3000px'>x</p>
        <div style='overflow-x: auto'><p style='width: 3000px'>y</p></div>";
    fs::write(&path, text).expect("a writable disk");
    let page = Page::open(&address(&path), 1_200, 900);
    assert_eq!(page.too_wide(), ["P wide"]);
    assert_eq!(dead_links(&page), ["#there", ""]);
}

#[test]
fn the_page_of_a_busy_run_can_be_read_by_everybody_everywhere() {
    if !browser::available("the_page_of_a_busy_run_can_be_read_by_everybody_everywhere") {
        return;
    }
    let runs = Runs::on("process");
    let file = runs.scenario("busy.yaml", BUSY);
    assert_exit(&runs.run(&file, &["--seed", "3"]), 0);
    let path = made_again(&runs, &runs.bundle());
    // The timeline, two distributions, and three curves of each node.
    let page = assert_page_is_sound(&path, 3 + 3 * 4);
    assert_eq!(text_of(&page, "h1 .badge"), "PASS");
    assert!(text_of(&page, ".replay code").contains("--seed 3"));
    let faults = page.eval("document.querySelectorAll('#faults tbody tr').length");
    assert!(faults.as_u64() >= Some(3), "{faults}");
    assert!(text_of(&page, "#faults tbody").contains("probes across the cut fail"));
    let received = text_of(&page, "#propagation tbody tr");
    assert!(received.contains("ms"), "{received}");
    // A phone's.
    page.set_size(390, 844);
    assert_eq!(page.too_wide(), Vec::<String>::new());
}

#[test]
fn the_page_of_a_failed_run_tells_first_why() {
    if !browser::available("the_page_of_a_failed_run_tells_first_why") {
        return;
    }
    let runs = Runs::on("process");
    assert_exit(&runs.run(&shipped("bad/wrong-expectation.yaml"), &[]), 1);
    let page = assert_page_is_sound(&runs.bundle().join("report.html"), 3);
    assert_eq!(text_of(&page, "h1 .badge"), "FAIL");
    assert_eq!(
        page.eval("document.querySelector('main section').id"),
        "story"
    );
    let story = text_of(&page, "#story");
    for part in ["Expected", "Found", "Tips"] {
        assert!(story.contains(part), "{story}");
    }
}

#[test]
fn a_living_network_has_a_page_too() {
    if !browser::available("a_living_network_has_a_page_too") {
        return;
    }
    let network = Network::up(
        "process",
        &[
            "--nodes",
            "3",
            "--miners",
            "2",
            "--block-time",
            "1s",
            "--wait-blocks",
            "5",
        ],
    );
    let html = network.state().join("now.html");
    let out = network.must(&["report", "--html", html.to_str().expect("a plain path")]);
    assert!(out.contains("now.html"), "{out}");
    let page = assert_page_is_sound(&html, 2);
    assert!(text_of(&page, ".eyebrow").contains("Network"));
    assert_eq!(
        page.eval("document.querySelectorAll('#nodes table')[0].tBodies[0].rows.length"),
        3
    );
    let told: serde_json::Value =
        serde_json::from_str(&network.must(&["report", "--json"])).expect("JSON");
    assert!(told["stale"]["blocks"].as_u64() >= Some(5), "{told}");
    assert!(
        told["intervals"]["points"]
            .as_array()
            .is_some_and(|points| points.len() >= 4)
    );
    assert!(network.must(&["report"]).contains("miner-0"));
}

#[test]
fn what_is_no_bundle_is_refused_with_advice() {
    let runs = Runs::on("process");
    let folder = runs.path("empty");
    fs::create_dir_all(&folder).expect("a writable disk");
    for (path, part) in [
        ("/no/such/folder", "no folder"),
        (&folder, "no report.json"),
    ] {
        let out = runs.network.devnet(&["report", path]);
        assert_exit(&out, 2);
        assert!(words(&out).contains(part), "{}", words(&out));
        assert!(words(&out).contains("next:"), "{}", words(&out));
    }
    let out = runs.network.devnet(&["report"]);
    assert_exit(&out, 1);
    assert!(
        words(&out).contains("there is no network"),
        "{}",
        words(&out)
    );
}
