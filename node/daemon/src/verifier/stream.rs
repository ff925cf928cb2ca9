//! The signatures of one block, checked by the pool while the block connects.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use minichain_chain::block::Block;
use minichain_chain::coins::{BlockSignatures, SignatureCheck, SignatureFailure};
use minichain_chain::transaction::TxOut;

use super::Shared;

/// Inputs that one thread takes at a time: so many that handing them over costs
/// nothing beside them, so few that all threads end at about one time.
const INPUTS_A_PIECE: usize = 8;

/// What is asked of a block so far.
pub(super) struct Stream<'a> {
    threads: &'a rayon::ThreadPool,
    shared: &'a Arc<Shared>,
    block: Arc<Block>,
    piece: Piece,
    /// Nobody needs the answers about transactions after this one.
    limit: Arc<AtomicUsize>,
    answer: Sender<SignatureFailure>,
    answers: Receiver<SignatureFailure>,
}

/// Transactions by their index, with what they spend.
#[derive(Default)]
struct Piece {
    checks: Vec<(usize, Vec<TxOut>)>,
    inputs: usize,
}

impl<'a> Stream<'a> {
    pub(super) fn new(
        threads: &'a rayon::ThreadPool,
        shared: &'a Arc<Shared>,
        block: Arc<Block>,
    ) -> Self {
        let (answer, answers) = channel();
        Self {
            threads,
            shared,
            block,
            piece: Piece::default(),
            limit: Arc::new(AtomicUsize::new(usize::MAX)),
            answer,
            answers,
        }
    }

    fn hand_over(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        let (shared, block) = (Arc::clone(self.shared), Arc::clone(&self.block));
        let (limit, answer) = (Arc::clone(&self.limit), self.answer.clone());
        self.threads.spawn(move || {
            if let Some(failure) = piece.check(&block, &shared, &limit) {
                limit.fetch_min(failure.transaction, Ordering::Relaxed);
                // Nobody listens if another rule was broken meanwhile.
                let _ = answer.send(failure);
            }
        });
    }
}

impl Piece {
    /// The first that is wrong.
    fn check(
        self,
        block: &Block,
        shared: &Shared,
        limit: &AtomicUsize,
    ) -> Option<SignatureFailure> {
        self.checks.into_iter().find_map(|(index, spent)| {
            if index > limit.load(Ordering::Relaxed) {
                return None;
            }
            let check = SignatureCheck {
                transaction: block.transactions.get(index)?,
                spent,
            };
            if shared.is_known(&check) {
                return None;
            }
            check.verify().err().map(|(input, error)| SignatureFailure {
                transaction: index,
                input,
                error,
            })
        })
    }
}

impl BlockSignatures for Stream<'_> {
    fn add(&mut self, transaction: usize, spent: Vec<TxOut>) {
        self.piece.inputs += spent.len();
        self.piece.checks.push((transaction, spent));
        if self.piece.inputs >= INPUTS_A_PIECE {
            self.hand_over();
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), SignatureFailure> {
        // What is left is too little for a thread.
        let rest = std::mem::take(&mut self.piece);
        let last = rest.check(&self.block, self.shared, &self.limit);
        // The list of answers ends when the last piece is done.
        let (unused, _) = channel();
        drop(std::mem::replace(&mut self.answer, unused));
        let all = self.answers.iter().chain(last);
        let first = all.min_by_key(|failure| failure.transaction);
        first.map_or(Ok(()), Err)
    }
}

impl Drop for Stream<'_> {
    /// Pieces that still wait for a thread need not be looked at.
    fn drop(&mut self) {
        self.limit.store(0, Ordering::Relaxed);
    }
}
