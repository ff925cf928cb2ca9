//! One chain for all nodes that have seen the same blocks in the same order.
//!
//! What a chain makes of a block follows from its state and the block alone, so
//! where many nodes stand at one [`Point`] the first that gets a block works
//! out what follows, and the others walk the step that it found. A node that
//! saw something else, or the same in another order, has a point of its own.
//!
//! The clock is the only other thing that a chain looks at: a header far ahead
//! of it is not taken. A step is shared only by nodes to whom its header is not.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::hash::BlockHash;
use minichain_chain::params::Params;
use minichain_chain::rules::header::check_time_not_ahead;
use minichain_chain::state::{Acceptance, Change, HeaderAcceptance, OpenError, State, SteerError};
use minichain_chain::store::StoreError;
use minichain_chain::time::UnixSeconds;
use minichain_protocol::chain::Chain;

use crate::archive::{self, Archive, NodeStore};
use crate::verdicts::Verdicts;

/// Steps remembered at one point; beyond that somebody floods.
const TAKEN_MAX: usize = 64;

type Changes = Rc<[archive::Change]>;

/// One node's chain.
#[derive(Debug)]
pub struct NodeChain {
    at: Rc<Point>,
    /// What is not durable yet, oldest first.
    journal: Journal,
}

/// Changes, of which there is mostly one, so that lies where the node does.
#[derive(Debug, Default)]
struct Journal {
    first: Option<Changes>,
    more: Vec<Changes>,
}

/// The state of a chain, and what is known of the steps to and from it.
#[derive(Debug)]
struct Point {
    state: Box<State<NodeStore>>,
    taken: RefCell<Vec<Taken>>,
    made_by: Option<Step>,
    /// The state before that step, when nobody stands there any more: a copy of
    /// this one for the price of a step, however long the chain is.
    before: RefCell<Option<Box<State<NodeStore>>>>,
    /// A copy that was not needed in the end.
    twin: RefCell<Option<Box<State<NodeStore>>>>,
}

/// A step that somebody took from a point.
#[derive(Debug)]
struct Taken {
    step: Step,
    outcome: Outcome,
    changes: Changes,
    to: Weak<Point>,
}

#[derive(Clone, Debug)]
struct Step {
    what: What,
    now: UnixSeconds,
}

#[derive(Clone, Debug)]
enum What {
    Header(Header),
    Block(BlockHash, Arc<Block>),
}

/// The same, lent.
#[derive(Clone, Copy, Debug)]
enum Asked<'a> {
    Header(&'a Header),
    Block(BlockHash, &'a Arc<Block>),
}

#[derive(Clone, Debug)]
enum Outcome {
    Header(HeaderAcceptance),
    Block(Acceptance),
}

/// The chains of a world.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    /// Where every node with an empty disk begins, and what is not durable then.
    first: Option<(Rc<Point>, Changes)>,
    verdicts: Verdicts,
}

impl Chains {
    /// The chain of a node that starts with this disk, or with an empty one.
    pub fn open(
        &mut self,
        params: &Params,
        archive: &Archive,
        disk: Option<NodeStore>,
        plant: impl Fn(&mut State<NodeStore>),
    ) -> Result<NodeChain, OpenError> {
        if disk.is_none()
            && let Some((at, changes)) = &self.first
        {
            return Ok(NodeChain {
                at: Rc::clone(at),
                journal: Journal::of(Rc::clone(changes)),
            });
        }
        let is_first = disk.is_none();
        let store = disk.unwrap_or_else(|| archive.store());
        let mut state = State::open_with(params.clone(), store, Box::new(self.verdicts.clone()))?;
        plant(&mut state);
        let changes: Changes = state.store_mut().take_journal().into();
        let at = Rc::new(Point::new(Box::new(state), None));
        if is_first {
            self.first = Some((Rc::clone(&at), Rc::clone(&changes)));
        }
        let journal = Journal::of(changes);
        Ok(NodeChain { at, journal })
    }
}

