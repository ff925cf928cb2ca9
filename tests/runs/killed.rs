//! `kill -9` of `devnet run` at a random moment: one `devnet down` leaves
//! nothing.
//!
//! `DEVNET_KILLS` is the number of moments per engine (3), `DEVNET_KILL_SEED`
//! what they follow from; a failure tells both.

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libtest_mimic::{Failed, Trial};
use minichain_tests::docker;
use minichain_tests::programs::program;
use minichain_tests::runs::{Runs, shipped};

use crate::is_there;

/// Moments per engine if nobody says.
const KILLS: u64 = 3;
/// A run of the scenario takes about so long; moments lie within.
const RUN_MS: u64 = 14_000;

pub fn trials() -> Vec<Trial> {
    let (seed, count) = moments(KILLS);
    let mut trials = Vec::new();
    for engine in ["process", "docker"] {
        for round in 0..count {
            let after_ms = moment_ms(seed, round, count, RUN_MS);
            let name = format!("killed::nothing_is_left_of_run_{round}_on_{engine}");
            let title = name.clone();
            trials.push(Trial::test(title, move || {
                if !is_there(engine, &name) {
                    return Ok(());
                }
                nothing_is_left(engine, after_ms).map_err(|why| {
                    let again = format!(
                        "DEVNET_KILL_SEED={seed} DEVNET_KILLS={count} cargo test -p \
                         minichain-tests --test runs -- {name}"
                    );
                    Failed::from(format!("killed after {after_ms} ms: {why}\nagain: {again}"))
                })
            }));
        }
    }
    trials
}

/// What moments follow from, and how many there shall be.
pub fn moments(usual: u64) -> (u64, u64) {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let drawn = || since_1970.map_or(0, |time| u64::from(time.subsec_nanos()));
    let seed = number("DEVNET_KILL_SEED").unwrap_or_else(drawn);
    (seed, number("DEVNET_KILLS").unwrap_or(usual))
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// A random moment within this round's share of `whole_ms`, so that few rounds
/// still meet its begin, middle and end.
pub fn moment_ms(seed: u64, round: u64, count: u64, whole_ms: u64) -> u64 {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut mixed = seed.wrapping_add(round.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let share = whole_ms / count.max(1);
    round * share + (mixed ^ (mixed >> 31)) % share.max(1)
}

fn nothing_is_left(engine: &'static str, after_ms: u64) -> Result<(), String> {
    let runs = Runs::on(engine);
    let name = &runs.network.name;
    let mut child = runs.spawn(&shipped("two-way-partition.yaml"), &["--name", name]);
    thread::sleep(Duration::from_millis(after_ms));
    child.kill().expect("it is a child of ours");
    child.wait().expect("it ended");
    let down = runs.network.devnet(&["down"]);
    let mut left = runs.left();
    left.extend(runs.processes());
    if engine == "docker" {
        left.extend(docker::left_behind(name));
        left.extend(host_rules());
    }
    match left.is_empty() && down.status.success() {
        true => Ok(()),
        false => Err(format!(
            "left: {left:?}\ndown: {}\nthe run had said:\n{}",
            minichain_tests::runs::words(&down),
            runs.said()
        )),
    }
}

/// Rules of faults in the host's own network namespace, where none belongs.
/// Reading them takes a right that not everybody has.
fn host_rules() -> Option<String> {
    let mut helper = Command::new(program("devnet-netfault"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the helper runs");
    let mut input = helper.stdin.take().expect("it is piped");
    // It may end at once where it has no right to read.
    let _ended = input.write_all(b"{\"read\":{}}\n");
    drop(input);
    let out = helper.wait_with_output().expect("the helper ends");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    // The helper tells its state as `{"read":{"rules":…}}`, else why it could not.
    if !said.contains("\"read\"") {
        eprintln!(
            "SKIPPED: whether rules are left on the host itself: {}; run this as root",
            said.trim()
        );
        return None;
    }
    said.contains("drops").then_some(said)
}
