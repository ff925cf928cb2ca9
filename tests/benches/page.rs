//! The figures of the page in BENCHMARKS.md, measured on this machine by the
//! programs a user runs and a headless Chromium: `cargo bench -p minichain-tests
//! --bench page -- [FIGURE…]`.
//!
//! Figures: `ready`, `tip`, `watch`, `frames`, `living`; none named: all. `living`
//! wants a network of `MINICHAIN_BENCH_NODES` processes (100). Needs Chromium.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use devnet::account::arrivals::Book;
use minichain_tests::network::Network;
use minichain_tests::served::{Opened, Served};
use serde_json::Value;
use tempfile::TempDir;

const ROUNDS: usize = 7;
const PATIENCE: Duration = Duration::from_secs(180);
/// Nodes and blocks of the large picture.
const NODES: usize = 100;
const BLOCKS: u32 = 1_000;
/// Parts of the page whose frames are looked at.
const PARTS: [&str; 3] = ["network", "blocks", "faults"];

/// Notes when all three nodes are shown: in the frame after the one that did it.
const WATCH_NODES: &str = "new MutationObserver(() => {
    if (window.noted || document.querySelectorAll('.node.up').length !== 3) return;
    window.noted = true;
    requestAnimationFrame(() => setTimeout(() => { window.shown = performance.now(); }));
  }).observe(document, { subtree: true, childList: true, attributes: true });";

/// Notes when each node's mark has been drawn with which height: by the frame
/// after the one that changed it.
const WATCH_MARKS: &str = "(() => {
    window.drawn = [];
    new MutationObserver((changes) => {
      const found = changes.map(({ target }) => [target.dataset.name, target.getAttribute('aria-label')]);
      requestAnimationFrame(() => setTimeout(() => {
        const at = performance.timeOrigin + performance.now();
        for (const [name, label] of found) window.drawn.push([name, label, at]);
      }));
    }).observe(document.querySelector('.topology svg'), { subtree: true, attributes: true, attributeFilter: ['aria-label'] });
    return true;
  })()";

/// Time from frame to frame for twenty seconds, in milliseconds, sorted.
const FRAMES: &str = "new Promise((done) => {
    const times = [];
    let last = performance.now();
    const end = last + 20000;
    const frame = () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
      if (now < end) requestAnimationFrame(frame);
      else done(times.sort((a, b) => a - b));
    };
    requestAnimationFrame(frame);
  })";

fn main() {
    let wanted: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let runs = |figure: &str| wanted.is_empty() || wanted.iter().any(|word| word == figure);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load of this machine: {load}");
    println!("| figure | value | how |\n|---|---|---|");
    if runs("ready") {
        ready();
    }
    if runs("tip") {
        tip();
    }
    if runs("watch") {
        watch("1s");
        watch("5s");
    }
    if runs("frames") {
        frames();
    }
    if runs("living") {
        living();
    }
}

fn row(figure: &str, value: &str, how: &str) {
    println!("| {figure} | {value} | {how} |");
}

/// From the command to the page that shows every node.
fn ready() {
    let (mut served_s, mut drawn_s) = (Vec::new(), Vec::new());
    let arguments = ["--nodes", "3", "--miners", "2", "--block-time", "1s"];
    let mut network = Network::up("process", &arguments);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let served = Served::over(network);
        while !served.first_event().contains("\"condition\":\"up\"") {
            thread::sleep(Duration::from_millis(2));
        }
        served_s.push(began.elapsed().as_secs_f64());
        let page = served.open_watched(WATCH_NODES);
        drawn_s.push(loop {
            if let Some(ms) = page.eval("window.shown").as_f64() {
                break ms / 1e3;
            }
        });
        network = served.into_network();
    }
    let how = format!("median of {ROUNDS}");
    row(
        "`devnet serve` until it tells of the nodes",
        &format(&served_s, "s"),
        &how,
    );
    row(
        "the page until it shows them",
        &format(&drawn_s, "s"),
        &format!("from its request on; {how}"),
    );
}

/// From a node's line of log that it has a new tip to the frame that shows it.
fn tip() {
    let arguments = ["--nodes", "20", "--miners", "5", "--block-time", "1s"];
    let served = Served::up(&arguments);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 20",
        PATIENCE,
    );
    page.eval(WATCH_MARKS);
    thread::sleep(Duration::from_secs(40));
    let drawn = page.eval("window.drawn");
    let drawn = first_drawn(&drawn);
    let mut late_ms = Vec::new();
    for ((name, height), told_ms) in connected(&served.network) {
        if let Some(drawn_ms) = drawn.get(&(name, height)) {
            late_ms.push(drawn_ms - told_ms);
        }
    }
    assert!(late_ms.len() > 200, "{} tips were seen", late_ms.len());
    late_ms.sort_by(f64::total_cmp);
    let at = |share: f64| late_ms[share_of(late_ms.len(), share)];
    row(
        "a node's new tip until it is drawn, 20 nodes at `--block-time 1s`",
        &format!(
            "{:.0} ms; 99 of 100 within {:.0} ms, all within {:.0} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        ),
        &format!(
            "median of {} tips of 40 s; from the node's line of log",
            late_ms.len()
        ),
    );
}

