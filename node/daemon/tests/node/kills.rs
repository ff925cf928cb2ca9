//! `kill -9` at random moments. `MINICHAIN_KILLS` sets how many (5 of each
//! kind; 100 for the published figure), `MINICHAIN_KILL_SEED` repeats a run.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{EASY_GENESIS, Node, minichain, shown};

/// A hundred blocks a second, and a restless disk.
const LOAD: &str = "mining: {enabled: true, hash_rate: 2000}\n";
const LIFE_MS_MAX: u64 = 700;

/// Sebastiano Vigna's `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn from_environment() -> Self {
        let seed = match std::env::var("MINICHAIN_KILL_SEED") {
            Ok(text) => text.parse().expect("a number"),
            Err(_) => getrandom::u64().expect("the system has randomness"),
        };
        eprintln!("MINICHAIN_KILL_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn kills() -> u64 {
    match std::env::var("MINICHAIN_KILLS") {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => 5,
    }
}

/// Checks a store as its user would; height of its tip.
fn checked(data_dir: &Path) -> u64 {
    let config = format!("{EASY_GENESIS}data_dir: {}\n", data_dir.display());
    let mut command = minichain(&["db", "check", "--json"]);
    let output = command.env("MINICHAIN_CONFIG", config).output();
    let output = output.expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    report["height"].as_u64().expect("a number")
}

#[test]
fn killed_miner_keeps_every_block_it_told_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dice = Dice::from_environment();
    let mut told: Option<(u64, Value)> = None;
    for kill in 0..kills() {
        let node = Node::start(dir.path(), LOAD);
        if let Some((height, hash)) = &told {
            let kept = node.call("getblockhash", json!([height]));
            assert_eq!(kept, *hash, "kill {kill}: a block that was told of is lost");
        }
        node.wait_for_height(told.as_ref().map_or(1, |(height, _)| height + 1));
        std::thread::sleep(Duration::from_millis(dice.below(LIFE_MS_MAX)));
        let height = node.height();
        told = Some((height, node.call("getblockhash", json!([height]))));
        node.signal(Signal::KILL);
        assert_eq!(node.wait_for_end().0.code(), None);
        assert!(checked(dir.path()) >= height, "kill {kill}");
    }
}

#[test]
fn killed_import_leaves_a_whole_chain_that_the_next_one_continues() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let file = dir.path().join("chain.bin");
    let node = Node::start(&first, LOAD);
    let height = node.wait_for_height(200);
    node.stop();
    let db = |data_dir: &Path, verb: &str| {
        let config = format!("{EASY_GENESIS}data_dir: {}\n", data_dir.display());
        let mut command = minichain(&["db", verb]);
        command.arg(&file).env("MINICHAIN_CONFIG", config);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let output = db(&first, "export").output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let mut dice = Dice::from_environment();
    for _ in 0..kills() {
        let mut import = db(&second, "import").spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(dice.below(60)));
        import.kill().expect("it is a child");
        import.wait().expect("it is a child");
        if second.join(minichain_node::store::FILE).exists() {
            checked(&second);
        }
    }
    let output = db(&second, "import").output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(checked(&second) >= height);
}
