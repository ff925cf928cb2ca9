//! Looks at the files that other calls of devnet leave in the network's folder:
//! its plan, which faults are meant, what was measured of them, and how far a
//! scenario is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use devnet_scenario::fault::{Fault, Link, NodeName};
use devnet_scenario::links::{LinkState, LinkTable};

use super::Watch;
use crate::faults::record::{Act, Came, Record};
use crate::faults::state::spell_fault;
use crate::faults::tally::kinds;
use crate::faults::{Active, Intent, apply};
use crate::serve::view::{EventView, FaultView, FaultsView, LinkView, ProofView};

/// Links told one by one at most.
const LINKS_MAX: usize = 2_000;

/// When the files were last changed, as far as they were read.
#[derive(Default)]
pub struct Files {
    plan: Option<SystemTime>,
    faults: Option<SystemTime>,
    acts: Option<SystemTime>,
    run: Option<SystemTime>,
    was_read: bool,
    record: Record,
    /// Number of the last act that was told.
    told: u64,
}

/// What a look found.
pub struct Found {
    /// The network is there no more.
    pub is_gone: bool,
    /// Its plan is another one.
    pub is_changed: bool,
}

impl Files {
    /// Takes in what changed.
    pub fn look(&mut self, watch: &Watch) -> Found {
        let folder = watch.world.states.network(watch.live.name());
        let plan = modified(&folder.record());
        let is_changed = plan != self.plan;
        self.plan = plan;
        let faults = modified(&folder.faults_file());
        let acts = modified(&folder.acts_file());
        if acts != self.acts {
            self.record = Record::load(&folder);
        }
        if faults != self.faults || acts != self.acts || is_changed {
            // A file that is damaged is told by `devnet faults`.
            let intent = Intent::load_or_forget(&folder).unwrap_or_default();
            self.show(watch, &intent);
        }
        (self.faults, self.acts, self.was_read) = (faults, acts, true);
        let run = modified(&folder.run_file());
        if run != self.run {
            self.run = run;
            if let Ok(Some(scenario)) = folder.read_run() {
                watch.board.set_scenario(scenario);
            }
        }
        Found {
            is_gone: plan.is_none(),
            is_changed,
        }
    }

