//! What a reader typed stays, whatever else goes on.

use std::time::Duration;

use minichain_tests::browser::Page;
use minichain_tests::network::wait_until;
use serde_json::Value;

use crate::pages::{act, click, go_to, text, type_in, wait_for};

/// The n-th control's value of the lesson that is open.
fn value(page: &Page, selector: &str) -> Value {
    page.eval(&format!(
        "document.querySelector('.learn-panel {selector}').value"
    ))
}

#[track_caller]
fn wait_until_is(page: &Page, script: &str) {
    wait_until(Duration::from_secs(30), || {
        match page.eval(script) == true {
            true => Ok(()),
            false => Err(format!("not so: {script}")),
        }
    });
}

/// Lets workers answer only when `release` is called, also those that were ended.
fn hold_back(page: &Page) {
    act(
        page,
        "const Real = window.Worker;
         window.late = [];
         window.Worker = class {
           constructor(...told) {
             this.real = new Real(...told);
             this.real.onmessage = (event) => window.late.push(() => this.onmessage(event));
           }
           postMessage(data) { this.real.postMessage(data); }
           terminate() {}
         }",
    );
}

/// Waits for an answer that is held back, and hands all on.
fn release(page: &Page) {
    wait_until_is(page, "late.length > 0");
    act(page, "late.splice(0).forEach((tell) => tell())");
}

const TYPED: [(&str, &str, &str); 6] = [
    ("hash", "textarea", "typed into a hash"),
    ("block", "input:not([type])", "typed into a block"),
    ("block", "input[type=number]", "77"),
    ("chain", "article:nth-child(3) input", "typed into a chain"),
    (
        "copies",
        "section:nth-child(2) article:nth-child(2) input",
        "typed into a copy",
    ),
    ("payment", "input[type=number]", "3.25"),
];

#[test]
fn what_was_typed_is_there_after_another_lesson_and_another_place() {
    let test = "what_was_typed_is_there_after_another_lesson_and_another_place";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    for (lesson, control, typed) in TYPED {
        go_to(&page, lesson);
        type_in(&page, control, typed);
    }
    let assert_kept = || {
        for (lesson, control, typed) in TYPED {
            go_to(&page, lesson);
            assert_eq!(value(&page, control), typed, "{lesson}");
        }
    };
    assert_kept();
    go_to(&page, "chain");
    // As a page does whose reader leaves the lessons and comes back.
    act(
        &page,
        "import('/learn/index.js').then(({ mount }) => {
           const place = document.createElement('div');
           document.querySelector('main').replaceChildren(place);
           mount(place);
           window.isBack = true;
         })",
    );
    wait_until_is(&page, "window.isBack === true");
    let open = page.eval("document.querySelector('[aria-current]').dataset.lesson");
    assert_eq!(open, "chain");
    assert_kept();
    let widths = page.eval(
        "['.learn nav', '.learn-panel'].map((part) => document.querySelector(part).offsetWidth)",
    );
    let [list, panel] = [&widths[0], &widths[1]].map(|width| width.as_u64().expect("a number"));
    assert!(panel > 3 * list, "{widths}");
    assert_eq!(page.seen().complaints, Vec::<String>::new());
}

#[test]
fn what_was_mined_for_a_text_of_before_is_dropped() {
    let test = "what_was_mined_for_a_text_of_before_is_dropped";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    hold_back(&page);
    let cases = [
        (
            "chain",
            "article:nth-child(3) input",
            "Mine all broken blocks",
        ),
        (
            "copies",
            "section:nth-child(2) article:nth-child(2) input",
            "Mine the edited copy again",
        ),
    ];
    for (lesson, control, button) in cases {
        go_to(&page, lesson);
        type_in(&page, control, "before");
        click(&page, button);
        wait_until_is(&page, "late.length > 0");
        type_in(&page, control, "after");
        release(&page);
        wait_for(&page, ".learn-note", "was changed while");
        assert_eq!(value(&page, control), "after", "{lesson}");
        let broken = page.eval("document.querySelectorAll('.learn-panel .learn-broken').length");
        assert_ne!(broken, 0, "{lesson}");
    }
    assert_eq!(page.seen().complaints, Vec::<String>::new());
}

#[test]
fn a_nonce_found_for_another_block_is_not_written_into_this_one() {
    let test = "a_nonce_found_for_another_block_is_not_written_into_this_one";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    hold_back(&page);
    go_to(&page, "block");
    type_in(&page, "input[type=range]", "10");
    type_in(&page, "input:not([type])", "before");
    click(&page, "Mine");
    wait_until_is(&page, "late.length > 0");
    type_in(&page, "input:not([type])", "after");
    type_in(&page, "input[type=number]", "5");
    wait_for(&page, ".learn-note", "Stopped");
    // Mining again is possible at once, and waits for its own answer.
    click(&page, "Mine");
    act(&page, "late.splice(0, 1)[0]()");
    assert_eq!(value(&page, "input[type=number]"), "5");
    assert!(text(&page, "button").contains("Stop"));
    release(&page);
    wait_for(&page, ".learn-verdict", "this block counts");
    assert_eq!(value(&page, "input:not([type])"), "after");
    assert_eq!(page.seen().complaints, Vec::<String>::new());
}

#[test]
fn an_amount_beyond_all_coins_is_refused_and_not_taken_for_nothing() {
    let test = "an_amount_beyond_all_coins_is_refused_and_not_taken_for_nothing";
    let Some(page) = crate::page(test, "") else {
        return;
    };
    go_to(&page, "payment");
    for amount in ["100000000", "1e300", "-1e300"] {
        type_in(&page, "input[type=number]", amount);
        click(&page, "Sign as Alice");
        wait_for(&page, ".learn-verdict", "“output_value_range”");
    }
}