/// When each node's mark first showed which height, in milliseconds since 1970.
fn first_drawn(drawn: &Value) -> BTreeMap<(String, u32), f64> {
    let mut first = BTreeMap::new();
    for change in drawn.as_array().expect("a list") {
        let text = |at: usize| change[at].as_str().expect("text");
        let height = text(1)
            .rsplit("height ")
            .next()
            .and_then(|text| text.parse().ok());
        if let Some(height) = height {
            let at_ms = change[2].as_f64().expect("a time");
            first.entry((text(0).to_owned(), height)).or_insert(at_ms);
        }
    }
    first
}

/// When each node first had a tip of which height, as its log tells.
fn connected(network: &Network) -> BTreeMap<(String, u32), f64> {
    let mut book = Book::default();
    for line in network.must(&["logs", "--tail", "all", "--json"]).lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let text = |key: &str| line[key].as_str().expect("text").to_owned();
        book.take(&text("node"), &text("text"));
    }
    let mut first = BTreeMap::new();
    for (node, mentions) in book.nodes() {
        for mention in mentions.iter().filter(|mention| mention.is_tip) {
            let told_ms = first.entry((node.clone(), mention.height));
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
            told_ms.or_insert(mention.at_ms as f64);
        }
    }
    first
}

/// What `devnet serve` takes while a page looks on.
fn watch(block_time: &str) {
    let arguments = ["--nodes", "20", "--miners", "5", "--block-time", block_time];
    let served = Served::up(&arguments);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 20",
        PATIENCE,
    );
    thread::sleep(Duration::from_secs(5));
    let share = |_| {
        let (before, started) = (cpu_seconds(served.pid()), Instant::now());
        thread::sleep(Duration::from_secs(20));
        100.0 * (cpu_seconds(served.pid()) - before) / started.elapsed().as_secs_f64()
    };
    let shares: Vec<f64> = (0..ROUNDS).map(share).collect();
    row(
        &format!("`devnet serve`, 20 nodes at `--block-time {block_time}`, a page open"),
        &format(&shares, "% of one core"),
        &format!("median of {ROUNDS} windows of 20 s"),
    );
}

/// Frames of a recorded run of 100 nodes and 1,000 blocks, at the pace at which
/// it happened and at ten times that.
fn frames() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("large.yaml");
    let text = format!(
        "name: large\ntopology: {{ nodes: {NODES}, miners: 20, block_time: 1s }}\nsteps:\n  - wait: {{ height: {BLOCKS} }}\n    timeout: {} blocks\n",
        2 * BLOCKS
    );
    fs::write(&file, text).expect("a writable disk");
    let served = Served::playing(&file);
    let page = served.open();
    page.wait_for("document.querySelector('.player') !== null", PATIENCE);
    for speed in ["1", "10"] {
        for part in PARTS {
            page.go(part);
            page.eval(&format!(
                "(() => {{
                    const range = document.querySelector('.player input');
                    range.value = range.max * 0.7;
                    range.dispatchEvent(new Event('input'));
                    const rates = document.querySelector('.player select');
                    rates.value = '{speed}';
                    rates.dispatchEvent(new Event('change'));
                    document.querySelector(`.player [aria-label='Play']`).click();
                    return true;
                }})()"
            ));
            thread::sleep(Duration::from_secs(3));
            tell_frames(&page, &format!("recorded, {speed} ×, {part}"));
        }
    }
}

/// Frames of a network that lives.
fn living() {
    let nodes = env::var("MINICHAIN_BENCH_NODES").unwrap_or_else(|_| NODES.to_string());
    let arguments = ["--nodes", &nodes, "--miners", "20", "--block-time", "5s"];
    let served = Served::up(&arguments);
    let page = served.open();
    let all_up = format!("document.querySelectorAll('.node.up').length === {nodes}");
    page.wait_for(&all_up, PATIENCE);
    for part in PARTS {
        page.go(part);
        thread::sleep(Duration::from_secs(3));
        tell_frames(&page, &format!("{nodes} processes, {part}"));
    }
    let (before, started) = (cpu_seconds(served.pid()), Instant::now());
    thread::sleep(Duration::from_secs(20));
    let share = 100.0 * (cpu_seconds(served.pid()) - before) / started.elapsed().as_secs_f64();
    row(
        &format!("`devnet serve`, {nodes} nodes, a page open"),
        &format!("{share:.2} % of one core"),
        "20 s",
    );
}

fn tell_frames(page: &Opened, what: &str) {
    let times = page.eval_async(FRAMES);
    let times: Vec<f64> = times
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    let at = |share: f64| times[share_of(times.len(), share)];
    let long = times.iter().filter(|ms| **ms > 50.0).count();
    row(
        &format!("time from frame to frame: {what}"),
        &format!(
            "{:.0} ms; 99 of 100 within {:.0} ms, all within {:.0} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        ),
        &format!(
            "median of {} frames of 20 s, {long} above 50 ms",
            times.len()
        ),
    );
}

/// Where in a sorted list that share of it ends.
fn share_of(count: usize, share: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a few thousand"
    )]
    let place = (count as f64 * share).ceil() as usize;
    place.clamp(1, count) - 1
}

/// Median, least and most.
fn format(samples: &[f64], unit: &str) -> String {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{median:.2} {unit} ({low:.2} to {high:.2})")
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let after_name = stat.rsplit(')').next().expect("a stat line has a name");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<f64>().expect("ticks"))
        .sum();
    ticks / 100.0
}
