//! Changes of a network that runs.

use devnet_blueprint::observed::ObservedNode;
use devnet_blueprint::{
    Action, Blueprint, ChangeError, EngineKind, NodeState, Observed, PlanInput, Removal, Runtime,
    diff, label,
};

use crate::support::{after, counts, docker, planned, process, yaml};

const PORTS: [u16; 4] = [31_000, 31_001, 31_002, 31_003];

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// All of the blueprint, up and running.
fn running(blueprint: &Blueprint) -> Observed {
    let mut observed = Observed::default();
    for action in diff(blueprint, &Observed::default()).actions() {
        observed.apply(blueprint, action).unwrap();
    }
    observed
}

/// Actions that lead from one blueprint, up and running, to another.
fn steps(from: &Blueprint, to: &Blueprint) -> Vec<Action> {
    let mut observed = running(from);
    let plan = diff(to, &observed);
    for action in plan.actions() {
        observed.apply(to, action).unwrap();
    }
    assert!(diff(to, &observed).is_empty());
    plan.actions().cloned().collect()
}

fn both(test: impl Fn(PlanInput)) {
    test(docker());
    test(process());
}

#[test]
fn a_fresh_node_is_what_planning_one_more_would_have_given() {
    both(|input| {
        let text = |miners: u32| {
            yaml(&format!(
                "groups: [{{name: bootstrap}}, {{name: miner, count: {miners}}}, {{name: observer}}]"
            ))
        };
        let first = planned(&text(2), &input);
        let mut offered = input.clone();
        if let devnet_blueprint::EngineInput::Docker(docker) = &mut offered.engine {
            docker.host_ports = PORTS.to_vec();
        }
        let wished = planned(&text(3), &after(&first, offered));
        let fresh = first.fresh_names("miner", 1, &first);
        assert_eq!(fresh, ["miner-2"]);
        let added = first.with_added("miner", &fresh, &first, &PORTS).unwrap();
        assert_eq!(added, wished);
        let made = steps(&first, &added);
        assert!(
            made.iter()
                .all(|action| !matches!(action, Action::RemoveNode { .. })),
            "{made:?}"
        );
    });
}

#[test]
fn another_program_makes_the_node_anew_and_keeps_its_data() {
    both(|input| {
        let first = planned(&counts(3, 2), &input);
        let program = "/opt/minichain-next";
        let second = first.with_program(&names(&["miner-1"]), program).unwrap();
        for (before, now) in first.nodes.iter().zip(&second.nodes) {
            assert_eq!(before == now, before.name != "miner-1");
        }
        let node = second.node("miner-1").unwrap();
        match &node.runtime {
            Runtime::Container(container) => assert_eq!(container.image, program),
            Runtime::Process(process) => assert_eq!(process.command[0], program),
        }
        assert_eq!(node.labels[label::SPEC], node.spec);
        let made = steps(&first, &second);
        let removed = |reason| {
            made.iter().any(
                |action| matches!(action, Action::RemoveNode { node, reason: found, .. } if node == "miner-1" && *found == reason),
            )
        };
        assert!(removed(Removal::Drifted), "{made:?}");
        assert_eq!(made.len(), 4, "save, remove, create, start: {made:?}");
        // The same again, and back.
        assert_eq!(
            second.with_program(&names(&["miner-1"]), program).unwrap(),
            second
        );
        assert_eq!(second.restored(&names(&["miner-1"]), &first), first);
    });
}

#[test]
fn a_removed_node_goes_with_its_data_and_comes_back_where_it_was() {
    both(|input| {
        let first = planned(&counts(4, 2), &input);
        let second = first.without_nodes(&names(&["miner-0"])).unwrap();
        assert_eq!(second.nodes.len(), 3);
        assert_eq!(steps(&first, &second).len(), 3, "save, node, volume");
        assert_eq!(second.restored(&names(&["miner-0"]), &first), first);
    });
}

#[test]
fn a_fresh_node_takes_no_place_that_a_removed_one_may_come_back_to() {
    both(|input| {
        let first = planned(&counts(3, 2), &input);
        let gone = first.without_nodes(&names(&["miner-1"])).unwrap();
        let fresh = gone.fresh_names("miner", 2, &first);
        assert_eq!(fresh, ["miner-2", "miner-3"]);
        let grown = gone.with_added("miner", &fresh, &first, &PORTS).unwrap();
        let back = grown.restored(&names(&["miner-1"]), &first);
        let mut ips: Vec<_> = back.nodes.iter().map(|node| node.ip).collect();
        let mut rpcs: Vec<_> = back.nodes.iter().map(|node| node.host.rpc).collect();
        for list in [ips.len(), rpcs.len()] {
            assert_eq!(list, 5);
        }
        ips.sort_unstable();
        ips.dedup();
        rpcs.sort_unstable();
        rpcs.dedup();
        assert_eq!((ips.len(), rpcs.len()), (5, 5));
        assert_eq!(back.restored(&fresh, &first), first);
    });
}

