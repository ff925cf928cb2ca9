//! The branches that nodes are on, and a small picture of them.

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::history::tree::{Block, Tree};

use super::chains::Far;
use super::seen::{Seen, Tip};

/// Blocks below the highest one within which a branch without nodes is told of.
const STALE_DEPTH: u32 = 12;

/// A branch of the tree of blocks, named by its highest block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Hash of its highest block.
    pub head: String,
    /// Height of that.
    pub height: u32,
    /// Nodes whose tip stands on it, by their place; none: it lost.
    pub nodes: Vec<usize>,
}

/// The branches: first those that nodes are on, most work first, then those
/// that lost lately. `tips` are nodes by their place, and the hash of each
/// one's tip; a tip that the tree does not hold has no branch, and one that is
/// far behind is on that of the tip above it.
pub fn branches<'a>(
    tree: &Tree,
    far: &Far,
    tips: impl IntoIterator<Item = (usize, &'a str)>,
) -> Vec<Branch> {
    let (behind, tips): (Vec<_>, Vec<_>) = tips
        .into_iter()
        .partition(|(_, hash)| far.contains_key(*hash));
    let tips: Vec<(usize, &Block)> = tips
        .into_iter()
        .filter_map(|(node, hash)| Some((node, tree.get(hash)?)))
        .collect();
    let mut heads: Vec<&Block> = tips.iter().map(|(_, block)| *block).collect();
    heads.sort_by(|a, b| {
        (&b.fact.work, a.seen_at_ms, &a.fact.hash).cmp(&(&a.fact.work, b.seen_at_ms, &b.fact.hash))
    });
    heads.dedup_by(|a, b| a.fact.hash == b.fact.hash);
    let mut found: Vec<Branch> = Vec::new();
    for head in heads {
        if place(tree, &found, &head.fact.hash).is_none() {
            found.push(branch(head));
        }
    }
    for (node, tip) in tips {
        if let Some((at, _)) = place(tree, &found, &tip.fact.hash) {
            found[at].nodes.push(node);
        }
    }
    for (node, hash) in behind {
        let above = far.get(hash).and_then(Option::as_deref);
        if let Some((at, _)) = above.and_then(|above| place(tree, &found, above)) {
            found[at].nodes.push(node);
        }
    }
    for branch in &mut found {
        branch.nodes.sort_unstable();
    }
    let stale = lost(tree, &found);
    found.extend(stale);
    found
}

/// The first of the branches on which that block stands, and how far below its
/// head.
pub fn place(tree: &Tree, branches: &[Branch], hash: &str) -> Option<(usize, u32)> {
    let height = tree.get(hash)?.fact.height;
    let mut numbered = branches.iter().enumerate();
    numbered.find_map(|(at, branch)| {
        let is_on = tree.is_ancestor(hash, &branch.head);
        is_on.then(|| (at, branch.height.saturating_sub(height)))
    })
}

/// The branch that a tip is on, and how far below its head.
pub fn standing(seen: &Seen, branches: &[Branch], tip: &Tip) -> Option<(usize, u32)> {
    let Some(above) = seen.far.get(&tip.hash) else {
        return place(&seen.tree, branches, &tip.hash);
    };
    let (at, _) = place(&seen.tree, branches, above.as_deref()?)?;
    Some((at, branches[at].height.saturating_sub(tip.height)))
}

