//! The tree against a naive one that keeps every chain as a list.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

pub(crate) fn block(hash: &str, parent: Option<&str>, height: u32) -> BlockFact {
    BlockFact {
        hash: hash.into(),
        parent: parent.map(str::to_owned),
        height,
        work: format!("{height:064x}"),
        miner: None,
        time_ms: u64::from(height) * 1_000,
        transactions: 1,
    }
}

/// Chains from root to tip, by tip.
type Chains = BTreeMap<String, Vec<String>>;

/// A tree where block `i + 1` builds on block `parents[i] % (i + 1)`.
fn grown(parents: &[usize]) -> (Tree, Chains) {
    let mut tree = Tree::default();
    let mut chains = Chains::new();
    tree.insert(&block("b0", None, 0), 0).unwrap();
    chains.insert("b0".into(), vec!["b0".into()]);
    for (index, parent) in parents.iter().enumerate() {
        let parent = format!("b{}", parent % (index + 1));
        let hash = format!("b{}", index + 1);
        let mut chain = chains[&parent].clone();
        let height = u32::try_from(chain.len()).unwrap();
        tree.insert(&block(&hash, Some(&parent), height), 1)
            .unwrap();
        chain.push(hash.clone());
        chains.insert(hash, chain);
    }
    (tree, chains)
}

fn naive_common(chains: &Chains, tips: &[&String]) -> Option<String> {
    let first = &chains[*tips.first()?];
    let on_all = |hash: &&String| tips.iter().all(|tip| chains[*tip].contains(hash));
    first.iter().rev().find(on_all).cloned()
}

proptest! {
    #[test]
    fn the_tree_answers_as_lists_of_chains_do(
        parents in prop::collection::vec(0_usize..60, 1..60),
        picks in prop::collection::vec(0_usize..60, 1..5),
    ) {
        let (tree, chains) = grown(&parents);
        let names: Vec<&String> = chains.keys().collect();
        let tips: Vec<&String> = picks.iter().map(|pick| names[pick % names.len()]).collect();
        let fork = tree.fork_point(tips.iter().map(|tip| tip.as_str()));
        prop_assert_eq!(
            fork.map(|block| block.fact.hash.clone()),
            naive_common(&chains, &tips)
        );
        for tip in &tips {
            let chain: Vec<&str> = tree.chain(tip).map(|x| x.fact.hash.as_str()).collect();
            let naive: Vec<&str> = chains[*tip].iter().rev().map(String::as_str).collect();
            prop_assert_eq!(&chain, &naive);
            for other in &tips {
                prop_assert_eq!(tree.is_ancestor(other, tip), chains[*tip].contains(other));
                let above = naive.iter().rev().skip_while(|x| *x != other).skip(1);
                let above: Vec<&str> = above.copied().collect();
                let branch: Vec<&str> =
                    tree.branch(other, tip).iter().map(|x| x.fact.hash.as_str()).collect();
                prop_assert_eq!(branch, above);
            }
        }
        let leaves: Vec<&str> = tree.leaves().iter().map(|x| x.fact.hash.as_str()).collect();
        for name in &names {
            let is_leaf = !chains.values().any(|chain| {
                chain.len() > chains[*name].len() && chain.contains(name)
            });
            prop_assert_eq!(leaves.contains(&name.as_str()), is_leaf);
        }
        let stale: Vec<&str> = tree.stale(tips[0], 0).iter().map(|x| x.fact.hash.as_str()).collect();
        for name in names {
            let height = chains[name].len();
            let is_stale = height > 1 && height <= chains[tips[0]].len()
                && !chains[tips[0]].contains(name);
            prop_assert_eq!(stale.contains(&name.as_str()), is_stale);
        }
    }
}

#[test]
fn blocks_that_do_not_fit_are_refused_and_change_nothing() {
    let (mut tree, _) = grown(&[0]);
    let orphan = tree.insert(&block("x", Some("nobody"), 2), 1);
    assert_eq!(orphan, Err(TreeError::UnknownParent("nobody".into())));
    let high = tree.insert(&block("x", Some("b1"), 3), 1);
    assert_eq!(high, Err(TreeError::WrongHeight { told: 3, must: 2 }));
    let mut light = block("x", Some("b1"), 2);
    light.work = format!("{:064x}", 1);
    assert!(matches!(tree.insert(&light, 1), Err(TreeError::BadWork(_))));
    light.work = "12".into();
    assert!(matches!(tree.insert(&light, 1), Err(TreeError::BadWork(_))));
    assert_eq!(tree.blocks().len(), 2);
}

#[test]
fn chains_of_different_roots_share_nothing() {
    let (mut tree, _) = grown(&[0, 1]);
    tree.insert(&block("other", None, 0), 1).unwrap();
    assert_eq!(tree.common_ancestor("b2", "other"), None);
    assert_eq!(tree.common_ancestor("b2", "unknown"), None);
}
