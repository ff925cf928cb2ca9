//! What is done to some nodes moves nobody else's luck.

use minichain_sim::link::{Condition, Drawn, Latency, Paths};
use minichain_sim::queue::MILLI;
use minichain_sim::setup::Peering;
use minichain_sim::world::{Cuts, Loss};

use crate::support::{seconds, setup, world};

/// Two pairs that have nothing to do with each other; something happens to the
/// second. What the first has told, with its times.
fn first_pair(trouble: bool) -> Vec<String> {
    let mut setup = setup(41, 4, 4);
    setup.peering = Peering::Edges(vec![(0, 1), (2, 3)]);
    setup.links.drawn = Drawn::PerMessage;
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 10 * MILLI,
        max: 400 * MILLI,
    });
    let mut world = world(setup);
    world.record();
    world.run_until(seconds(50));
    if trouble {
        let lossy = Condition {
            loss: 0.3,
            ..Condition::default()
        };
        world.set_condition(2, 3, lossy);
        world.run_until(seconds(90));
        let links = [(2, 3), (3, 2)].into();
        world.set_cuts(Cuts {
            links,
            ..Cuts::default()
        });
        world.run_until(seconds(130));
        world.set_cuts(Cuts::default());
        world.stop(3, Loss::Uncommitted);
        world.run_until(seconds(140));
        world.start(3);
    }
    world.run_until(seconds(400));
    let told = world.take_told().into_iter().filter(|told| told.place < 2);
    told.map(|told| format!("{} {} {:?}", told.at, told.place, told.event))
        .map(|text| text.split("peer:").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn trouble_of_one_pair_does_not_move_another_by_a_microsecond() {
    let calm = first_pair(false);
    assert!(calm.len() > 100, "{}", calm.len());
    let troubled = first_pair(true);
    for (one, other) in calm.iter().zip(&troubled) {
        assert_eq!(one, other);
    }
    assert_eq!(calm.len(), troubled.len());
}
