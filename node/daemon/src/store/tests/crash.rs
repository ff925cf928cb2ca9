//! A process killed in the middle of writing leaves the state of some commit.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const DIR_ENV: &str = "MINICHAIN_TEST_CRASH_DIR";

/// The batch that makes the store's state number `number`: one coin, one
/// header more, and a tip that says so.
fn nth(number: u32) -> Batch {
    let mut coins = BTreeMap::from([(outpoint(number), Some(coin(number)))]);
    if number > 0 {
        coins.insert(outpoint(number - 1), None);
    }
    Batch {
        headers: vec![stored_header(number, Status::Valid)],
        blocks: vec![(header(number).hash(), block(number))],
        coins,
        tip: Some(tip(number)),
        ..Batch::default()
    }
}

fn assert_is_state(store: &RedbStore, number: u32) {
    assert_eq!(store.headers().unwrap().len(), number as usize + 1);
    for earlier in 0..=number {
        assert!(
            store.block(&header(earlier).hash()).unwrap().is_some(),
            "block {earlier}"
        );
        let coin = store.coin(&outpoint(earlier)).unwrap();
        assert_eq!(
            coin.is_some(),
            earlier == number,
            "coin {earlier} at state {number}"
        );
    }
    assert_eq!(store.block(&header(number + 1).hash()).unwrap(), None);
}

/// The other side of the test below; alone it does nothing.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR_ENV) else {
        return;
    };
    let mut store = open(Path::new(&dir));
    let first = store
        .tip()
        .unwrap()
        .map_or(0, |tip| u32::try_from(tip.utxo_count).unwrap() + 1);
    for number in first.. {
        store.apply(nth(number)).unwrap();
        store.commit().unwrap();
        println!("committed {number}");
    }
}

#[test]
fn killed_writer_leaves_a_whole_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut reached = 0;
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "store::tests::crash::child_writes_until_it_is_killed",
                "--exact",
                "--nocapture",
            ])
            .env(DIR_ENV, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Other rounds stop after other numbers of commits.
        let committed: Vec<u32> = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("committed ")?.parse().ok())
            .take(3 * round)
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let last = *committed.last().expect("the child commits");
        let store = open(dir.path());
        let found = u32::try_from(store.tip().unwrap().unwrap().utxo_count).unwrap();
        assert!(found >= last, "commit {last} was reported and is lost");
        assert!(found >= reached);
        assert_is_state(&store, found);
        reached = found;
    }
}
