//! `minichain db` on chains that a real miner made.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use minichain_chain::codec::encode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{EASY_GENESIS, Node, minichain, run, shown};

/// A folder with a chain of some blocks, and its height.
fn chain(dir: &Path, height: u64) -> u64 {
    let miner = Node::start_miner(dir);
    miner.wait_for_height(height);
    miner.stop();
    let node = Node::start(dir, "");
    let height = node.height();
    node.stop();
    height
}

/// Runs `minichain db` on a folder of the easy network.
fn db(data_dir: &Path, args: &[&str]) -> Output {
    let config = format!("{EASY_GENESIS}data_dir: {}\n", data_dir.display());
    let mut command = minichain(&["db"]);
    command.args(args).env("MINICHAIN_CONFIG", config);
    command.output().expect("the program starts")
}

fn ok(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", shown(output));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn refused(output: &Output, code: i32, words: &[&str]) {
    let text = shown(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn exported_chain_imports_into_new_and_partial_nodes() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let (early, late) = (dir.path().join("early.bin"), dir.path().join("late.bin"));

    let height = chain(&first, 3);
    let done = ok(&db(&first, &["export", path(&early), "--json"]));
    assert_eq!(done["blocks"], height);
    refused(
        &db(&first, &["export", path(&early)]),
        2,
        &["exists", "--force"],
    );
    let done = ok(&db(&second, &["import", path(&early), "--json"]));
    assert_eq!(
        (&done["blocks"], &done["known"], &done["height"]),
        (&json!(height), &json!(0), &json!(height))
    );

    let higher = chain(&first, height + 3);
    ok(&db(&first, &["export", path(&late)]));
    let done = ok(&db(&second, &["import", path(&late), "--json"]));
    assert_eq!(
        (&done["blocks"], &done["known"], &done["height"]),
        (&json!(higher - height), &json!(height), &json!(higher))
    );
    let tip = ok(&db(&first, &["check", "--json", "--replay"]));
    let same = ok(&db(&second, &["check", "--json", "--replay"]));
    assert_eq!(tip, same);
    assert_eq!(
        (&tip["height"], &tip["problems"]),
        (&json!(higher), &json!([]))
    );
    assert!(!second.join("replay.tmp").exists());

    let size = ok(&db(&second, &["compact", "--json"]));
    assert!(size["bytes_after"].as_u64() <= size["bytes_before"].as_u64());
    let file = std::fs::metadata(second.join("chain.redb")).expect("the chain's file");
    assert_eq!(size["bytes_after"], file.len());
    assert_eq!(ok(&db(&second, &["check", "--json"]))["tip"], tip["tip"]);
}

#[test]
fn cut_and_foreign_files_are_refused_and_what_came_before_the_cut_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let file = dir.path().join("chain.bin");
    let height = chain(&first, 4);
    ok(&db(&first, &["export", path(&file)]));

    let bytes = std::fs::read(&file).expect("it was written");
    let cut = dir.path().join("cut.bin");
    std::fs::write(&cut, &bytes[..bytes.len() - 60]).expect("a copy");
    refused(
        &db(&second, &["import", path(&cut)]),
        2,
        &["cut short", "again"],
    );
    let report = ok(&db(&second, &["check", "--json"]));
    assert_eq!(
        report["height"],
        height - 1,
        "whole blocks before the cut stay"
    );
    let damaged = dir.path().join("damaged.bin");
    let mut changed = bytes;
    let last = changed.len() - 50;
    changed[last] ^= 1;
    std::fs::write(&damaged, changed).expect("a copy");
    refused(&db(&second, &["import", path(&damaged)]), 2, &["damaged"]);
    ok(&db(&second, &["import", path(&file)]));

    let other = "genesis:\n  network: other\n  time_s: 1767225600\n  spacing_s: 1\n  \
                 initial_hash_rate: 20\n";
    let third = dir.path().join("third");
    let mut command = minichain(&["db", "import", path(&file)]);
    command.env(
        "MINICHAIN_CONFIG",
        format!("{other}data_dir: {}\n", third.display()),
    );
    let output = command.output().expect("the program starts");
    refused(&output, 2, &["another network", "other"]);
    assert!(!third.exists(), "a file of no use leaves no folder behind");
    std::fs::write(&cut, b"no chain at all").expect("a file");
    refused(
        &db(&second, &["import", path(&cut)]),
        2,
        &["no exported chain"],
    );
    refused(
        &db(&dir.path().join("nowhere"), &["check"]),
        2,
        &["no chain at", "--data-dir"],
    );
}