/// What a branch is called: `A` for the first, after `Z` `A1` and so on.
pub fn label(at: usize) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let letter = letters.chars().nth(at % letters.len()).unwrap_or('?');
    match at / letters.len() {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

/// One line for each branch over the last `heights` heights, two characters for
/// each; `╰` stands below the block where a branch leaves another.
pub fn picture(tree: &Tree, branches: &[Branch], heights: usize) -> Vec<String> {
    let top = branches
        .iter()
        .map(|branch| branch.height)
        .max()
        .unwrap_or(0);
    let span = u32::try_from(heights.max(1)).unwrap_or(u32::MAX);
    let lowest = top.saturating_sub(span - 1);
    let mut grid = vec![vec![' '; heights.max(1) * 2]; branches.len()];
    let mut placed: BTreeMap<&str, usize> = BTreeMap::new();
    let column = |height: u32| Some(height.checked_sub(lowest)? as usize * 2);
    for (row, branch) in branches.iter().enumerate() {
        let mark = if branch.nodes.is_empty() {
            '○'
        } else {
            '●'
        };
        for block in tree.chain(&branch.head) {
            let hash = block.fact.hash.as_str();
            let Some(at) = column(block.fact.height) else {
                // It goes on to the left of the picture.
                grid[row][0] = '…';
                break;
            };
            if let Some(parent) = placed.get(hash) {
                join(&mut grid, at + 1, *parent, row);
                break;
            }
            placed.insert(hash, row);
            grid[row][at] = if block.fact.height == 0 { ' ' } else { '─' };
            grid[row][at + 1] = mark;
        }
    }
    let lines = grid.into_iter();
    lines.map(|line| line.into_iter().collect()).collect()
}

/// Draws the way from the block in row `from` down to the branch in row `to`.
fn join(grid: &mut [Vec<char>], column: usize, from: usize, to: usize) {
    for line in grid.iter_mut().take(to).skip(from + 1) {
        line[column] = match line[column] {
            ' ' => '│',
            '╰' => '├',
            '─' => '┼',
            other => other,
        };
    }
    grid[to][column] = '╰';
}

fn branch(head: &Block) -> Branch {
    Branch {
        head: head.fact.hash.clone(),
        height: head.fact.height,
        nodes: Vec::new(),
    }
}

/// Branches that no node is on, the highest first.
fn lost(tree: &Tree, held: &[Branch]) -> Vec<Branch> {
    let top = held.iter().map(|branch| branch.height).max().unwrap_or(0);
    let parents: BTreeSet<&str> = tree
        .blocks()
        .iter()
        .filter_map(|block| block.fact.parent.as_deref())
        .collect();
    let is_lost = |block: &&Block| {
        block.fact.height.saturating_add(STALE_DEPTH) > top
            && !parents.contains(block.fact.hash.as_str())
            && place(tree, held, &block.fact.hash).is_none()
    };
    let mut lost: Vec<Branch> = tree.blocks().iter().filter(is_lost).map(branch).collect();
    lost.sort_by(|a, b| (b.height, &a.head).cmp(&(a.height, &b.head)));
    lost
}

#[cfg(test)]
mod tests {
    use devnet_scenario::world::BlockFact;

    use super::*;

    /// A block named after its parent's name and a digit more.
    fn tree(names: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for (at, name) in names.iter().enumerate() {
            let height = u32::try_from(name.len() - 1).expect("short");
            let parent = Some(name[..name.len() - 1].to_owned()).filter(|name| !name.is_empty());
            let fact = BlockFact {
                hash: (*name).to_owned(),
                parent,
                height,
                work: format!("{:064x}", height + 1),
                miner: None,
                time_ms: 0,
                transactions: 1,
            };
            tree.insert(&fact, at as u64).expect("parents come first");
        }
        tree
    }

    const FORKED: &[&str] = &[
        "0", "00", "000", "001", "0000", "0010", "0011", "00000", "01",
    ];

    #[test]
    fn nodes_behind_are_on_the_branch_of_those_ahead() {
        let tree = tree(FORKED);
        let tips = [(0, "00000"), (1, "0000"), (2, "0010"), (3, "0011")];
        let found = branches(&tree, &Far::new(), tips);
        let told: Vec<_> = found
            .iter()
            .map(|x| (x.head.as_str(), x.nodes.clone()))
            .collect();
        assert_eq!(
            told,
            [
                ("00000", vec![0, 1]),
                ("0010", vec![2]),
                ("0011", vec![3]),
                ("01", vec![]),
            ]
        );
        assert_eq!(place(&tree, &found, "0000"), Some((0, 1)));
        assert_eq!(place(&tree, &found, "0011"), Some((2, 0)));
        assert_eq!(place(&tree, &found, "unknown"), None);
    }

    #[test]
    fn a_picture_shows_where_branches_leave() {
        let tree = tree(FORKED);
        let found = branches(&tree, &Far::new(), [(0, "00000"), (2, "0010"), (3, "0011")]);
        let drawn = picture(&tree, &found, 5);
        assert_eq!(
            drawn,
            [
                " ●─●─●─●─●", //
                " │ ╰─●─●  ",
                " │   ╰─●  ",
                " ╰─○      ",
            ]
        );
        let narrow = picture(&tree, &found, 3);
        assert_eq!(narrow[0], "…●─●─●");
        assert_eq!(narrow[1], "…●─●  ");
    }

    #[test]
    fn nothing_known_is_nothing_drawn() {
        let empty = Tree::default();
        assert_eq!(branches(&empty, &Far::new(), [(0, "00")]), []);
        assert_eq!(picture(&empty, &[], 8), Vec::<String>::new());
    }

    #[test]
    fn branches_have_letters() {
        assert_eq!([label(0), label(25), label(26)], ["A", "Z", "A1"]);
    }
}
