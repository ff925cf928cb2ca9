//! Payments and steady loads on a simulated network, from the same accounts and
//! coins as on a live one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use devnet_blueprint::Blueprint;
use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Load, Outcome, Transfer};
use minichain_chain::codec::decode;
use minichain_chain::hash::Txid;
use minichain_chain::hex;
use minichain_chain::params::Params;
use minichain_chain::transaction::{OutPoint, Transaction};
use minichain_sim::queue::{Micros, SECOND};

use super::net::Net;
use crate::run::payments::load::{PAYMENT_SATS, Tally};
use crate::run::payments::purse::{Draft, Purse};
use crate::run::payments::{Sent, judge, load_began, split_for_bare, transferred};

/// Between two looks at whether split coins are confirmed.
const POLL_MS: u64 = 100;

/// Who pays, and what runs in the background.
#[derive(Default)]
pub struct Payments {
    purse: Purse,
    loads: BTreeMap<String, Running>,
}

/// A load under way.
struct Running {
    load: Load,
    began: Micros,
    began_ms: u64,
    period: Micros,
    tally: Tally,
    turns: Vec<Turn>,
}

/// One node's part of a load.
struct Turn {
    via: NodeName,
    next: Micros,
    /// A payment that was handed over without an answer; it may be in the
    /// node's mempool, so nothing else may spend its coins.
    open: Option<Draft>,
}

/// Coins that were split for nodes and are not confirmed on all of them yet.
#[derive(Clone, Debug)]
pub struct Funding {
    split: OutPoint,
    homes: Vec<NodeName>,
}

impl Payments {
    /// The accounts of a network with their coins in its genesis block.
    pub fn new(blueprint: &Blueprint, params: &Params) -> Self {
        let block = params.genesis_block();
        let purse = blueprint.genesis.as_ref();
        Self {
            purse: purse.map_or_else(Purse::default, |file| Purse::of_genesis(file, &block)),
            loads: BTreeMap::new(),
        }
    }

    /// When the next payment of a load is due.
    pub fn next_at(&self) -> Option<Micros> {
        let turns = self.loads.values().flat_map(|load| &load.turns);
        turns.map(|turn| turn.next).min()
    }
}

impl Net {
    /// Splits the coins of accounts so that every node has its own, and lets
    /// them be confirmed on every node.
    ///
    /// # Errors
    /// Says which account or node it failed on.
    pub fn prefund(&mut self, accounts: &[String], patience_ms: u64) -> Result<(), String> {
        let homes = self.roster();
        let mut open = Vec::new();
        for account in accounts {
            open.extend(self.fund(account, &homes)?);
        }
        let end_ms = self.now_ms() + patience_ms;
        loop {
            open.retain(|funding| !self.is_funded(funding));
            if open.is_empty() {
                return Ok(());
            }
            if self.now_ms() >= end_ms {
                return Err(format!(
                    "the coins of {} were not split and confirmed on every node within {} s",
                    accounts.join(", "),
                    patience_ms / 1_000
                ));
            }
            self.run_until_ms(self.now_ms() + POLL_MS);
        }
    }

    /// Splits coins of an account for those of `homes` that have none.
    fn fund(&mut self, account: &str, homes: &[NodeName]) -> Result<Option<Funding>, String> {
        let split = split_for_bare(&mut self.payments.purse, account, homes)?;
        let Some((draft, bare)) = split else {
            return Ok(None);
        };
        let txid: Txid = draft.txid.parse().map_err(|_| "a split has no id")?;
        let mut failure = "no node runs".to_owned();
        for home in &bare {
            match self.send(home, &draft) {
                Sent::Accepted => {
                    self.payments.purse.accepted(draft);
                    let split = OutPoint { txid, vout: 0 };
                    return Ok(Some(Funding { split, homes: bare }));
                }
                sent => failure = sent.spell(home),
            }
        }
        self.payments.purse.refused(draft);
        Err(format!("cannot split coins of {account}: {failure}"))
    }

    /// Whether split coins can be spent on every node they are for.
    pub(super) fn is_funded(&self, funding: &Funding) -> bool {
        let has_it = |home: &NodeName| {
            let node = self.place(home).and_then(|place| self.world.node(place));
            node.is_some_and(|node| {
                let coin = node.state().coin(&funding.split);
                coin.is_ok_and(|coin| coin.is_some())
            })
        };
        funding.homes.iter().all(has_it)
    }

