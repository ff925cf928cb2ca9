//! Looks at scripted nodes.

use devnet_blueprint::NodeState;
use minichain_chain::transaction::Transaction;
use tokio::time::Instant;

use super::super::fake::FakeNodes;
use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn wants() -> Wants {
    Wants::default()
}

fn heights(snapshot: &Snapshot) -> Vec<Option<u32>> {
    let of = |name: &&str| snapshot.facts(name).map(|facts| facts.height);
    NAMES.iter().map(of).collect()
}

fn blocks(snapshot: &Snapshot) -> Vec<(u32, Option<&str>)> {
    let told = snapshot.blocks.iter();
    told.map(|block| (block.height, block.miner.as_deref()))
        .collect()
}

//   0 - 1 - 2    a
//        \- 2'    b, and a knows of it
#[tokio::test(start_paused = true)]
async fn a_look_tells_every_node_and_every_new_block_once() {
    let nodes = FakeNodes::new(&NAMES);
    let (live, _engine) = FakeNodes::live(&NAMES);
    let looker = Looker::new(live, nodes.clone(), None);
    let one = nodes.mine(Some(nodes.tip("a")), "a", Vec::new());
    let two = nodes.mine(Some(one), "a", Vec::new());
    let side = nodes.mine(Some(one), "b", Vec::new());
    nodes.set_tip("a", two);
    nodes.add_side("a", side);
    nodes.set_tip("b", side);
    let first = looker.look(&wants()).await;
    assert_eq!(heights(&first), [Some(2), Some(2), Some(0)]);
    let facts = first.facts("a").expect("it answers");
    assert_eq!(facts.peers, ["b", "c"], "by name");
    assert_eq!(facts.tip, two.to_string());
    let told = blocks(&first);
    assert_eq!(
        told,
        [(0, None), (1, Some("a")), (2, Some("a")), (2, Some("b"))]
    );
    assert_eq!(first.blocks[0].parent, None);
    assert_eq!(first.blocks[1].time_ms, 1_000);
    assert!(first.blocks[1].work > first.blocks[0].work);
    let second = looker.look(&wants()).await;
    assert_eq!(blocks(&second), []);
    let third = nodes.mine(Some(side), "c", Vec::new());
    nodes.set_tip("c", third);
    let third = looker.look(&wants()).await;
    assert_eq!(blocks(&third), [(3, Some("c"))]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_costs_one_bounded_time_out_and_then_less() {
    let nodes = FakeNodes::new(&NAMES);
    let (live, _engine) = FakeNodes::live(&NAMES);
    let looker = Looker::new(live, nodes.clone(), None);
    nodes.silence("b", true);
    let began = Instant::now();
    let snapshot = looker.look(&wants()).await;
    assert_eq!(began.elapsed(), PATIENCE);
    assert_eq!(heights(&snapshot), [Some(0), None, Some(0)]);
    let NodeView::Down { state, why } = &snapshot.nodes["b"] else {
        panic!("it is silent");
    };
    assert_eq!(state, "running");
    assert!(why.contains("did not answer"), "{why}");
    let began = Instant::now();
    looker.look(&wants()).await;
    assert_eq!(began.elapsed(), PATIENCE_WITH_SILENT);
    nodes.silence("b", false);
    assert_eq!(heights(&looker.look(&wants()).await), [Some(0); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_run_is_not_waited_for() {
    let nodes = FakeNodes::new(&NAMES);
    let (live, engine) = FakeNodes::live(&NAMES);
    engine.disturb(live.name(), |observed| {
        observed.nodes[0].state = NodeState::Paused;
        observed.nodes[1].state = NodeState::Exited;
        observed.nodes.truncate(2);
    });
    let looker = Looker::new(live, nodes.clone(), None);
    for name in NAMES {
        nodes.silence(name, true);
    }
    let began = Instant::now();
    let snapshot = looker.look(&wants()).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    let states = snapshot.nodes.values().map(|view| match view {
        NodeView::Down { state, .. } => state.as_str(),
        NodeView::Up(_) => "up",
    });
    assert_eq!(states.collect::<Vec<_>>(), ["paused", "exited", "missing"]);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_wanted_is_asked_for() {
    let nodes = FakeNodes::new(&NAMES);
    let (live, _engine) = FakeNodes::live(&NAMES);
    let looker = Looker::new(live, nodes.clone(), None);
    let snapshot = looker.look(&wants()).await;
    let facts = snapshot.facts("a").expect("it answers");
    assert_eq!((&facts.coins, &facts.metrics), (&None, &None));
    let asked = nodes.calls();
    assert!(!asked.iter().any(|call| call.contains("txoutset")));
    assert!(!asked.iter().any(|call| call.contains("rawmempool")));
    let all = Wants {
        coins_at: Some(7),
        metrics: true,
        ..Wants::default()
    };
    let snapshot = looker.look(&all).await;
    let facts = snapshot.facts("a").expect("it answers");
    let coins = facts.coins.as_ref().expect("they were wanted");
    assert_eq!(coins.height, 0, "its tip is below the height asked for");
    assert_eq!(coins.issued_sats, 1_300_000 * 100_000_000);
    assert!(
        facts
            .metrics
            .as_ref()
            .is_some_and(|text| text.contains("up"))
    );
}

#[tokio::test(start_paused = true)]
async fn transactions_are_told_where_they_are_on_each_node() {
    let nodes = FakeNodes::new(&NAMES);
    let (live, _engine) = FakeNodes::live(&NAMES);
    let looker = Looker::new(live, nodes.clone(), None);
    let genesis = nodes.tip("a");
    let payment = |number: i32| Transaction {
        version: number,
        inputs: Vec::new(),
        outputs: Vec::new(),
        lock_time: 0,
    };
    let (first, second) = (payment(1), payment(2));
    let block = nodes.mine(Some(genesis), "a", vec![first.clone()]);
    nodes.set_tip("a", block);
    nodes.wait_at("b", second.clone());
    let ids = [first.txid().to_string(), second.txid().to_string()];
    let asked = Wants {
        transactions: ids.to_vec(),
        ..Wants::default()
    };
    let places = looker.look(&asked).await.transactions;
    assert_eq!(places[&ids[0]]["a"], TxPlace::Confirmed { height: 1 });
    assert_eq!(places[&ids[0]]["b"], TxPlace::Unknown);
    assert_eq!(places[&ids[1]]["b"], TxPlace::Waiting);
    assert_eq!(places[&ids[1]]["a"], TxPlace::Unknown);
}
