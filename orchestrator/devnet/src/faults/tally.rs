//! How often what happened to faults in the life of a network: counts beside
//! the intent, for whoever watches the network from outside.

use std::collections::BTreeMap;

use devnet_blueprint::metric::FAULT_EVENTS;
use devnet_scenario::fault::{Fault, NodeFault};
use devnet_scenario::links::Condition;
use devnet_scenario::world::Outcome;
use serde::{Deserialize, Serialize};

use super::intent::Active;
use crate::exit::Failure;
use crate::state::NetworkFolder;

/// Counts by kind and event, words of `devnet_blueprint::metric`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(BTreeMap<String, BTreeMap<String, u64>>);

impl Tally {
    /// The counts of a network; a file that cannot be read counts as none, for
    /// it is no reason to refuse a fault.
    pub fn load(folder: &NetworkFolder) -> Self {
        folder.read_tally().ok().flatten().unwrap_or_default()
    }

    /// How often that event befell faults of that kind.
    pub fn of(&self, kind: &str, event: &str) -> u64 {
        let events = self.0.get(kind);
        events
            .and_then(|events| events.get(event))
            .copied()
            .unwrap_or(0)
    }

    fn count(&mut self, fault: &Fault, event: &str) {
        for kind in kinds(fault) {
            let events = self.0.entry(kind.to_owned()).or_default();
            let count = events.entry(event.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }
}

/// Counts how inflicting a fault ended.
pub(super) fn inflicted(
    folder: &NetworkFolder,
    fault: &Fault,
    outcome: Result<&Outcome, &Failure>,
) {
    let event = match outcome {
        Ok(Outcome::Done(_)) => FAULT_EVENTS[0],
        Ok(Outcome::Ineffective(_)) => FAULT_EVENTS[1],
        Ok(Outcome::Failed { .. }) | Err(_) => FAULT_EVENTS[2],
    };
    note(folder, [fault], event);
}

/// Counts the faults that stand no longer among those intended.
pub(super) fn lifted(folder: &NetworkFolder, before: &[Active], now: &[Active]) {
    let stands = |active: &Active| now.iter().any(|other| other.id == active.id);
    let gone = before.iter().filter(|active| !stands(active));
    note(folder, gone.map(|active| &active.fault), FAULT_EVENTS[3]);
}

/// A count that cannot be written is lost: it is no reason to fail a fault that
/// was made and proven.
fn note<'a>(folder: &NetworkFolder, faults: impl IntoIterator<Item = &'a Fault>, event: &str) {
    let before = Tally::load(folder);
    let mut tally = before.clone();
    for fault in faults {
        tally.count(fault, event);
    }
    if tally != before && folder.exists() {
        let _lost = folder.write_tally(&tally);
    }
}

/// What a fault is called among metrics; a condition has a word for each thing
/// it makes worse. Every word stands in `FAULT_KINDS`.
pub fn kinds(fault: &Fault) -> Vec<&'static str> {
    match fault {
        Fault::Cut(_) => vec!["cut"],
        Fault::Condition { with, .. } => conditions(with),
        Fault::Node { what, .. } => vec![of_node(what)],
    }
}

fn conditions(with: &Condition) -> Vec<&'static str> {
    let worse = [
        (
            "latency",
            with.latency_ms.is_some() || with.jitter_ms.is_some(),
        ),
        ("loss", with.loss.is_some()),
        ("bandwidth", with.rate_bytes_s.is_some()),
    ];
    let worse = worse.into_iter().filter(|(_, is_set)| *is_set);
    worse.map(|(kind, _)| kind).collect()
}

