//! Verbs as acts of the world, and what takes them back.

use std::collections::BTreeSet;

use super::nodes::{nodes, side_by_side};
use super::{Dice, Unresolved};
use crate::fault::{Cut, CutShape, Fault, Heal, Link, NodeFault, NodeName};
use crate::links::Condition;
use crate::model::{
    ConditionWish, LinkSet, LoadWish, Member, PartitionWish, Roster, Selector, TransferWish, Verb,
};
use crate::world::{Act, ActId, Load, Transfer};

/// What the world is to do for `verb`, on the network as `roster` tells it now;
/// `None` for verbs that are not acts (waits, claims, flow).
///
/// # Errors
/// The wish does not fit the network.
pub fn act(verb: &Verb, roster: &Roster, dice: &mut Dice) -> Result<Option<Act>, Unresolved> {
    if let Some((selector, what)) = node_fault(verb) {
        let nodes = nodes(selector, roster, dice)?;
        return Ok(Some(Act::Inflict(Fault::Node { nodes, what })));
    }
    Ok(Some(match verb {
        Verb::Partition(wish) => {
            let shape = shape(wish, roster, dice)?;
            Act::Inflict(Fault::Cut(Cut::new(shape, &roster.names())?))
        }
        Verb::Condition(wish) => Act::Inflict(condition(wish, roster, dice)?),
        Verb::Heal(_, Some(selector)) => Act::Heal(Heal::Nodes(nodes(selector, roster, dice)?)),
        Verb::Heal(heal, None) => Act::Heal(heal.clone()),
        Verb::Add(wish) => Act::Inflict(Fault::Node {
            nodes: fresh_names(&wish.group, wish.count, roster),
            what: NodeFault::Add {
                group: wish.group.clone(),
            },
        }),
        Verb::Load(wish) => Act::StartLoad(load(wish, roster, dice)?),
        Verb::StopLoad(name) => Act::StopLoad { name: name.clone() },
        Verb::Transfer(wish) => Act::Transfer(transfer(wish, roster, dice)?),
        _ => return Ok(None),
    }))
}

/// What takes an act back, and nothing else, when its `for:` is over; `None`
/// where nothing does. `id` is the act's number.
pub fn undo(id: ActId, act: &Act) -> Option<Act> {
    match act {
        Act::Inflict(Fault::Cut(_)) => Some(Act::Heal(Heal::Cuts)),
        Act::Inflict(fault @ Fault::Condition { .. }) => Some(lift(id, fault)),
        Act::Inflict(fault @ Fault::Node { nodes, what }) => undo_on(id, fault, (nodes, what)),
        Act::StartLoad(load) => Some(Act::StopLoad {
            name: load.name.clone(),
        }),
        Act::Heal(_) | Act::Lift { .. } | Act::StopLoad { .. } | Act::Transfer(_) => None,
    }
}

fn lift(act: ActId, fault: &Fault) -> Act {
    let fault = fault.clone();
    Act::Lift { act, fault }
}

fn undo_on(id: ActId, fault: &Fault, (nodes, what): (&[NodeName], &NodeFault)) -> Option<Act> {
    let nodes = nodes.to_vec();
    match what {
        NodeFault::Kill | NodeFault::Stop => Some(Act::Inflict(Fault::Node {
            nodes,
            what: NodeFault::Start,
        })),
        NodeFault::Pause => Some(Act::Inflict(Fault::Node {
            nodes,
            what: NodeFault::Unpause,
        })),
        NodeFault::Add { .. }
        | NodeFault::ClockSkew { .. }
        | NodeFault::HashRate { .. }
        | NodeFault::FillDisk
        | NodeFault::Remove
        | NodeFault::Upgrade { .. }
        | NodeFault::CorruptStore => Some(lift(id, fault)),
        NodeFault::Start | NodeFault::Restart | NodeFault::Unpause | NodeFault::Wipe => None,
    }
}

fn node_fault(verb: &Verb) -> Option<(&Selector, NodeFault)> {
    Some(match verb {
        Verb::Kill(on) => (on, NodeFault::Kill),
        Verb::Stop(on) => (on, NodeFault::Stop),
        Verb::Start(on) => (on, NodeFault::Start),
        Verb::Restart(on) => (on, NodeFault::Restart),
        Verb::Pause(on) => (on, NodeFault::Pause),
        Verb::Unpause(on) => (on, NodeFault::Unpause),
        Verb::Wipe(on) => (on, NodeFault::Wipe),
        Verb::CorruptStore(on) => (on, NodeFault::CorruptStore),
        Verb::FillDisk(on) => (on, NodeFault::FillDisk),
        Verb::Remove(on) => (on, NodeFault::Remove),
        Verb::ClockSkew(wish) => {
            let offset_ms = wish.by.ms;
            (&wish.on, NodeFault::ClockSkew { offset_ms })
        }
        Verb::HashRate(wish) => {
            let hashes_per_second = wish.to;
            (&wish.on, NodeFault::HashRate { hashes_per_second })
        }
        Verb::Upgrade(wish) => {
            let program = wish.to.clone();
            (&wish.on, NodeFault::Upgrade { program })
        }
        _ => return None,
    })
}

