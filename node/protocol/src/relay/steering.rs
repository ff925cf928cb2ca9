//! The chain is steered by hand: what follows is what follows from any other
//! change of the tip, except that nobody hears of a block that is not new.

use minichain_chain::hash::BlockHash;
use minichain_chain::state::Change;
use minichain_chain::store::{Store, StoreError};

use super::judgement::{Announce, tell_rejected};
use crate::chain::Chain;
use crate::event::Source;
use crate::input::{Call, Now, SteeringOrder};
use crate::node::Node;
use crate::output::{Answer, Outbox, Output};

impl<S: Store, C: Chain<S>> Node<S, C> {
    pub(crate) fn on_chain_steered(
        &mut self,
        now: Now,
        call: Call,
        hash: &BlockHash,
        order: SteeringOrder,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let steered = match order {
            SteeringOrder::Invalidate => self.state.invalidate(hash)?,
            SteeringOrder::Reconsider => self.state.reconsider(hash)?,
        };
        let answer = match steered {
            Ok(change) => {
                out.push(Output::Persist { urgent: true });
                let mut next = Some(change);
                while let Some(change) = next {
                    if !change.disconnected.is_empty() || !change.connected.is_empty() {
                        self.on_tip_steered(now, &change, out)?;
                    }
                    tell_rejected(change.rejected, Source::Local, out);
                    next = self.state.advance()?;
                }
                // What was not wanted before may be now, of any peer.
                for (_, state) in self.peers.ready_mut() {
                    state.asked_tip = None;
                    state.broken_claims = 0;
                }
                self.sync.stir();
                Answer::ChainSteered
            }
            Err(error) => Answer::SteeringRefused { error },
        };
        out.push(Output::Answer { call, answer });
        Ok(())
    }

    fn on_tip_steered(
        &mut self,
        now: Now,
        change: &Change,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let tip = self.state.tip().hash;
        let block = self.state.block(&tip)?;
        let block = block.ok_or_else(|| StoreError::corrupt(format!("block {tip} is missing")))?;
        let about = ((tip, &block), Source::Local);
        self.on_tip_changed(now, change, about, Announce::Nothing, out)?;
        self.tell_tip(now);
        Ok(())
    }
}
