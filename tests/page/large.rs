//! A hundred nodes and a thousand blocks: what is drawn, and what is drawn anew
//! with the next block, does not grow with the chain.

use std::path::Path;

use minichain_tests::browser;
use minichain_tests::served::{Opened, Served};

use crate::PATIENCE;

/// Tells the page of a network that there is not.
const TELL: &str = include_str!("large.js");
const NODES: u32 = 100;
/// Elements of the Blocks part, and what it changes with one block, at most.
const ELEMENTS_MAX: u64 = 600;
const TOUCHED_MAX: u64 = 250;

/// What the page did with one more block.
struct Drawn {
    height: u64,
    touched: u64,
    elements: u64,
}

/// A page that waits for what it is told next.
fn still() -> (Served, Opened) {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two-way-partition.yaml");
    let served = Served::playing(&scenario);
    let page = served.open();
    page.wait_for("document.querySelector('.player') !== null", PATIENCE);
    page.eval("(document.querySelector(`[aria-label='Pause']`)?.click(), true)");
    (served, page)
}

fn tell(page: &Opened, blocks: u32) {
    page.eval_async(&format!("{TELL}({NODES}, {blocks})"));
}

fn next(page: &Opened) -> Drawn {
    let told = page.eval_async("window.next()");
    let number = |key: &str| told[key].as_u64().expect("a number");
    Drawn {
        height: number("height"),
        touched: number("touched"),
        elements: number("elements"),
    }
}

fn scroll_back(page: &Opened) {
    page.eval("(document.querySelector('.tree').scrollLeft = 0, true)");
}

#[test]
fn what_a_block_costs_does_not_grow_with_the_chain() {
    if !browser::available("what_a_block_costs_does_not_grow_with_the_chain") {
        return;
    }
    let (served, page) = still();
    page.go("blocks");
    let [short, long] = [250, 1_000].map(|blocks| {
        tell(&page, blocks);
        let drawn = next(&page);
        assert_eq!(drawn.height, u64::from(blocks));
        drawn
    });
    for drawn in [&short, &long] {
        let Drawn {
            touched, elements, ..
        } = drawn;
        assert!(*elements < ELEMENTS_MAX, "{elements} elements");
        assert!(*touched < TOUCHED_MAX, "{touched} changed");
    }
    assert_eq!(short.elements, long.elements);
    assert!(
        long.touched <= short.touched + 10,
        "{} changed, {} of a short chain",
        long.touched,
        short.touched
    );
    served.assert_quiet(&page);
}

#[test]
fn a_long_tree_scrolls_and_keeps_the_focus() {
    if !browser::available("a_long_tree_scrolls_and_keeps_the_focus") {
        return;
    }
    let (_served, page) = still();
    page.go("blocks");
    tell(&page, 1_000);
    let block = |height: u64| {
        format!(
            "[...document.querySelectorAll('.tree .block')].some((one) => one.getAttribute('aria-label').startsWith('Block {height} ') && one.getBoundingClientRect().left >= 0 && one.getBoundingClientRect().right <= innerWidth)"
        )
    };
    page.wait_for(&block(999), PATIENCE);
    // Whoever looks at the newest block sees the next.
    next(&page);
    page.wait_for(&block(1_000), PATIENCE);
    // Whoever looks at an old one stays there.
    scroll_back(&page);
    page.wait_for(&block(1), PATIENCE);
    next(&page);
    assert_eq!(page.eval("document.querySelector('.tree').scrollLeft"), 0);
    page.wait_for(&block(1), PATIENCE);

    // The focus stays where it is, in sight or not.
    page.eval("(document.querySelector('.tree').focus(), true)");
    for _ in 0..3 {
        page.key("ArrowLeft");
    }
    let focused = "document.activeElement.getAttribute('aria-label').split(' ')[1]";
    assert_eq!(page.eval(focused), "999");
    page.wait_for(&block(999), PATIENCE);
    scroll_back(&page);
    page.wait_for(&block(1), PATIENCE);
    next(&page);
    assert_eq!(page.eval(focused), "999");
    page.key("ArrowRight");
    page.key("Enter");
    page.wait_for("location.hash.startsWith('#/explorer/')", PATIENCE);
}
