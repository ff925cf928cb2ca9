//! Blocks without a parent, and whether they were settled in time.
//!
//! A node asks the sender for what leads to such a block. Peers tell of the
//! branch they are on; one that lost before they were asked nobody tells any
//! more, and nobody needs it.

use minichain_chain::hash::BlockHash;
use minichain_chain::pow::CompactTarget;
use minichain_chain::state::State;

use super::World;
use super::host::Condition;
use crate::archive::NodeStore;
use crate::check::Rule;

impl World {
    /// An orphan's time is up: its parent is known, or the node has found a
    /// branch of as much work, or whoever sent it has gone or could not be asked.
    pub(super) fn on_orphan_due(&mut self, number: u32) {
        let Some(orphan) = self.checks.take_orphan(number) else {
            return;
        };
        let host = &self.hosts[orphan.place];
        let link = &self.conns[orphan.conn as usize];
        let end = link.end_of(orphan.place);
        let could_ask = link.open[end] && self.cables[orphan.conn as usize].mark == orphan.mark;
        let Some(node) = host.node.as_ref().filter(|_| could_ask) else {
            return;
        };
        // What is too far ahead of its clock a node drops, and asks again later.
        let missing = self.archive.block(&orphan.missing);
        let clock = host.clock(self.epoch_ms, self.now).seconds();
        let latest = clock.saturating_add(self.params.future_limit_s);
        if missing.is_some_and(|block| block.header.time > latest) {
            return;
        }
        let is_up = self.ports[orphan.place].condition == Condition::Up;
        let is_unknown = !node.state().tree().contains(&orphan.missing);
        if is_up && is_unknown && self.is_heavier(&orphan.hash, node.state()) {
            let what = format!(
                "the parent {} of {} is not known after {} s",
                orphan.missing,
                orphan.hash,
                self.checks.orphan_patience() / crate::queue::SECOND
            );
            self.violated(orphan.place, Rule::Orphan, what);
        }
    }

    /// Whether the branch that ends with this block has more work than the tip;
    /// also where nobody can tell.
    fn is_heavier(&self, hash: &BlockHash, state: &State<NodeStore>) -> bool {
        let (mut at, mut above) = (*hash, Vec::new());
        let base = loop {
            if let Some(entry) = state.tree().get(&at) {
                break entry.chainwork;
            }
            let Some(block) = self.archive.block(&at) else {
                return true;
            };
            above.push(block.header.bits);
            at = block.header.previous;
        };
        let targets = above.into_iter().flat_map(CompactTarget::to_target);
        let work = targets.fold(base, |sum, target| sum + target.work());
        work > state.tip().chainwork
    }
}
