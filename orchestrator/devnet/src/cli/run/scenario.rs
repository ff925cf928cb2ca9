//! A scenario that can run, with what the run needs to know of it.

use std::collections::BTreeSet;

use devnet_scenario::model::{Step, Verb};
use devnet_scenario::parse::{self, Tree};

use crate::exit::Failure;
use crate::faults::Layout;
use crate::scenario_file::ScenarioFile;

/// A checked scenario.
pub struct Loaded {
    /// The file with all that follows from it.
    pub file: ScenarioFile,
    /// Its text as a tree, which knows the lines.
    pub tree: Tree,
}

impl Loaded {
    /// Takes a file in that was read with these parameters.
    pub fn new(file: ScenarioFile, sets: &[(String, String)]) -> Result<Self, Failure> {
        let again = parse::parse(&file.text, sets);
        let document = again.map_err(|_| {
            Failure::bad_input(format!(
                "{}: it changed while it was read",
                file.path.display()
            ))
        })?;
        Ok(Self {
            file,
            tree: document.tree,
        })
    }

    /// Name of the scenario.
    pub fn name(&self) -> &str {
        &self.file.scenario.name
    }

    /// Accounts that pay, sorted.
    pub fn payers(&self) -> Vec<String> {
        let mut payers = BTreeSet::new();
        let scenario = &self.file.scenario;
        for step in scenario.steps.iter().chain(&scenario.finally) {
            collect(step, &mut payers);
        }
        payers.into_iter().collect()
    }

    /// Whether a network that was there before has the nodes the scenario
    /// names.
    ///
    /// # Errors
    /// Names those it lacks.
    pub fn fits(&self, layout: &Layout) -> Result<(), Failure> {
        let names = self.file.roster.names();
        let missing: Vec<String> = names
            .into_iter()
            .filter(|name| layout.address(name).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::bad_input(format!(
            "network `{}` is another than the scenario's: it has no {}",
            layout.blueprint.name,
            missing.join(", ")
        ))
        .next("Leave `--name` out: the scenario then gets a network of its own."))
    }
}

fn collect(step: &Step, payers: &mut BTreeSet<String>) {
    match &step.verb {
        Verb::Load(load) => {
            payers.insert(load.from.clone());
        }
        Verb::Transfer(transfer) => {
            payers.insert(transfer.from.clone());
        }
        Verb::Parallel(steps) | Verb::Sequence(steps) => {
            steps.iter().for_each(|step| collect(step, payers));
        }
        Verb::Always(always) => always.steps.iter().for_each(|step| collect(step, payers)),
        Verb::Repeat(repeat) => {
            let chosen = repeat.choose.iter().flat_map(|choice| &choice.steps);
            let all = repeat.steps.iter().chain(chosen);
            all.for_each(|step| collect(step, payers));
        }
        _ => {}
    }
}
