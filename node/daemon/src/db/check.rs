//! Whether a stored chain is whole.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::coins::{Digest, DigestChange};
use minichain_chain::hash::BlockHash;
use minichain_chain::rules::block::check_form;
use minichain_chain::state::{FormedBlock, State, UtxoInfo};
use minichain_chain::store::{MemoryStore, Store, StoreError};
use serde::Serialize;

use super::import::{ImportError, Importer};
use super::{active_hashes, interrupted};
use crate::clock::Clock;
use crate::exit::Failure;
use crate::progress;
use crate::shutdown::Shutdown;
use crate::store::RedbStore;
use crate::verifier;

/// Problems that are told; where more are, the file is beyond repair anyway.
const PROBLEMS_MAX: usize = 100;
/// Folder for the replayed chain, inside the node's; removed at the end.
const REPLAY_DIR: &str = "replay.tmp";
const REPLAY_CACHE_BYTES: u64 = 32 << 20;
/// Coins hashed together.
const COINS_AT_ONCE: usize = 4_096;

/// What was looked at and what was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    headers: usize,
    blocks: usize,
    coins: u64,
    height: u32,
    tip: String,
    replayed: bool,
    problems: Vec<String>,
}

impl Report {
    /// Problems are an answer of "no".
    pub fn verdict(&self, data_dir: &Path) -> Result<(), Failure> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let file = data_dir.join(crate::store::FILE);
        Err(Failure::No(format!(
            "the chain in {} has problems; remove {} and fetch the chain again from peers, or \
             import it",
            data_dir.display(),
            file.display()
        )))
    }

    fn add(&mut self, problem: impl fmt::Display) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.to_string());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(formatter, "problem: {problem}")?;
        }
        let replayed = if self.replayed { ", replayed" } else { "" };
        write!(
            formatter,
            "checked {} headers, {} blocks, {} coins{replayed}: {} problems; the tip is {} at \
             height {}",
            self.headers,
            self.blocks,
            self.coins,
            self.problems.len(),
            self.tip,
            self.height
        )
    }
}

/// Looks at everything. An `Err` means that the check itself did not finish.
pub fn check(
    state: &State<RedbStore>,
    replay: bool,
    data_dir: &Path,
    shutdown: &Shutdown,
) -> Result<Report, Failure> {
    let mut report = Report {
        headers: state.tree().len(),
        height: state.tip().height.to_u32(),
        tip: state.tip().hash.to_string(),
        ..Report::default()
    };
    check_blocks(state, &mut report, shutdown)?;
    check_coins(state, &mut report);
    if report.problems.is_empty() {
        check_way_back(state, &mut report);
    }
    if replay && report.problems.is_empty() {
        check_replay(state, &mut report, data_dir, shutdown)?;
        report.replayed = true;
    }
    Ok(report)
}

