//! Trees as pictures.

use devnet_scenario::report::BlockReport;

use super::super::fixture::{block, hash, report};
use super::*;

fn tip(blocks: &[BlockReport], place: usize) -> TipMark {
    let fact = &blocks[place].fact;
    TipMark {
        tip: fact.hash.clone(),
        height: fact.height,
        work: fact.work.clone(),
    }
}

/// The chain that won, by a log that tells nothing.
fn chain(report: &Report, tips: &BTreeMap<NodeName, TipMark>) -> Chain {
    let reach = Reach {
        blocks: vec![BTreeMap::new(); report.blocks.len()],
    };
    Chain::of(report, &reach, tips)
}

/// Each row as `lane<from: heights`.
fn told(picture: &TreePicture) -> Vec<String> {
    let rows = picture.rows.iter();
    rows.map(|row| {
        format!(
            "{}<{}: {}-{}",
            row.lane, row.from_lane, row.from_height, row.to_height
        )
    })
    .collect()
}

//   0 - 1 - 2 - 3 - 4
//        \- 5 - 6
//            \- 7
#[test]
fn side_branches_stand_before_the_chain_goes_on() {
    let mut report = report();
    report.blocks = vec![
        block(0, None, 0),
        block(1, Some(0), 1),
        block(2, Some(1), 2),
        block(5, Some(1), 2),
        block(6, Some(5), 3),
        block(7, Some(5), 3),
        block(3, Some(2), 3),
        block(4, Some(3), 4),
    ];
    let tips = BTreeMap::from([
        ("a".to_owned(), tip(&report.blocks, 7)),
        ("b".to_owned(), tip(&report.blocks, 4)),
    ]);
    let chain = chain(&report, &tips);
    let picture = drawn(&report, &tips, &chain);
    assert_eq!(
        told(&picture),
        ["0<0: 0-1", "1<0: 2-2", "2<1: 3-3", "1<1: 3-3", "0<0: 2-4"]
    );
    assert_eq!(picture.rows[2].passing, [0, 1]);
    assert_eq!(picture.rows[4].nodes, [("a".to_owned(), 4)]);
    assert_eq!((picture.sides, picture.left_out), (1, 0));
    assert!(chain.is_best(&report.blocks[7].fact.hash));
    assert!(!chain.is_best(&report.blocks[4].fact.hash));
}

#[test]
fn a_tree_of_many_forks_stays_short_and_says_so() {
    let mut report = report();
    report.blocks = vec![block(0, None, 0)];
    for height in 1..=1_000_u32 {
        let parent = height - 1;
        report.blocks.push(block(height, Some(parent), height));
        report
            .blocks
            .push(block(10_000 + height, Some(parent), height));
    }
    let tips = BTreeMap::new();
    let picture = drawn(&report, &tips, &chain(&report, &tips));
    assert!(picture.rows.len() <= ROWS_MAX, "{}", picture.rows.len());
    assert!(picture.left_out > 900, "{}", picture.left_out);
    assert_eq!(picture.rows.last().map(|row| row.to_height), Some(1_000));
    assert_eq!(picture.sides, 1_000);
}

#[test]
fn blocks_whose_parents_go_round_end_the_walk() {
    let mut report = report();
    report.blocks = vec![block(1, Some(2), 1), block(2, Some(1), 2)];
    let tips = BTreeMap::new();
    let chain = chain(&report, &tips);
    assert!(chain.is_best(&report.blocks[0].fact.hash));
    drawn(&report, &tips, &chain);
}

/// Two blocks of one work: the one that nodes had first won, in the picture and
/// in the figures, whichever is told of first.
#[test]
fn of_equal_branches_the_one_that_was_there_first_is_the_trunk() {
    let mut report = report();
    report.blocks = vec![
        block(0, None, 0),
        block(1, Some(0), 1),
        block(2, Some(0), 1),
    ];
    let had = |at_ms: u64| BTreeMap::from([("a".to_owned(), at_ms)]);
    let reach = Reach {
        blocks: vec![had(0), had(20), had(10)],
    };
    let tips = BTreeMap::from([
        ("a".to_owned(), tip(&report.blocks, 1)),
        ("b".to_owned(), tip(&report.blocks, 2)),
    ]);
    let chain = Chain::of(&report, &reach, &tips);
    assert!(chain.is_best(&hash(2)) && !chain.is_best(&hash(1)));
    let picture = drawn(&report, &tips, &chain);
    assert_eq!(told(&picture), ["0<0: 0-0", "1<0: 1-1", "0<0: 1-1"]);
    assert_eq!(picture.rows[2].last, hash(2));
    let found: Vec<u64> = picture.rows.iter().map(|row| row.seen_at_ms).collect();
    assert_eq!(found, [0, 20, 10], "by the logs, not by the looks");
}