/// A block that breaks a rule stops an import as it would stop a peer.
#[test]
fn imported_blocks_obey_the_rules() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let miner = Node::start_miner(&first);
    miner.wait_for_height(2);
    let genesis = miner.call("getblockhash", json!([0]));
    let hex = |height: u64| {
        let hash = miner.call("getblockhash", json!([height]));
        let hex = miner.call("getblock", json!([hash, 0]));
        minichain_chain::hex::decode(hex.as_str().expect("hex")).expect("hex")
    };
    let blocks = [hex(1), hex(2)];
    miner.stop();

    // The second block's first transaction pays somebody else.
    let mut forged: minichain_chain::block::Block =
        minichain_chain::codec::decode(&blocks[1]).expect("a block");
    forged.transactions[0].lock_time = 7;
    let mut archive = b"MNCHAIN\n\x01\0\0\0".to_vec();
    let genesis: minichain_chain::hash::BlockHash =
        genesis.as_str().expect("a hash").parse().expect("a hash");
    archive.extend_from_slice(genesis.as_bytes());
    for block in [blocks[0].clone(), encode(&forged)] {
        let length = u32::try_from(block.len()).expect("small").to_le_bytes();
        let hash = minichain_chain::hash::sha256d(&[&length[..], &block].concat());
        archive.extend_from_slice(&length);
        archive.extend_from_slice(&hash[..4]);
        archive.extend_from_slice(&block);
    }
    let file = dir.path().join("forged.bin");
    std::fs::write(&file, archive).expect("a file");
    refused(
        &db(&second, &["import", path(&file)]),
        2,
        &["breaks a rule"],
    );
    let report = ok(&db(&second, &["check", "--json"]));
    assert_eq!(report["height"], 1, "the good block stays");
}

#[test]
fn running_node_keeps_its_chain_to_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    refused(&db(dir.path(), &["check"]), 3, &["in use by another node"]);
    node.stop();
    let help = run(&["db", "--help"]);
    refused(&help, 0, &["minichain db export chain.bin", "Exit codes"]);
}

#[test]
fn interrupted_import_tells_how_far_it_came_and_goes_on_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, file) = (dir.path().join("first"), dir.path().join("chain.bin"));
    let node = Node::start(&first, "mining: {enabled: true, hash_rate: 2000}\n");
    node.wait_for_height(300);
    node.stop();
    let height = &ok(&db(&first, &["export", path(&file), "--json"]))["blocks"];
    let height = height.as_u64().expect("a number");
    let bytes = std::fs::read(&file).expect("a file");
    // Longer and longer, until the signal finds it in the middle.
    let is_middle = [100, 1_000, 5_000, 20_000].into_iter().any(|wait_ms| {
        let second = dir.path().join(wait_ms.to_string());
        let taken = interrupted_after(&second, &bytes, wait_ms);
        let done = ok(&db(&second, &["import", path(&file), "--json"]));
        let (blocks, known) = (&done["blocks"], &done["known"]);
        assert_eq!((blocks, known), (&json!(height - taken), &json!(taken)));
        0 < taken && taken < height
    });
    assert!(is_middle, "never interrupted after some of {height} blocks");
}

/// Blocks that an import took in before it was interrupted, in the middle of a
/// chain that comes through a pipe.
fn interrupted_after(data_dir: &Path, chain: &[u8], wait_ms: u64) -> u64 {
    let pipe = data_dir.with_extension("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo starts").success());
    let config = format!("{EASY_GENESIS}data_dir: {}\n", data_dir.display());
    let mut command = minichain(&["db", "import", path(&pipe)]);
    command.env("MINICHAIN_CONFIG", config);
    let import = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let import = import.expect("the program starts");
    let (now, later) = chain.split_at(chain.len() - 100);
    // Opens once the import reads.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe);
    let mut writer = writer.expect("a pipe");
    writer.write_all(now).expect("it reads");
    std::thread::sleep(Duration::from_millis(wait_ms));
    let pid = i32::try_from(import.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), Signal::INT).expect("it is ours");
    std::thread::sleep(Duration::from_millis(wait_ms));
    // It may have ended by now.
    let _ = writer.write_all(later);
    drop(writer);
    let output = import.wait_with_output().expect("it ends");
    let said = shown(&output);
    // On a busy machine it may hear of the signal too late.
    let words = match output.status.code() {
        Some(0) => " blocks, 0 were here before",
        Some(1) => " blocks were taken in, up to height ",
        _ => panic!("{said}"),
    };
    let taken = said
        .split_once(words)
        .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
    taken.unwrap_or_else(|| panic!("{said}"))
}
