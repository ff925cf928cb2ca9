//! What the page can do beyond cutting and killing, and what it shows of what
//! others did.

use minichain_tests::browser;
use minichain_tests::served::{Opened, Served};
use serde_json::Value;

use crate::PATIENCE;

/// Opens the form of all faults with that one in it.
fn choose(page: &Opened, kind: &str) {
    page.eval(&format!(
        "((kinds) => {{ kinds.value = '{kind}'; kinds.dispatchEvent(new Event('change')); return true; }})(document.querySelector('.sheet select'))"
    ));
}

/// Types into the field that is called so.
fn fill(page: &Opened, label: &str, text: &str) {
    page.eval(&format!(
        "(([field]) => {{ field.querySelector('input').value = '{text}'; field.querySelector('input').dispatchEvent(new Event('input')); return true; }})([...document.querySelectorAll('.sheet label')].filter((one) => one.textContent === '{label}'))"
    ));
}

fn submit(page: &Opened) {
    page.eval("(document.querySelector('.sheet [type=submit]').click(), true)");
}

/// The faults that are meant, as another call tells them.
fn intended(served: &Served) -> Vec<Value> {
    let out = served.network.devnet(&["faults", "--json"]);
    let told: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    told["intended"].as_array().expect("a list").clone()
}

#[test]
fn every_fault_of_the_command_line_has_a_control() {
    if !browser::available("every_fault_of_the_command_line_has_a_control") {
        return;
    }
    let served = Served::up(&["--nodes", "4", "--miners", "2", "--block-time", "1s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 4",
        PATIENCE,
    );
    page.eval("document.querySelector(`[aria-label='Select miner-1']`).click()");
    page.press("All faults…");
    let command = "document.querySelector('.command').textContent";
    let name = &served.network.name;
    for (kind, verb) in [
        ("partition", "partition miner-1"),
        ("isolate", "partition --isolate miner-1"),
        ("halves", "partition --halves"),
        ("bridge", "partition --bridge miner-1"),
        ("ring", "partition --majorities-ring"),
        (
            "one-way",
            "partition --one-way miner-1:bootstrap-0,miner-0,observer-0",
        ),
        ("kill", "kill miner-1"),
        ("stop", "stop miner-1"),
        ("pause", "pause miner-1"),
        ("unpause", "unpause miner-1"),
        ("start", "start miner-1"),
        ("restart", "restart miner-1"),
        ("skew", "skew miner-1 +5s"),
        ("fill-disk", "fill-disk miner-1"),
        ("corrupt", "corrupt miner-1"),
        ("wipe", "wipe miner-1"),
        ("remove", "remove miner-1"),
        ("add", "add bootstrap --count 1"),
        ("heal-cuts", "heal --cuts"),
    ] {
        choose(&page, kind);
        let wanted = format!("devnet {verb} --name {name}");
        page.wait_for(&format!("{command} === '{wanted}'"), PATIENCE);
    }
    // What cannot be is refused with its reason, not left away.
    choose(&page, "links");
    page.wait_for(
        "document.querySelector('.sheet .why').textContent.includes('Select two nodes') && document.querySelector('.sheet [type=submit]').disabled",
        PATIENCE,
    );
    choose(&page, "upgrade");
    page.wait_for(
        "document.querySelector('.sheet').textContent.includes('this network runs plain processes')",
        PATIENCE,
    );
    served.assert_quiet(&page);
}

#[test]
fn narrow_links_and_wrong_clocks_are_made_measured_and_taken_out() {
    if !browser::available("narrow_links_and_wrong_clocks_are_made_measured_and_taken_out") {
        return;
    }
    let served = Served::up(&["--nodes", "3", "--miners", "2", "--block-time", "1s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 3",
        PATIENCE,
    );
    page.eval("document.querySelector(`[aria-label='Select miner-1']`).click()");
    page.press("Slow links…");
    fill(&page, "Bandwidth", "1mbit");
    submit(&page);
    let active = "document.querySelector('.active').textContent";
    page.wait_for(
        &format!("{active}.includes('show the limit of their rate')"),
        PATIENCE,
    );
    choose(&page, "skew");
    fill(&page, "Offset", "+3s");
    submit(&page);
    page.wait_for(
        &format!("{active}.includes('its clock is off by 3000 ms, read back')"),
        PATIENCE,
    );
    assert_eq!(intended(&served).len(), 2);
    page.eval("document.querySelector('.active button').click()");
    page.wait_for(
        "document.querySelectorAll('.active li').length === 1",
        PATIENCE,
    );
    assert_eq!(intended(&served).len(), 1);
    served.assert_quiet(&page);
}

#[test]
fn faults_of_other_calls_are_shown_with_their_proof_and_read_back() {
    if !browser::available("faults_of_other_calls_are_shown_with_their_proof_and_read_back") {
        return;
    }
    let served = Served::up(&["--nodes", "3", "--miners", "2", "--block-time", "1s"]);
    let page = served.open();
    page.wait_for(
        "document.querySelectorAll('.node.up').length === 3",
        PATIENCE,
    );
    page.go("faults");
    served
        .network
        .must(&["partition", "--one-way", "miner-0:miner-1"]);
    page.wait_for(
        "/one way miner-0[^]*probes across the cut fail/.test(document.querySelector('.active').textContent)",
        PATIENCE,
    );
    page.wait_for(
        "document.querySelector('.chips').textContent.includes('miner-0 → miner-1: cut')",
        PATIENCE,
    );
    served.network.must(&["heal"]);
    page.wait_for(
        "document.querySelectorAll('.active li').length === 0",
        PATIENCE,
    );
    page.wait_for(
        "/heal everything[^]*probes pass/.test(document.querySelector('.events').textContent)",
        PATIENCE,
    );
    served.assert_quiet(&page);
}

#[test]
fn a_page_that_is_opened_late_shows_the_past() {
    if !browser::available("a_page_that_is_opened_late_shows_the_past") {
        return;
    }
    let mut served = Served::up(&["--nodes", "4", "--miners", "4", "--block-time", "1s"]);
    let port = served.port();
    served.stop();
    served.network.must(&["partition", "miner-0,miner-1"]);
    std::thread::sleep(std::time::Duration::from_secs(8));
    served.network.must(&["heal", "--wait", "60s"]);
    let height = served.network.wait_until_agreed(6, PATIENCE);
    served.serve(&format!("127.0.0.1:{port}"));
    let page = served.open();
    page.go("faults");
    let events = "document.querySelector('.events').textContent";
    page.wait_for(
        &format!(
            "/heal everything[^]*over: partition[^]*probes across the cut fail/.test({events})"
        ),
        PATIENCE,
    );
    page.wait_for(
        &format!("/left (blocks|\\d+ blocks?) for a heavier branch/.test({events})"),
        PATIENCE,
    );
    page.wait_for("document.querySelectorAll('.lane').length > 0", PATIENCE);
    page.go("blocks");
    page.wait_for(
        &format!("document.querySelectorAll('tbody tr').length >= Math.min(25, {height})"),
        PATIENCE,
    );
    // How a block of the past spread is told by the logs.
    page.wait_for(
        "/\\d+ (ms|s) \\(4\\)/.test([...document.querySelectorAll('tbody tr')].at(-2).textContent)",
        PATIENCE,
    );
    served.assert_quiet(&page);
}
