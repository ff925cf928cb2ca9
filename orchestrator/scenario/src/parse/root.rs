//! The file itself: its text as a tree, and its outermost keys.

use serde_yaml::{MessageFormatter as _, UserMessageFormatter};

use super::Document;
use super::limits::{DEPTH_MAX, FILE_BYTES_MAX, VALUES_MAX};
use super::problem::Problem;
use super::reader::Reader;
use super::steps::Level;
use super::substitute::Parameters;
use super::tree::{Place, Tree, Value};
use crate::form;
use crate::model::{Counts, Scenario, TopologySource};

const NODES_MAX: u32 = 1_000;
const NAME_LETTERS_MAX: usize = 60;

/// The text as a tree.
pub(super) fn tree(text: &str) -> Result<Tree, Problem> {
    let first = Place { line: 1, column: 1 };
    if text.len() > FILE_BYTES_MAX {
        let what = format!(
            "{} bytes are more than the {FILE_BYTES_MAX} that a scenario may have",
            text.len()
        );
        return Err(Problem::at(first, what));
    }
    let options = serde_yaml::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_yaml::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: VALUES_MAX,
            max_documents: 1,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: VALUES_MAX,
        },
    };
    let tree: Tree = serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map_or(first, |at| Place::of(&at));
        let told = UserMessageFormatter.format_message(error.without_snippet());
        Problem::at(place, told)
    })?;
    match tree.value {
        Value::Null => Err(Problem::at(first, "the file is empty")),
        _ => Ok(tree),
    }
}

/// The scenario that a tree says.
pub(super) fn document(
    mut tree: Tree,
    sets: &[(String, String)],
) -> Result<Document, Vec<Problem>> {
    let mut reader = Reader::default();
    let mut parameters = Parameters::read(tree.get("parameters"), sets, &mut reader);
    if let Value::Map(entries) = &mut tree.value {
        let others = entries
            .iter_mut()
            .filter(|(key, _)| key.text != "parameters");
        others.for_each(|(_, value)| parameters.put_in(value, &mut reader));
    }
    let scenario = reader.scenario(&tree, &parameters);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.place);
    match scenario {
        Some(scenario) if problems.is_empty() => Ok(Document {
            scenario,
            warnings: unused(&parameters, &tree),
            tree,
        }),
        _ => Err(problems),
    }
}

fn unused(parameters: &Parameters, tree: &Tree) -> Vec<Problem> {
    parameters
        .unused()
        .map(|name| {
            let place = tree.find(&format!("parameters.{name}"));
            Problem::warning(place, format!("nothing uses the parameter `{name}`"))
        })
        .collect()
}

impl Reader {
    fn scenario(&mut self, tree: &Tree, parameters: &Parameters) -> Option<Scenario> {
        let fields = self.fields(tree, &form::SCENARIO)?;
        let name = self.scenario_name(fields.get("name")?);
        let description = self.optional(fields.get("description"), Self::text);
        let topology = self.topology(fields.get("topology")?);
        let sim = self.optional(fields.get("sim"), Self::sim);
        let steps = self.steps(fields.get("steps")?, Level::TOP);
        let finally = self.optional(fields.get("finally"), |reader, tree| {
            reader.steps(tree, Level::TOP)
        });
        Some(Scenario {
            name: name?,
            description: description?.unwrap_or_default(),
            topology: topology?,
            parameters: parameters.values(),
            sim: sim?,
            steps: steps?,
            finally: finally?.unwrap_or_default(),
        })
    }

    fn scenario_name(&mut self, tree: &Tree) -> Option<String> {
        let name = self.text(tree)?;
        let fits = name.len() <= NAME_LETTERS_MAX
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            return Some(name);
        }
        let what = format!(
            "`{name}` cannot name a scenario; use 1 to {NAME_LETTERS_MAX} of a-z, 0-9 and -, a letter first"
        );
        self.refuse(tree.place, what)
    }

    fn topology(&mut self, tree: &Tree) -> Option<TopologySource> {
        match &tree.value {
            Value::Text(_) => self.text(tree).map(TopologySource::File),
            Value::Map(_) if tree.get("groups").is_some() => {
                Some(TopologySource::Inline(tree.clone()))
            }
            _ => self.counts(tree).map(TopologySource::Counts),
        }
    }

    fn counts(&mut self, tree: &Tree) -> Option<Counts> {
        let fields = self.fields(tree, &form::COUNTS)?;
        let nodes = self.count(fields.get("nodes")?, 1, NODES_MAX);
        let miners = self.optional(fields.get("miners"), |r, tree| r.count(tree, 0, NODES_MAX));
        let block_time = self.optional(fields.get("block_time"), Self::quantity);
        Some(Counts {
            nodes: nodes?,
            miners: miners?,
            block_time: block_time?,
        })
    }
}
