//! From the words of a command line to nodes and links: names of nodes, groups
//! and zones, alone or in comma lists, and pairs of such.

use std::collections::BTreeSet;

use devnet_blueprint::nearest::nearest;
use devnet_scenario::fault::{Link, NodeName};

use crate::exit::Failure;
use crate::faults::Layout;

/// Both sides of `A:B`.
pub type Sides = (Vec<NodeName>, Vec<NodeName>);

/// Nodes of a comma list of nodes, groups and zones; each once, in the order
/// they are named.
///
/// # Errors
/// A name that nothing has; names the nearest.
pub fn nodes(layout: &Layout, list: &str) -> Result<Vec<NodeName>, Failure> {
    let mut found: Vec<NodeName> = Vec::new();
    for word in list.split(',').map(str::trim) {
        if word.is_empty() {
            return Err(Failure::bad_input(format!("`{list}` has an empty name")));
        }
        for node in named(layout, word)? {
            if !found.contains(&node) {
                found.push(node);
            }
        }
    }
    Ok(found)
}

/// Nodes of several words.
///
/// # Errors
/// As [`nodes`].
pub fn all_nodes(layout: &Layout, words: &[String]) -> Result<Vec<NodeName>, Failure> {
    if words.is_empty() {
        return Err(Failure::bad_input("no node is named")
            .next(format!("Nodes are: {}.", layout.roster().join(", "))));
    }
    nodes(layout, &words.join(","))
}

/// The last word, and those before it.
///
/// # Errors
/// There is none, which the parser has refused before.
pub fn last(words: &[String]) -> Result<(&str, &[String]), Failure> {
    let (last, before) = words
        .split_last()
        .ok_or_else(|| Failure::bad_input("a value is missing; see --help"))?;
    Ok((last, before))
}

/// Both sides of `A:B`; `None` if the word has no colon.
///
/// # Errors
/// As [`nodes`], or a node on both sides.
pub fn pair(layout: &Layout, word: &str) -> Result<Option<Sides>, Failure> {
    let Some((left, right)) = word.split_once(':') else {
        return Ok(None);
    };
    let sides = (nodes(layout, left)?, nodes(layout, right)?);
    Ok(Some(sides))
}

/// Both sides of a word that must be `A:B`.
///
/// # Errors
/// As [`pair`], or no colon.
pub fn must_be_pair(layout: &Layout, word: &str) -> Result<Sides, Failure> {
    pair(layout, word)?.ok_or_else(|| {
        Failure::bad_input(format!("`{word}` is no pair of nodes"))
            .next("Write it like miner-0:miner-1.")
    })
}

/// Links of selectors: `A:B` is all between A and B, a single name is all that
/// its nodes send and receive, and no selector at all is every link. With
/// `one_way` only what the left side sends, or what single nodes send.
///
/// # Errors
/// As [`nodes`], or a selector that no link fits.
pub fn links(layout: &Layout, words: &[String], one_way: bool) -> Result<BTreeSet<Link>, Failure> {
    let roster = layout.roster();
    let mut links = BTreeSet::new();
    let mut join = |from: &[NodeName], to: &[NodeName]| {
        let mut fits = false;
        for from in from {
            for to in to.iter().filter(|to| *to != from) {
                fits = true;
                links.insert(Link::new(from, to));
                if !one_way {
                    links.insert(Link::new(to, from));
                }
            }
        }
        fits
    };
    if words.is_empty() {
        join(&roster, &roster);
    }
    for word in words {
        let fits = match pair(layout, word)? {
            Some((left, right)) => join(&left, &right),
            None => join(&nodes(layout, word)?, &roster),
        };
        if !fits {
            return Err(Failure::bad_input(format!("no link fits `{word}`"))
                .next("A link joins two different nodes."));
        }
    }
    if links.is_empty() {
        return Err(Failure::bad_input(
            "the network has a single node and no link",
        ));
    }
    Ok(links)
}

fn named(layout: &Layout, word: &str) -> Result<Vec<NodeName>, Failure> {
    let plan = &layout.blueprint.nodes;
    let of = |fits: &dyn Fn(&devnet_blueprint::NodePlan) -> bool| {
        let fitting = plan.iter().filter(|node| fits(node));
        fitting.map(|node| node.name.clone()).collect::<Vec<_>>()
    };
    let by_name = of(&|node| node.name == word);
    let by_group = of(&|node| node.group == word);
    let by_zone = of(&|node| node.zone.as_deref() == Some(word));
    if let Some(found) = [by_name, by_group, by_zone]
        .into_iter()
        .find(|found| !found.is_empty())
    {
        return Ok(found);
    }
    let names = || {
        plan.iter().flat_map(|node| {
            let zone = node.zone.as_deref();
            [node.name.as_str(), node.group.as_str()]
                .into_iter()
                .chain(zone)
        })
    };
    let failure = Failure::bad_input(format!("there is no node, group or zone `{word}`"));
    Err(match nearest(word, names()) {
        Some(meant) => failure.next(format!("Did you mean `{meant}`?")),
        None => failure.next(format!("Nodes are: {}.", layout.roster().join(", "))),
    })
}
