//! Which links are probed. All of them where they are few; else those that
//! matter first, and of the rest a sample that follows from a seed.

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::links::{Condition, LinkState};
use sha2::{Digest as _, Sha256};

use super::super::links::plain;

/// Links that are all probed for reachability.
pub const REACH_MAX: usize = 2_000;
/// Of more, such as are probed where each probe makes two nodes set up a
/// connection, with all that belongs to it.
pub const REACH_DIALLED_MAX: usize = 500;
/// Round trips measured at most.
pub const DELAY_MAX: usize = 400;
/// Round trips of links without latency measured beside those with it.
pub const DELAY_FREE_MAX: usize = 24;
/// Rates measured at most: each fills its link for a while.
pub const RATE_MAX: usize = 64;
/// Probes that give packets something to lose, at most; each is one packet, so
/// that a thousandth can be shown.
pub const LOSS_MAX: usize = 16_000;
/// A smaller share is not worth a probe more.
pub const LOSS_LEAST: f64 = 1e-9;
/// With so many packets expected to be lost, none lost is no accident: its
/// chance is below one in a million.
pub const LOST_ENOUGH: f64 = 14.0;

/// Which pairs of nodes can be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Every node knows every other.
    All,
    /// Only nodes that are joined by the topology's edges (both directions are
    /// in here); a probe elsewhere would join them.
    Edges(BTreeSet<Link>),
}

/// The links to probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// For reachability.
    pub reach: Vec<Link>,
    /// For round trips; one direction for each pair.
    pub delay: Vec<Link>,
    /// For loss, with the number of probes.
    pub loss: BTreeMap<Link, usize>,
    /// For rates: those with a limit, and one without to compare.
    pub rate: Vec<Link>,
    /// Links there are, where not all are probed for reachability.
    pub of: Option<usize>,
}

impl Choice {
    /// Of those links, or the way back, the ones whose condition is measured.
    pub fn measured_of<'a>(&'a self, links: &'a BTreeSet<Link>) -> impl Iterator<Item = &'a Link> {
        let measured = self.delay.iter().chain(&self.rate).chain(self.loss.keys());
        measured.filter(|link| links.contains(link) || links.contains(&link.reversed()))
    }
}

/// Chooses among the links between running nodes. Connections can be opened
/// between `connectable` pairs without changing anything; pings go between
/// `joined` ones. Where there are more than [`REACH_MAX`] links, a sample of them
/// is probed for reachability.
pub fn choose(
    running: &[NodeName],
    connectable: &Pairs,
    joined: &Pairs,
    states: &BTreeMap<Link, LinkState>,
    (sample, seed): (usize, u64),
) -> Choice {
    let all = among(running, connectable);
    let reach_max = match all.len() > REACH_MAX {
        true => sample,
        false => REACH_MAX,
    };
    let joined = among(running, joined);
    let of = |link: &Link| states.get(link).map(plain).unwrap_or_default();
    Choice {
        reach: sampled(&all, reach_max, seed, |link| {
            of(link).cut || of(&link.reversed()).cut
        }),
        delay: delayed(&joined, &of, seed),
        loss: lossy(&all, &of, seed),
        rate: limited(&joined, &of, seed),
        of: (all.len() > reach_max).then_some(all.len()),
    }
}

fn among(running: &[NodeName], pairs: &Pairs) -> Vec<Link> {
    running
        .iter()
        .flat_map(|from| running.iter().map(move |to| Link::new(from, to)))
        .filter(|link| link.from != link.to)
        .filter(|link| match pairs {
            Pairs::All => true,
            Pairs::Edges(edges) => edges.contains(link),
        })
        .collect()
}

/// One direction for each pair that is open both ways: all with latency, and a
/// few without.
fn delayed(all: &[Link], of: &impl Fn(&Link) -> LinkState, seed: u64) -> Vec<Link> {
    let open: Vec<Link> = all
        .iter()
        .filter(|link| link.from < link.to && !of(link).cut && !of(&link.reversed()).cut)
        .cloned()
        .collect();
    let is_slow = |link: &Link| {
        let slow = |link: &Link| {
            let condition = of(link).condition;
            condition.latency_ms.is_some() || condition.jitter_ms.is_some()
        };
        slow(link) || slow(&link.reversed())
    };
    let (slow, free): (Vec<Link>, Vec<Link>) = open.into_iter().partition(is_slow);
    let mut chosen = sampled(&slow, DELAY_MAX, seed, |_| false);
    chosen.extend(sampled(&free, DELAY_FREE_MAX, seed, |_| false));
    chosen
}