    /// Sends one payment.
    pub(super) fn transfer(&mut self, transfer: &Transfer) -> Outcome {
        let Transfer {
            from,
            to,
            sats,
            via,
        } = transfer;
        let draft = match self.payments.purse.pay(from, to, *sats, via) {
            Ok(draft) => draft,
            Err(error) => {
                let why = format!("cannot pay: {error}");
                return Outcome::Failed { why };
            }
        };
        let sent = self.send(via, &draft);
        let now_ms = self.now_ms();
        transferred(transfer, &mut self.payments.purse, draft, &sent, now_ms)
    }

    /// Prepares a load; what is to be waited for before it can run, if anything.
    pub(super) fn prepare_load(&mut self, load: &Load) -> Result<Option<Funding>, String> {
        if self.payments.loads.contains_key(&load.name) {
            return Err(format!("a load called `{}` runs already", load.name));
        }
        self.fund(&load.from, &load.via)
    }

    /// Starts a load whose coins are there.
    pub(super) fn start_load(&mut self, load: &Load) {
        let turn = period(load.rate, 1);
        let now = self.world.now();
        let via = load.via.iter().zip(0..);
        let turns = via.map(|(via, number)| Turn {
            via: via.clone(),
            next: now + turn * number,
            open: None,
        });
        let running = Running {
            turns: turns.collect(),
            period: period(load.rate, load.via.len()),
            load: load.clone(),
            began: now,
            began_ms: self.now_ms(),
            tally: Tally::default(),
        };
        self.payments.loads.insert(load.name.clone(), running);
        self.pay();
    }

    /// What a load that began says once its first payment was accepted.
    pub(super) fn load_began(&self, name: &str) -> Option<Outcome> {
        let running = self.payments.loads.get(name)?;
        let has_paid = running.tally.accepted > 0;
        has_paid.then(|| load_began(&running.load, self.now_ms()))
    }

    /// Stops a load and tells what it sent.
    pub(super) fn stop_load(&mut self, name: &str) -> Outcome {
        let Some(mut running) = self.payments.loads.remove(name) else {
            let why = format!("there is no load called `{name}`");
            return Outcome::Failed { why };
        };
        let elapsed = Duration::from_micros(self.world.now() - running.began);
        let (load, began_ms) = (&running.load, running.began_ms);
        running.tally.outcome(load, began_ms, elapsed)
    }

    /// Makes the payments of loads that are due.
    pub(super) fn pay(&mut self) {
        let now = self.world.now();
        let mut loads = std::mem::take(&mut self.payments.loads);
        for running in loads.values_mut() {
            for at in 0..running.turns.len() {
                if running.turns[at].next <= now {
                    self.take_turn(running, at);
                    running.turns[at].next = now + running.period;
                }
            }
        }
        self.payments.loads = loads;
        self.hear();
    }

    fn take_turn(&mut self, running: &mut Running, at: usize) {
        let (load, tally) = (&running.load, &mut running.tally);
        let turn = &mut running.turns[at];
        let purse = &mut self.payments.purse;
        let draft = match turn.open.take() {
            Some(draft) => draft,
            None => match purse.pay(&load.from, &load.to, PAYMENT_SATS, &turn.via) {
                Ok(draft) => draft,
                Err(_) => {
                    tally.starved += 1;
                    return;
                }
            },
        };
        let sent = self.send(&turn.via, &draft);
        turn.open = tally.heard(sent, draft, &mut self.payments.purse);
    }

    /// Hands a payment to a node.
    fn send(&mut self, via: &str, draft: &Draft) -> Sent {
        let Some(place) = self.place(via) else {
            let why = "is not part of the network".to_owned();
            return Sent::Unanswered { why };
        };
        let decoded = hex::decode(&draft.hex).ok();
        let Some(transaction) = decoded.and_then(|bytes| decode::<Transaction>(&bytes).ok()) else {
            let why = "was handed bytes that are no transaction".to_owned();
            return Sent::Unanswered { why };
        };
        match self.world.submit(place, Arc::new(transaction)) {
            Some(Ok(())) => Sent::Accepted,
            Some(Err((rule, why))) => judge(0, format!("{rule}: {why}")),
            None => {
                let why = "does not run".to_owned();
                Sent::Unanswered { why }
            }
        }
    }
}

/// Time between two payments of one of so many nodes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "rates are clamped"
)]
fn period(rate: f64, nodes: usize) -> Micros {
    let seconds = nodes as f64 / rate.clamp(0.001, 100_000.0);
    ((seconds * SECOND as f64) as Micros).max(1)
}