#[test]
fn a_group_whose_last_node_was_removed_can_grow_again() {
    let first = planned(&counts(3, 2), &docker());
    let gone = first.without_nodes(&names(&["bootstrap-0"])).unwrap();
    let grown = gone
        .with_added("bootstrap", &names(&["bootstrap-1"]), &first, &PORTS)
        .unwrap();
    let node = grown.node("bootstrap-1").unwrap();
    // No entry node is left, so it joins through whoever is there.
    let others: Vec<String> = gone
        .nodes
        .iter()
        .map(|node| node.inside.p2p.to_string())
        .collect();
    assert_eq!(node.config.p2p.bootstrap, others);
    assert!(!node.is_entry);
}

#[test]
fn without_discovery_a_fresh_node_stands_where_its_example_stands() {
    let text = "groups: [{name: a, count: 3}]\npeers: {edges: [[a-0, a-1], [a-1, a-2]]}";
    let first = planned(&yaml(text), &docker());
    let grown = first
        .with_added("a", &names(&["a-3"]), &first, &PORTS)
        .unwrap();
    // The last one dials nobody and is dialled itself.
    let last = first.node("a-2").unwrap();
    let node = grown.node("a-3").unwrap();
    assert_eq!(node.config.p2p.bootstrap, [last.inside.p2p.to_string()]);
}

#[test]
fn impossible_changes_are_refused_with_the_nearest_word() {
    let first = planned(&counts(3, 2), &docker());
    let error = first.without_nodes(&names(&["minr-0"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no node `minr-0`, did you mean `miner-0`?"
    );
    let add = |group: &str, name: &str, ports: &[u16]| {
        first
            .with_added(group, &names(&[name]), &first, ports)
            .unwrap_err()
    };
    assert_eq!(
        add("miners", "miners-0", &PORTS).to_string(),
        "there is no group `miners`, did you mean `miner`?"
    );
    assert_eq!(
        add("miner", "miner-1", &PORTS),
        ChangeError::Exists("miner-1".into())
    );
    for name in ["miner-", "miner-x", "miner-01", "minor-2", "miner"] {
        assert_eq!(
            add("miner", name, &PORTS),
            ChangeError::ForeignName {
                name: name.into(),
                group: "miner".into()
            }
        );
    }
    assert_eq!(
        add("miner", "miner-2", &PORTS[..1]),
        ChangeError::NoPort("miner-2".into())
    );
    let all = names(&["bootstrap-0", "miner-0", "miner-1"]);
    assert_eq!(
        first.without_nodes(&all).unwrap_err(),
        ChangeError::NobodyLeft
    );
    let program = |input, program: &str| {
        planned(&counts(1, 1), &input)
            .with_program(&names(&["miner-0"]), program)
            .unwrap_err()
    };
    assert!(matches!(program(docker(), ""), ChangeError::Program(_)));
    assert!(matches!(
        program(process(), "minichain"),
        ChangeError::Program(_)
    ));
}

#[test]
fn a_full_network_takes_no_more_nodes() {
    let mut first = planned(&counts(3, 2), &process());
    first.subnet = Some("127.77.3.0/28".parse().unwrap());
    let mut grown = first.clone();
    let error = loop {
        let fresh = grown.fresh_names("miner", 1, &grown);
        match grown.with_added("miner", &fresh, &first, &[]) {
            Ok(more) => grown = more,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ChangeError::NoAddress(_)), "{error}");
    let capacity = first.subnet.unwrap().node_capacity();
    assert_eq!(grown.nodes.len(), capacity as usize);
}

#[test]
fn what_was_changed_is_the_same_network_to_those_who_find_it() {
    let first = planned(&counts(3, 2), &docker());
    let changed = first
        .with_added("miner", &names(&["miner-2"]), &first, &PORTS)
        .unwrap()
        .without_nodes(&names(&["miner-0"]))
        .unwrap()
        .with_program(&names(&["miner-1"]), "other:1")
        .unwrap();
    let text = serde_json::to_string(&changed).unwrap();
    assert_eq!(serde_json::from_str::<Blueprint>(&text).unwrap(), changed);
    let is_ours = |node: &ObservedNode| node.run == first.run_id;
    assert!(running(&changed).nodes.iter().all(is_ours));
    // Planning the wish again brings back what was wished.
    assert_eq!(
        planned(&counts(3, 2), &after(&changed, docker()))
            .nodes
            .len(),
        3
    );
    let empty = Blueprint::empty("local", EngineKind::Docker);
    let mut observed = running(&changed);
    for action in diff(&empty, &observed.clone()).actions() {
        observed.apply(&empty, action).unwrap();
    }
    assert!(observed.is_empty());
    assert_eq!(
        running(&changed).node("miner-2").map(|node| node.state),
        Some(NodeState::Running)
    );
}
