//! One line for each action.

use crate::action::{Action, Removal};

/// What is to be done, in the imperative: `start miner-0`.
pub fn explain(action: &Action) -> String {
    phrase(action, Tense::ToDo)
}

/// What was done: `started miner-0`.
pub fn done(action: &Action) -> String {
    phrase(action, Tense::Done)
}

#[derive(Clone, Copy)]
enum Tense {
    ToDo,
    Done,
}

fn phrase(action: &Action, tense: Tense) -> String {
    let verb = |to_do: &'static str, done: &'static str| match tense {
        Tense::ToDo => to_do,
        Tense::Done => done,
    };
    match action {
        Action::SaveState => format!("{} the plan to the state folder", verb("save", "saved")),
        Action::RemoveState => format!("{} the state folder", verb("remove", "removed")),
        Action::CreateNetwork => format!("{} the network", verb("create", "created")),
        Action::RemoveNetwork { id } => {
            format!("{} the network {}", verb("remove", "removed"), short(id))
        }
        Action::CreateVolume { node } => {
            format!("{} the data volume of {node}", verb("create", "created"))
        }
        Action::RemoveVolume { volume } => {
            format!("{} the data volume {volume}", verb("remove", "removed"))
        }
        Action::CreateNode { node } => format!("{} {node}", verb("create", "created")),
        Action::StartNode { node } => format!("{} {node}", verb("start", "started")),
        Action::UnpauseNode { node } => format!("{} {node}", verb("unpause", "unpaused")),
        Action::RemoveNode { node, reason, .. } => {
            format!("{} {node}{}", verb("remove", "removed"), because(*reason))
        }
    }
}

fn because(reason: Removal) -> &'static str {
    match reason {
        Removal::Unwanted => "",
        Removal::Drifted => " (its plan has changed)",
        Removal::Dead => " (it cannot be started again)",
        Removal::Duplicate => " (there is another of that name)",
        Removal::Rehoused => " (its network or volume is made anew)",
    }
}

/// An engine's long hexadecimal ids as engines print them; names in full.
fn short(id: &str) -> &str {
    let is_long_hex = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if is_long_hex { &id[..12] } else { id }
}
