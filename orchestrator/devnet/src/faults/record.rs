//! What was done to a network and what came of it: the newest acts, kept beside
//! the intent, for whoever looks later or from another process.

use std::collections::VecDeque;

use devnet_scenario::world::Outcome;
use serde::{Deserialize, Serialize};

use super::intent::{Active, Intent};
use super::state::spell_fault;
use crate::clock::now_ms;
use crate::exit::Failure;
use crate::state::NetworkFolder;

/// Acts kept at most; older ones are forgotten.
pub const ACTS_MAX: usize = 300;
/// Letters of a text at most, and objections of an act.
const LETTERS_MAX: usize = 1_000;
const OBJECTIONS_MAX: usize = 8;

/// Acts, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(VecDeque<Act>);

/// A fault that was inflicted, or faults that were taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Its number in the life of the network, from 1.
    pub number: u64,
    /// When it was ordered, in milliseconds since 1970.
    pub at_ms: u64,
    /// How long it took, its proof included.
    pub took_ms: u64,
    /// What, in words.
    pub title: String,
    /// Number of the fault that it began, if that is one that lasts.
    pub begun: Option<u32>,
    /// Faults that it ended.
    pub ended: Vec<Ended>,
    /// What came of it.
    pub came: Came,
    /// What was measured, or why it failed.
    pub detail: String,
    /// What speaks against it.
    pub objections: Vec<String>,
}

/// A fault that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its number.
    pub id: u32,
    /// What it was, in words.
    pub title: String,
    /// Since when it was meant, in milliseconds since 1970.
    pub since_ms: u64,
}

/// What came of an act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// It was proven to have its effect.
    Done,
    /// It was measured, and had not the effect it should have.
    Ineffective,
    /// It could not be done.
    #[default]
    Failed,
}

/// An act that goes on.
pub(super) struct Begun {
    at_ms: u64,
    before: Vec<Active>,
}

impl Record {
    /// The acts of a network; a file that cannot be read counts as none, for it
    /// is no reason to refuse anything.
    pub fn load(folder: &NetworkFolder) -> Self {
        folder.read_acts().ok().flatten().unwrap_or_default()
    }

    /// The acts, oldest first.
    pub fn acts(&self) -> impl DoubleEndedIterator<Item = &Act> {
        self.0.iter()
    }

    /// The act that began the fault of that number.
    pub fn of(&self, id: u32) -> Option<&Act> {
        self.0.iter().rev().find(|act| act.begun == Some(id))
    }

    fn push(&mut self, act: Act) {
        let number = self
            .0
            .back()
            .map_or(1, |last| last.number.saturating_add(1));
        self.0.push_back(Act { number, ..act });
        while self.0.len() > ACTS_MAX {
            self.0.pop_front();
        }
    }
}

impl Begun {
    /// An act begins: whatever is meant by now may end by it.
    pub(super) fn now(folder: &NetworkFolder) -> Self {
        Self {
            at_ms: now_ms(),
            before: meant(folder),
        }
    }

    /// Writes down what came of it. An act that cannot be written is lost: that
    /// is no reason to fail what was done and proven.
    pub(super) fn end(
        self,
        folder: &NetworkFolder,
        title: &str,
        outcome: Result<&Outcome, &Failure>,
    ) {
        let after = meant(folder);
        let stands = |active: &Active, among: &[Active]| among.iter().any(|x| x.id == active.id);
        let ended = self.before.iter().filter(|active| !stands(active, &after));
        let begun = after.iter().find(|active| !stands(active, &self.before));
        let (came, detail, objections) = told(outcome);
        let act = Act {
            at_ms: self.at_ms,
            took_ms: now_ms().saturating_sub(self.at_ms),
            title: clipped(title),
            begun: begun.map(|active| active.id),
            ended: ended.map(Ended::of).collect(),
            came,
            detail: clipped(&detail),
            objections: objections
                .iter()
                .take(OBJECTIONS_MAX)
                .map(|text| clipped(text))
                .collect(),
            ..Act::default()
        };
        if folder.exists() {
            let mut record = Record::load(folder);
            record.push(act);
            let _lost = folder.write_acts(&record);
        }
    }
}

