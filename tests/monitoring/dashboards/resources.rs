//! What nodes cost, and whether one is overloaded.

use super::panel::Colour::{Orange, Red, Yellow};
use super::panel::{Dashboard, LINES, Panel, Row, STAT, Unit, query};

pub const DASHBOARD: Dashboard = Dashboard {
    uid: "minichain-resources",
    title: "minichain · Node resources",
    about: "Processor, memory, disk and threads of every node, its RPC, and the scraping itself.",
    rows: &[
        Row {
            title: "Now",
            panels: &[CPU_NOW, MEMORY_NOW, DISK_NOW, BUSY_NOW, UPTIME_NOW, BUGS],
        },
        Row {
            title: "Process",
            panels: &[CPU, MEMORY, FILES, THREADS],
        },
        Row {
            title: "Node",
            panels: &[BUSY, INBOX, STORE, COMMIT],
        },
        Row {
            title: "RPC and scraping",
            panels: &[RPC, RPC_TIME, SCRAPE, SERIES],
        },
    ],
};

const CPU_NOW: Panel = Panel {
    title: "Processors",
    question: "How many processors do the nodes use together?",
    unit: Unit::Of("cores"),
    queries: &[query(
        "sum(rate(process_cpu_seconds_total{job=\"minichain\", @node}[$__rate_interval]))",
        "Processors",
    )],
    ..STAT
};

const MEMORY_NOW: Panel = Panel {
    title: "Memory",
    question: "How much memory do the nodes use together?",
    unit: Unit::Bytes,
    queries: &[query(
        "sum(process_resident_memory_bytes{job=\"minichain\", @node})",
        "Memory",
    )],
    ..STAT
};

const DISK_NOW: Panel = Panel {
    title: "Disk",
    question: "How much disk do the chains take together?",
    unit: Unit::Bytes,
    queries: &[query("sum(minichain_store_size_bytes{@node})", "Disk")],
    ..STAT
};

const BUSY_NOW: Panel = Panel {
    title: "Busiest node",
    question: "How busy is the thread of the busiest node?",
    unit: Unit::Share,
    max: Some(1.0),
    steps: &[(0.5, Yellow), (0.8, Red)],
    queries: &[query(
        "max(rate(minichain_driver_busy_seconds_total{@node}[$__rate_interval]))",
        "Busy",
    )],
    ..STAT
};

const UPTIME_NOW: Panel = Panel {
    title: "Youngest process",
    question: "How long has the node run that was started last?",
    unit: Unit::Seconds,
    queries: &[query(
        "min(time() - process_start_time_seconds{job=\"minichain\", @node})",
        "Running for",
    )],
    ..STAT
};

const BUGS: Panel = Panel {
    title: "Bugs",
    question: "How often did something happen that should never happen?",
    steps: &[(1.0, Red)],
    queries: &[query("sum(minichain_faults_total{@node})", "Bugs")],
    ..STAT
};

const CPU: Panel = Panel {
    title: "Processor time",
    question: "How much processor does each node use?",
    unit: Unit::Of("cores"),
    queries: &[query(
        "max by (node) (rate(process_cpu_seconds_total{job=\"minichain\", @node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const MEMORY: Panel = Panel {
    title: "Resident memory",
    question: "Does a node's memory grow without end?",
    unit: Unit::Bytes,
    queries: &[query(
        "max by (node) (process_resident_memory_bytes{job=\"minichain\", @node})",
        "{{node}}",
    )],
    ..LINES
};

const FILES: Panel = Panel {
    title: "Open files",
    question: "How close is each node to its limit of open files?",
    unit: Unit::Share,
    steps: &[(0.8, Red)],
    queries: &[query(
        "max by (node) (process_open_fds{job=\"minichain\", @node} / process_max_fds{job=\"minichain\", @node})",
        "{{node}}",
    )],
    ..LINES
};

const THREADS: Panel = Panel {
    title: "Threads",
    question: "How many threads does each node run?",
    queries: &[query(
        "max by (node) (process_threads{job=\"minichain\", @node})",
        "{{node}}",
    )],
    ..LINES
};

const BUSY: Panel = Panel {
    title: "Node thread",
    question: "What share of its time is each node's one thread at work?",
    unit: Unit::Share,
    max: Some(1.0),
    steps: &[(0.8, Red)],
    queries: &[query(
        "max by (node) (rate(minichain_driver_busy_seconds_total{@node}[$__rate_interval]))",
        "{{node}}",
    )],
    ..LINES
};

const INBOX: Panel = Panel {
    title: "Inbox",
    question: "Where do messages pile up before the node's thread?",
    queries: &[query(
        "max by (node) (minichain_driver_inbox_messages{@node})",
        "{{node}}",
    )],
    ..LINES
};

const STORE: Panel = Panel {
    title: "Store",
    question: "How big is each node's chain on disk?",
    unit: Unit::Bytes,
    queries: &[query(
        "max by (node) (minichain_store_size_bytes{@node})",
        "{{node}}",
    )],
    ..LINES
};

const COMMIT: Panel = Panel {
    title: "Mean commit",
    question: "How long does the disk take to make a change durable?",
    unit: Unit::Seconds,
    steps: &[(0.1, Orange)],
    empty: "Nothing was stored yet",
    queries: &[query(
        "sum by (node) (rate(minichain_store_commit_seconds_sum{@node}[5m])) / sum by (node) (rate(minichain_store_commit_seconds_count{@node}[5m]))",
        "{{node}}",
    )],
    ..LINES
};

const RPC: Panel = Panel {
    title: "RPC calls",
    question: "Which RPC methods are called, and how often?",
    unit: Unit::PerSecond,
    queries: &[query(
        "topk(10, sum by (method) (rate(minichain_rpc_requests_total{@node}[$__rate_interval])))",
        "{{method}}",
    )],
    ..LINES
};

const RPC_TIME: Panel = Panel {
    title: "RPC answers",
    question: "How long does an RPC call take on average?",
    unit: Unit::Seconds,
    empty: "No RPC call yet",
    queries: &[query(
        "sum by (node) (rate(minichain_rpc_request_seconds_sum{@node}[5m])) / sum by (node) (rate(minichain_rpc_request_seconds_count{@node}[5m]))",
        "{{node}}",
    )],
    ..LINES
};

const SCRAPE: Panel = Panel {
    title: "Scrape duration",
    question: "How long does reading a node's metrics take?",
    unit: Unit::Seconds,
    empty: "No node is scraped",
    queries: &[query(
        "max by (node) (scrape_duration_seconds{job=\"minichain\", @node})",
        "{{node}}",
    )],
    ..LINES
};

const SERIES: Panel = Panel {
    title: "Series",
    question: "How many series does each node export?",
    steps: &[(300.0, Red)],
    empty: "No node is scraped",
    queries: &[query(
        "max by (node) (scrape_samples_scraped{job=\"minichain\", @node})",
        "{{node}}",
    )],
    ..LINES
};
