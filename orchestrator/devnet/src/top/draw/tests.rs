//! Pictures of states, as a terminal of that size shows them.

use std::collections::BTreeMap;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Cut, CutShape, Fault as Meant};
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::history::tree::Tree;
use devnet_scenario::parting::{Parting, Tips};
use devnet_scenario::world::BlockFact;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::engine::{LogLine, LogSource};
use crate::top::seen::{Fault, Faults, Node, Seen, Tip};
use crate::top::state::{Message, Order, Outcome};

const NOW_S: u64 = 1_800_000_000;
const NAMES: [&str; 4] = ["bootstrap-0", "miner-0", "miner-1", "observer-0"];

/// A hash that tells branch and height.
fn hash(branch: &str, height: u32) -> String {
    format!("{:0>64}", format!("{branch}{height:06}f0"))
}

/// Blocks `from` to `to` of a branch, upon a block of another.
fn grow(tree: &mut Tree, branch: &str, (from, to): (u32, u32), upon: Option<String>) {
    let mut parent = upon;
    for height in from..=to {
        let own = hash(branch, height);
        let fact = BlockFact {
            hash: own.clone(),
            parent: parent.replace(own),
            height,
            work: format!("{height:064x}"),
            miner: None,
            time_ms: (NOW_S - 100 + u64::from(height * height % 7) + 2 * u64::from(height)) * 1_000,
            transactions: 1,
        };
        tree.insert(&fact, height.into())
            .expect("parents come first");
    }
}

fn node(name: &str, life: Life, tip: Option<(&str, u32)>) -> Node {
    Node {
        name: name.to_owned(),
        role: name.split('-').next().unwrap_or_default().to_owned(),
        life,
        tip: tip.map(|(branch, height)| Tip {
            hash: hash(branch, height),
            height,
            work: format!("{height:064x}"),
            time_s: u32::try_from(NOW_S - 4).expect("it fits"),
        }),
        peers: tip.filter(|_| life == Life::Running).map(|_| 3),
        mempool: tip.filter(|_| life == Life::Running).map(|_| 12),
    }
}

fn line(node: &str, text: &str) -> LogLine {
    LogLine {
        node: node.to_owned(),
        time_ms: NOW_S * 1_000,
        source: LogSource::Stdout,
        text: format!("2027-01-15T08:00:00.000000Z  {text}"),
    }
}

/// Four nodes on one chain.
fn calm() -> State {
    let mut state = State::new("local", EngineKind::Process);
    let mut tree = Tree::default();
    grow(&mut tree, "a", (0, 48), None);
    state.see(Seen {
        at_ms: NOW_S * 1_000,
        born_s: NOW_S - 250,
        spacing_s: 2,
        nodes: NAMES
            .map(|name| node(name, Life::Running, Some(("a", 48))))
            .to_vec(),
        tree,
        far: BTreeMap::default(),
        faults: Faults::default(),
        troubles: Vec::new(),
    });
    state.hear(line("miner-0", "INFO minichain: mined block 48"));
    state.hear(line("miner-1", "WARN minichain: a slow peer"));
    state
}

/// The same, cut in two after block 41, one node dead and one behind.
fn hurt() -> State {
    let mut state = calm();
    let mut seen = state.seen.clone();
    grow(&mut seen.tree, "b", (42, 44), Some(hash("a", 41)));
    grow(&mut seen.tree, "c", (40, 40), Some(hash("a", 39)));
    seen.nodes = vec![
        node("bootstrap-0", Life::Running, Some(("a", 47))),
        node("miner-0", Life::Running, Some(("a", 48))),
        node("miner-1", Life::Running, Some(("b", 44))),
        node("observer-0", Life::Down, Some(("a", 41))),
    ];
    seen.faults = Faults {
        intended: vec![Fault {
            text: "partition bootstrap-0,miner-0 | rest".into(),
            since_ms: (NOW_S - 32) * 1_000,
        }],
        sides: Some(parting()),
        remarks: vec!["observer-0 -> miner-0 should be cut and is open.".into()],
    };
    state.see(seen);
    state.marked.insert("miner-1".into());
    state.cursor = 2;
    state
}

fn parting() -> Parting {
    let roster = NAMES.map(str::to_owned).to_vec();
    let shape = CutShape::Groups(vec![roster[..2].to_vec()]);
    let cut = Cut::new(shape, &roster).expect("it cuts");
    let mark = |branch: &str, height: u32| TipMark {
        tip: hash(branch, height),
        height,
        work: format!("{height:064x}"),
    };
    let before: Tips = roster
        .iter()
        .map(|name| (name.clone(), mark("a", 41)))
        .collect();
    let now = [("miner-0", mark("a", 48)), ("miner-1", mark("b", 44))];
    let now: Tips = now
        .into_iter()
        .map(|(name, mark)| (name.to_owned(), mark))
        .collect();
    let mut parting = Parting::new(&Meant::Cut(cut), &roster, &before, &now).expect("of links");
    parting.part_at(41, &hash("a", 41));
    parting
}

fn drawn(state: &State, (width, height): (u16, u16), colour: bool) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("in memory");
    let theme = Theme::new(colour);
    terminal
        .draw(|frame| draw(frame, state, theme))
        .expect("in memory");
    terminal.backend().buffer().clone()
}

fn text(state: &State, size: (u16, u16)) -> String {
    let buffer = drawn(state, size, true);
    let rows = buffer.content().chunks(usize::from(size.0));
    let rows = rows.map(|row| {
        row.iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect::<String>()
    });
    rows.map(|row| format!("{}\n", row.trim_end())).collect()
}

#[test]
fn one_chain_at_80_by_24() {
    insta::assert_snapshot!(text(&calm(), (80, 24)));
}

