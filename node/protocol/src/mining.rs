//! When to mine on what. The search itself is the driver's.

use std::sync::Arc;

use minichain_chain::store::{Store, StoreError};
use minichain_chain::template;

use crate::chain::Chain;
use crate::config::MiningConfig;
use crate::input::Now;
use crate::limits::TEMPLATE_INTERVAL_MS;
use crate::node::Node;
use crate::output::{Outbox, Output};

/// Why another template is wanted, the weaker reasons first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Want {
    /// None yet; one day the time in the header is too old.
    Fresh,
    /// The mempool changed: soon.
    Better,
    /// The tip changed or the work is done: at once.
    Other,
}

/// State of the node's own mining.
#[derive(Debug)]
pub(crate) struct Miner {
    config: Option<MiningConfig>,
    is_enabled: bool,
    /// When the present template was handed out; none: not mining.
    since_ms: Option<u64>,
    want: Want,
    /// Makes every template's coinbase another one.
    extra_nonce: u64,
    deadline_ms: Option<u64>,
}

impl Miner {
    /// Mines from the start if there is a configuration.
    pub fn new(config: Option<MiningConfig>, extra_nonce: u64) -> Self {
        let is_enabled = config.is_some();
        let (since_ms, deadline_ms) = (None, None);
        Self {
            config,
            is_enabled,
            since_ms,
            want: Want::Fresh,
            extra_nonce,
            deadline_ms,
        }
    }

    /// Whether a template is handed out.
    pub fn is_mining(&self) -> bool {
        self.since_ms.is_some()
    }

    pub fn switch(&mut self, is_enabled: bool) {
        self.is_enabled = is_enabled;
    }

    pub fn on_tip_changed(&mut self) {
        self.want = Want::Other;
    }

    pub fn on_solved(&mut self) {
        self.want = Want::Other;
    }

    pub fn on_mempool_changed(&mut self) {
        self.want = self.want.max(Want::Better);
    }

    /// When the template is to be looked at again.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.deadline_ms
    }

    /// When the template becomes due, in view of what is wanted.
    fn due_ms(&self, template_age_ms: u64) -> u64 {
        match (self.since_ms, self.want) {
            (None, _) | (_, Want::Other) => 0,
            (Some(since_ms), Want::Better) => since_ms + TEMPLATE_INTERVAL_MS,
            (Some(since_ms), Want::Fresh) => since_ms + template_age_ms,
        }
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Hands out a template if one is due, or takes it back.
    pub(crate) fn refresh_mining(&mut self, now: Now, out: &mut Outbox) -> Result<(), StoreError> {
        let is_behind = self.is_behind(now);
        let template_age_ms = self.timing.template_age_ms;
        let miner = &mut self.miner;
        miner.deadline_ms = None;
        let Some(config) = miner
            .config
            .as_ref()
            .filter(|_| miner.is_enabled && !is_behind)
        else {
            if miner.since_ms.take().is_some() {
                out.push(Output::StopMining);
            }
            return Ok(());
        };
        if miner.due_ms(template_age_ms) <= now.monotonic_ms {
            miner.extra_nonce = miner.extra_nonce.wrapping_add(1);
            let template = template::build(
                &self.state,
                &self.mempool,
                config.output_key,
                miner.extra_nonce,
                &config.tag,
                now.seconds(),
            );
            out.push(Output::Mine {
                template: Arc::new(template),
            });
            miner.since_ms = Some(now.monotonic_ms);
            miner.want = Want::Fresh;
        }
        miner.deadline_ms = Some(miner.due_ms(template_age_ms));
        Ok(())
    }
}
