//! Scenarios from their files to their verdicts, on real networks: `devnet run`
//! as a user and as CI calls it.
//!
//! Each shipped scenario is a test on each engine. `cargo test --test runs --
//! shipped::docker` runs some, and the usual options work. What failed tells
//! its story, and its bundle is kept.

#![expect(clippy::panic, reason = "helpers of tests fail the test")]

mod action;
mod engine;
mod explored;
mod interrupts;
mod killed;
mod options;
mod shipped;
mod undoing;
mod verdicts;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use minichain_tests::docker;

/// Networks at a block a second mostly wait; so many fit on two cores.
const AT_ONCE: usize = 3;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let mut trials = shipped::trials();
    trials.extend(verdicts::trials());
    trials.extend(undoing::trials());
    trials.extend(options::trials());
    trials.extend(interrupts::trials());
    trials.extend(killed::trials());
    trials.extend(engine::trials());
    trials.extend(action::trials());
    trials.extend(explored::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test that fails by a panic.
fn fact(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// The same test on both engines.
fn on_engines(name: &str, test: fn(&'static str)) -> [Trial; 2] {
    ["process", "docker"].map(|engine| {
        let name = format!("{name}_on_{engine}");
        let title = name.clone();
        Trial::test(title, move || {
            if is_there(engine, &name) {
                test(engine);
            }
            Ok(())
        })
    })
}

/// Whether the engine is there; processes always are.
fn is_there(engine: &str, test: &str) -> bool {
    engine != "docker" || docker::available(test)
}
