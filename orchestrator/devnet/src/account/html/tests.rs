//! Pages of runs that are hostile, large, or empty.

use std::collections::BTreeMap;

use devnet_scenario::fault::{Cut, CutShape, Fault, NodeFault, NodeName};
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::history::nodes::StateChange;
use devnet_scenario::report::{Failure, RosterEntry, StepOutcome, StepReport, Trouble, Verdict};
use devnet_scenario::world::LogFact;

use super::super::arrivals::Book;
use super::super::fixture::{BEGIN_MS, NODES, block, hash, source};
use super::super::source::{Source, last_tips};
use super::*;

/// Each tries another way out of the text.
const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title></style><script>alert(2)</script>",
    "'-alert(3)-'<svg onload=alert(3)>",
    "]]><!--<a href=javascript:alert(4)>\u{202e}\u{1b}[31m",
];

fn page_of(source: &Source) -> String {
    page(&Account::of(source))
}

/// A run in which everything that others wrote is hostile.
fn hostile(text: &str) -> Source {
    let mut source = source();
    let own = || text.to_owned();
    let report = &mut source.report;
    report.name = own();
    report.description = own();
    report.verdict = Verdict::Fail;
    report.parameters.insert(own(), own());
    report.roster.push(RosterEntry {
        name: own(),
        group: own(),
        role: own(),
        zone: Some(own()),
    });
    let mut node = report.nodes["c"].clone();
    node.states.push(StateChange {
        at_ms: BEGIN_MS + 20_000,
        up: false,
        state: own(),
    });
    node.tips[0].tip = own();
    report.nodes.insert(own(), node);
    report.blocks[5].fact.miner = Some(own());
    let last = report.blocks.len() - 1;
    report.blocks[last].fact.miner = Some(own());
    report.steps.push(StepReport {
        path: own(),
        title: own(),
        kind: own(),
        begun_at_ms: Some(0),
        ended_at_ms: None,
        outcome: StepOutcome::Failed,
        notes: vec![own()],
    });
    report.logs.push(LogFact {
        node: own(),
        at_ms: BEGIN_MS,
        text: format!("WARN {text}"),
    });
    report.troubles.push(Trouble {
        verdict: Verdict::Fail,
        step: own(),
        text: own(),
    });
    let tips = last_tips(report);
    report.failure = Some(failure(text, tips));
    source.report.oddities.push(own());
    source.tips = last_tips(&source.report);
    let kill = Fault::Node {
        nodes: vec![own()],
        what: NodeFault::Upgrade { program: own() },
    };
    source.intended.push((kill, BEGIN_MS + 5_000));
    source.environment.push((own(), own()));
    source.remarks.push(own());
    if let Some(run) = &mut source.run {
        run.engine = own();
        run.file = own();
        run.replay = own();
        run.reason = own();
    }
    source
}

fn failure(text: &str, tips: BTreeMap<NodeName, TipMark>) -> Failure {
    Failure {
        verdict: Verdict::Fail,
        at_ms: BEGIN_MS + 30_000,
        step: text.to_owned(),
        expected: text.to_owned(),
        found: text.to_owned(),
        faults_in_force: vec![text.to_owned()],
        tips,
        down: [(text.to_owned(), text.to_owned())].into(),
        fork: None,
    }
}

/// The page without what it brings itself: its style and its script.
fn without_own(page: &str) -> String {
    let style = format!("<style>{}{STYLE}</style>", palette::css());
    let script = format!("<script>{SCRIPT}</script>");
    assert!(page.contains(&style) && page.contains(&script));
    page.replacen(&style, "", 1).replacen(&script, "", 1)
}

#[test]
fn what_others_wrote_stays_text() {
    for text in HOSTILE {
        let page = without_own(&page_of(&hostile(text)));
        for tag in [
            "<script",
            "<img",
            "<style",
            "<!--",
            "<svg onload",
            "<a href=j",
        ] {
            assert!(!page.contains(tag), "{text} got out as {tag}");
        }
        let inside_tags = page
            .split('<')
            .skip(1)
            .filter_map(|tag| tag.split('>').next());
        for tag in inside_tags.filter(|tag| tag.contains("alert(")) {
            // Within a tag it may stand in quotes only.
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!outside.contains("alert("), "{text} got out in <{tag}>");
        }
        assert!(
            !page.contains('\u{202e}') && !page.contains('\u{1b}'),
            "{text}"
        );
    }
}

