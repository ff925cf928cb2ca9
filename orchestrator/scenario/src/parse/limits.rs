//! Bounds of a scenario file.

use crate::model::{ByteRate, Bytes, Micros};

/// Bytes of a file at most.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Steps at most, with every repetition counted.
pub const STEPS_MAX: u32 = 10_000;
/// Repetitions at most.
pub const REPEAT_MAX: u32 = STEPS_MAX;
/// Furthest below a tip that a recorded block can lie.
pub const BELOW_MAX: u32 = 10_000;
/// Steps within steps at most.
pub const NESTING_MAX: u32 = 8;
/// Longest one-way delay by nature that the simulator is told of. There and back
/// it stays below the four seconds after which nodes take a silent connection
/// for broken.
pub const SIM_LATENCY_MAX: Micros = Micros { us: 1_000_000 };
/// Longest time that simulated nodes may start late.
pub const SIM_JITTER_MAX: Micros = Micros { us: 600_000_000 };
/// Longest time that validating a block may take.
pub const SIM_BLOCK_MAX: Micros = Micros { us: 10_000_000 };
/// Longest time that validating an input, or 1,000 bytes, may take.
pub const SIM_PART_MAX: Micros = Micros { us: 1_000_000 };
/// Least and most bytes a second that a simulated node's line carries.
pub const SIM_RATES: (ByteRate, ByteRate) = (
    ByteRate { bytes_s: 1_000 },
    ByteRate {
        bytes_s: 100_000_000_000,
    },
);
/// Least and greatest share of packets that simulated links lose by nature: less
/// could not be proven to have changed, and with more probes seldom answer.
pub const SIM_LOSSES: (f64, f64) = (0.001, 0.3);
/// Most that blocks can be larger by while they travel.
pub const SIM_BALLAST_MAX: Bytes = Bytes(100_000_000);
/// Shortest and longest time between two looks at the mesh.
pub const SIM_HEARTBEATS: (Micros, Micros) = (Micros { us: 10_000 }, Micros { us: 60_000_000 });
/// Most neighbours of a simulated node that can be asked for.
pub const SIM_NODES_MAX: u32 = 1_000;
/// Most neighbours that can be told what there is.
pub const SIM_LAZY_MAX: u32 = 1_000;
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
