//! Lines as nodes write them.

use devnet_scenario::world::BlockFact;

use super::*;

fn hash(number: u8) -> String {
    format!("{number:064x}")
}

fn line(message: &str) -> String {
    format!("1970-01-01T00:00:02.500Z  INFO minichain_node::observe::event: {message}")
}

fn block(number: u8, parent: Option<u8>) -> BlockReport {
    BlockReport {
        seen_at_ms: 9_000,
        fact: BlockFact {
            hash: hash(number),
            parent: parent.map(hash),
            height: u32::from(number),
            work: String::new(),
            miner: None,
            time_ms: 0,
            transactions: 1,
        },
    }
}

#[test]
fn lines_that_tell_of_blocks_are_read() {
    let mention = |message: &str| mention(&line(message)).expect("a mention");
    let tip = mention(&format!(
        "tip changed tip={} height=7 age_s=0 source=\"gossip\"",
        hash(1)
    ));
    assert_eq!(
        (tip.at_ms, tip.height, tip.is_tip, tip.lost),
        (2_500, 7, true, 0)
    );
    let reorg = mention(&format!(
        "reorganisation tip={} height=9 lost=2 won=3",
        hash(2)
    ));
    assert_eq!((reorg.hash, reorg.is_tip, reorg.lost), (hash(2), true, 2));
    let stale = mention(&format!("stale block kept hash={} height=9", hash(3)));
    assert!(!stale.is_tip);
}

#[test]
fn json_lines_tell_the_same() {
    let text = format!(
        "{{\"timestamp\":\"1970-01-01T00:00:02.5Z\",\"level\":\"INFO\",\"message\":\"tip changed\",\
         \"tip\":\"{}\",\"height\":7,\"target\":\"minichain_node::observe::event\"}}",
        hash(1)
    );
    let told = mention(&text).expect("a mention");
    assert_eq!((told.at_ms, told.height, told.is_tip), (2_500, 7, true));
}

#[test]
fn what_tells_of_no_block_is_passed_over() {
    let forged = format!("peer ready user_agent=x tip changed tip={}", hash(1));
    for text in [
        String::new(),
        "tip changed".into(),
        line("tip changed tip=abc height=7"),
        line("tip changed height=7"),
        line(&forged),
        format!(
            "1970-01-01T00:00:02Z INFO other: tip changed tip={}",
            hash(1)
        ),
        "{\"timestamp\":1}".into(),
        "{".into(),
    ] {
        assert_eq!(mention(&text), None, "{text}");
    }
}

//   0 - 1 - 2
#[test]
fn a_tip_brings_all_blocks_below_it() {
    let blocks = [block(0, None), block(1, Some(0)), block(2, Some(1))];
    let mut book = Book::default();
    book.take("a", &line(&format!("tip changed tip={} height=2", hash(2))));
    book.take(
        "b",
        &line(&format!("block mined hash={} height=1", hash(1))),
    );
    let reach = book.reach(&blocks);
    assert_eq!(reach.blocks[2].get("a"), Some(&2_500));
    assert_eq!(reach.blocks[1].get("a"), Some(&2_500));
    assert_eq!(reach.blocks[1].get("b"), Some(&2_500));
    assert_eq!(reach.blocks[2].get("b"), None);
    assert_eq!(reach.first_ms(1), Some(2_500));
    assert_eq!(reach.first_ms(9), None);
}

#[test]
fn blocks_that_name_each_other_as_parents_end_the_walk() {
    let blocks = [block(1, Some(2)), block(2, Some(1))];
    let mut book = Book::default();
    book.take("a", &line(&format!("tip changed tip={} height=2", hash(2))));
    assert_eq!(book.reach(&blocks).first_ms(0), Some(2_500));
}
