//! Who is connected, what flows, what was done to the network on purpose.

use super::panel::Colour::{Orange, Red, Yellow};
use super::panel::{Dashboard, LINES, Panel, Row, STAT, Unit, View, query};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-network",
    title: "minichain · Network and faults",
    about: "Peers, traffic, and the faults in force.",
    rows: &[
        Row {
            title: "Now",
            panels: &[
                NODES_NOW, FEWEST, GROUPS_NOW, CUT_NOW, FAULTS_NOW, EVENTS_NOW,
            ],
        },
        Row {
            title: "Faults",
            panels: &[FAULTS, PARTITIONS, EVENTS, STATES, CONDITIONS, CLOCKS],
        },
        Row {
            title: "Peers",
            panels: &[PEERS, DISCONNECTS],
        },
        Row {
            title: "Traffic",
            panels: &[GOSSIP, REQUESTS, BY_NODE, FAILURES],
        },
    ],
};

const NODES_NOW: Panel = Panel {
    title: "Nodes",
    question: "How many nodes answer?",
    empty: "No node is scraped",
    queries: &[query("sum(up{job=\"minichain\", @node})", "Nodes")],
    ..STAT
};

const FEWEST: Panel = Panel {
    title: "Fewest peers",
    question: "How many peers has the node with the fewest?",
    queries: &[query(
        "min(sum by (node) (minichain_peers{@node}))",
        "Peers",
    )],
    ..STAT
};

const GROUPS_NOW: Panel = Panel {
    title: "Groups",
    question: "Into how many groups is the network cut?",
    steps: &[(2.0, Red)],
    empty: "No exporter",
    queries: &[query("max(devnet_partition_groups{@net})", "Groups")],
    ..STAT
};

const CUT_NOW: Panel = Panel {
    title: "Directions cut",
    question: "How many directions between two nodes are cut?",
    steps: &[(1.0, Orange)],
    empty: "No exporter",
    queries: &[query("max(devnet_links_cut{@net})", "Links")],
    ..STAT
};

pub const FAULTS_NOW: Panel = Panel {
    title: "Faults in force",
    question: "How many injected faults are in force?",
    steps: &[(1.0, Orange)],
    empty: "No exporter",
    queries: &[query("sum(devnet_fault_active{@net})", "Faults")],
    ..STAT
};

const EVENTS_NOW: Panel = Panel {
    title: "Fault events",
    question: "How many times were faults made, or taken out?",
    empty: "No exporter",
    queries: &[query(
        "sum(increase(devnet_fault_events_total{@net}[$__range]))",
        "Events",
    )],
    ..STAT
};

const FAULTS: Panel = Panel {
    title: "Faults",
    question: "Which faults were in force, and when?",
    view: View::Bands,
    width: 24,
    steps: &[(1.0, Orange)],
    empty: "No fault was in force",
    queries: &[query(
        "sum by (kind) (devnet_fault_active{@net}) and on (kind) max by (kind) (max_over_time(devnet_fault_active{@net}[$__range])) > 0",
        "{{kind}}",
    )],
    ..LINES
};

const PARTITIONS: Panel = Panel {
    title: "Partitions",
    question: "When was the network cut, and how much of it?",
    width: 8,
    empty: "No exporter",
    queries: &[
        query("max(devnet_partition_groups{@net})", "groups"),
        query("max(devnet_links_cut{@net})", "directions cut"),
    ],
    ..LINES
};

const EVENTS: Panel = Panel {
    title: "Fault events",
    question: "What was done to the network, and when?",
    width: 8,
    view: View::Rates,
    unit: Unit::PerMinute,
    empty: "No exporter",
    queries: &[query(
        "topk(8, 60 * sum by (kind, event) (rate(devnet_fault_events_total{@net}[$__rate_interval])))",
        "{{kind}}, {{event}}",
    )],
    ..LINES
};

const STATES: Panel = Panel {
    title: "Nodes by state",
    question: "How many nodes run, stand still or are gone?",
    width: 8,
    view: View::Areas,
    empty: "No exporter",
    queries: &[query("sum by (state) (devnet_nodes{@net})", "{{state}}")],
    ..LINES
};

const CONDITIONS: Panel = Panel {
    title: "Conditioned links",
    question: "Which nodes send over links made worse on purpose?",
    queries: &[query(
        "max by (node) (minichain_link_conditions{@node})",
        "{{node}}",
    )],
    ..LINES
};

const CLOCKS: Panel = Panel {
    title: "Clocks",
    question: "Whose clock was set off, and by how much?",
    unit: Unit::Seconds,
    min: None,
    queries: &[query(
        "max by (node) (minichain_clock_offset_seconds{@node})",
        "{{node}}",
    )],
    ..LINES
};

pub const PEERS: Panel = Panel {
    title: "Peers",
    question: "How many peers has each node?",
    queries: &[query("sum by (node) (minichain_peers{@node})", "{{node}}")],
    ..LINES
};

const DISCONNECTS: Panel = Panel {
    title: "Disconnects",
    question: "Why do nodes send peers away?",
    view: View::Rates,
    unit: Unit::PerMinute,
    queries: &[query(
        "topk(8, 60 * sum by (reason) (rate(minichain_peer_disconnects_total{@node}[$__rate_interval])))",
        "{{reason}}",
    )],
    ..LINES
};

const GOSSIP: Panel = Panel {
    title: "Gossip",
    question: "How many bytes a second are gossiped, and of what?",
    view: View::Areas,
    unit: Unit::BytesPerSecond,
    queries: &[query(
        "sum by (topic) (rate(minichain_gossip_bytes_total{direction=\"received\", @node}[$__rate_interval]))",
        "{{topic}}",
    )],
    ..LINES
};

const REQUESTS: Panel = Panel {
    title: "Requests and responses",
    question: "How many bytes a second are asked for and answered?",
    view: View::Areas,
    unit: Unit::BytesPerSecond,
    queries: &[query(
        "sum by (kind) (rate(minichain_request_bytes_total{direction=\"received\", @node}[$__rate_interval]))",
        "{{kind}}",
    )],
    ..LINES
};

const BY_NODE: Panel = Panel {
    title: "Sent by node",
    question: "Which nodes carry the traffic?",
    unit: Unit::BytesPerSecond,
    queries: &[query(
        "sum by (node) (rate(minichain_gossip_bytes_total{direction=\"sent\", @node}[$__rate_interval])) + sum by (node) (rate(minichain_request_bytes_total{direction=\"sent\", @node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const FAILURES: Panel = Panel {
    title: "Failed requests",
    question: "What do peers fail to answer?",
    view: View::Rates,
    unit: Unit::PerMinute,
    steps: &[(10.0, Yellow)],
    queries: &[query(
        "60 * sum by (kind) (rate(minichain_request_failures_total{@node}[$__rate_interval]))",
        "{{kind}}",
    )],
    ..LINES
};