/// Links whose rate is limited, and one that is free both ways, if there is any.
fn limited(all: &[Link], of: &impl Fn(&Link) -> LinkState, seed: u64) -> Vec<Link> {
    let has_limit = |link: &Link| of(link).condition.rate_bytes_s.is_some();
    let is_open = |link: &&Link| !of(link).cut && !of(&link.reversed()).cut;
    let open: Vec<Link> = all.iter().filter(is_open).cloned().collect();
    let limited: Vec<Link> = open
        .iter()
        .filter(|link| has_limit(link))
        .cloned()
        .collect();
    let free: Vec<Link> = open
        .into_iter()
        .filter(|link| {
            let is_free = |link: &Link| of(link).condition == Condition::default();
            is_free(link) && is_free(&link.reversed())
        })
        .collect();
    if limited.is_empty() {
        return Vec::new();
    }
    let mut chosen = sampled(&limited, RATE_MAX, seed, |_| false);
    chosen.extend(sampled(&free, 1, seed, |_| false));
    chosen
}

/// As many probes as make the loss of each link show, within bounds; where that
/// is too many, at least as many as make each share show over all its links.
fn lossy(all: &[Link], of: &impl Fn(&Link) -> LinkState, seed: u64) -> BTreeMap<Link, usize> {
    let losing: Vec<Link> = all
        .iter()
        .filter(|link| !of(link).cut && !of(&link.reversed()).cut)
        .filter(|link| of(link).condition.loss.is_some())
        .cloned()
        .collect();
    let losing = sampled(&losing, LOSS_MAX, seed, |_| false);
    let share = |link: &Link| of(link).condition.loss.unwrap_or(1.0);
    let mut alike: BTreeMap<u64, usize> = BTreeMap::new();
    for link in &losing {
        *alike.entry(share(link).to_bits()).or_default() += 1;
    }
    // For each link what shows its share together with the others, and alone.
    let needs: Vec<(Link, f64, f64)> = losing
        .into_iter()
        .map(|link| {
            let alone = LOST_ENOUGH / share(&link).max(LOSS_LEAST);
            let together = alone / alike[&share(&link).to_bits()] as f64;
            (link, together, alone)
        })
        .collect();
    let sum = |which: fn(&(Link, f64, f64)) -> f64| needs.iter().map(which).sum::<f64>();
    let (least, most) = (sum(|need| need.1), sum(|need| need.2));
    let room = LOSS_MAX as f64;
    let shrink = (room / least).min(1.0);
    let extra = ((room - least) / (most - least).max(1.0)).clamp(0.0, 1.0);
    needs
        .into_iter()
        .map(|(link, together, alone)| {
            let probes = (together + extra * (alone - together)) * shrink;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive number of at most the room there is"
            )]
            let probes = probes.ceil() as usize;
            (link, probes)
        })
        .collect()
}

/// At most so many; those that `matters` names come first. Which of the others
/// are taken follows from the seed.
fn sampled(all: &[Link], max: usize, seed: u64, matters: impl Fn(&Link) -> bool) -> Vec<Link> {
    if all.len() <= max {
        return all.to_vec();
    }
    let mut ranked: Vec<(bool, [u8; 32], &Link)> = all
        .iter()
        .map(|link| (!matters(link), rank(link, seed), link))
        .collect();
    ranked.sort();
    ranked.truncate(max);
    let mut chosen: Vec<Link> = ranked.into_iter().map(|(.., link)| link.clone()).collect();
    chosen.sort();
    chosen
}

/// Both directions of a pair have one rank, so that both are taken or none.
fn rank(link: &Link, seed: u64) -> [u8; 32] {
    let (low, high) = ((&link.from).min(&link.to), (&link.from).max(&link.to));
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    for name in [low, high] {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
    }
    hash.finalize().into()
}
