//! Shapes of cuts as people write them.

use devnet_scenario::fault::{Cut, CutShape, Fault, NodeName};
use serde::Deserialize;

use super::select;
use crate::exit::Failure;
use crate::faults::Layout;

/// A cut in words: names of nodes, groups and zones, alone or in comma lists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// Groups that cannot reach each other; who is not named forms one more.
    Groups(Vec<String>),
    /// Each of these nodes alone.
    Isolate(Vec<String>),
    /// Two halves, in the order of the nodes.
    Halves,
    /// Every node sees a majority, no two the same.
    Ring,
    /// Nodes that reach every side.
    Bridge {
        /// Who reaches everyone.
        bridge: String,
        /// The sides; without any the others form two halves.
        sides: Vec<String>,
    },
    /// What A sends does not arrive at B, written `A:B`.
    OneWay(String),
    /// Links `A:B`, both directions.
    Links(Vec<String>),
}

impl Shape {
    /// The cut of that shape in this network.
    ///
    /// # Errors
    /// It names what is not there, or cuts nothing.
    pub fn cut(&self, layout: &Layout) -> Result<Fault, Failure> {
        cut_of(self.read(layout)?, layout)
    }

    fn read(&self, layout: &Layout) -> Result<CutShape, Failure> {
        Ok(match self {
            Self::Groups(words) if words.is_empty() => {
                return Err(Failure::bad_input("no groups are named")
                    .next(
                        "Name them like `devnet partition miner-0,miner-1 observer-0`, or use --halves.",
                    )
                    .next("`devnet heal` ends a partition."));
            }
            Self::Groups(words) => CutShape::Groups(groups(layout, words)?),
            Self::Isolate(words) => CutShape::isolate(&select::all_nodes(layout, words)?),
            Self::Halves => CutShape::halves(&layout.roster()),
            Self::Ring => CutShape::MajoritiesRing(layout.roster()),
            Self::Bridge { bridge, sides } => bridged(layout, bridge, sides)?,
            Self::OneWay(pair) => {
                let (from, to) = select::must_be_pair(layout, pair)?;
                CutShape::OneWay { from, to }
            }
            Self::Links(words) => CutShape::Pairs(pairs(layout, words)?),
        })
    }
}

/// The cut of that shape, or why it cannot be made.
///
/// # Errors
/// It names what is not there, or cuts nothing.
pub fn cut_of(shape: CutShape, layout: &Layout) -> Result<Fault, Failure> {
    let cut = Cut::new(shape, &layout.roster())
        .map_err(|error| Failure::bad_input(format!("cannot partition: {error}")))?;
    Ok(Fault::Cut(cut))
}

fn groups(layout: &Layout, words: &[String]) -> Result<Vec<Vec<NodeName>>, Failure> {
    let groups = words.iter();
    groups.map(|group| select::nodes(layout, group)).collect()
}

/// Sides that meet in the bridge. Nodes that groups do not name form one more
/// side, as in any partition.
fn bridged(layout: &Layout, bridge: &str, sides: &[String]) -> Result<CutShape, Failure> {
    let bridge = select::nodes(layout, bridge)?;
    let mut sides = groups(layout, sides)?;
    if sides.is_empty() {
        let mut others = layout.roster();
        others.retain(|node| !bridge.contains(node));
        if others.len() < 2 {
            return Err(Failure::bad_input(
                "cannot partition: beside the bridge there are not two nodes to keep apart",
            ));
        }
        let second = others.split_off(others.len().div_ceil(2));
        sides = vec![others, second];
    }
    Ok(CutShape::Bridge { sides, bridge })
}

fn pairs(layout: &Layout, words: &[String]) -> Result<Vec<(NodeName, NodeName)>, Failure> {
    let mut pairs = Vec::new();
    for word in words {
        let (left, right) = select::must_be_pair(layout, word)?;
        for a in &left {
            pairs.extend(right.iter().map(|b| (a.clone(), b.clone())));
        }
    }
    Ok(pairs)
}
