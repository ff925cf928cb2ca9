//! Events become exactly the declared metrics.

use std::collections::BTreeSet;

use minichain_chain::amount::Amount;
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;
use minichain_chain::time::{UnixMillis, UnixSeconds};
use minichain_protocol::event::{BlockSummary, Event, Source};
use minichain_protocol::input::Peer;
use prometheus::{Encoder, TextEncoder};

use super::*;

const NOW: Now = Now {
    monotonic_ms: 5_000,
    unix: UnixMillis(1_767_225_700_000),
};

fn setup() -> Setup {
    Setup {
        name: "miner-0".into(),
        network: "lab".into(),
        spacing_s: 4,
        tip_age: Duration::from_secs(100),
        block_weight_max: 400_000,
        mempool_bytes_max: 5_000_000,
        store_file: "/nonexistent".into(),
    }
}

fn observer() -> Observer {
    let stats = MinerStats {
        hash_rate: 500.0,
        is_mining: true,
        hashes: 1_234,
        blocks_found: 2,
    };
    Observer::new(&setup(), move || stats).expect("every declaration is valid")
}

fn text(observer: &Observer, snapshot: Option<&Snapshot>) -> String {
    let mut bytes = Vec::new();
    TextEncoder::new()
        .encode(&observer.gather(snapshot), &mut bytes)
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The value of a series, named as in the text.
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.split(' ').next() == Some(series));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn block(height: u32, interval_s: i64, transactions: u32) -> BlockSummary {
    BlockSummary {
        hash: BlockHash::from_bytes([u8::try_from(height).unwrap(); 32]),
        height: Height(height),
        time: UnixSeconds(1_767_225_690),
        interval_s,
        transactions,
        size: 300,
        weight: 1_000,
        fees: Amount::from_sat(7),
    }
}

fn tip_changed(disconnected: Vec<BlockSummary>, connected: Vec<BlockSummary>) -> Event {
    let last = connected[connected.len() - 1];
    Event::TipChanged {
        tip: last.hash,
        height: last.height,
        chainwork: Chainwork::ZERO,
        disconnected,
        connected,
        source: Source::Miner,
    }
}

#[test]
fn output_has_every_declared_metric_and_no_other() {
    let text = text(&observer(), None);
    let exported: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let ours: BTreeSet<&str> = exported
        .iter()
        .copied()
        .filter(|name| !name.starts_with("process_"))
        .collect();
    let declared: BTreeSet<&str> = metric::ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(ours, declared);
    for metric in metric::ALL {
        assert!(
            text.contains(&format!("# HELP {} ", metric.name)),
            "{}",
            metric.name
        );
    }
    for name in ["process_resident_memory_bytes", "process_cpu_seconds_total"] {
        assert!(exported.contains(name), "{name}");
    }
}

