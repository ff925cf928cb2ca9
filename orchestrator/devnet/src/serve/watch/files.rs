//! Looks at the files that other calls of devnet leave in the network's folder:
//! its plan, which faults are meant, and how far a scenario is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use devnet_scenario::fault::{Fault, Link, NodeName};
use devnet_scenario::links::{LinkState, LinkTable};

use super::Watch;
use crate::faults::state::spell_fault;
use crate::faults::tally::kinds;
use crate::faults::{Active, Intent, apply};
use crate::serve::view::{EventView, FaultView, FaultsView, LinkView};

/// Links told one by one at most.
const LINKS_MAX: usize = 2_000;

/// When the files were last changed, as far as they were read.
#[derive(Default)]
pub struct Files {
    plan: Option<SystemTime>,
    faults: Option<SystemTime>,
    run: Option<SystemTime>,
    was_read: bool,
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
        if faults != self.faults || is_changed {
            self.faults = faults;
            // A file that is damaged is told by `devnet faults`.
            let intent = Intent::load_or_forget(&folder).unwrap_or_default();
            show(watch, &intent, self.was_read);
            self.was_read = true;
        }
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
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// Shows the faults, and tells which began and ended.
fn show(watch: &Watch, intent: &Intent, is_news: bool) {
    let before = watch.board.faults();
    let layout = watch.live.layout();
    let now = view(intent, &layout.roster(), apply::base(&layout));
    for fault in &now.active {
        if is_news && !before.active.iter().any(|other| other.id == fault.id) {
            told(
                watch,
                "fault",
                fault.title.clone(),
                fault.id,
                fault.since_ms,
            );
        }
    }
    for fault in &before.active {
        if !now.active.iter().any(|other| other.id == fault.id) {
            told(watch, "heal", format!("over: {}", fault.title), fault.id, 0);
        }
    }
    if now != before {
        watch.hurry.notify_one();
    }
    watch.board.set_faults(now);
}

fn told(watch: &Watch, kind: &'static str, title: String, id: u32, at_ms: u64) {
    watch.board.event(EventView {
        at_ms,
        kind,
        title,
        fault: Some(id),
        ..EventView::default()
    });
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
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::fault::{Cut, CutShape};
    use devnet_scenario::links::Condition;

    use super::*;
    use crate::faults::Span;

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
}