impl NodeChain {
    /// Makes all so far durable.
    pub fn commit(&mut self) {
        self.journal.first = None;
        self.journal.more.clear();
    }

    /// Whether all so far is durable.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        let mut changes = self.journal.first.iter().chain(&self.journal.more);
        changes.all(|changes| changes.is_empty())
    }

    /// What of the chain is on the disk.
    #[must_use]
    pub fn durable(&self) -> NodeStore {
        let mut store = self.at.state.store().clone();
        let journal = self.journal.first.iter().chain(&self.journal.more);
        for changes in journal.rev() {
            store.revert(changes);
        }
        store
    }

    /// How many nodes stand at the same point, this one included; where every node
    /// begins one more is counted.
    #[must_use]
    pub fn company(&self) -> usize {
        Rc::strong_count(&self.at)
    }

    fn take(&mut self, what: Asked<'_>, now: UnixSeconds) -> Result<Outcome, StoreError> {
        let is_timely = what.is_timely(now, self.at.state.params());
        if is_timely && let Some((to, outcome, changes)) = self.at.known(what) {
            if !Rc::ptr_eq(&to, &self.at) {
                self.go(to);
            }
            self.note(changes);
            return Ok(outcome);
        }
        let step = Step {
            what: what.to_owned(),
            now,
        };
        if self.company() == 1 {
            return self.change_alone(|state| step.apply(state));
        }
        let mut state = self.at.copy();
        let outcome = step.apply(&mut state)?;
        let changes: Changes = state.store_mut().take_journal().into();
        let from = Rc::clone(&self.at);
        if changes.is_empty() {
            // Nothing came of it, so the copy is as good as before.
            *from.twin.borrow_mut() = Some(state);
        } else {
            let made_by = is_timely.then(|| step.clone());
            self.at = Rc::new(Point::new(state, made_by));
        }
        if is_timely {
            from.remember(Taken {
                step,
                outcome: outcome.clone(),
                changes: Rc::clone(&changes),
                to: Rc::downgrade(&self.at),
            });
        }
        self.note(changes);
        Ok(outcome)
    }

    /// Goes where somebody was before; whoever is the last to leave a point
    /// leaves it to those who will want a copy.
    fn go(&mut self, to: Rc<Point>) {
        let left = std::mem::replace(&mut self.at, to);
        if let Ok(left) = Rc::try_unwrap(left)
            && self.at.made_by.is_some()
        {
            *self.at.before.borrow_mut() = Some(left.state);
        }
    }

    /// Changes the state where nobody else can see it: the node's own, or a
    /// copy of one that it shares.
    fn change_alone<T>(
        &mut self,
        change: impl FnOnce(&mut State<NodeStore>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let point = Rc::make_mut(&mut self.at);
        point.taken.get_mut().clear();
        point.made_by = None;
        *point.before.get_mut() = None;
        *point.twin.get_mut() = None;
        let changed = change(&mut point.state)?;
        let changes = point.state.store_mut().take_journal().into();
        self.note(changes);
        Ok(changed)
    }

    fn note(&mut self, changes: Changes) {
        if changes.is_empty() {
            return;
        }
        match self.journal.first {
            None => self.journal.first = Some(changes),
            Some(_) => self.journal.more.push(changes),
        }
    }
}

impl Journal {
    const fn of(changes: Changes) -> Self {
        Self {
            first: Some(changes),
            more: Vec::new(),
        }
    }
}

impl Deref for NodeChain {
    type Target = State<NodeStore>;

    fn deref(&self) -> &State<NodeStore> {
        &self.at.state
    }
}

impl Chain<NodeStore> for NodeChain {
    fn accept_header(
        &mut self,
        header: &Header,
        now: UnixSeconds,
    ) -> Result<HeaderAcceptance, StoreError> {
        match self.take(Asked::Header(header), now)? {
            Outcome::Header(accepted) => Ok(accepted),
            Outcome::Block(_) => Err(StoreError::corrupt("a header was taken for a block")),
        }
    }

