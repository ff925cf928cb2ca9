//! The page of `devnet serve`, in a real browser: it shows a network, hurts and
//! heals it, pays, and lets nobody else in.

mod axe;
mod controls;
mod door;
mod large;
mod pictures;
mod play;

use std::time::Duration;

use minichain_tests::browser::{self, Scheme};
use minichain_tests::network::wait_until;
use minichain_tests::served::Served;

/// A busy machine mines and measures slowly.
const PATIENCE: Duration = Duration::from_secs(90);

/// All parts of the page that can be opened by their address.
const PARTS: &[&str] = &[
    "network",
    "blocks",
    "mempool",
    "faults",
    "explorer",
    "learn",
    "node/miner-0",
];

#[test]
fn a_partition_made_by_the_page_shows_two_tips_and_heals() {
    if !browser::available("a_partition_made_by_the_page_shows_two_tips_and_heals") {
        return;
    }
    let served = Served::up(&["--nodes", "4", "--miners", "4", "--block-time", "1s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.topology .node.up').length === 4",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelectorAll('.tree .block').length > 2",
        PATIENCE,
    );
    assert_eq!(page.text("#live"), "live");
    assert_eq!(page.text("#right"), "control");

    page.eval("['miner-0', 'miner-1'].forEach((name) => document.querySelector(`[aria-label='Select ${name}']`).click())");
    page.wait_for(
        "document.querySelectorAll('.node.on').length === 2",
        PATIENCE,
    );
    page.press("Partition");
    page.wait_for(
        "document.querySelectorAll('.sidehull').length === 2",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelector('h1').textContent.startsWith('Split in 2')",
        PATIENCE,
    );
    page.wait_for("document.querySelectorAll('.flag').length >= 2", PATIENCE);
    page.wait_for(
        "document.querySelector('.events').textContent.includes('probes across the cut fail')",
        PATIENCE,
    );
    // What the page says is so.
    let tips: std::collections::BTreeSet<String> = served
        .network
        .nodes()
        .iter()
        .map(|node| node.rpc.must("getbestblockhash", &serde_json::json!([])))
        .collect();
    assert!(tips.len() >= 2, "{tips:?}");

    page.press("Heal everything");
    page.wait_for(
        "document.querySelector('h1').textContent.includes('on one chain')",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelectorAll('.sidehull').length === 0",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelectorAll('.mark.reorg').length > 0",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelectorAll('.block.stale').length > 0",
        PATIENCE,
    );
    served.assert_quiet(&page);
}

#[test]
fn a_payment_sent_by_the_page_confirms_and_is_found() {
    if !browser::available("a_payment_sent_by_the_page_confirms_and_is_found") {
        return;
    }
    let served = Served::up(&["--nodes", "2", "--miners", "1", "--block-time", "1s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.tree .block').length > 2",
        PATIENCE,
    );
    page.go("mempool");
    page.wait_for(
        "document.querySelector('select[name=from]')?.value === 'alice'",
        PATIENCE,
    );
    page.press("Send");
    page.wait_for("document.body.textContent.includes('Confirmed ')", PATIENCE);
    page.eval(
        "[...document.querySelectorAll('p a')].find((link) => /explorer/.test(link.hash)).click()",
    );
    page.wait_for(
        "[...document.querySelectorAll('h2')].some((title) => title.textContent === 'Transaction')",
        PATIENCE,
    );
    assert!(
        page.text("dl").contains("confirmation"),
        "{}",
        page.text("dl")
    );
    page.eval("document.querySelector('dl a').click()");
    page.wait_for("[...document.querySelectorAll('h2')].some((title) => title.textContent.startsWith('Block '))", PATIENCE);
    page.eval(
        "[...document.querySelectorAll('td a')].find((link) => /1p/.test(link.hash)).click()",
    );
    page.wait_for("[...document.querySelectorAll('h2')].some((title) => title.textContent === 'Unspent outputs')", PATIENCE);
    page.go("explorer/no-such-thing");
    page.wait_for("document.body.textContent.includes('Not found')", PATIENCE);
    // The browser itself remarks on answers that are no success.
    let seen = page.seen();
    let odd: Vec<_> = seen
        .complaints
        .iter()
        .filter(|text| !text.contains("status of 4"))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn a_node_that_is_killed_is_shown_as_down_and_comes_back() {
    if !browser::available("a_node_that_is_killed_is_shown_as_down_and_comes_back") {
        return;
    }
    let served = Served::up(&["--nodes", "3", "--miners", "2", "--block-time", "1s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 3",
        PATIENCE,
    );
    page.go("node/miner-1");
    page.wait_for(
        "document.querySelector('pre.log')?.textContent.length > 100",
        PATIENCE,
    );
    page.wait_for(
        "/%/.test(document.querySelector('.tiles').textContent)",
        PATIENCE,
    );
    page.press("Kill");
    page.wait_for("[...document.querySelectorAll('.head button')].some((button) => button.textContent === 'Start')", PATIENCE);
    page.go("network");
    page.wait_for(
        "document.querySelectorAll('.node.down').length === 1",
        PATIENCE,
    );
    served.network.must(&["start", "miner-1"]);
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 3",
        PATIENCE,
    );
    served.assert_quiet(&page);
}

#[test]
fn the_page_can_be_read_by_everybody_everywhere() {
    if !browser::available("the_page_can_be_read_by_everybody_everywhere") {
        return;
    }
    let served = Served::up(&["--nodes", "4", "--miners", "2", "--block-time", "1s"]);
    served.network.must(&["partition", "miner-0"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.sidehull').length === 2",
        PATIENCE,
    );
    let axe = axe::script();
    for part in PARTS {
        page.go(part);
        page.wait_for("document.querySelector('h1') !== null && document.querySelector('main .empty')?.textContent !== 'Loading.'", PATIENCE);
        for (scheme, width) in [
            (Scheme::Light, 1280),
            (Scheme::Dark, 1280),
            (Scheme::Light, 390),
        ] {
            page.set_scheme(scheme);
            page.set_size(width, 900);
            page.assert_fits(&format!("{part} at {width}"));
            if let Some(axe) = &axe {
                assert_eq!(
                    page.breaches(axe),
                    Vec::<String>::new(),
                    "{part} {scheme:?} {width}"
                );
            }
        }
    }
    page.set_size(1280, 900);
    // The second lesson shows the network's own newest block.
    page.go("learn");
    page.wait_for(
        "document.querySelectorAll('.learn-step').length > 4",
        PATIENCE,
    );
    page.eval("document.querySelectorAll('.learn-step')[1].click()");
    page.wait_for("/From your network: block \\d+[^]*the same name/.test(document.querySelector('.learn-live').textContent)", PATIENCE);
    served.assert_quiet(&page);
}

#[test]
fn keys_select_nodes_and_move_between_parts() {
    if !browser::available("keys_select_nodes_and_move_between_parts") {
        return;
    }
    let served = Served::up(&["--nodes", "4", "--miners", "2", "--block-time", "2s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 4",
        PATIENCE,
    );
    page.eval("document.querySelector('.node[tabindex=\"0\"]').focus()");
    page.key("ArrowDown");
    let first = page.eval("document.activeElement.dataset.name");
    assert!(first.is_string(), "{first}");
    page.key(" ");
    page.wait_for(
        "document.querySelectorAll('.node.on').length === 1",
        PATIENCE,
    );
    page.key("Escape");
    page.wait_for(
        "document.querySelectorAll('.node.on').length === 0",
        PATIENCE,
    );
    page.key("Enter");
    page.wait_for("location.hash.startsWith('#/node/')", PATIENCE);
    page.key("2");
    page.wait_for(
        "document.querySelector('h1').textContent === 'Blocks'",
        PATIENCE,
    );
    page.key("/");
    page.wait_for("document.activeElement.type === 'search'", PATIENCE);
}

#[test]
fn the_page_reconnects_by_itself_and_looks_only_without_the_token() {
    if !browser::available("the_page_reconnects_by_itself_and_looks_only_without_the_token") {
        return;
    }
    let mut served = Served::up(&["--nodes", "2", "--miners", "1", "--block-time", "1s"]);
    let page = served.open_without_token();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 2",
        PATIENCE,
    );
    assert_eq!(page.text("#right"), "read-only");
    assert_eq!(page.eval("[...document.querySelectorAll('.bar button')].filter((one) => one.checkVisibility()).length"), 0);
    let port = served.port();
    served.stop();
    page.wait_for(
        "document.querySelector('#live').textContent === 'reconnecting'",
        PATIENCE,
    );
    served.serve(&format!("127.0.0.1:{port}"));
    page.wait_for(
        "document.querySelector('#live').textContent === 'live'",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelectorAll('.tree .block').length > 2",
        PATIENCE,
    );
}

#[test]
fn up_serves_the_page_of_what_it_brought_up() {
    let served = Served::up_serving(&["--nodes", "2", "--miners", "1", "--block-time", "1s"]);
    let body = wait_until(PATIENCE, || served.get("/", &[]).map(|(_, body)| body));
    assert!(body.contains("/js/boot.js"), "{body}");
}
