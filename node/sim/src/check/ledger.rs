//! The second ledger: what each connected block makes and spends.

use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::transaction::OutPoint;

use super::{Checks, Page, Rule};
use crate::archive::Archive;

impl Checks {
    /// Enters a block that was connected; tells what is wrong with it.
    pub(super) fn enter(
        &mut self,
        block: &Block,
        hash: BlockHash,
        archive: &Archive,
    ) -> Vec<(Rule, String)> {
        let mut broken = Vec::new();
        let parent = block.header.previous;
        if self.pages.contains_key(&hash) {
            return broken;
        }
        let Some(below) = self.pages.get(&parent) else {
            return vec![(Rule::Coins, format!("{hash} connected before its parent"))];
        };
        let (height, total, lost) = (below.height + 1, below.total_sats, below.lost_sats);
        let mut coins = below.coins;
        let mut spent = 0_u64;
        let (mut made, count) = self.enter_outputs(block, hash, height);
        coins += count;
        for input in block
            .transactions
            .iter()
            .skip(1)
            .flat_map(|one| &one.inputs)
        {
            match self.spend(input.previous_output, hash, height, archive) {
                Ok(sats) => {
                    spent += sats;
                    coins = coins.saturating_sub(1);
                }
                Err(what) => broken.push((Rule::Coins, what)),
            }
        }
        let subsidy = self.params.subsidy(Height(height)).to_sat();
        if made > spent.saturating_add(subsidy) {
            let what = format!("{hash} makes {made} of {spent} and a subsidy of {subsidy}");
            broken.push((Rule::Supply, what));
            made = spent.saturating_add(subsidy);
        }
        let page = Page {
            height,
            total_sats: (total + made).saturating_sub(spent),
            lost_sats: lost + (spent + subsidy - made),
            coins,
        };
        self.pages.insert(hash, page);
        broken
    }

    /// Enters what a block makes; returns the sum and the number.
    pub(super) fn enter_outputs(
        &mut self,
        block: &Block,
        hash: BlockHash,
        height: u32,
    ) -> (u64, u64) {
        let (mut sum, mut count) = (0, 0);
        for (index, transaction) in block.transactions.iter().enumerate() {
            let txid = transaction.txid();
            for (vout, output) in (0..).zip(&transaction.outputs) {
                if output.script_pubkey.is_op_return() {
                    continue;
                }
                let line = self.lines.entry(OutPoint { txid, vout }).or_default();
                line.sats = output.value.to_sat();
                line.is_coinbase = index == 0 && height > 0;
                line.made_in.push(hash);
                sum += line.sats;
                count += 1;
            }
        }
        (sum, count)
    }

    /// Takes an output for a block that stands on its maker.
    fn spend(
        &mut self,
        outpoint: OutPoint,
        hash: BlockHash,
        height: u32,
        archive: &Archive,
    ) -> Result<u64, String> {
        let is_below = |one: &&BlockHash| archive.is_ancestor(one, &hash);
        let line = self.lines.get_mut(&outpoint);
        let line = line.ok_or_else(|| format!("{hash} spends {outpoint:?}, which nobody made"))?;
        let maker = line.made_in.iter().find(is_below);
        let maker = maker.ok_or_else(|| format!("{hash} spends {outpoint:?} of another branch"))?;
        if let Some(other) = line.spent_in.iter().find(is_below) {
            return Err(format!("{hash} spends {outpoint:?}, which {other} spent"));
        }
        let made_at = archive.place(maker).map_or(0, |(_, height)| height.0);
        let age = height.saturating_sub(made_at);
        if line.is_coinbase && age < self.params.coinbase_maturity {
            return Err(format!("{hash} spends {outpoint:?} after {age} blocks"));
        }
        line.spent_in.push(hash);
        Ok(line.sats)
    }
}