#[test]
fn every_label_combination_exists_from_the_start() {
    let text = text(&observer(), None);
    for series in [
        "minichain_peers{direction=\"inbound\"}",
        "minichain_gossip_verdicts_total{topic=\"transaction\",verdict=\"reject\"}",
        "minichain_requests_total{direction=\"sent\",kind=\"blocks\"}",
        "minichain_peer_disconnects_total{reason=\"gossip_silent\"}",
    ] {
        assert!(value(&text, series).abs() < f64::EPSILON, "{series}");
    }
    for rule in minichain_chain::rules::RULES {
        value(
            &text,
            &format!("minichain_blocks_rejected_total{{rule=\"{rule}\"}}"),
        );
    }
    for reason in minichain_chain::mempool::REASONS {
        value(
            &text,
            &format!("minichain_transactions_rejected_total{{reason=\"{reason}\"}}"),
        );
    }
    let info = format!(
        "minichain_build_info{{chain=\"lab\",name=\"miner-0\",version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert!((value(&text, &info) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn labels_used_are_labels_declared() {
    let observer = observer();
    for topic in [Topic::Block, Topic::Transaction] {
        for verdict in [Verdict::Accept, Verdict::Ignore, Verdict::Reject] {
            observer.verdict(topic, verdict);
        }
        observer.gossip(topic, Flow::Received, 10);
        observer.gossip(topic, Flow::Sent, 20);
    }
    for kind in [
        RequestKind::Status,
        RequestKind::Headers,
        RequestKind::Blocks,
        RequestKind::Inventory,
        RequestKind::Transactions,
    ] {
        observer.request(kind, Flow::Sent, 1);
        observer.response(kind, Flow::Received, 2);
    }
    observer.disconnected(&DisconnectReason::Malformed);
    let text = text(&observer, None);
    for (series, expected) in [
        (
            "minichain_gossip_bytes_total{direction=\"sent\",topic=\"block\"}",
            20.0,
        ),
        (
            "minichain_gossip_messages_total{direction=\"received\",topic=\"transaction\"}",
            1.0,
        ),
        (
            "minichain_gossip_verdicts_total{topic=\"block\",verdict=\"ignore\"}",
            1.0,
        ),
        (
            "minichain_requests_total{direction=\"sent\",kind=\"headers\"}",
            1.0,
        ),
        (
            "minichain_request_bytes_total{direction=\"received\",kind=\"status\"}",
            2.0,
        ),
        (
            "minichain_peer_disconnects_total{reason=\"malformed\"}",
            1.0,
        ),
    ] {
        assert!(
            (value(&text, series) - expected).abs() < f64::EPSILON,
            "{series}\n{text}"
        );
    }
    // No series came into being besides those registered.
    let fresh = self::text(&self::observer(), None);
    let count = |text: &str| {
        text.lines()
            .filter(|line| line.starts_with("minichain_"))
            .count()
    };
    assert_eq!(count(&text), count(&fresh));
}

#[test]
fn reorganisation_is_counted_with_its_depth() {
    let observer = observer();
    observer.event(tip_changed(vec![], vec![block(1, 999_999, 1)]), NOW);
    observer.event(tip_changed(vec![], vec![block(2, 3, 5)]), NOW);
    let rival = vec![block(2, -2, 2), block(3, 4, 1)];
    observer.event(tip_changed(vec![block(2, 3, 5)], rival), NOW);
    let text = text(&observer, None);
    for (series, expected) in [
        ("minichain_chain_height_blocks", 3.0),
        ("minichain_blocks_connected_total", 4.0),
        ("minichain_blocks_disconnected_total", 1.0),
        ("minichain_blocks_stale_total", 1.0),
        ("minichain_reorgs_total", 1.0),
        ("minichain_reorg_depth_blocks_sum", 1.0),
        ("minichain_transactions_confirmed_total", 5.0),
        ("minichain_block_transactions_count", 4.0),
        ("minichain_block_transactions_sum", 9.0),
        ("minichain_block_bytes_total", 1_200.0),
        ("minichain_block_weight_units_total", 4_000.0),
        ("minichain_block_fees_sats_total", 28.0),
    ] {
        assert!(
            (value(&text, series) - expected).abs() < f64::EPSILON,
            "{series}\n{text}"
        );
    }
}

#[test]
fn refusals_delays_and_faults_are_counted() {
    let observer = observer();
    let hash = BlockHash::ZERO;
    let rule = minichain_chain::rules::RULES[0];
    let source = Source::Gossip(Peer(1));
    observer.event(
        Event::BlockRejected {
            hash,
            rule,
            message: "x\n\u{1b}".into(),
            source,
        },
        NOW,
    );
    observer.event(
        Event::BlockArrived {
            hash,
            delay_ms: Some(250),
            peer: Peer(1),
        },
        NOW,
    );
    observer.event(
        Event::BlockArrived {
            hash,
            delay_ms: None,
            peer: Peer(1),
        },
        NOW,
    );
    observer.event(
        Event::Fault {
            message: "impossible".into(),
        },
        NOW,
    );
    observer.event(
        Event::SyncStarted {
            from: Height(1),
            to: Height(9),
        },
        NOW,
    );
    observer.event(Event::InFlightChanged { blocks: 16 }, NOW);
    observer.block_handled(Duration::from_millis(3));
    let text = text(&observer, None);
    for (series, expected) in [
        (
            format!("minichain_blocks_rejected_total{{rule=\"{rule}\"}}"),
            1.0,
        ),
        ("minichain_block_propagation_seconds_count".into(), 1.0),
        ("minichain_block_propagation_seconds_sum".into(), 0.25),
        ("minichain_faults_total".into(), 1.0),
        ("minichain_sync_active".into(), 1.0),
        ("minichain_sync_blocks_in_flight".into(), 16.0),
        ("minichain_block_connect_seconds_count".into(), 1.0),
    ] {
        assert!(
            (value(&text, &series) - expected).abs() < 1e-9,
            "{series}\n{text}"
        );
    }
    observer.event(Event::SyncFinished { height: Height(9) }, NOW);
    assert!(value(&self::text(&observer, None), "minichain_sync_active").abs() < f64::EPSILON);
}

#[test]
fn state_is_shown_as_it_is_when_somebody_looks() {
    let observer = observer();
    let snapshot = Snapshot {
        height: 7,
        header_height: 9,
        tip_time_s: 1_767_225_690,
        chainwork: 4.5e6,
        difficulty: 1.25,
        expected_hashes: 5e4,
        inbound_peers: 2,
        outbound_peers: 3,
        mempool_transactions: 11,
        mempool_vbytes: 2_200,
        mempool_memory_bytes: 13_000,
        best_fee_rate_sat_per_kvb: 2_500,
        inbox_messages: 4,
    };
    let text = text(&observer, Some(&snapshot));
    for (series, expected) in [
        ("minichain_chain_height_blocks", 7.0),
        ("minichain_header_height_blocks", 9.0),
        ("minichain_tip_timestamp_seconds", 1_767_225_690.0),
        ("minichain_chainwork_hashes", 4.5e6),
        ("minichain_difficulty_ratio", 1.25),
        ("minichain_block_expected_hashes", 5e4),
        ("minichain_peers{direction=\"inbound\"}", 2.0),
        ("minichain_peers{direction=\"outbound\"}", 3.0),
        ("minichain_mempool_transactions", 11.0),
        ("minichain_mempool_bytes", 2_200.0),
        ("minichain_mempool_memory_bytes", 13_000.0),
        ("minichain_mempool_memory_limit_bytes", 5e6),
        ("minichain_mempool_best_fee_rate_sats_per_vbyte", 2.5),
        ("minichain_driver_inbox_messages", 4.0),
        ("minichain_block_target_spacing_seconds", 4.0),
        ("minichain_block_weight_limit_units", 4e5),
        ("minichain_miner_hash_rate_limit", 500.0),
        ("minichain_miner_hashes_total", 1_234.0),
    ] {
        assert!(
            (value(&text, series) - expected).abs() < f64::EPSILON,
            "{series}"
        );
    }
    // Looking twice does not count the same hashes twice.
    let again = self::text(&observer, None);
    assert!((value(&again, "minichain_miner_hashes_total") - 1_234.0).abs() < f64::EPSILON);
    assert!((value(&again, "minichain_chain_height_blocks") - 7.0).abs() < f64::EPSILON);
}

#[test]
fn only_a_chain_that_grows_by_one_tells_intervals() {
    let observer = observer();
    let intervals = |observer: &Observer| {
        let count = "minichain_block_interval_seconds_count";
        value(&text(observer, None), count).to_string()
    };
    // Before the first block nothing is known of the time it took.
    observer.event(tip_changed(vec![], vec![block(1, 4, 1)]), NOW);
    assert_eq!(intervals(&observer), "0");
    observer.event(tip_changed(vec![], vec![block(2, 4, 1)]), NOW);
    assert_eq!(intervals(&observer), "1");
    // A block won by a rival and its child: the child is the news.
    let rival = vec![block(2, 4, 1), block(3, 4, 1)];
    observer.event(tip_changed(vec![block(2, 4, 1)], rival), NOW);
    assert_eq!(intervals(&observer), "2");
    // A longer branch came all at once after a heal.
    let branch = vec![block(3, 4, 1), block(4, 4, 1), block(5, 4, 1)];
    observer.event(tip_changed(vec![block(3, 4, 1)], branch), NOW);
    assert_eq!(intervals(&observer), "2");
    let (from, to) = (Height(5), Height(6));
    observer.event(Event::SyncStarted { from, to }, NOW);
    observer.event(tip_changed(vec![], vec![block(6, 4, 1)]), NOW);
    assert_eq!(intervals(&observer), "2");
    observer.event(Event::SyncFinished { height: Height(6) }, NOW);
    observer.event(tip_changed(vec![], vec![block(7, 4, 1)]), NOW);
    assert_eq!(intervals(&observer), "3");
}

#[test]
fn transactions_are_counted_on_their_way() {
    let observer = observer();
    let txid = Txid::from_bytes([1; 32]);
    let fee = Amount::from_sat(300);
    observer.event(
        Event::TransactionAccepted {
            txid,
            fee,
            vsize: 100,
        },
        NOW,
    );
    let peer = Peer(1);
    for delay_ms in [Some(40), None] {
        observer.event(
            Event::TransactionArrived {
                txid,
                delay_ms,
                peer,
            },
            NOW,
        );
    }
    let waited_ms = vec![3_000, 90_000];
    observer.event(Event::TransactionsConfirmed { waited_ms }, NOW);
    observer.event(Event::OrphansChanged { transactions: 2 }, NOW);
    let text = text(&observer, None);
    for (series, expected) in [
        ("minichain_transactions_accepted_total", 1.0),
        ("minichain_transaction_fee_rate_sats_per_vbyte_sum", 3.0),
        ("minichain_transaction_propagation_seconds_count", 1.0),
        (
            "minichain_transaction_propagation_seconds_bucket{le=\"0.05\"}",
            1.0,
        ),
        ("minichain_transaction_confirmation_seconds_sum", 93.0),
        (
            "minichain_transaction_confirmation_seconds_bucket{le=\"4\"}",
            1.0,
        ),
        ("minichain_orphan_transactions", 2.0),
    ] {
        assert!(
            (value(&text, series) - expected).abs() < 1e-9,
            "{series}\n{text}"
        );
    }
}

#[test]
fn calls_are_counted_by_known_names_only() {
    let observer = observer();
    let took = Duration::from_millis(2);
    observer.called("getblockcount", took, false);
    observer.called("setclockoffset", took, false);
    observer.called("uptime", took, false);
    observer.called("no\"such\nname", took, true);
    observer.committed(took);
    observer.busy(Duration::from_millis(250));
    let text = text(&observer, None);
    for (series, expected) in [
        (
            "minichain_rpc_requests_total{method=\"getblockcount\"}",
            1.0,
        ),
        ("minichain_rpc_requests_total{method=\"admin\"}", 1.0),
        ("minichain_rpc_requests_total{method=\"other\"}", 1.0),
        ("minichain_rpc_requests_total{method=\"unknown\"}", 1.0),
        ("minichain_rpc_errors_total", 1.0),
        ("minichain_rpc_request_seconds_count", 4.0),
        ("minichain_store_commit_seconds_count", 1.0),
        ("minichain_driver_busy_seconds_total", 0.25),
    ] {
        assert!(
            (value(&text, series) - expected).abs() < 1e-9,
            "{series}\n{text}"
        );
    }
}

#[test]
fn a_node_has_at_most_300_series() {
    let text = text(&observer(), None);
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!((200..=300).contains(&series), "{series} series");
}

#[test]
fn tip_age_counts_from_the_last_change() {
    let observer = observer();
    assert!(observer.tip_age() >= Duration::from_secs(100));
    observer.event(tip_changed(vec![], vec![block(1, 1, 1)]), NOW);
    assert!(observer.tip_age() < Duration::from_secs(100));
}
