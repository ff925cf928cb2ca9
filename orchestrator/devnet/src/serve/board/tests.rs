use serde_json::Value;

use super::*;

fn node(board: &Board, name: &str) {
    board.put_node(name, |node| node.name = name.to_owned());
}

fn tip(hash: &str, height: u32, at_ms: u64) -> TipView {
    TipView {
        hash: hash.into(),
        height,
        work: String::new(),
        at_ms,
    }
}

fn block(hash: &str, height: u32) -> BlockView {
    BlockView {
        hash: hash.into(),
        height,
        ..BlockView::default()
    }
}

async fn heard(receiver: &mut broadcast::Receiver<Arc<str>>) -> Value {
    let text = receiver.recv().await.expect("a message");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_moment_are_one_message() {
    let board = Arc::new(Board::default());
    for name in ["a", "b", "c"] {
        node(&board, name);
    }
    let (whole, mut receiver) = board.join();
    assert!(whole.contains("\"whole\":true"), "{whole}");
    let teller = board.clone();
    tokio::spawn(async move { teller.tell().await });
    board.block(block("x", 1));
    for (name, at_ms) in [("a", 100), ("b", 130), ("c", 190)] {
        board.tip(name, tip("x", 1, at_ms), true);
    }
    // What was pending from before is in it too; a page takes it as it is.
    let told = heard(&mut receiver).await;
    assert_eq!(told["tips"].as_array().map(Vec::len), Some(3));
    let spread = &told["blocks"][0]["spread"];
    assert_eq!(spread["nodes"], 3);
    assert_eq!(
        (spread["median_ms"].as_f64(), spread["last_ms"].as_f64()),
        (Some(30.0), Some(90.0))
    );
    assert_eq!(told["blocks"].as_array().map(Vec::len), Some(1));
    assert!(receiver.try_recv().is_err());
}

#[test]
fn a_tip_that_was_there_before_has_no_way() {
    let board = Board::default();
    node(&board, "a");
    board.block(block("x", 1));
    board.tip("a", tip("x", 1, 5), false);
    let whole = board.whole();
    assert_eq!(whole.blocks[0].spread, None);
    let a = whole.nodes["a"].as_ref().expect("a node");
    assert_eq!(
        (a.condition, a.tip.as_ref().map(|tip| tip.height)),
        (Condition::Up, Some(1))
    );
}

#[test]
fn what_logs_tell_completes_what_was_seen() {
    let board = Board::default();
    for name in ["a", "b", "c"] {
        node(&board, name);
    }
    board.block(block("old", 1));
    board.block(block("new", 2));
    board.tip("b", tip("new", 2, 500), true);
    let times = |pairs: &[(&str, u64)]| -> BTreeMap<NodeName, u64> {
        let pairs = pairs.iter();
        pairs.map(|(name, at)| ((*name).to_owned(), *at)).collect()
    };
    board.came("old", &times(&[("a", 100), ("b", 130), ("c", 190)]));
    board.came("new", &times(&[("a", 480), ("b", 499)]));
    board.came("nobody knows it", &times(&[("a", 1)]));
    let blocks = board.whole().blocks;
    let seen: Vec<_> = blocks
        .iter()
        .map(|block| (block.seen_ms, block.spread.map(|spread| spread.last_ms)))
        .collect();
    // What was seen stands; the highest comes first.
    assert_eq!(seen, [(Some(480), Some(20.0)), (Some(100), Some(90.0))]);
}

#[test]
fn events_stand_in_the_order_of_their_time() {
    let board = Board::default();
    for at_ms in [30, 10, 20] {
        board.event(EventView {
            at_ms,
            ..EventView::default()
        });
    }
    let events = board.whole().events;
    let told: Vec<_> = events.iter().map(|event| (event.at_ms, event.id)).collect();
    assert_eq!(told, [(10, 2), (20, 3), (30, 1)]);
}

#[test]
fn what_is_kept_is_bounded() {
    let board = Board::default();
    for height in 0..2_000 {
        board.block(block(&format!("{height}"), height));
        board.event(EventView::default());
    }
    let whole = board.whole();
    assert_eq!(whole.blocks.len(), BLOCKS_TOLD);
    assert_eq!(whole.blocks[0].height, 1_999, "the highest first");
    assert_eq!(whole.events.len(), EVENTS_MAX);
    assert_eq!(board.floor(), 500);
    assert!(!board.has_block("3"));
}

#[test]
fn a_node_that_is_gone_is_told_as_gone() {
    let board = Board::default();
    node(&board, "a");
    node(&board, "b");
    board.keep_nodes(&["b".into()]);
    let pending = board.known().pending.clone();
    assert_eq!(pending.nodes["a"], None);
    board.change_node("a", |node| node.mempool = 1);
    board.change_node("b", |node| node.mempool = 1);
    assert!(board.node("a").is_none(), "late news bring nobody back");
    assert_eq!(board.node("b").map(|node| node.mempool), Some(1));
}