    /// Shows the faults, and tells which began and ended, and what was measured.
    fn show(&mut self, watch: &Watch, intent: &Intent) {
        let before = watch.board.faults();
        let layout = watch.live.layout();
        let mut now = view(intent, &layout.roster(), apply::base(&layout));
        for fault in &mut now.active {
            fault.proof = self.record.of(fault.id).map(ProofView::of);
        }
        if self.was_read {
            for event in changes(&before, &now) {
                watch.board.event(event);
            }
        }
        let fresh = self.record.acts().filter(|act| act.number > self.told);
        for act in fresh {
            let begins_and_ends = match self.was_read {
                true => Vec::new(),
                false => events_of(act),
            };
            for event in begins_and_ends.into_iter().chain([result_of(act)]) {
                watch.board.event(event);
            }
        }
        if let Some(last) = self.record.acts().next_back() {
            self.told = last.number;
        }
        if now != before {
            watch.hurry.notify_one();
        }
        watch.board.set_faults(now);
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// What began and what ended between two looks.
fn changes(before: &FaultsView, now: &FaultsView) -> Vec<EventView> {
    let stands = |fault: &FaultView, among: &FaultsView| {
        let mut active = among.active.iter();
        active.any(|other| other.id == fault.id)
    };
    let began = now.active.iter().filter(|fault| !stands(fault, before));
    let ended = before.active.iter().filter(|fault| !stands(fault, now));
    began
        .map(|fault| began_at(fault.id, &fault.title, fault.since_ms))
        .chain(ended.map(|fault| over_at(fault.id, &fault.title, 0)))
        .collect()
}

/// What an act of the past began and ended; nobody looked on then.
fn events_of(act: &Act) -> Vec<EventView> {
    let end_ms = act.at_ms.saturating_add(act.took_ms);
    let began = act.begun.map(|id| began_at(id, &act.title, act.at_ms));
    let ended = act.ended.iter();
    began
        .into_iter()
        .chain(ended.map(|ended| over_at(ended.id, &ended.title, end_ms)))
        .collect()
}

/// What came of an act.
fn result_of(act: &Act) -> EventView {
    EventView {
        at_ms: act.at_ms.saturating_add(act.took_ms),
        kind: match act.came {
            Came::Done => "proof",
            Came::Ineffective | Came::Failed => "refused",
        },
        title: act.title.clone(),
        detail: ProofView::of(act).detail,
        fault: act.begun,
        ..EventView::default()
    }
}

fn began_at(id: u32, title: &str, at_ms: u64) -> EventView {
    event("fault", title.to_owned(), id, at_ms)
}

fn over_at(id: u32, title: &str, at_ms: u64) -> EventView {
    event("heal", format!("over: {title}"), id, at_ms)
}

fn event(kind: &'static str, title: String, id: u32, at_ms: u64) -> EventView {
    EventView {
        at_ms,
        kind,
        title,
        fault: Some(id),
        ..EventView::default()
    }
}

/// What the page is told of an intent.
pub fn view(
    intent: &Intent,
    roster: &[NodeName],
    base: BTreeMap<Link, devnet_scenario::links::Condition>,
) -> FaultsView {
    let groups = groups(intent.faults(), roster);
    let free = LinkTable::new(base.clone()).states();
    let states = intent.table(base, roster).states();
    let side = |node: &NodeName| groups.iter().position(|group| group.contains(node));
    let is_told = |link: &Link, state: &LinkState| {
        let is_between = match (side(&link.from), side(&link.to)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        free.get(link) != Some(state) && !(state.cut && is_between)
    };
    let links = states
        .into_iter()
        .filter(|(link, state)| is_told(link, state));
    FaultsView {
        active: intent.faults().iter().map(fault).collect(),
        links: links
            .take(LINKS_MAX)
            .map(|(link, state)| LinkView { link, state })
            .collect(),
        groups,
    }
}

/// Groups that the cut separates, if it separates any.
fn groups(faults: &[Active], roster: &[NodeName]) -> Vec<Vec<NodeName>> {
    let cut = faults.iter().find_map(|active| match &active.fault {
        Fault::Cut(cut) => Some(cut),
        Fault::Condition { .. } | Fault::Node { .. } => None,
    });
    let mut parts = cut.map(|cut| cut.parts(roster)).unwrap_or_default();
    if parts.len() < 2 {
        parts.clear();
    }
    parts
}

fn fault(active: &Active) -> FaultView {
    let nodes = match &active.fault {
        Fault::Node { nodes, .. } => nodes.clone(),
        Fault::Cut(_) | Fault::Condition { .. } => Vec::new(),
    };
    FaultView {
        id: active.id,
        kind: kinds(&active.fault).join(" "),
        title: spell_fault(&active.fault),
        nodes,
        since_ms: active.since_ms,
        until_ms: active.until_ms,
        proof: None,
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::fault::{Cut, CutShape};
    use devnet_scenario::links::Condition;

    use super::*;
    use crate::faults::Span;
    use crate::faults::record::Ended;

    fn roster() -> Vec<NodeName> {
        ["a", "b", "c", "d"].map(str::to_owned).into()
    }

    fn intent(faults: &[Fault]) -> Intent {
        let mut intent = Intent::default();
        let span = Span {
            since_ms: 7,
            until_ms: None,
        };
        for fault in faults {
            intent.take(fault, span);
        }
        intent
    }

    fn cut(shape: CutShape) -> Fault {
        Fault::Cut(Cut::new(shape, &roster()).expect("a cut"))
    }

    fn shown(faults: &[Fault]) -> FaultsView {
        view(&intent(faults), &roster(), BTreeMap::new())
    }

    #[test]
    fn a_partition_is_told_as_groups() {
        let groups = vec![vec!["a".to_owned(), "b".to_owned()]];
        let told = shown(&[cut(CutShape::Groups(groups))]);
        assert_eq!(told.groups, [["a", "b"], ["c", "d"]]);
        assert_eq!(told.links, [], "they run between the groups");
        assert_eq!(
            (told.active[0].kind.as_str(), told.active[0].since_ms),
            ("cut", 7)
        );
    }

    #[test]
    fn a_cut_that_separates_nobody_is_told_as_links() {
        let pair = ("a".to_owned(), "b".to_owned());
        let told = shown(&[cut(CutShape::Pairs(vec![pair]))]);
        assert_eq!(told.groups, Vec::<Vec<NodeName>>::new());
        assert_eq!(told.links.len(), 2);
        assert!(told.links.iter().all(|link| link.state.cut));
    }

    #[test]
    fn slow_links_are_told_beside_a_partition() {
        let slow = Fault::Condition {
            links: [Link::new("a", "b")].into(),
            with: Condition {
                latency_ms: Some(80.0),
                ..Condition::default()
            },
        };
        let groups = vec![vec!["a".to_owned(), "b".to_owned()]];
        let told = shown(&[cut(CutShape::Groups(groups)), slow]);
        assert_eq!(told.links.len(), 1);
        assert_eq!(told.links[0].state.condition.latency_ms, Some(80.0));
        assert_eq!(told.active.len(), 2);
    }

    #[test]
    fn an_act_of_the_past_is_told_with_its_end_and_its_proof() {
        let act = Act {
            number: 4,
            at_ms: 1_000,
            took_ms: 500,
            title: "heal everything".into(),
            ended: vec![Ended {
                id: 3,
                title: "partition a | b".into(),
                since_ms: 10,
            }],
            came: Came::Ineffective,
            detail: "9 of 10 links are open".into(),
            objections: vec!["a -> b is cut".into()],
            begun: None,
        };
        let told = events_of(&act);
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].kind, told[0].fault, told[0].at_ms),
            ("heal", Some(3), 1_500)
        );
        assert_eq!(told[0].title, "over: partition a | b");
        let result = result_of(&act);
        assert_eq!(
            (result.kind, result.detail.as_str()),
            ("refused", "a -> b is cut")
        );
    }

    #[test]
    fn only_what_began_and_ended_is_news() {
        let cut = shown(&[cut(CutShape::halves(&roster()))]);
        let none = FaultsView::default();
        let kinds = |events: Vec<EventView>| -> Vec<&str> {
            events.iter().map(|event| event.kind).collect()
        };
        assert_eq!(kinds(changes(&none, &cut)), ["fault"]);
        assert_eq!(kinds(changes(&cut, &none)), ["heal"]);
        assert_eq!(kinds(changes(&cut, &cut)), Vec::<&str>::new());
    }
}
