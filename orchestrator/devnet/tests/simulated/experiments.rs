//! Published results, done again at the size that tests run.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use devnet::simworld::experiment::{self, Ended, Experiment, Watch};

use crate::{devnet, program, words};

fn all() -> Vec<Experiment> {
    experiment::all().expect("the files are sound")
}

#[test]
fn every_experiment_comes_to_what_its_reference_says() {
    let all = all();
    assert!(all.len() >= 10);
    for one in &all {
        let passed = Cell::new(0);
        let watch = Watch {
            tick: &|more| passed.set(passed.get() + more),
            stop: &AtomicBool::new(false),
        };
        let mut rows = Vec::new();
        let ended = experiment::measure(one, one.quick, &watch, &mut rows);
        assert_eq!(ended, Ok(()), "{}", one.name);
        assert!(!rows.is_empty(), "{}", one.name);
        for row in &rows {
            assert!(row.holds(), "{}: {row:?}", one.name);
        }
        // The bar of progress ends where the experiment does.
        assert_eq!(passed.get(), one.measure.length(one.quick), "{}", one.name);
        let picture = experiment::svg(one, &rows).expect("it can be drawn");
        assert!(
            picture.starts_with("<svg") && picture.contains(&rows[0].what),
            "{picture}"
        );
    }
}

#[test]
fn what_was_known_when_an_experiment_is_interrupted_is_kept() {
    let all = all();
    let one = all.iter().find(|one| one.name == "constant-delay");
    let one = one.expect("it ships");
    let length = one.measure.length(one.quick);
    let stop = AtomicBool::new(false);
    let passed = Cell::new(0);
    let watch = Watch {
        tick: &|more| {
            passed.set(passed.get() + more);
            // Two of four figures are there by then, and a part of the third.
            stop.fetch_or(passed.get() > length * 5 / 8, Ordering::Relaxed);
        },
        stop: &stop,
    };
    let mut rows = Vec::new();
    let ended = experiment::measure(one, one.quick, &watch, &mut rows);
    assert_eq!(ended, Err(Ended::Interrupted));
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows.iter().all(experiment::Row::holds), "{rows:?}");
}

#[test]
fn an_experiment_that_is_not_there_is_refused_with_those_that_are() {
    let out = devnet(program(), &["sim", "experiment", "poison"]);
    assert_eq!(out.status.code(), Some(2), "{}", words(&out));
    for one in all() {
        assert!(words(&out).contains(&one.name), "{}", words(&out));
    }
}