    fn accept_block(
        &mut self,
        hash: BlockHash,
        block: &Arc<Block>,
        now: UnixSeconds,
    ) -> Result<Acceptance, StoreError> {
        match self.take(Asked::Block(hash, block), now)? {
            Outcome::Block(accepted) => Ok(accepted),
            Outcome::Header(_) => Err(StoreError::corrupt("a block was taken for a header")),
        }
    }

    fn advance(&mut self) -> Result<Option<Change>, StoreError> {
        self.change_alone(State::advance)
    }

    fn invalidate(&mut self, hash: &BlockHash) -> Result<Result<Change, SteerError>, StoreError> {
        self.change_alone(|state| state.invalidate(hash))
    }

    fn reconsider(&mut self, hash: &BlockHash) -> Result<Result<Change, SteerError>, StoreError> {
        self.change_alone(|state| state.reconsider(hash))
    }
}

impl Point {
    fn new(state: Box<State<NodeStore>>, made_by: Option<Step>) -> Self {
        Self {
            state,
            taken: RefCell::default(),
            made_by,
            before: RefCell::default(),
            twin: RefCell::default(),
        }
    }

    /// A state of one's own, the same as this one.
    fn copy(&self) -> Box<State<NodeStore>> {
        if let Some(twin) = self.twin.borrow_mut().take() {
            return twin;
        }
        let before = self.before.borrow_mut().take();
        if let Some((step, mut state)) = self.made_by.as_ref().zip(before)
            && step.apply(&mut state).is_ok()
        {
            state.store_mut().take_journal();
            return state;
        }
        self.state.clone()
    }

    fn remember(&self, taken: Taken) {
        let mut known = self.taken.borrow_mut();
        // Steps to where nobody stands any more lead nowhere.
        known.retain(|taken| taken.to.strong_count() > 0);
        if known.len() < TAKEN_MAX {
            known.push(taken);
        }
    }

    /// Where a step leads that somebody took and nobody has left since.
    fn known(&self, what: Asked<'_>) -> Option<(Rc<Self>, Outcome, Changes)> {
        let taken = self.taken.borrow();
        let mut same = taken.iter().filter(|known| known.step.what.is(what));
        same.find_map(|known| {
            let to = known.to.upgrade()?;
            Some((to, known.outcome.clone(), Rc::clone(&known.changes)))
        })
    }
}

/// A copy to be changed: only the state is the same.
impl Clone for Point {
    fn clone(&self) -> Self {
        Self::new(self.copy(), None)
    }
}

impl Step {
    fn apply(&self, state: &mut State<NodeStore>) -> Result<Outcome, StoreError> {
        let now = self.now;
        Ok(match &self.what {
            What::Header(header) => Outcome::Header(state.accept_header(*header, now)?),
            What::Block(hash, block) => {
                Outcome::Block(state.accept_named_block(*hash, Arc::clone(block), now)?)
            }
        })
    }
}

impl What {
    /// Whether the same is asked, down to the witnesses.
    fn is(&self, asked: Asked<'_>) -> bool {
        match (self, asked) {
            (Self::Header(one), Asked::Header(other)) => one == other,
            (Self::Block(hash, block), Asked::Block(other_hash, other)) => {
                *hash == other_hash && (Arc::ptr_eq(block, other) || block == other)
            }
            _ => false,
        }
    }
}

impl Asked<'_> {
    /// Whether the clock has nothing against the header.
    fn is_timely(self, now: UnixSeconds, params: &Params) -> bool {
        let header = match self {
            Self::Header(header) => header,
            Self::Block(_, block) => &block.header,
        };
        check_time_not_ahead(header.time, now, params.future_limit_s).is_ok()
    }

    fn to_owned(self) -> What {
        match self {
            Self::Header(header) => What::Header(*header),
            Self::Block(hash, block) => What::Block(hash, Arc::clone(block)),
        }
    }
}

#[cfg(test)]
mod tests;