fn shape(wish: &PartitionWish, roster: &Roster, dice: &mut Dice) -> Result<CutShape, Unresolved> {
    Ok(match wish {
        PartitionWish::Groups(groups) => CutShape::Groups(side_by_side(groups, roster, dice)?),
        PartitionWish::Isolate(selector) => CutShape::isolate(&nodes(selector, roster, dice)?),
        PartitionWish::Halves => CutShape::halves(&roster.names()),
        PartitionWish::MajoritiesRing => CutShape::MajoritiesRing(roster.names()),
        PartitionWish::Bridge { sides, bridge } => {
            // The bridge is first to choose; nobody stands on a side as well.
            let mut all = vec![bridge.clone()];
            all.extend(sides.iter().cloned());
            let mut sides = side_by_side(&all, roster, dice)?;
            let bridge = sides.remove(0);
            CutShape::Bridge { sides, bridge }
        }
        PartitionWish::OneWay { from, to } => {
            let [from, to] = pair(from, to, roster, dice)?;
            CutShape::OneWay { from, to }
        }
        PartitionWish::Links(pairs) => CutShape::Pairs(pairs.clone()),
    })
}

fn pair(
    a: &Selector,
    b: &Selector,
    roster: &Roster,
    dice: &mut Dice,
) -> Result<[Vec<NodeName>; 2], Unresolved> {
    let mut sides = side_by_side(&[a.clone(), b.clone()], roster, dice)?;
    let second = sides.pop().ok_or(Unresolved::Nobody)?;
    let first = sides.pop().ok_or(Unresolved::Nobody)?;
    Ok([first, second])
}

fn condition(wish: &ConditionWish, roster: &Roster, dice: &mut Dice) -> Result<Fault, Unresolved> {
    let links = links(&wish.links, roster, dice)?;
    if links.is_empty() {
        return Err(Unresolved::NoLink);
    }
    #[expect(clippy::cast_precision_loss, reason = "times are at most a few days")]
    let ms = |time: crate::model::Time| time.ms(roster.block_interval_ms) as f64;
    let with = Condition {
        latency_ms: wish.latency.map(ms),
        jitter_ms: wish.jitter.map(ms),
        loss: wish.loss.map(crate::model::Share::get),
        rate_bytes_s: wish.bandwidth.map(|rate| rate.bytes_s),
    };
    Ok(Fault::Condition { links, with })
}

fn links(set: &LinkSet, roster: &Roster, dice: &mut Dice) -> Result<BTreeSet<Link>, Unresolved> {
    let all = roster.names();
    let zone = |zone: &str| -> Result<Vec<NodeName>, Unresolved> {
        let members: Vec<&Member> = roster.of_zone(zone).collect();
        if members.is_empty() {
            return Err(Unresolved::UnknownZone(zone.into()));
        }
        Ok(members.iter().map(|member| member.name.clone()).collect())
    };
    let (from, to, is_two_way) = match set {
        LinkSet::All => (all.clone(), all, false),
        LinkSet::Of(selector) => (nodes(selector, roster, dice)?, all, true),
        LinkSet::Between(a, b) => {
            let [a, b] = pair(a, b, roster, dice)?;
            (a, b, true)
        }
        LinkSet::OneWay { from, to } => {
            let [from, to] = pair(from, to, roster, dice)?;
            (from, to, false)
        }
        LinkSet::Zones(a, b) => (zone(a)?, zone(b)?, true),
    };
    let joined = from
        .iter()
        .flat_map(|from| to.iter().map(move |to| Link::new(from, to)))
        .filter(|link| link.from != link.to);
    Ok(joined
        .flat_map(|link| {
            let back = is_two_way.then(|| link.reversed());
            std::iter::once(link).chain(back)
        })
        .collect())
}

/// Names of nodes that would join a group, after the highest index it has.
fn fresh_names(group: &str, count: u32, roster: &Roster) -> Vec<NodeName> {
    let index = |member: &Member| {
        member
            .name
            .strip_prefix(group)?
            .strip_prefix('-')?
            .parse()
            .ok()
    };
    let next = roster
        .of_group(group)
        .filter_map(index)
        .max()
        .map_or(0, |index: u32| index.saturating_add(1));
    let names = next..next.saturating_add(count);
    names.map(|index| format!("{group}-{index}")).collect()
}

fn load(wish: &LoadWish, roster: &Roster, dice: &mut Dice) -> Result<Load, Unresolved> {
    Ok(Load {
        name: wish.name.clone(),
        rate: wish.rate,
        from: wish.from.clone(),
        to: wish.to.clone(),
        via: nodes(&wish.via, roster, dice)?,
    })
}

fn transfer(wish: &TransferWish, roster: &Roster, dice: &mut Dice) -> Result<Transfer, Unresolved> {
    let via = nodes(&wish.via, roster, dice)?;
    Ok(Transfer {
        from: wish.from.clone(),
        to: wish.to.clone(),
        sats: wish.amount.sats,
        via: via.into_iter().next().ok_or(Unresolved::Nobody)?,
    })
}
