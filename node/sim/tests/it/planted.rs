//! A mistake that is made on purpose is found by what watches.

use minichain_sim::check::Rule;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::MILLI;
use minichain_sim::setup::Planted;

use crate::support::{seconds, setup, world};

fn found(planted: Option<Planted>) -> Vec<Rule> {
    let mut setup = setup(31, 4, 4);
    setup.links.paths = Paths::Everywhere(Latency::Constant(800 * MILLI));
    setup.planted = planted;
    let mut world = world(setup);
    world.run_until(seconds(600));
    world.violations().iter().map(|one| one.rule).collect()
}

#[test]
fn nodes_that_prefer_the_last_seen_of_two_equal_branches_are_found() {
    assert_eq!(found(None), []);
    let rules = found(Some(Planted::LastSeenWins));
    assert_eq!(rules.first(), Some(&Rule::Work), "{rules:?}");
}
