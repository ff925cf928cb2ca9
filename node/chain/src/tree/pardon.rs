//! Taking a verdict back.

use super::{Index, Status, Tree};
use crate::hash::BlockHash;

impl Tree {
    /// Calls a block valid until shown otherwise, and with it what stands
    /// below and above it: every ancestor, every descendant, and whatever was
    /// refused only for standing on one of these ancestors. `has_body` says
    /// whose bodies are stored. Returns every entry that changed, parents
    /// before children.
    pub(crate) fn pardon<E>(
        &mut self,
        index: Index,
        has_body: impl Fn(&BlockHash) -> Result<bool, E>,
    ) -> Result<Vec<Index>, E> {
        // All above an invalid block is invalid, so those below stand in a row.
        let below: Vec<_> = self
            .way_down(index)
            .take_while(|index| self.at(*index).status.is_invalid())
            .collect();
        let mut changed = Vec::new();
        let mut waiting = vec![(below.last().copied().unwrap_or(index), false)];
        while let Some((next, is_above)) = waiting.pop() {
            let is_above = is_above || next == index;
            let entry = self.at(next);
            if !entry.status.is_invalid() {
                waiting.extend(entry.children.iter().map(|child| (*child, is_above)));
                continue;
            }
            // Refused by itself, on a branch nobody speaks for.
            let is_by_itself = entry.status != Status::InvalidAncestor;
            if is_by_itself && !is_above && !below.contains(&next) {
                continue;
            }
            let has_body = has_body(&entry.hash)?;
            let is_connectable = has_body
                && entry
                    .parent
                    .is_none_or(|parent| self.at(parent).is_connectable);
            let entry = self.at_mut(next);
            entry.status = if has_body {
                Status::BodyStored
            } else {
                Status::HeaderOnly
            };
            entry.is_connectable = is_connectable;
            waiting.extend(entry.children.iter().map(|child| (*child, is_above)));
            changed.push(next);
        }
        for index in &changed {
            self.prefer(*index);
        }
        Ok(changed)
    }

    /// Marks a block that so far only stands on an invalid one as called
    /// invalid by itself.
    pub(crate) fn forbid(&mut self, index: Index) {
        self.at_mut(index).status = Status::Forbidden;
    }
}
