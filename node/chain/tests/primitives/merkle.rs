//! Merkle trees against the `bitcoin` crate and against mutation.

use bitcoin::hashes::Hash as _;
use minichain_chain::amount::Amount;
use minichain_chain::hash::MerkleRoot;
use minichain_chain::merkle::{
    find_witness_commitment, merkle_root, witness_commitment, witness_commitment_script,
    witness_root,
};
use minichain_chain::script::Script;
use minichain_chain::transaction::{Transaction, TxOut};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle;

proptest! {
    #[test]
    fn roots_are_bitcoins(leaves in vec(any::<[u8; 32]>(), 1..40)) {
        let theirs: Vec<_> = leaves.iter().map(|leaf| bitcoin::Txid::from_byte_array(*leaf)).collect();
        let theirs = bitcoin::merkle_tree::calculate_root(theirs.into_iter()).expect("not empty");
        let ours = merkle_root(&leaves).expect("not empty");
        prop_assert_eq!(ours.root.to_bytes(), theirs.to_byte_array());
        prop_assert!(!ours.mutated);
    }

    #[test]
    fn witness_commitments_are_bitcoins(
        block in oracle::any_block(),
        reserved in any::<[u8; 32]>(),
    ) {
        prop_assume!(block.transactions.iter().all(|tx| !tx.inputs.is_empty()));
        let theirs = oracle::block(&block);
        let root = witness_root(&block.transactions);
        prop_assert_eq!(
            root.map(MerkleRoot::to_bytes),
            theirs.witness_root().map(bitcoin::WitnessMerkleNode::to_byte_array)
        );
        if let (Some(root), Some(their_root)) = (root, theirs.witness_root()) {
            prop_assert_eq!(
                witness_commitment(&root, &reserved),
                bitcoin::Block::compute_witness_commitment(&their_root, &reserved).to_byte_array()
            );
        }
    }

    #[test]
    fn every_repeated_tail_that_keeps_the_root_is_seen(
        leaves in vec(any::<[u8; 32]>(), 1..40),
        level in 0_u32..6,
    ) {
        // Repeating the last 2^level leaves completes an odd row by hand.
        let repeated = 1_usize << level;
        prop_assume!(leaves.len() >= repeated && leaves.len() % repeated == 0);
        let mut mutated = leaves.clone();
        mutated.extend_from_slice(&leaves[leaves.len() - repeated..]);
        let before = merkle_root(&leaves).expect("not empty");
        let after = merkle_root(&mutated).expect("not empty");
        if before.root == after.root {
            prop_assert!(after.mutated);
        }
        if (leaves.len() / repeated) % 2 == 1 && leaves.len() > repeated {
            prop_assert_eq!(before.root, after.root);
        }
    }
}

#[test]
fn no_leaves_have_no_root() {
    assert_eq!(merkle_root(&[]), None);
    assert_eq!(witness_root(&[]), None);
}

#[test]
fn a_single_leaf_is_its_own_root() {
    let tree = merkle_root(&[[3; 32]]).expect("not empty");
    assert_eq!(
        (tree.root, tree.mutated),
        (MerkleRoot::from_bytes([3; 32]), false)
    );
}

//   [a b c] and [a b c c] share one root: c is hashed with itself in both.
#[test]
fn the_published_duplicate_attack_is_seen() {
    let [a, b, c] = [[1; 32], [2; 32], [3; 32]];
    let honest = merkle_root(&[a, b, c]).expect("not empty");
    let attack = merkle_root(&[a, b, c, c]).expect("not empty");
    assert_eq!(honest.root, attack.root);
    assert!(!honest.mutated);
    assert!(attack.mutated);
}

#[test]
fn equal_leaves_that_are_not_hashed_together_are_no_mutation() {
    let [a, b] = [[1; 32], [2; 32]];
    assert!(!merkle_root(&[a, b, b, a]).expect("not empty").mutated);
    assert!(merkle_root(&[a, b, a, b]).expect("not empty").mutated);
}

#[test]
fn the_last_commitment_of_a_coinbase_counts() {
    let output = |script_pubkey| TxOut {
        value: Amount::ZERO,
        script_pubkey,
    };
    let mut coinbase = Transaction {
        version: 2,
        inputs: Vec::new(),
        outputs: Vec::new(),
        lock_time: 0,
    };
    assert_eq!(find_witness_commitment(&coinbase), None);
    coinbase.outputs = vec![
        output(witness_commitment_script(&[1; 32])),
        output(Script::op_return(b"not a commitment")),
        output(witness_commitment_script(&[2; 32])),
        output(Script::p2tr(&[3; 32])),
    ];
    assert_eq!(find_witness_commitment(&coinbase), Some([2; 32]));

    // Longer scripts with the prefix count, shorter ones do not (BIP 141).
    let mut longer = witness_commitment_script(&[4; 32]);
    longer.0.push(0);
    let shorter = Script(witness_commitment_script(&[5; 32]).0[..37].to_vec());
    coinbase.outputs = vec![output(longer), output(shorter)];
    assert_eq!(find_witness_commitment(&coinbase), Some([4; 32]));
}
