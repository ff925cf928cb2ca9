//! Where the chains of several nodes part: asked of the nodes, block hashes by
//! height, few of them.

use std::future::Future;

use devnet_scenario::parting::Descent;

/// A node's tip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tip {
    /// Height.
    pub height: u32,
    /// Hash.
    pub hash: String,
    /// Who has it, by its place among the nodes.
    pub node: usize,
}

/// The last block that all those chains share, by height and hash. `hash_at`
/// asks a node which block of its chain stands at a height. `None`: there is no
/// tip, a node does not answer, or the chains share no block.
pub async fn last_shared<A>(
    tips: &[Tip],
    hash_at: impl Fn(usize, u32) -> A,
) -> Option<(u32, String)>
where
    A: Future<Output = Option<String>>,
{
    let mut different: Vec<&Tip> = tips.iter().collect();
    different.sort();
    different.dedup_by(|a, b| a.hash == b.hash);
    let (first, others) = different.split_first()?;
    let mut shared = (first.height, first.hash.clone());
    for other in others {
        shared = common(first.node, other.node, shared.0, &hash_at).await?;
    }
    Some(shared)
}

/// The highest block at most that high which both nodes have on their chains.
async fn common<A>(
    first: usize,
    second: usize,
    highest: u32,
    hash_at: &impl Fn(usize, u32) -> A,
) -> Option<(u32, String)>
where
    A: Future<Output = Option<String>>,
{
    let mut descent = Descent::from(highest);
    let mut shared = None;
    while let Some(height) = descent.ask() {
        let (a, b) = futures::join!(hash_at(first, height), hash_at(second, height));
        let (a, b) = (a?, b?);
        let is_same = a == b;
        descent.heard(height, is_same);
        if is_same {
            shared = Some((height, a));
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use super::*;

    /// ```text
    /// a0 ─ a1 ─ a2 ─ a3
    ///        ├─ b2 ─ b3 ─ b4
    ///        └─ c2
    /// ```
    const CHAINS: &[&[&str]] = &[
        &["a0", "a1", "a2", "a3"],
        &["a0", "a1", "b2", "b3", "b4"],
        &["a0", "a1", "a2", "a3"],
        &["a0", "a1", "a2"],
        &["a0", "a1", "c2"],
        &["z0", "z1"],
    ];

    fn tip(node: usize) -> Tip {
        let chain = CHAINS[node];
        let height = u32::try_from(chain.len() - 1).expect("a short chain");
        let hash = chain[chain.len() - 1].to_owned();
        Tip { height, hash, node }
    }

    async fn shared(nodes: &[usize]) -> Option<(u32, String)> {
        let tips: Vec<Tip> = nodes.iter().copied().map(tip).collect();
        let hash_at = |node: usize, height: u32| {
            let found = CHAINS[node].get(height as usize);
            ready(found.map(|&hash| hash.to_owned()))
        };
        last_shared(&tips, hash_at).await
    }

    #[tokio::test]
    async fn branches_meet_where_they_forked() {
        let at = |height, hash: &str| Some((height, hash.to_owned()));
        assert_eq!(shared(&[0, 1, 2]).await, at(1, "a1"));
        assert_eq!(shared(&[3, 0]).await, at(2, "a2"), "one is only behind");
        assert_eq!(shared(&[0, 3, 4]).await, at(1, "a1"));
        assert_eq!(shared(&[0]).await, at(3, "a3"));
        assert_eq!(shared(&[]).await, None);
        assert_eq!(shared(&[0, 5]).await, None, "another genesis");
    }

    #[tokio::test]
    async fn nodes_of_one_tip_are_not_asked() {
        let asked = Cell::new(0);
        let hash_at = |_: usize, _: u32| {
            asked.set(asked.get() + 1);
            ready(None)
        };
        let found = last_shared(&[tip(0), tip(2)], hash_at).await;
        assert_eq!((found, asked.get()), (Some((3, "a3".to_owned())), 0));
    }

    #[tokio::test]
    async fn a_node_that_does_not_tell_leaves_it_open() {
        let silent = |_: usize, _: u32| ready(None);
        assert_eq!(last_shared(&[tip(0), tip(1)], silent).await, None);
    }
}
