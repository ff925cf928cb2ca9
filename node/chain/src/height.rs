//! The distance of a block from genesis.

use std::fmt;

/// Number of blocks below this one; genesis has height 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Height(pub u32);

impl Height {
    /// The first block.
    pub const GENESIS: Self = Self(0);

    /// The height above, or `None` at the end of the 32-bit range.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    /// The height below, or `None` at genesis.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }

    /// `blocks` higher, or `None` past the 32-bit range.
    #[must_use]
    pub const fn checked_add(self, blocks: u32) -> Option<Self> {
        match self.0.checked_add(blocks) {
            Some(height) => Some(Self(height)),
            None => None,
        }
    }

    /// `blocks` lower, or `None` below genesis.
    #[must_use]
    pub const fn checked_sub(self, blocks: u32) -> Option<Self> {
        match self.0.checked_sub(blocks) {
            Some(height) => Some(Self(height)),
            None => None,
        }
    }

    /// Blocks from `lower` up to this height; 0 if `lower` is higher.
    #[must_use]
    pub const fn saturating_since(self, lower: Self) -> u32 {
        self.0.saturating_sub(lower.0)
    }

    /// The plain number.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Height {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stop_at_both_ends() {
        assert_eq!(Height::GENESIS.next(), Some(Height(1)));
        assert_eq!(Height::GENESIS.previous(), None);
        assert_eq!(Height(u32::MAX).next(), None);
        assert_eq!(Height(7).checked_sub(8), None);
        assert_eq!(Height(7).saturating_since(Height(9)), 0);
        assert_eq!(Height(9).saturating_since(Height(7)), 2);
    }
}
