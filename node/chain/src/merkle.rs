//! Merkle trees over transaction names, and the witness commitment (BIP 141).

use crate::hash::{MerkleRoot, sha256d};
use crate::script::Script;
use crate::transaction::{Names, Transaction};

/// What a witness commitment output starts with: `OP_RETURN`, a push of 36
/// bytes, and four bytes that mark the purpose (BIP 141).
pub const WITNESS_COMMITMENT_PREFIX: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

const WITNESS_COMMITMENT_BYTES: usize = WITNESS_COMMITMENT_PREFIX.len() + 32;

/// The root of a tree, and whether its leaves can be trusted to be the only
/// ones with this root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MerkleTree {
    /// The root.
    pub root: MerkleRoot,
    /// Two equal neighbours were hashed together. An odd row is completed by
    /// repeating its last node, so another list, with those leaves left out,
    /// has the same root (CVE-2012-2459). The list must be refused, but the
    /// header it came with may still be valid.
    pub mutated: bool,
}

/// The tree over `leaves`; `None` if there are none.
#[must_use]
pub fn merkle_root(leaves: &[[u8; 32]]) -> Option<MerkleTree> {
    if leaves.is_empty() {
        return None;
    }
    let mut row = leaves.to_vec();
    let mut mutated = false;
    while row.len() > 1 {
        mutated |= row.chunks_exact(2).any(|pair| pair[0] == pair[1]);
        row = row
            .chunks(2)
            .map(|pair| parent(&pair[0], pair.last().unwrap_or(&pair[0])))
            .collect();
    }
    Some(MerkleTree {
        root: MerkleRoot::from_bytes(row[0]),
        mutated,
    })
}

/// The tree a header commits to; `None` without transactions.
#[must_use]
pub fn transaction_root(transactions: &[Transaction]) -> Option<MerkleTree> {
    let leaves: Vec<_> = transactions.iter().map(|tx| tx.txid().to_bytes()).collect();
    merkle_root(&leaves)
}

/// As [`transaction_root`], of transactions whose names are known.
#[must_use]
pub fn named_transaction_root(names: &[Names]) -> Option<MerkleTree> {
    let leaves: Vec<_> = names.iter().map(|name| name.txid.to_bytes()).collect();
    merkle_root(&leaves)
}

/// The root over the transactions with their witnesses, where the coinbase
/// counts as zero because it carries the commitment; `None` without
/// transactions.
#[must_use]
pub fn witness_root(transactions: &[Transaction]) -> Option<MerkleRoot> {
    let (_coinbase, others) = transactions.split_first()?;
    witness_root_over(others.iter().map(|tx| tx.wtxid().to_bytes()))
}

/// As [`witness_root`], of transactions whose names are known.
#[must_use]
pub fn named_witness_root(names: &[Names]) -> Option<MerkleRoot> {
    let (_coinbase, others) = names.split_first()?;
    witness_root_over(others.iter().map(|name| name.wtxid.to_bytes()))
}

fn witness_root_over(others: impl Iterator<Item = [u8; 32]>) -> Option<MerkleRoot> {
    let leaves: Vec<_> = std::iter::once([0; 32]).chain(others).collect();
    merkle_root(&leaves).map(|tree| tree.root)
}

/// The 32 bytes a coinbase commits to: the witness root hashed with the
/// `reserved` value from the coinbase's own witness.
#[must_use]
pub fn witness_commitment(witness_root: &MerkleRoot, reserved: &[u8; 32]) -> [u8; 32] {
    parent(witness_root.as_bytes(), reserved)
}

/// The output script that carries a commitment.
#[must_use]
pub fn witness_commitment_script(commitment: &[u8; 32]) -> Script {
    Script([WITNESS_COMMITMENT_PREFIX.as_slice(), commitment].concat())
}

/// The commitment in a coinbase: that of the last output which has one.
#[must_use]
pub fn find_witness_commitment(coinbase: &Transaction) -> Option<[u8; 32]> {
    coinbase.outputs.iter().rev().find_map(|output| {
        let script = output
            .script_pubkey
            .as_bytes()
            .get(..WITNESS_COMMITMENT_BYTES)?;
        script
            .strip_prefix(&WITNESS_COMMITMENT_PREFIX)?
            .try_into()
            .ok()
    })
}

fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut both = [0; 64];
    both[..32].copy_from_slice(left);
    both[32..].copy_from_slice(right);
    sha256d(&both)
}
