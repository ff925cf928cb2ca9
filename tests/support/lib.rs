//! Helpers shared by the cross-room tests.
