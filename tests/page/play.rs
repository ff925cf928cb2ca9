//! A simulated run, played in a real browser.

use std::path::Path;

use minichain_tests::browser;
use minichain_tests::served::{Opened, Served};

use crate::PATIENCE;
/// Presses the button until the page shows two sides of a cut, or presses no
/// more; how often.
const STEP_TO_THE_CUT: &str = "(async () => {
    const forth = document.querySelector(`[aria-label='One step on']`);
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (let steps = 1; steps < 1000; steps += 1) {
      forth.click();
      await frame();
      if (document.querySelectorAll('.sidehull').length === 2) return steps;
    }
    return 0;
  })()";

#[test]
fn a_simulated_run_plays_steps_and_jumps() {
    if !browser::available("a_simulated_run_plays_steps_and_jumps") {
        return;
    }
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two-way-partition.yaml");
    let mut served = Served::playing(&scenario);
    let page = served.open();
    page.wait_for("document.querySelector('.player') !== null", PATIENCE);
    assert_eq!(page.text("#live"), "recording");
    assert_eq!(page.text("#right"), "read-only");
    // It plays by itself.
    let time = "Number(document.querySelector('.player input').value)";
    page.wait_for(&format!("{time} > 0"), PATIENCE);
    page.eval("document.querySelector(`[aria-label='Pause']`).click()");
    let stopped = page.eval(time);
    page.eval_async("new Promise((done) => setTimeout(() => done(true), 400))");
    assert_eq!(page.eval(time), stopped, "a pause holds it");

    jump(&page, "0");
    assert_eq!(page.eval(time), 0);
    page.wait_for(
        "document.querySelectorAll('.sidehull').length === 0",
        PATIENCE,
    );
    let steps = page.eval_async(STEP_TO_THE_CUT);
    assert!(steps.as_u64().is_some_and(|steps| steps > 1), "{steps}");

    jump(&page, "document.querySelector('.player input').max");
    page.wait_for(
        "document.querySelector('h1').textContent.includes('on one chain')",
        PATIENCE,
    );
    page.go("faults");
    page.wait_for(
        "document.querySelector('main').textContent.includes('PASS')",
        PATIENCE,
    );
    served.assert_quiet(&page);
    served.stop();
}

/// Moves the handle of time.
fn jump(page: &Opened, to: &str) {
    page.eval(&format!(
        "((range) => {{ range.value = {to}; range.dispatchEvent(new Event('input')); return true; }})(document.querySelector('.player input'))"
    ));
}
