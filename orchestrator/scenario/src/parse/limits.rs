//! Bounds of a scenario file.

/// Bytes of a file at most.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Steps at most, with every repetition counted.
pub const STEPS_MAX: u32 = 10_000;
/// Repetitions at most.
pub const REPEAT_MAX: u32 = STEPS_MAX;
/// Steps within steps at most.
pub const NESTING_MAX: u32 = 8;
/// Values of a document at most; also with aliases unfolded.
pub(crate) const VALUES_MAX: usize = 200_000;
/// Mappings and lists within each other at most.
pub(crate) const DEPTH_MAX: usize = 64;
/// Bytes of a parameter's value at most.
pub(crate) const PARAMETER_BYTES_MAX: usize = 1_024;
/// Bytes that all uses of parameters together may put in.
pub(crate) const SUBSTITUTED_BYTES_MAX: usize = 4 << 20;
/// Parsed bytes of a regular expression at most.
pub(crate) const REGEX_BYTES_MAX: usize = 1 << 20;
/// Problems that are told at most.
pub(crate) const PROBLEMS_MAX: usize = 100;
/// Claims of one step at most.
pub(crate) const CLAIMS_MAX: usize = 1_000;
