//! What nodes look like after something was done to them, and whether that is
//! what it should have done. Judging is pure; looking is in the room beside.

use std::collections::BTreeMap;

use devnet_blueprint::NodeState;

use super::Finding;
use crate::engine::Vitals;
use crate::probe::{NodeFacts, Round, Silence};

/// Vital signs by node.
pub type Signs = BTreeMap<String, Vitals>;

/// A node's answer, or why there was none.
pub type Heard<'a> = Option<&'a Result<NodeFacts, Silence>>;

/// The answer of a node in a round.
pub fn heard<'a>(round: &'a Round, node: &str) -> Heard<'a> {
    round.nodes.get(node)
}

/// A node that was to end: its process is gone, and nobody answers.
pub fn gone(
    node: &str,
    before: Option<&Vitals>,
    after: Option<&Vitals>,
    heard: Heard<'_>,
) -> Finding {
    let process = |signs: Option<&Vitals>| {
        signs
            .and_then(|signs| signs.pid)
            .map_or_else(|| "its process".to_owned(), |pid| format!("process {pid}"))
    };
    let mut objections = Vec::new();
    if let Some(signs) = after
        && is_alive(signs)
    {
        objections.push(format!("{node}: {} still lives", process(after)));
    }
    if let Some(Ok(facts)) = heard {
        let height = facts.chain.blocks;
        objections.push(format!("{node} still answers RPC, at height {height}"));
    }
    let was = match before {
        Some(signs) if is_alive(signs) => format!("{} is gone", process(before)),
        _ => "it did not run".to_owned(),
    };
    Finding {
        said: format!("{node}: {was}, its RPC is silent"),
        objections,
    }
}

/// A node that was to freeze: its process is there and still, and its RPC does
/// not answer.
pub fn frozen(node: &str, after: Option<&Vitals>, heard: Heard<'_>) -> Finding {
    let mut objections = Vec::new();
    match after.map(|signs| signs.state) {
        Some(NodeState::Paused) => {}
        Some(state) => objections.push(format!("{node} is not frozen but {}", lower(state))),
        None => objections.push(format!("{node} does not exist")),
    }
    if let Some(Ok(facts)) = heard {
        let height = facts.chain.blocks;
        objections.push(format!("{node} still answers RPC, at height {height}"));
    }
    let silence = match heard {
        Some(Err(silence)) => silence.0.clone(),
        _ => "answers".to_owned(),
    };
    let pid = after.and_then(|signs| signs.pid);
    let process = pid.map_or_else(|| "its process".to_owned(), |pid| format!("process {pid}"));
    Finding {
        said: format!("{node}: {process} stands still, its RPC {silence}"),
        objections,
    }
}

/// A node that was to run: it answers.
pub fn alive(node: &str, after: Option<&Vitals>, heard: Heard<'_>) -> Finding {
    match heard {
        Some(Ok(facts)) => Finding::well(format!(
            "{node} answers RPC at height {}",
            facts.chain.blocks
        )),
        Some(Err(silence)) => {
            let why = match after.map(|signs| signs.state) {
                Some(NodeState::Running) => silence.0.clone(),
                Some(state) => format!("is {}", lower(state)),
                None => "does not exist".to_owned(),
            };
            Finding::of(format!("{node} {why}"), Some(format!("{node} {why}")))
        }
        None => Finding::of(
            format!("{node} was not asked"),
            Some(format!("{node} was not asked")),
        ),
    }
}

/// A node that was to run as another process than before.
pub fn renewed(
    node: &str,
    before: Option<&Vitals>,
    after: Option<&Vitals>,
    heard: Heard<'_>,
) -> Finding {
    let mut finding = alive(node, after, heard);
    let life = |signs: Option<&Vitals>| signs.map(|signs| (signs.pid, signs.life));
    let was_alive = before.is_some_and(is_alive);
    if was_alive && life(before) == life(after) {
        finding
            .objections
            .push(format!("{node} still runs as the process of before"));
    }
    if let Some(pid) = after.and_then(|signs| signs.pid) {
        finding.said = format!("{} as new process {pid}", finding.said);
    }
    finding
}

/// A node whose data was emptied: it began at genesis. `ready` is the height it
/// said to be at when it began, `first` the height of its first answer.
pub fn emptied(
    node: &str,
    before: Option<u32>,
    ready: Option<u32>,
    first: Option<u32>,
    now: Option<u32>,
) -> Finding {
    let height = |height: Option<u32>| height.map_or_else(|| "none".to_owned(), |h| h.to_string());
    let lost = match before {
        Some(height) => format!("{node}: its chain of height {height} is gone"),
        None => format!("{node}: its data is gone"),
    };
    let began = ready.or(first);
    let objection = match (ready, first) {
        (Some(0), _) => None,
        (Some(kept), _) => Some(format!("{node} began at height {kept}, not at genesis")),
        (None, Some(first)) if before.is_none_or(|before| first < before || before == 0) => None,
        (None, Some(first)) => Some(format!(
            "{node} was never seen at genesis: its first answer was of height {first}"
        )),
        (None, None) => Some(format!("{node} did not come back")),
    };
    Finding::of(
        format!(
            "{lost}, it began at height {} and is at {} now",
            height(began),
            height(now)
        ),
        objection,
    )
}

/// A node whose store was damaged: it refuses the store in clear words, or it
/// survives. `last` are the last lines of its log.
pub fn damaged(node: &str, after: Option<&Vitals>, heard: Heard<'_>, last: &[String]) -> Finding {
    if let Some(Ok(facts)) = heard {
        let height = facts.chain.blocks;
        return Finding::well(format!(
            "{node} survives its damaged store: it answers at height {height}"
        ));
    }
    let ended = after.is_none_or(|signs| !is_alive(signs));
    let clear = last
        .iter()
        .rev()
        .find(|line| line.to_ascii_lowercase().contains("corrupt"));
    match (ended, clear) {
        (true, Some(line)) => {
            Finding::well(format!("{node} refuses its damaged store: {}", line.trim()))
        }
        (true, None) => {
            let said = last.last().map_or("nothing", |line| line.trim());
            let text = format!("{node} ended without a word about its store; it said: {said}");
            Finding::of(text.clone(), Some(text))
        }
        (false, _) => {
            let text = format!("{node} neither answers nor refuses its damaged store");
            Finding::of(text.clone(), Some(text))
        }
    }
}

/// Whether a process is there, frozen or not.
pub const fn is_alive(signs: &Vitals) -> bool {
    matches!(signs.state, NodeState::Running | NodeState::Paused)
}

/// The height in the line with which a node says that it is ready.
pub fn height_when_ready(lines: &[String]) -> Option<u32> {
    let line = lines.iter().rev().find(|line| line.contains(": ready "))?;
    let mut words = line.split_whitespace();
    words.find_map(|word| word.strip_prefix("height=")?.parse().ok())
}

/// The lines of `after` that were not there before; both are the last lines of
/// one log, at two times.
pub fn new_lines(before: &[String], mut after: Vec<String>) -> Vec<String> {
    let known = (0..=before.len())
        .map(|at| &before[at..])
        .find(|kept| after.starts_with(kept))
        .map_or(0, <[String]>::len);
    after.split_off(known)
}

fn lower(state: NodeState) -> String {
    format!("{state:?}").to_lowercase()
}
