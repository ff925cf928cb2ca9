//! Names of every metric of a network as a whole, which `devnet exporter`
//! serves. What a single node exports stands in `minichain_api::metric`; the
//! same rules hold here.

use minichain_api::metrics;

/// Values of `state`: answers, runs without an answer, frozen, does not run.
pub const STATES: &[&str] = &["up", "silent", "paused", "stopped"];
/// Values of `role`.
pub const ROLES: &[&str] = &["bootstrap", "miner", "observer"];
/// Values of `kind`: every fault that can be inflicted. Conditions of links
/// count once for each thing they make worse.
pub const FAULT_KINDS: &[&str] = &[
    "cut",
    "latency",
    "loss",
    "bandwidth",
    "kill",
    "stop",
    "start",
    "restart",
    "pause",
    "unpause",
    "remove",
    "add",
    "wipe",
    "clock_skew",
    "hash_rate",
    "upgrade",
    "fill_disk",
    "corrupt_store",
];
/// Values of `event`: the fault bit, had no effect, could not be inflicted, was
/// taken out.
pub const FAULT_EVENTS: &[&str] = &["inflicted", "ineffective", "failed", "lifted"];

/// Times to agree on one tip after a heal, in block spacings.
const CONVERGENCES: &[f64] = &[0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0];

metrics! {
    BUILD_INFO = "devnet_build_info" Gauge ["version", "engine"] "Always 1; says what watches, and what runs the nodes.";

    NODES = "devnet_nodes" Gauge ["role", "state"] "Nodes of the network by role and state (up, silent: runs without an answer, paused, stopped).";
    CHAIN_HEIGHT = "devnet_chain_height_blocks" Gauge [] "Height of the highest tip of all nodes that answer.";
    TIPS = "devnet_tips" Gauge [] "Different tips among the nodes that answer; 1 when all agree.";
    TIP_SPREAD = "devnet_tip_spread_blocks" Gauge [] "Height of the highest tip above that of the lowest.";
    FORK_DEPTH = "devnet_fork_depth_blocks" Gauge [] "Height of the highest tip above the last block that all nodes share; 0 while all are on one branch at one height.";

    FAULT_ACTIVE = "devnet_fault_active" Gauge ["kind"] "Faults of that kind that are meant to be in force now.";
    FAULT_EVENTS_TOTAL = "devnet_fault_events_total" Counter ["kind", "event"] "What happened to faults in the life of the network: inflicted, ineffective, failed, lifted.";
    PARTITION_GROUPS = "devnet_partition_groups" Gauge [] "Groups of nodes with no way between them; 1 while nothing is cut apart.";
    LINKS_CUT = "devnet_links_cut" Gauge [] "Directions between two nodes that are cut.";
    HEAL_TIME = "devnet_heal_timestamp_seconds" Gauge [] "When a cut was last healed, since 1970; 0 before the first time.";
    CONVERGENCE = "devnet_convergence_seconds" Histogram [] Spacings(CONVERGENCES) "From the heal of a cut until all nodes are on one tip, to within one look; those that a fault in force keeps down are left out.";

    LOOKS = "devnet_looks_total" Counter [] "Times the network was looked at.";
    LOOK_DURATION = "devnet_look_duration_seconds" Gauge [] "How long the last look took.";
}