impl Ended {
    fn of(active: &Active) -> Self {
        Self {
            id: active.id,
            title: clipped(&spell_fault(&active.fault)),
            since_ms: active.since_ms,
        }
    }
}

/// What came of it, what was measured, and what speaks against it.
pub fn told(outcome: Result<&Outcome, &Failure>) -> (Came, String, Vec<String>) {
    match outcome {
        Ok(Outcome::Done(evidence)) => (Came::Done, evidence.summary.clone(), Vec::new()),
        Ok(Outcome::Ineffective(evidence)) => (
            Came::Ineffective,
            evidence.summary.clone(),
            evidence.objections.clone(),
        ),
        Ok(Outcome::Failed { why }) => (Came::Failed, why.clone(), Vec::new()),
        Err(failure) => (Came::Failed, failure.message().to_owned(), Vec::new()),
    }
}

fn meant(folder: &NetworkFolder) -> Vec<Active> {
    let intent = Intent::load_or_forget(folder).unwrap_or_default();
    intent.faults().to_vec()
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::fault::{Fault, NodeFault};
    use devnet_scenario::world::Evidence;

    use super::*;
    use crate::faults::Span;
    use crate::state::StateFolder;

    fn pause(node: &str) -> Fault {
        Fault::Node {
            nodes: vec![node.into()],
            what: NodeFault::Pause,
        }
    }

    fn folder() -> (tempfile::TempDir, NetworkFolder) {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = StateFolder::at(root.path()).network("alpha");
        folder
            .write_acts(&Record::default())
            .expect("a writable disk");
        (root, folder)
    }

    fn inflict(folder: &NetworkFolder, node: &str) -> Option<u32> {
        let begun = Begun::now(folder);
        let mut intent = Intent::load(folder).expect("readable");
        let span = Span {
            since_ms: 7,
            until_ms: None,
        };
        let id = intent.take(&pause(node), span);
        intent.save(folder).expect("a writable disk");
        let evidence = Evidence {
            summary: format!("{node} stands still"),
            ..Evidence::default()
        };
        begun.end(
            folder,
            &format!("pause {node}"),
            Ok(&Outcome::Done(evidence)),
        );
        id
    }

    #[test]
    fn an_act_is_kept_with_its_proof_and_with_what_it_ended() {
        let (_root, folder) = folder();
        let id = inflict(&folder, "a").expect("a pause lasts");
        let record = Record::load(&folder);
        let act = record.of(id).expect("it was kept");
        assert_eq!((act.number, act.came), (1, Came::Done));
        assert_eq!(act.detail, "a stands still");

        let begun = Begun::now(&folder);
        Intent::default().save(&folder).expect("a writable disk");
        let failed = Failure::world("the engine is gone");
        begun.end(&folder, "heal everything", Err(&failed));
        let record = Record::load(&folder);
        let heal = record.acts().next_back().expect("it was kept");
        assert_eq!(
            (heal.number, heal.begun, heal.came),
            (2, None, Came::Failed)
        );
        assert_eq!(heal.detail, "the engine is gone");
        let ended: Vec<_> = heal.ended.iter().map(|x| (x.id, x.since_ms)).collect();
        assert_eq!(ended, [(id, 7)]);
        assert_eq!(heal.ended[0].title, "pause a");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut record = Record::default();
        for _ in 0..ACTS_MAX + 20 {
            record.push(Act::default());
        }
        let numbers: Vec<u64> = record.acts().map(|act| act.number).collect();
        assert_eq!(numbers.len(), ACTS_MAX);
        assert_eq!((numbers[0], numbers[ACTS_MAX - 1]), (21, 320));
        assert_eq!(clipped(&"ä".repeat(2_000)).chars().count(), LETTERS_MAX + 1);
    }

    #[test]
    fn a_record_that_cannot_be_read_hinders_nothing() {
        let (_root, folder) = folder();
        std::fs::write(folder.acts_file(), "{").expect("a writable disk");
        assert_eq!(Record::load(&folder), Record::default());
        inflict(&folder, "a");
        assert_eq!(Record::load(&folder).acts().count(), 1);
    }
}