const fn of_node(what: &NodeFault) -> &'static str {
    match what {
        NodeFault::Kill => "kill",
        NodeFault::Stop => "stop",
        NodeFault::Start => "start",
        NodeFault::Restart => "restart",
        NodeFault::Pause => "pause",
        NodeFault::Unpause => "unpause",
        NodeFault::Remove => "remove",
        NodeFault::Wipe => "wipe",
        NodeFault::ClockSkew { .. } => "clock_skew",
        NodeFault::HashRate { .. } => "hash_rate",
        NodeFault::Upgrade { .. } => "upgrade",
        NodeFault::FillDisk => "fill_disk",
        NodeFault::CorruptStore => "corrupt_store",
        NodeFault::Add { .. } => "add",
    }
}

#[cfg(test)]
mod tests {
    use devnet_blueprint::metric::FAULT_KINDS;
    use devnet_scenario::parting::Tips;
    use devnet_scenario::world::Evidence;

    use super::*;
    use crate::state::StateFolder;

    fn pause() -> Fault {
        Fault::Node {
            nodes: vec!["a".into()],
            what: NodeFault::Pause,
        }
    }

    #[test]
    fn events_are_counted_from_call_to_call() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = StateFolder::at(root.path()).network("alpha");
        let done = Outcome::Done(Evidence::default());
        inflicted(&folder, &pause(), Ok(&done));
        assert_eq!(Tally::load(&folder), Tally::default());
        folder
            .write_tally(&Tally::default())
            .expect("a writable disk");
        for _ in 0..2 {
            inflicted(&folder, &pause(), Ok(&done));
        }
        let failed = Failure::world("no");
        inflicted(&folder, &pause(), Err(&failed));
        let active = Active {
            id: 1,
            fault: pause(),
            since_ms: 0,
            until_ms: None,
            owner: 0,
            before: Tips::default(),
        };
        let before = [active];
        lifted(&folder, &before, &before);
        lifted(&folder, &before, &[]);
        let tally = Tally::load(&folder);
        let counts = FAULT_EVENTS.iter().map(|event| tally.of("pause", event));
        assert_eq!(counts.collect::<Vec<_>>(), [2, 0, 1, 1]);
    }

    #[test]
    fn a_count_that_cannot_be_written_fails_no_fault() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = StateFolder::at(root.path()).network("alpha");
        folder
            .write_tally(&Tally::default())
            .expect("a writable disk");
        let file = std::fs::read_dir(folder.path())
            .expect("it was made")
            .next()
            .expect("one file")
            .expect("readable")
            .path();
        // A folder in the file's place cannot be replaced by a file.
        std::fs::remove_file(&file).expect("ours");
        std::fs::create_dir_all(file.join("in the way")).expect("a writable disk");
        inflicted(&folder, &pause(), Ok(&Outcome::Done(Evidence::default())));
        assert_eq!(Tally::load(&folder), Tally::default());
    }

    #[test]
    fn every_kind_is_declared_and_every_declared_kind_is_one() {
        let with = Condition {
            latency_ms: Some(1.0),
            jitter_ms: None,
            loss: Some(0.1),
            rate_bytes_s: Some(1),
        };
        let links = std::collections::BTreeSet::new();
        let mut found = kinds(&Fault::Condition { links, with });
        found.push("cut");
        found.extend(every_node_fault().iter().map(of_node));
        let mut declared = FAULT_KINDS.to_vec();
        found.sort_unstable();
        declared.sort_unstable();
        assert_eq!(found, declared);
    }

    fn every_node_fault() -> [NodeFault; 14] {
        [
            NodeFault::Kill,
            NodeFault::Stop,
            NodeFault::Start,
            NodeFault::Restart,
            NodeFault::Pause,
            NodeFault::Unpause,
            NodeFault::Remove,
            NodeFault::Wipe,
            NodeFault::ClockSkew { offset_ms: 1 },
            NodeFault::HashRate {
                hashes_per_second: 1.0,
            },
            NodeFault::Upgrade {
                program: "other".into(),
            },
            NodeFault::FillDisk,
            NodeFault::CorruptStore,
            NodeFault::Add {
                group: "miner".into(),
            },
        ]
    }
}
