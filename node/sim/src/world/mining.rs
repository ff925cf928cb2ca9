//! Who finds a block when.

use std::sync::Arc;

use minichain_chain::pow::Chainwork;
use minichain_chain::template::Template;
use minichain_protocol::input::Input;

use super::World;
use super::due::Due;
use super::host::Condition;
use crate::link::to_micros;
use crate::queue::Micros;

impl World {
    /// The node's miner gets other work, or none.
    pub(super) fn mine(&mut self, place: usize, template: Option<Arc<Template>>) {
        let now = self.now;
        self.use_luck(place);
        let miner = &mut self.hosts[place].miner;
        if let Some(template) = &template {
            miner.work = expected_hashes(template.target.work());
        }
        miner.template = template;
        miner.since = now;
        self.plan_found(place);
    }

    /// Takes the luck away that was hashed for since the last change.
    pub(super) fn use_luck(&mut self, place: usize) {
        let is_up = self.ports[place].condition == Condition::Up;
        let host = &mut self.hosts[place];
        if host.miner.template.is_some() && is_up {
            let hashed = self.now.saturating_sub(host.miner.since);
            host.miner.luck -= blocks_in(hashed, host.setup.hash_rate, host.miner.work);
            host.miner.luck = host.miner.luck.max(0.0);
        }
        host.miner.since = self.now;
    }

    /// Sees to it that the find is in the queue.
    pub(super) fn plan_found(&mut self, place: usize) {
        let now = self.now;
        let is_up = self.ports[place].condition == Condition::Up;
        let host = &mut self.hosts[place];
        let miner = &mut host.miner;
        miner.found_at = None;
        if miner.template.is_none() || host.setup.hash_rate == 0 || !is_up {
            return;
        }
        let wait = time_for(miner.luck, host.setup.hash_rate, miner.work);
        let at = now.saturating_add(wait);
        miner.found_at = Some(at);
        // A later one in the queue is found to be late when its time comes.
        if miner.found_queued.is_none_or(|queued| at < queued) {
            miner.found_queued = Some(at);
            self.queue.push(at, Due::Found(number(place)));
        }
    }

    pub(super) fn on_found(&mut self, place: usize) {
        let now = self.now;
        let host = &mut self.hosts[place];
        let miner = &mut host.miner;
        if miner.found_queued != Some(now) {
            return;
        }
        miner.found_queued = None;
        let Some(at) = miner.found_at else {
            return;
        };
        if at > now {
            miner.found_queued = Some(at);
            self.queue.push(at, Due::Found(number(place)));
            return;
        }
        let Some(template) = miner.template.take() else {
            return;
        };
        miner.found_at = None;
        miner.luck = miner.chance.exponential();
        miner.blocks += 1;
        let nonce = miner.blocks;
        // A miner rolls the time of its template forward while it searches.
        let clock = host.clock(self.epoch_ms, now).seconds();
        let mut block = template.block.clone();
        block.header.time = block.header.time.max(clock);
        block.header.nonce = nonce;
        let block = Arc::new(block);
        self.feed(place, Input::BlockMined { block });
    }
}

pub(super) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn expected_hashes(work: Chainwork) -> f64 {
    work.to_f64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates and times need no 53 bits"
)]
fn blocks_in(time: Micros, hash_rate: u64, work: f64) -> f64 {
    time as f64 * 1e-6 * hash_rate as f64 / work
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates and times need no 53 bits"
)]
fn time_for(blocks: f64, hash_rate: u64, work: f64) -> Micros {
    to_micros(blocks * work / hash_rate as f64 * 1e6)
}
