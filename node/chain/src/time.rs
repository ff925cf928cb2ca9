//! Points in time as plain numbers; who asks the clock stays outside.

use std::fmt;

/// Seconds since the Unix epoch, as a header carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixSeconds(pub u32);

impl UnixSeconds {
    /// `seconds` later, held at the end of the 32-bit range (year 2106).
    #[must_use]
    pub const fn saturating_add(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// `seconds` earlier, held at the epoch.
    #[must_use]
    pub const fn saturating_sub(self, seconds: u32) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// `seconds` later, or `None` past the 32-bit range.
    #[must_use]
    pub const fn checked_add(self, seconds: u32) -> Option<Self> {
        match self.0.checked_add(seconds) {
            Some(time) => Some(Self(time)),
            None => None,
        }
    }

    /// Signed seconds from `earlier` to this point.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 as i64 - earlier.0 as i64
    }

    /// The same point in milliseconds.
    #[must_use]
    pub const fn to_millis(self) -> UnixMillis {
        UnixMillis(self.0 as u64 * 1000)
    }

    /// The plain number.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// Milliseconds since the Unix epoch, as the rooms above stamp their inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// `millis` later, held at the end of the 64-bit range.
    #[must_use]
    pub const fn saturating_add(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// `millis` earlier, held at the epoch.
    #[must_use]
    pub const fn saturating_sub(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// `millis` later, or `None` past the 64-bit range.
    #[must_use]
    pub const fn checked_add(self, millis: u64) -> Option<Self> {
        match self.0.checked_add(millis) {
            Some(time) => Some(Self(time)),
            None => None,
        }
    }

    /// Milliseconds from `earlier` to this point; 0 if `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds, rounded down, held at the end of the 32-bit range.
    #[must_use]
    pub fn to_seconds(self) -> UnixSeconds {
        UnixSeconds(u32::try_from(self.0 / 1000).unwrap_or(u32::MAX))
    }

    /// The plain number.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_held_at_the_ends() {
        assert_eq!(
            UnixSeconds(u32::MAX).saturating_add(1),
            UnixSeconds(u32::MAX)
        );
        assert_eq!(UnixSeconds(3).saturating_sub(4), UnixSeconds(0));
        assert_eq!(UnixSeconds(u32::MAX).checked_add(1), None);
        assert_eq!(UnixMillis(u64::MAX).saturating_add(1), UnixMillis(u64::MAX));
        assert_eq!(UnixMillis(u64::MAX).checked_add(1), None);
        assert_eq!(UnixMillis(3).saturating_since(UnixMillis(9)), 0);
    }

    #[test]
    fn a_difference_may_be_negative() {
        assert_eq!(UnixSeconds(0).since(UnixSeconds(u32::MAX)), -4_294_967_295);
        assert_eq!(UnixSeconds(12).since(UnixSeconds(7)), 5);
    }

    #[test]
    fn milliseconds_round_down_to_seconds() {
        assert_eq!(UnixMillis(1_999).to_seconds(), UnixSeconds(1));
        assert_eq!(UnixMillis(u64::MAX).to_seconds(), UnixSeconds(u32::MAX));
        assert_eq!(UnixSeconds(2).to_millis(), UnixMillis(2_000));
    }
}
