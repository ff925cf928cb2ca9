//! The lessons as people meet them: read, typed at, played.

use std::time::Duration;

use minichain_chain::block::Header;
use minichain_chain::codec::decode;
use minichain_chain::hex;
use minichain_chain::pow::Target;
use minichain_chain::rules::header::check_proof_of_work;
use minichain_tests::browser::{Page, Scheme};
use minichain_tests::network::wait_until;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const LESSONS: [&str; 6] = ["hash", "block", "chain", "copies", "payment", "fork"];

/// The genesis header of the built-in network, as `getblockheader` tells it.
pub fn real_header() -> String {
    let file = minichain_node::genesis::load(None).expect("it is built in");
    let params = minichain_node::genesis::params(&file).expect("a sound file");
    let header = params.genesis_block().header;
    json!({
        "hash": header.hash().to_string(),
        "height": 0,
        "version": header.version,
        "merkleroot": header.merkle_root.to_string(),
        "time": header.time.0,
        "nonce": header.nonce,
        "bits": header.bits.to_string(),
    })
    .to_string()
}

pub fn go_to(page: &Page, lesson: &str) {
    act(
        page,
        &format!("document.querySelector('[data-lesson={lesson}]').click()"),
    );
}

pub fn act(page: &Page, script: &str) {
    page.eval(&format!("(() => {{ {script}; return true; }})()"));
}

pub fn click(page: &Page, button: &str) {
    let found = page.eval(&format!(
        "(() => {{ const found = [...document.querySelectorAll('.learn-panel button')]
           .find((one) => one.textContent === {button:?}); found?.click(); return !!found; }})()"
    ));
    assert_eq!(found, true, "no button {button}");
}

/// Types into the control that the selector finds.
pub fn type_in(page: &Page, selector: &str, text: &str) {
    act(
        page,
        &format!(
            "const control = document.querySelectorAll('.learn-panel {selector}')[0];
             control.value = {text:?}; control.dispatchEvent(new Event('input'))"
        ),
    );
}

pub fn text(page: &Page, selector: &str) -> String {
    let text = page.eval(&format!(
        "[...document.querySelectorAll('.learn-panel {selector}')].map((part) => part.innerText).join('|')"
    ));
    text.as_str().expect("text").to_owned()
}

#[track_caller]
pub fn wait_for(page: &Page, selector: &str, part: &str) {
    wait_until(PATIENCE, || {
        let text = text(page, selector);
        match text.contains(part) {
            true => Ok(()),
            false => Err(format!("no `{part}` in {text}")),
        }
    });
}

/// How many blocks of the lesson are broken.
fn broken(page: &Page) -> Value {
    page.eval("document.querySelectorAll('.learn-panel .learn-broken').length")
}

