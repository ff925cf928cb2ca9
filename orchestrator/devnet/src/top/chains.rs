//! How the nodes' tips hang together: blocks are read below tips that are new,
//! as far as is wanted, and a node is asked about tips that are deeper than that.

use std::collections::BTreeMap;

use devnet_scenario::history::tree::Tree;
use devnet_scenario::world::BlockFact;

/// Blocks read below a tip that is new, at most.
const WALK_MAX: usize = 60;

/// Tips that hang together with no other by the blocks that were read: by hash,
/// the tip on whose chain they are as its node says; `None`: nobody could tell.
pub type Far = BTreeMap<String, Option<String>>;

/// What a node is asked; `None`: it does not tell.
pub trait Ask {
    /// A block, with its parent.
    async fn block(&self, hash: &str) -> Option<BlockFact>;
    /// Hash of the block at that height of its own chain.
    async fn hash_at(&self, height: u32) -> Option<String>;
}

/// A node and its tip.
pub struct TipOf<'a, A> {
    /// The node.
    pub node: A,
    /// Hash of the tip.
    pub hash: &'a str,
    /// Its height.
    pub height: u32,
    /// Work of its chain, 64 hexadecimal digits.
    pub work: &'a str,
}

/// A chain of which no block is known that another one has.
struct Head<'a, A> {
    tip: &'a TipOf<'a, A>,
    /// The lowest block known of it, and its height.
    root: (String, u32),
    is_silent: bool,
}

/// How a tip is to the chains above it.
enum Standing {
    On(String),
    Apart,
    Unknown,
}

