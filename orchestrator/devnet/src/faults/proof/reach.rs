//! Whether what is cut is cut, and the rest is not.

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{ProbeEvidence, Reach};

use super::super::links::plain;
use super::{Earlier, Finding, Measured, Seen, some_of, spell_link};
use crate::engine::fault::Packets;

/// A link and all that bears on it.
struct Case<'a> {
    link: &'a Link,
    /// What is sent on it shall not arrive.
    is_cut: bool,
    /// Nor what is sent the other way.
    is_cut_back: bool,
    /// Share of what is sent on it, or back, that is lost.
    is_lossy: bool,
    seen: Option<&'a Seen>,
    /// Before it was cut, if it was looked at.
    earlier: Option<&'a Earlier>,
    packets: Option<Packets>,
    /// What the nodes say they hold.
    held_cut: bool,
}

/// Judges every probed link. A probe needs both directions, so it fails where
/// either is cut; which one it is, the receivers' packet counters tell, or
/// where there are none, the conditions the senders hold.
pub fn judge(
    probed: &[Link],
    all: Option<usize>,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Finding {
    let of = |link: &Link| states.get(link).map(plain).unwrap_or_default();
    let mut finding = Finding::default();
    let mut tally = Tally::default();
    let mut objections: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for link in probed {
        let (there, back) = (of(link), of(&link.reversed()));
        let loses = |state: &LinkState| state.condition.loss.is_some();
        let case = Case {
            link,
            is_cut: there.cut,
            is_cut_back: back.cut,
            is_lossy: loses(&there) || loses(&back),
            seen: measured.probes.get(link),
            earlier: measured.earlier.get(link),
            packets: measured.packets.get(link).copied(),
            held_cut: measured.held.get(link).is_some_and(|held| plain(held).cut),
        };
        let (evidence, objection) = case.judge();
        tally.count(&case, objection.is_none());
        finding.probes.push(evidence);
        if let Some(why) = objection {
            objections.entry(why).or_default().push(spell_link(link));
        }
    }
    finding.objections = objections
        .iter()
        .map(|(why, links)| format!("{why}: {}", some_of(links)))
        .collect();
    let (mute, proving) = (tally.mute, tally.cut - tally.mute);
    if mute > 0 && proving == 0 {
        finding.objections.push(
            "nothing got through before the cut either, so that nothing gets through now proves \
             nothing"
                .to_owned(),
        );
    }
    finding.summary = tally.spell(probed.len(), all);
    finding
}

impl Case<'_> {
    fn judge(&self) -> (ProbeEvidence, Option<&'static str>) {
        let is_one_way = self.is_cut != self.is_cut_back;
        let by = match (is_one_way, self.packets) {
            (false, _) => "probe",
            (true, Some(_)) => "packets",
            (true, None) => "conditions",
        };
        let measured = self.measured();
        let expected = if self.is_cut {
            Reach::Cut
        } else {
            Reach::Open { rtt_ms: None }
        };
        let evidence = ProbeEvidence {
            link: self.link.clone(),
            by: by.to_owned(),
            before: self.earlier.map(Earlier::reach),
            expected,
            measured,
        };
        (evidence, self.objection(measured))
    }

    /// Whether the silence of this link may have had the same reason before it
    /// was cut: only dropped packets can still show that it is the cut.
    fn is_mute(&self) -> bool {
        let is_across = self.is_cut || self.is_cut_back;
        let was_silent = match self.earlier {
            None | Some(Earlier::Cut | Earlier::Probed(Seen::Reached { .. })) => false,
            Some(Earlier::Probed(_)) => true,
        };
        let is_reached = matches!(self.seen, Some(Seen::Reached { .. }));
        let tells = |packets: Packets| packets.passed > 0 || packets.dropped > 0;
        is_across && was_silent && !is_reached && !self.packets.is_some_and(tells)
    }

    fn measured(&self) -> Reach {
        if self.is_mute() {
            return Reach::Unknown;
        }
        match (self.seen, self.packets) {
            (Some(&Seen::Reached { rtt_ms }), _) => Reach::Open {
                rtt_ms: Some(rtt_ms),
            },
            (None | Some(Seen::Untold(_)), None) => Reach::Unknown,
            // Silence of a probe says that one of the directions is cut.
            (_, Some(packets)) if packets.passed > 0 => Reach::Open { rtt_ms: None },
            (_, Some(packets)) if packets.dropped > 0 => Reach::Cut,
            (_, Some(_)) => Reach::Unknown,
            (Some(Seen::Silent), None) if self.is_cut != self.is_cut_back => match self.held_cut {
                true => Reach::Cut,
                false => Reach::Open { rtt_ms: None },
            },
            (Some(Seen::Silent), None) => Reach::Cut,
        }
    }

    fn objection(&self, measured: Reach) -> Option<&'static str> {
        let is_reached = matches!(self.seen, Some(Seen::Reached { .. }));
        let is_free = !self.is_cut && !self.is_cut_back;
        match measured {
            _ if is_reached && !is_free => Some("a probe got through what is cut"),
            Reach::Open { .. } if self.is_cut => Some("packets got through what is cut"),
            Reach::Cut if !self.is_cut => Some("nothing gets through what is not cut"),
            Reach::Unknown if self.is_mute() => None,
            Reach::Unknown => Some("it could not be told what gets through"),
            // The packets of a probe that got lost may well have passed.
            _ if is_free && !is_reached && !self.is_lossy => {
                Some("a probe failed where nothing is cut")
            }
            _ => None,
        }
    }
}

#[derive(Default)]
struct Tally {
    cut: usize,
    cut_well: usize,
    /// Of the cut ones those that prove nothing.
    mute: usize,
    open: usize,
    open_well: usize,
}

impl Tally {
    fn count(&mut self, case: &Case<'_>, is_well: bool) {
        let is_mute = case.is_mute();
        self.mute += usize::from(is_mute);
        let (all, well) = match case.is_cut || case.is_cut_back {
            true => (&mut self.cut, &mut self.cut_well),
            false => (&mut self.open, &mut self.open_well),
        };
        *all += 1;
        *well += usize::from(is_well && !is_mute);
    }

    fn spell(&self, probed: usize, all: Option<usize>) -> String {
        let Self {
            cut,
            cut_well,
            open,
            open_well,
            mute,
        } = self;
        let silent = match mute {
            0 => String::new(),
            mute => format!("; {mute} could not pass before either and prove nothing"),
        };
        let sample = all.map_or_else(String::new, |all| {
            format!(" (a sample of {probed} of {all} links)")
        });
        match (cut, open) {
            (0, 0) => String::new(),
            (0, _) => format!("{open_well} of {open} probes pass{sample}"),
            (_, 0) => format!("{cut_well} of {cut} probes across the cut fail{sample}{silent}"),
            _ => format!(
                "{cut_well} of {cut} probes across the cut fail, {open_well} of {open} others \
                 pass{sample}{silent}"
            ),
        }
    }
}