#[test]
fn every_lesson_can_be_read_by_everybody_everywhere() {
    let test = "every_lesson_can_be_read_by_everybody_everywhere";
    let Some(page) = crate::page(test, "?live") else {
        return;
    };
    for lesson in LESSONS {
        go_to(&page, lesson);
        if lesson == "payment" {
            act(
                &page,
                "document.querySelector('.learn details').open = true",
            );
        }
        for (width, height) in [(1_200, 900), (390, 844)] {
            page.set_size(width, height);
            for scheme in [Scheme::Light, Scheme::Dark] {
                page.set_scheme(scheme);
                assert_eq!(
                    page.unreadable(),
                    Vec::<String>::new(),
                    "{lesson} {scheme:?}"
                );
            }
            assert_eq!(page.too_wide(), Vec::<String>::new(), "{lesson} at {width}");
        }
        let unnamed = page.eval(
            "[...document.querySelectorAll('.learn :is(input, select, textarea, button, svg)')]
               .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
               .map((one) => one.outerHTML.slice(0, 80))",
        );
        assert_eq!(unnamed, json!([]), "{lesson}");
        let lead = text(&page, ".learn-lead");
        assert!(
            (2..=3).contains(&lead.matches('.').count()),
            "{lesson}: {lead}"
        );
        // Every control can be reached by keys.
        let skipped = page
            .eval("document.querySelectorAll('.learn :is(input, button)[tabindex=\"-1\"]').length");
        assert_eq!(skipped, 0, "{lesson}");
    }
    let seen = page.seen();
    assert_eq!(seen.complaints, Vec::<String>::new());
    let host = format!("http://{}/", crate::address());
    let strangers: Vec<&String> = seen
        .requests
        .iter()
        .filter(|url| !url.starts_with(&host))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn a_hash_follows_what_is_typed() {
    let Some(page) = crate::page("a_hash_follows_what_is_typed", "") else {
        return;
    };
    type_in(&page, "textarea", "abc");
    let wanted = [
        hex::encode(&minichain_chain::hash::sha256(b"abc")),
        hex::encode(&minichain_chain::hash::sha256d(b"abc")),
    ];
    assert_eq!(text(&page, "output"), wanted.join("|"));
    assert!(text(&page, ".learn-note").contains("of 256 bits turned over"));
}

/// The header that the lesson shows.
fn shown_header(page: &Page) -> Header {
    let bytes = page.eval(
        "[...document.querySelectorAll('.learn-panel .learn-header')[0].querySelectorAll('code')].map((one) => one.textContent).join('')",
    );
    let bytes = hex::decode(bytes.as_str().expect("text")).expect("hexadecimal");
    decode(&bytes).expect("80 bytes")
}

#[test]
fn a_block_is_mined_on_request_and_the_page_stays_awake() {
    let test = "a_block_is_mined_on_request_and_the_page_stays_awake";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    go_to(&page, "block");
    type_in(&page, "input[type=range]", "12");
    wait_for(&page, ".learn-verdict", "does not count");
    click(&page, "Mine");
    wait_for(&page, ".learn-verdict", "this block counts");
    let header = shown_header(&page);
    check_proof_of_work(&header, Target::MAX).expect("the chain says so too");
    assert!(text(&page, "output").contains(&header.hash().to_string()));
    assert!(header.bits.to_target().expect("sound").work().to_f64() >= 4_096.0);
    // A hard one goes on for long; the page draws meanwhile, and can stop it.
    type_in(&page, "input[type=range]", "24");
    type_in(&page, "input:not([type])", "another text");
    let before = page.eval("frames").as_u64().expect("a number");
    click(&page, "Mine");
    wait_for(&page, ".learn-note", "a second");
    wait_until(PATIENCE, || {
        let drawn = page.eval("frames").as_u64().expect("a number") - before;
        if drawn > 10 {
            Ok(())
        } else {
            Err(format!("{drawn} pictures drawn"))
        }
    });
    if text(&page, "button").contains("Stop") {
        click(&page, "Stop");
        wait_for(&page, ".learn-note", "Stopped");
    }
    assert_eq!(page.seen().complaints, Vec::<String>::new());
}

#[test]
fn the_newest_block_of_a_network_is_checked_here() {
    let test = "the_newest_block_of_a_network_is_checked_here";
    let Some(page) = crate::page(test, "?live") else {
        return;
    };
    go_to(&page, "block");
    wait_for(&page, ".learn-live", "From your network: block 0");
    let file = minichain_node::genesis::load(None).expect("it is built in");
    let params = minichain_node::genesis::params(&file).expect("a sound file");
    wait_for(&page, ".learn-live", &params.genesis_hash().to_string());
    wait_for(
        &page,
        ".learn-live .learn-verdict",
        "✓ hashed here as well: the same name",
    );
}

#[test]
fn an_edited_block_breaks_all_that_follow_until_they_are_mined_again() {
    let test = "an_edited_block_breaks_all_that_follow_until_they_are_mined_again";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    go_to(&page, "chain");
    assert_eq!(broken(&page), 0);
    type_in(&page, "article:nth-child(3) input", "Bob pays Mallory 2");
    assert_eq!(broken(&page), 3);
    wait_for(&page, ".learn-note", "3 of 5 blocks are broken");
    wait_for(&page, "article:nth-child(3)", "its hash misses the target");
    wait_for(&page, "article:nth-child(4)", "names another block");
    wait_for(&page, "article:nth-child(5)", "stands on a broken block");
    // One alone is not enough.
    act(
        &page,
        "document.querySelector('[aria-label=\"Mine block 2 again\"]').click()",
    );
    wait_for(&page, ".learn-note", "2 of 5 blocks are broken");
    click(&page, "Mine all broken blocks");
    wait_for(&page, ".learn-note", "All blocks are sound");
    assert_eq!(broken(&page), 0);
}

#[test]
fn the_odd_one_out_is_seen_and_overtaken() {
    let Some(page) = crate::page("the_odd_one_out_is_seen_and_overtaken", "") else {
        return;
    };
    go_to(&page, "copies");
    let odd = || {
        page.eval("[...document.querySelectorAll('.learn-odd h3')].filter((one) => one.parentElement.matches('.learn-odd')).map((one) => one.textContent)")
    };
    assert_eq!(odd(), json!([]));
    type_in(
        &page,
        "section:nth-child(2) article:nth-child(2) input",
        "Mint pays Bob 50",
    );
    assert_eq!(odd(), json!(["Bob"]));
    assert_eq!(broken(&page), 2);
    click(&page, "Mine the edited copy again");
    wait_for(&page, ".learn-note", "Bob has mined 2 blocks again");
    assert_eq!(broken(&page), 0);
    assert_eq!(odd(), json!(["Bob"]), "sound, and still another chain");
    click(&page, "The others mine a block");
    wait_for(&page, ".learn-note", "took back 2 blocks and follows");
    assert_eq!(odd(), json!([]));
}

#[test]
fn tampering_with_a_payment_breaks_a_rule_that_is_named() {
    let test = "tampering_with_a_payment_breaks_a_rule_that_is_named";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    go_to(&page, "payment");
    let accepted = "every node accepts this transfer";
    wait_for(&page, ".learn-verdict", accepted);
    for (tamper, rule) in [
        ("Flip a bit of the signature", "signature"),
        ("Sign as Mallory", "signature"),
        ("Pay more than there is", "overspent"),
        ("Put it into a block, and send it again", "input_missing"),
    ] {
        click(&page, tamper);
        wait_for(
            &page,
            ".learn-verdict",
            &format!("refused by the rule “{rule}”"),
        );
        click(&page, "As it was");
        wait_for(&page, ".learn-verdict", accepted);
    }
    type_in(&page, "input[type=number]", "12.4");
    wait_for(&page, ".learn-verdict", "“signature”");
    click(&page, "Sign as Alice");
    wait_for(&page, ".learn-verdict", accepted);
    type_in(&page, "input[type=number]", "-1");
    wait_for(&page, ".learn-verdict", "“output_value_range”");
    type_in(&page, "input[type=number]", "");
    wait_for(&page, ".learn-verdict", "“signature”");
    assert_eq!(page.seen().complaints, Vec::<String>::new());
}

#[test]
fn the_branch_with_most_work_wins_and_not_the_longer_one() {
    let test = "the_branch_with_most_work_wins_and_not_the_longer_one";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    go_to(&page, "fork");
    click(&page, "North mines");
    wait_for(&page, ".learn-note", "South follows");
    click(&page, "Cut the line");
    click(&page, "North mines");
    click(&page, "South mines");
    click(&page, "Join them again");
    // Equal work: both keep what was there first.
    wait_for(
        &page,
        ".learn-note",
        "North keeps its own branch. South keeps its own branch.",
    );
    wait_for(&page, ".learn-card", "Alice pays Bob");
    wait_for(&page, ".learn-card", "Alice pays Carol");
    click(&page, "As it was");
    click(&page, "Cut the line");
    for _ in 0..3 {
        click(&page, "North mines");
    }
    act(
        &page,
        "document.querySelector('.learn-panel input[type=checkbox]').click()",
    );
    click(&page, "South mines");
    click(&page, "Join them again");
    wait_for(
        &page,
        ".learn-note",
        "North takes 3 of its blocks back and puts 1 in their place.",
    );
    let paid = text(&page, ".learn-card");
    assert!(
        paid.contains("Alice pays Carol") && !paid.contains("Alice pays Bob"),
        "{paid}"
    );
    let label = page.eval("document.querySelector('.learn-tree svg').getAttribute('aria-label')");
    assert!(
        label
            .as_str()
            .is_some_and(|label| label.contains("3 blocks are on no node's chain")),
        "{label}"
    );
}
