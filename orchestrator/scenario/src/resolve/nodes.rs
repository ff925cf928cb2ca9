//! Selectors against a roster.

use super::{Dice, Unresolved, draw};
use crate::fault::NodeName;
use crate::model::{Pick, Roster, Selector};

/// The nodes that `selector` means, each once, in the order chosen.
///
/// # Errors
/// Names, groups or zones that the roster does not have; more draws than nodes;
/// `rest`, which only siblings give a meaning.
pub fn nodes(
    selector: &Selector,
    roster: &Roster,
    dice: &mut Dice,
) -> Result<Vec<NodeName>, Unresolved> {
    collect(selector, roster, &mut Draws::Thrown(dice), None)
}

/// Every node that `selector` can mean: like [`nodes`], with all candidates of
/// a draw. For checks before a run.
///
/// # Errors
/// As [`nodes`].
pub fn pool(selector: &Selector, roster: &Roster) -> Result<Vec<NodeName>, Unresolved> {
    collect(selector, roster, &mut Draws::All, None)
}

/// Several selectors side by side: a later draw takes nobody that an earlier
/// one named, and `rest` is what all the others leave.
pub(super) fn side_by_side(
    selectors: &[Selector],
    roster: &Roster,
    dice: &mut Dice,
) -> Result<Vec<Vec<NodeName>>, Unresolved> {
    let mut sides: Vec<Vec<NodeName>> = Vec::with_capacity(selectors.len());
    for selector in selectors {
        if selector.has_rest() {
            sides.push(Vec::new());
            continue;
        }
        let taken: Vec<NodeName> = sides.concat();
        let mut draws = Draws::Thrown(dice);
        sides.push(collect(selector, roster, &mut draws, Some(&taken))?);
    }
    let named = sides.concat();
    let left = roster.names().into_iter().filter(|n| !named.contains(n));
    let left: Vec<NodeName> = left.collect();
    for (side, selector) in sides.iter_mut().zip(selectors) {
        if selector.has_rest() {
            if left.is_empty() || selector.0.len() > 1 {
                return Err(Unresolved::Rest);
            }
            side.clone_from(&left);
        }
    }
    Ok(sides)
}

/// How draws are answered.
enum Draws<'a> {
    /// By the dice.
    Thrown(&'a mut Dice),
    /// With every candidate.
    All,
}

fn collect(
    selector: &Selector,
    roster: &Roster,
    draws: &mut Draws<'_>,
    taken: Option<&[NodeName]>,
) -> Result<Vec<NodeName>, Unresolved> {
    let mut chosen: Vec<NodeName> = Vec::new();
    for pick in &selector.0 {
        for name in picked(pick, roster, draws, taken)? {
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        }
    }
    if chosen.is_empty() {
        return Err(Unresolved::Nobody);
    }
    Ok(chosen)
}

fn picked(
    pick: &Pick,
    roster: &Roster,
    draws: &mut Draws<'_>,
    taken: Option<&[NodeName]>,
) -> Result<Vec<NodeName>, Unresolved> {
    let names = |members: Vec<&crate::model::Member>| -> Vec<NodeName> {
        members.iter().map(|member| member.name.clone()).collect()
    };
    match pick {
        Pick::All => Ok(roster.names()),
        Pick::Rest => Err(Unresolved::Rest),
        Pick::Named(name) if roster.has(name) => Ok(vec![name.clone()]),
        Pick::Named(group) => match names(roster.of_group(group).collect()) {
            members if members.is_empty() => Err(Unresolved::Unknown(group.clone())),
            members => Ok(members),
        },
        Pick::Zone(zone) => match names(roster.of_zone(zone).collect()) {
            members if members.is_empty() => Err(Unresolved::UnknownZone(zone.clone())),
            members => Ok(members),
        },
        Pick::Random { count, of } => {
            let mut candidates = collect(of, roster, &mut Draws::All, None)?;
            if let Some(taken) = taken {
                candidates.retain(|name| !taken.contains(name));
            }
            let wanted = usize::try_from(*count).unwrap_or(usize::MAX);
            if wanted > candidates.len() {
                let have = candidates.len();
                return Err(Unresolved::TooFew {
                    count: *count,
                    have,
                });
            }
            Ok(match draws {
                Draws::Thrown(dice) => draw(&candidates, wanted, dice),
                Draws::All => candidates,
            })
        }
    }
}
