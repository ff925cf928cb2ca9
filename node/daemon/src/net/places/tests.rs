//! Places without a swarm.

use std::net::SocketAddr;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use super::{Config, EVICTED_MAX, Guest, NoPlace, Origin, Places};

const CONFIG: Config = Config {
    all_max: 8,
    inbound_max: 6,
    pending_max: 16,
};

fn from(last: u8) -> Origin {
    Origin::of(Some(SocketAddr::from(([10, 0, 0, last], 9))))
}

/// Lets somebody in, if there is a place.
fn enter(places: &mut Places, id: usize, last: u8) -> Result<(), NoPlace> {
    places.seat(from(last))?;
    let guest = Guest {
        peer: PeerId::random(),
        origin: from(last),
    };
    places
        .inbound
        .insert(ConnectionId::new_unchecked(id), guest);
    Ok(())
}

fn leave(places: &mut Places, id: usize) -> bool {
    let connection = ConnectionId::new_unchecked(id);
    places.inbound.remove(&connection);
    places.take_evicted(connection)
}

#[test]
fn one_address_may_fill_all_places_but_not_keep_them() {
    let mut places = Places::new(CONFIG);
    for id in 0..6 {
        enter(&mut places, id, 66).expect("room");
    }
    assert!(enter(&mut places, 6, 66).is_err(), "it has them all");
    for id in 7..10 {
        enter(&mut places, id, u8::try_from(id).expect("small")).expect("its share");
    }
    assert_eq!(places.staying().count(), 6);
    for id in [5, 4, 3] {
        assert!(leave(&mut places, id), "the youngest made room");
        assert!(!leave(&mut places, id), "asked once");
    }
    assert!(!leave(&mut places, 0));
}

#[test]
fn what_we_dialled_narrows_the_places_of_others_and_is_bounded_with_them() {
    let mut places = Places::new(CONFIG);
    for id in 100..104 {
        places.outbound.insert(ConnectionId::new_unchecked(id));
    }
    for id in 0..4 {
        enter(&mut places, id, 1).expect("room");
    }
    assert!(enter(&mut places, 4, 1).is_err());
    assert!(!places.has_room());
    leave(&mut places, 0);
    assert!(places.has_room());
}

#[test]
fn those_on_their_way_out_are_bounded() {
    let mut places = Places::new(Config {
        all_max: 200,
        inbound_max: 100,
        ..CONFIG
    });
    for id in 0..100 {
        enter(&mut places, id, 66).expect("room");
    }
    for id in 0..EVICTED_MAX {
        let last = u8::try_from(id).expect("small");
        enter(&mut places, 100 + id, last).expect("its share");
    }
    let refused = enter(&mut places, 200, 250);
    assert!(matches!(refused, Err(NoPlace::Full)), "{refused:?}");
    assert!(leave(&mut places, 99));
    enter(&mut places, 201, 250).expect("its share");
}

#[test]
fn handshakes_with_some_addresses_leave_room_for_those_with_others() {
    let mut places = Places::new(CONFIG);
    let mut ids = (0..).map(ConnectionId::new_unchecked);
    let mut begun = |last: u8| {
        let mut count = 0;
        while places
            .begin(ids.next().expect("endless"), from(last))
            .is_ok()
        {
            count += 1;
        }
        count
    };
    assert_eq!([begun(1), begun(2), begun(3), begun(4)], [8, 4, 2, 1]);
}