/// Reads what is new below the tips into the tree, those with most work first,
/// and tells which of them are too far behind to be joined to the others by it.
pub async fn learn<A: Ask>(tree: &mut Tree, tips: &[TipOf<'_, A>], at_ms: u64) -> Far {
    let mut sorted: Vec<&TipOf<'_, A>> = tips.iter().collect();
    sorted.sort_by(|a, b| b.work.cmp(a.work));
    let mut heads: Vec<Head<'_, A>> = Vec::new();
    let mut far = Far::new();
    for tip in sorted {
        if far.contains_key(tip.hash) || is_joined(tree, &heads, tip.hash) {
            continue;
        }
        match standing(&mut heads, tip).await {
            Standing::On(head) => {
                far.insert(tip.hash.to_owned(), Some(head));
                continue;
            }
            Standing::Unknown => {
                far.insert(tip.hash.to_owned(), None);
                continue;
            }
            Standing::Apart => walk(tree, tip, at_ms).await,
        }
        if let Some(root) = root(tree, tip.hash).filter(|_| !is_joined(tree, &heads, tip.hash)) {
            heads.push(Head {
                tip,
                root,
                is_silent: false,
            });
        }
    }
    far
}

fn is_joined<A>(tree: &Tree, heads: &[Head<'_, A>], hash: &str) -> bool {
    root(tree, hash).is_some_and(|root| heads.iter().any(|head| head.root == root))
}

/// The lowest block known below that one.
fn root(tree: &Tree, hash: &str) -> Option<(String, u32)> {
    let lowest = tree.chain(hash).last()?;
    Some((lowest.fact.hash.clone(), lowest.fact.height))
}

/// Asks the nodes of chains that are known only above the tip.
async fn standing<A: Ask>(heads: &mut [Head<'_, A>], tip: &TipOf<'_, A>) -> Standing {
    let mut is_unknown = false;
    for head in heads.iter_mut().filter(|head| head.root.1 > tip.height) {
        // Who did not answer once shall not hold up the picture again.
        let told = match head.is_silent {
            true => None,
            false => head.tip.node.hash_at(tip.height).await,
        };
        match told {
            Some(hash) if hash == tip.hash => return Standing::On(head.tip.hash.to_owned()),
            Some(_) => {}
            None => (head.is_silent, is_unknown) = (true, true),
        }
    }
    match is_unknown {
        true => Standing::Unknown,
        false => Standing::Apart,
    }
}

/// Reads from the tip down to a known block or as far as is wanted; nothing if
/// the node does not tell.
async fn walk<A: Ask>(tree: &mut Tree, tip: &TipOf<'_, A>, at_ms: u64) {
    let mut path: Vec<BlockFact> = Vec::new();
    let mut next = Some(tip.hash.to_owned());
    while let Some(hash) = next.filter(|hash| tree.get(hash).is_none() && path.len() < WALK_MAX) {
        let Some(block) = tip.node.block(&hash).await else {
            return;
        };
        next = block.parent.clone();
        path.push(block);
    }
    for mut block in path.into_iter().rev() {
        // A block whose parent is not known stands at the bottom.
        block.parent = block.parent.filter(|parent| tree.get(parent).is_some());
        // What does not fit is left out: the nodes judge blocks, not we.
        let _unfit = tree.insert(&block, at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::branches::branches;

    /// Branches by name: each begins on another one at a height.
    #[derive(Clone, Copy)]
    struct Node {
        branch: &'static str,
        fork: u32,
        height: u32,
        answers: bool,
    }

    impl Node {
        fn at(&self, height: u32) -> String {
            let branch = if height <= self.fork {
                "a"
            } else {
                self.branch
            };
            format!("{branch}{height}")
        }
    }

    impl Ask for &Node {
        async fn block(&self, hash: &str) -> Option<BlockFact> {
            let height: u32 = hash[1..].parse().ok()?;
            (height <= self.height && self.at(height) == hash).then(|| BlockFact {
                hash: hash.to_owned(),
                parent: height.checked_sub(1).map(|below| self.at(below)),
                height,
                work: format!("{:064x}", height + 1),
                miner: None,
                time_ms: 0,
                transactions: 1,
            })
        }

        async fn hash_at(&self, height: u32) -> Option<String> {
            (self.answers && height <= self.height).then(|| self.at(height))
        }
    }

    const fn node(branch: &'static str, fork: u32, height: u32) -> Node {
        Node {
            branch,
            fork,
            height,
            answers: true,
        }
    }

    /// Nodes of each branch, and those whose tip has no place.
    async fn seen(nodes: &[Node]) -> Vec<Vec<usize>> {
        let hashes: Vec<String> = nodes.iter().map(|node| node.at(node.height)).collect();
        let works: Vec<String> = nodes.iter().map(|x| format!("{:064x}", x.height)).collect();
        let tips = nodes.iter().zip(&hashes).zip(&works);
        let tips: Vec<TipOf<'_, &Node>> = tips
            .map(|((node, hash), work)| TipOf {
                node,
                hash,
                height: node.height,
                work,
            })
            .collect();
        let mut tree = Tree::default();
        let far = learn(&mut tree, &tips, 0).await;
        let tips = hashes.iter().enumerate();
        let found = branches(&tree, &far, tips.map(|(at, hash)| (at, hash.as_str())));
        found.into_iter().map(|branch| branch.nodes).collect()
    }

    #[tokio::test]
    async fn a_node_far_behind_is_on_the_branch_it_will_catch_up_with() {
        let nodes = [node("a", 0, 3), node("a", 0, 400), node("a", 0, 250)];
        assert_eq!(seen(&nodes).await, [vec![0, 1, 2]]);
    }

    #[tokio::test]
    async fn a_fork_deeper_than_what_was_read_is_a_branch() {
        // a ─ 100 ─┬─ 400
        //          └─ b 250, and one that is behind on it
        let nodes = [node("a", 0, 400), node("b", 100, 250), node("b", 100, 120)];
        assert_eq!(seen(&nodes).await, [vec![0], vec![1, 2]]);
    }

    #[tokio::test]
    async fn where_nobody_can_tell_no_branch_is_claimed() {
        let silent = Node {
            answers: false,
            ..node("a", 0, 400)
        };
        assert_eq!(seen(&[silent, node("a", 0, 3)]).await, [vec![0]]);
    }
}
