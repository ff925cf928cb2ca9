//! Our table in nf_tables: written as a whole, read back as rules.
//!
//! In `nft`'s words, with a cut of one sender and a loss of another:
//!
//! ```text
//! table ip devnet {
//!     chain arriving {
//!         type filter hook input priority filter; policy accept;
//!         ip saddr 10.0.0.2 counter drop
//!         ip saddr 10.0.0.3 numgen random mod 1000000 < 250000 counter drop
//!         ip saddr 10.0.0.3 counter accept
//!     }
//! }
//! ```
//!
//! Only arriving packets are looked at, so each direction of a link is filtered
//! at its end, and what the host sends is never touched.

mod expression;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use devnet_netfault::wire::{Failure, Packets, Rules, SENDERS_MAX, State, Why};
use rustix::io::Errno;

use crate::message::Writer;
use crate::netlink::{Batch, ask, explain};
use expression::{Fate, Line};

const TABLE: &str = "devnet";
const CHAIN: &str = "arriving";

const NEW_TABLE: u16 = 0;
const GET_TABLE: u16 = 1;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const GET_RULE: u16 = 7;

const FLAG_CREATE: u16 = 0x400;
const FLAG_APPEND: u16 = 0x800;

const TABLE_NAME: u16 = 1;
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_POLICY: u16 = 5;
const CHAIN_TYPE: u16 = 7;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;

const HOOK_INPUT: u32 = 1;
const PRIORITY_FILTER: u32 = 0;
const POLICY_ACCEPT: u32 = 1;

/// A table that changes while it is read is read anew so often.
const READS_MAX: u32 = 5;

/// Puts `rules` in force in place of all of ours.
///
/// # Errors
/// The rules go beyond a bound, or the kernel refuses; nothing has changed.
pub fn apply(rules: &Rules) -> Result<(), Failure> {
    let lines = lines(rules)?;
    let mut batch = Batch::new();
    // Deleting needs something to delete.
    batch.change(NEW_TABLE, FLAG_CREATE, table_name);
    batch.change(DELETE_TABLE, 0, table_name);
    if !lines.is_empty() {
        batch.change(NEW_TABLE, FLAG_CREATE, table_name);
        batch.change(NEW_CHAIN, FLAG_CREATE, chain);
        for line in &lines {
            batch.change(NEW_RULE, FLAG_CREATE | FLAG_APPEND, |writer| {
                writer.text(RULE_TABLE, TABLE);
                writer.text(RULE_CHAIN, CHAIN);
                expression::write(writer, line);
            });
        }
    }
    let commit = batch.commit();
    commit.map_err(|error| explain("setting the packet filter", error))
}

/// What is in force.
///
/// # Errors
/// The kernel refuses, or our table holds what we did not put there.
pub fn read() -> Result<State, Failure> {
    for _ in 0..READS_MAX {
        match read_once() {
            Err(error) if error == Reading::Refused(Errno::INTR) => {}
            Err(Reading::Refused(error)) => {
                return Err(explain("reading the packet filter", error));
            }
            Err(Reading::Foreign) => {
                let detail =
                    format!("the nf_tables table `ip {TABLE}` holds a rule that was not made here");
                return Err(Failure::new(Why::Foreign, detail));
            }
            Ok(state) => return Ok(state),
        }
    }
    let detail = "the packet filter is being changed by somebody else all the time";
    Err(Failure::new(Why::Kernel, detail))
}

#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Refused(Errno),
    Foreign,
}

fn read_once() -> Result<State, Reading> {
    match ask(GET_TABLE, false, table_name, |_| {}) {
        Err(Errno::NOENT) => return Ok(State::default()),
        outcome => outcome.map_err(Reading::Refused)?,
    }
    let mut lines = Vec::new();
    let of_table = |writer: &mut Writer| writer.text(RULE_TABLE, TABLE);
    ask(GET_RULE, true, of_table, |message| {
        let attributes = message.attributes();
        // Older kernels do not narrow a dump down to one table.
        if attributes.is_text(RULE_TABLE, TABLE) {
            lines.push(expression::read(attributes));
        }
    })
    .map_err(Reading::Refused)?;
    let lines: Option<Vec<Line>> = lines.into_iter().collect();
    lines.map(state).ok_or(Reading::Foreign)
}

fn table_name(writer: &mut Writer) {
    writer.text(TABLE_NAME, TABLE);
}

fn chain(writer: &mut Writer) {
    writer.text(CHAIN_TABLE, TABLE);
    writer.text(CHAIN_NAME, CHAIN);
    writer.nested(CHAIN_HOOK, |writer| {
        writer.number(HOOK_NUMBER, HOOK_INPUT);
        writer.number(HOOK_PRIORITY, PRIORITY_FILTER);
    });
    writer.number(CHAIN_POLICY, POLICY_ACCEPT);
    writer.text(CHAIN_TYPE, "filter");
}

/// One line of the chain for each drop and each count, by sender.
fn lines(rules: &Rules) -> Result<Vec<Line>, Failure> {
    let counted: BTreeSet<Ipv4Addr> = rules.counted.iter().copied().collect();
    let senders: BTreeSet<Ipv4Addr> = rules.drops.keys().chain(&counted).copied().collect();
    if senders.len() > SENDERS_MAX {
        let detail = format!(
            "{} senders in one filter; at most {SENDERS_MAX} are possible",
            senders.len()
        );
        return Err(Failure::new(Why::BadCommand, detail));
    }
    let mut lines = Vec::new();
    for sender in senders {
        let line = |fate| Line {
            sender,
            fate,
            packets: 0,
        };
        if let Some(share) = rules.drops.get(&sender) {
            lines.extend(expression::drop_of(*share, sender)?.map(line));
        }
        if counted.contains(&sender) {
            lines.push(line(Fate::Pass));
        }
    }
    Ok(lines)
}

fn state(lines: Vec<Line>) -> State {
    let mut rules = Rules::default();
    let mut state = State::default();
    for line in lines {
        let packets: &mut Packets = state.packets.entry(line.sender).or_default();
        match line.fate {
            Fate::Pass => {
                packets.passed = line.packets;
                rules.counted.push(line.sender);
            }
            Fate::Drop { millionths } => {
                packets.dropped = line.packets;
                rules
                    .drops
                    .insert(line.sender, expression::share(millionths));
            }
        }
    }
    state.rules = Some(rules);
    state
}

#[cfg(test)]
mod tests;