#[test]
fn a_partition_at_80_by_24() {
    insta::assert_snapshot!(text(&hurt(), (80, 24)));
}

#[test]
fn a_partition_at_120_by_40() {
    insta::assert_snapshot!(text(&hurt(), (120, 40)));
}

#[test]
fn a_partition_on_a_narrow_screen() {
    insta::assert_snapshot!(text(&hurt(), (44, 30)));
}

#[test]
fn before_the_first_look() {
    insta::assert_snapshot!(text(&State::new("local", EngineKind::Docker), (80, 24)));
}

#[test]
fn a_node_that_is_far_behind_is_no_branch() {
    let mut state = calm();
    let mut seen = state.seen.clone();
    seen.nodes[3] = node("observer-0", Life::Running, Some(("a", 3)));
    seen.nodes[2] = node("miner-1", Life::Running, Some(("x", 7)));
    seen.far = BTreeMap::from([(hash("a", 3), Some(hash("a", 48))), (hash("x", 7), None)]);
    grow(&mut seen.tree, "x", (7, 7), None);
    state.see(seen);
    let shown = text(&state, (120, 40));
    assert!(shown.contains("one chain to 48"), "{shown}");
    let row = |name: &str| shown.lines().find(|line| line.contains(name)).unwrap_or("");
    assert!(row("observer-0").contains(" -45 "), "{shown}");
    assert!(row("miner-1").contains(" ? x"), "{shown}");
}

#[test]
fn the_keys_are_explained() {
    let mut state = calm();
    state.is_help = true;
    insta::assert_snapshot!(text(&state, (80, 24)));
}

#[test]
fn what_harms_is_asked_for() {
    let mut state = hurt();
    state.asked = Some(Order::Partition(vec!["miner-1".into()]));
    insta::assert_snapshot!(text(&state, (80, 24)));
}

#[test]
fn the_log_of_one_node_has_the_rest_of_the_screen() {
    let mut state = calm();
    state.cursor = 1;
    state.is_log_of_one = true;
    let shown = text(&state, (80, 24));
    assert!(shown.contains("LOG of miner-0"), "{shown}");
    assert!(
        shown.contains("mined block 48") && !shown.contains("a slow peer"),
        "{shown}"
    );
    assert!(!shown.contains("BRANCHES"), "{shown}");
}

#[test]
fn an_engine_that_does_not_answer_is_told_and_the_rest_stays() {
    let mut state = calm();
    let mut seen = state.seen.clone();
    seen.nodes
        .iter_mut()
        .for_each(|node| node.life = Life::Silent);
    seen.troubles = vec!["cannot observe: no Docker daemon answers.".into()];
    state.see(seen);
    let shown = text(&state, (120, 40));
    for part in [
        "no Docker daemon answers",
        "0/4 answer",
        "silent",
        "miner-0",
        "no tip",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn orders_and_what_came_of_them_are_told() {
    let mut state = calm();
    state.begin(&Order::Kill(vec!["miner-0".into()]));
    assert!(text(&state, (80, 24)).contains("… kill miner-0"));
    state.end(Outcome {
        order: "kill miner-0".into(),
        result: Err("it still answers".into()),
    });
    assert!(text(&state, (80, 24)).contains("✗ kill miner-0: it still answers"));
    state.message = Some(Message {
        tone: Tone::Good,
        text: "heal: 12 of 12 probes pass".into(),
    });
    assert!(text(&state, (80, 24)).contains("✓ heal: 12 of 12 probes pass"));
}

#[test]
fn more_nodes_than_rows_scroll_with_the_cursor() {
    let mut state = calm();
    let mut seen = state.seen.clone();
    seen.nodes = (0..60)
        .map(|at| node(&format!("n-{at}"), Life::Running, Some(("a", 48))))
        .collect();
    state.see(seen);
    let first = text(&state, (80, 24));
    assert!(
        first.contains("›  n-0") || first.contains("› n-0"),
        "{first}"
    );
    let head = first.lines().nth(1).expect("titles");
    assert!(
        !first.contains("n-59 ") && head.starts_with("NODE 1-") && head.contains(" of 60 "),
        "{first}"
    );
    assert!(head.trim_end().ends_with("PEERS MEMPOOL"), "{first}");
    state.cursor = 59;
    let last = text(&state, (80, 24));
    assert!(last.contains("› n-59") && !last.contains(" n-0 "), "{last}");
}

#[test]
fn without_colours_no_cell_has_one_and_the_same_is_told() {
    let sizes = [(80, 24), (120, 40), (44, 30)];
    for size in sizes {
        let (plain, painted) = (drawn(&hurt(), size, false), drawn(&hurt(), size, true));
        let has_colour = |buffer: &Buffer| {
            let mut cells = buffer.content().iter();
            cells.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
        };
        assert!(!has_colour(&plain) && has_colour(&painted));
        let symbols = |buffer: &Buffer| -> String {
            buffer
                .content()
                .iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect()
        };
        assert_eq!(symbols(&plain), symbols(&painted));
    }
}

#[test]
fn every_size_can_be_drawn() {
    let mut asked = hurt();
    asked.asked = Some(Order::Kill(vec!["miner-1".into(); 30]));
    let mut help = calm();
    help.is_help = true;
    for state in [
        calm(),
        hurt(),
        asked,
        help,
        State::new("x", EngineKind::Docker),
    ] {
        for width in [1, 5, 29, 30, 44, 69, 70, 109, 110, 250] {
            for height in [1, 2, 7, 8, 11, 24, 90] {
                let shown = text(&state, (width, height));
                assert!(!shown.is_empty(), "{width}x{height}");
            }
        }
    }
}

#[test]
fn a_screen_too_small_says_so() {
    assert!(text(&calm(), (28, 7)).contains("devnet top needs"));
}