/// Bodies fit their headers, and undo data the bodies.
fn check_blocks(
    state: &State<RedbStore>,
    report: &mut Report,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let bar = progress::bar("checking", state.tree().len() as u64, "headers");
    for entry in state.tree().iter() {
        if shutdown.is_requested() {
            return Err(interrupted("the check is not finished"));
        }
        bar.inc(1);
        if !entry.status.has_body() {
            continue;
        }
        report.blocks += 1;
        let looked = state.store().block(&entry.hash);
        match looked {
            Ok(Some(block)) => check_block(state, &entry.hash, &block, report),
            Ok(None) => report.add(format!("block {} is missing", entry.hash)),
            Err(error) => report.add(error),
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn check_block(
    state: &State<RedbStore>,
    hash: &BlockHash,
    block: &Arc<Block>,
    report: &mut Report,
) {
    if block.hash() != *hash {
        report.add(format!("block {hash} is stored as another one"));
        return;
    }
    let is_genesis = *hash == state.tree().genesis().hash;
    if !is_genesis {
        let weight_max = state.params().block_weight_max.into();
        if let Err(error) = check_form(block, weight_max) {
            report.add(format!("block {hash} does not fit its header: {error}"));
        }
    }
    if !state.is_active(hash) || is_genesis {
        return;
    }
    let spends = block.transactions.iter().skip(1);
    let inputs: usize = spends.map(|tx| tx.inputs.len()).sum();
    match state.store().undo(hash) {
        Ok(Some(undo)) if undo.spent.len() == inputs => {}
        Ok(Some(undo)) => report.add(format!(
            "undo data of block {hash} have {} coins for {inputs} inputs",
            undo.spent.len()
        )),
        Ok(None) => report.add(format!("undo data of block {hash} are missing")),
        Err(error) => report.add(error),
    }
}

/// Number, sum and digest of the coins are those kept beside the tip.
fn check_coins(state: &State<RedbStore>, report: &mut Report) {
    let mut digest = Digest::default();
    let mut waiting = Vec::with_capacity(COINS_AT_ONCE);
    let (mut count, mut total) = (0_u64, 0_u64);
    let bar = progress::bar("checking", state.coin_stats().count, "coins");
    let looked = state.store().each_coin(|outpoint, coin| {
        count += 1;
        total = total.saturating_add(coin.output.value.to_sat());
        waiting.push(DigestChange::coin_came(&outpoint, &coin));
        if waiting.len() >= COINS_AT_ONCE {
            bar.set_position(count);
            digest.add(state.verifier().digest(std::mem::take(&mut waiting)));
        }
    });
    digest.add(state.verifier().digest(waiting));
    bar.finish_and_clear();
    report.coins = count;
    if let Err(error) = looked {
        report.add(error);
        return;
    }
    let kept = state.coin_stats();
    if count != kept.count || total != kept.total.to_sat() {
        report.add(format!(
            "there are {count} coins worth {total} base units, but {} worth {} were counted",
            kept.count,
            kept.total.to_sat()
        ));
    } else if digest.finished().digest() != kept.muhash.finished().digest() {
        report.add("the digest of the coins is not the one kept beside the tip");
    }
}

/// Taking every block off leads back to the coins of the genesis block.
fn check_way_back(state: &State<RedbStore>, report: &mut Report) {
    let genesis = state.tree().genesis().hash;
    let _bar = progress::spinner("taking all blocks off again");
    let expected = State::open(state.params().clone(), MemoryStore::new());
    let (Ok(found), Ok(expected)) = (state.utxo_info_at(&genesis), expected) else {
        report.add("the blocks cannot be taken off again");
        return;
    };
    if found != Some(expected.utxo_info()) {
        report.add("taking all blocks off does not lead back to the genesis block's coins");
    }
}

/// A folder that goes with its owner.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed by the next replay.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Connects the active chain once more, in a store of its own.
fn check_replay(
    state: &State<RedbStore>,
    report: &mut Report,
    data_dir: &Path,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let scratch = Scratch(data_dir.join(REPLAY_DIR));
    let _ = std::fs::remove_dir_all(&scratch.0);
    let store = RedbStore::open(&scratch.0, REPLAY_CACHE_BYTES).map_err(Failure::world)?;
    let mut again = State::open_with(state.params().clone(), store, verifier::on_all_cores()?)
        .map_err(Failure::world)?;
    let hashes = active_hashes(state);
    let bar = progress::bar("replaying", hashes.len() as u64, "blocks");
    let mut importer = Importer::new(&mut again, Clock::default().now_s());
    for hash in hashes {
        if shutdown.is_requested() {
            return Err(interrupted("the check is not finished"));
        }
        bar.inc(1);
        let block = state.block(&hash).map_err(Failure::world)?;
        let Some(block) = block else {
            report.add(format!("block {hash} is missing"));
            return Ok(());
        };
        let block = FormedBlock::new(block, state.params());
        match importer.take(block) {
            Ok(()) => {}
            Err(ImportError::Store(error)) => return Err(broken(&scratch.0, &error)),
            Err(ImportError::Refused(why)) => {
                report.add(why);
                return Ok(());
            }
        }
    }
    importer
        .finish()
        .map_err(|error| broken(&scratch.0, &error))?;
    bar.finish_and_clear();
    let (found, kept): (UtxoInfo, UtxoInfo) = (again.utxo_info(), state.utxo_info());
    if found != kept {
        report.add("replaying all blocks leads to other coins");
    }
    Ok(())
}

fn broken(dir: &Path, error: &StoreError) -> Failure {
    Failure::world(crate::store::explain(dir, error))
}