#[test]
fn the_page_asks_for_nothing_and_its_policy_forbids_it() {
    let page = page_of(&source());
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    assert!(!page.contains("unsafe"));
    for word in ["src=", "@import", "url(", "<link"] {
        assert!(!page.contains(word), "{word}");
    }
    let addresses = page.matches("http").count();
    let own = page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    let policy = page.matches("http-equiv").count();
    assert_eq!(addresses, own + policy);
    assert!(
        !page.contains(" style="),
        "the policy forbids style in tags"
    );
}

#[test]
fn pages_of_long_runs_of_many_nodes_stay_small() {
    let mut source = source();
    let template = source.report.nodes["c"].clone();
    let mut book = Book::default();
    source.report.blocks = vec![block(0, None, 0)];
    for number in 0..100 {
        let name = format!("node-{number}");
        source.report.nodes.insert(name.clone(), template.clone());
        source.report.roster.push(RosterEntry {
            name,
            group: "g".into(),
            role: "miner".into(),
            zone: None,
        });
    }
    for height in 1..=5_000_u32 {
        let parent = if height % 7 == 1 {
            height.saturating_sub(2)
        } else {
            height - 1
        };
        let mut fact = block(height, Some(parent), height);
        fact.seen_at_ms = BEGIN_MS + u64::from(height);
        source.report.blocks.push(fact);
        for node in 0..20 {
            let time = crate::clock::rfc3339(BEGIN_MS / 1_000 + u64::from(height));
            book.take(
                &format!("node-{node}"),
                &format!(
                    "{time}  INFO minichain_node::observe::event: reorganisation tip={} \
                     height={height} lost=1 won=2",
                    hash(height)
                ),
            );
        }
    }
    source.report.ended_at_ms = Some(BEGIN_MS + 5_100_000);
    source.book = book;
    let page = page_of(&source);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(page.contains("side branches are not shown"));
    assert!(page.contains("more nodes"));
}

#[test]
fn a_run_in_which_nothing_happened_has_a_page() {
    let mut source = source();
    source.report.blocks.clear();
    source.report.nodes.clear();
    source.report.roster.clear();
    source.report.block_interval_ms = 0;
    source.report.ended_at_ms = Some(0);
    source.book = Book::default();
    source.tips.clear();
    let page = page_of(&source);
    assert!(page.contains("No block is known."), "{page}");
}

/// Of a living network only those in force are known.
#[test]
fn a_living_network_is_not_said_to_have_been_without_faults() {
    let of_run = page_of(&source());
    assert!(of_run.contains("without a fault") && of_run.contains("no fault was in force"));
    let mut living = source();
    living.run = None;
    let page = page_of(&living);
    for word in ["without a fault", "no fault", "proven by"] {
        assert!(!page.to_lowercase().contains(word), "{word}");
    }
    assert!(page.contains("in force now"));
    // Known ones stand apart from those nobody recorded.
    living.intended = vec![(nobody_reached("b"), BEGIN_MS + 20_000)];
    let page = page_of(&living).to_lowercase();
    assert!(page.contains("no known fault in force"), "{page}");
    assert!(!page.contains("no fault"), "{page}");
}

fn nobody_reached(node: &str) -> Fault {
    let roster = NODES.map(str::to_owned);
    let shape = CutShape::Groups(vec![vec![node.to_owned()]]);
    Fault::Cut(Cut::new(shape, &roster).expect("a cut"))
}

#[test]
fn times_that_make_no_sense_draw_a_page_all_the_same() {
    let mut source = source();
    source.report.ended_at_ms = Some(u64::MAX);
    for block in &mut source.report.blocks {
        block.seen_at_ms = u64::MAX - u64::from(block.fact.height);
        block.fact.height = u32::MAX;
    }
    let kill = Fault::Node {
        nodes: vec!["a".into()],
        what: NodeFault::Kill,
    };
    source.intended.push((kill, u64::MAX));
    assert!(page_of(&source).len() > 1_000);
}
