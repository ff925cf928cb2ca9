//! From anything that may exist to what is planned, on the model engine.

use devnet_blueprint::observed::{ObservedNetwork, ObservedNode, ObservedVolume};
use devnet_blueprint::plan::volume_name;
use devnet_blueprint::{Action, Blueprint, EngineKind, NodeState, Observed, Plan, Removal, diff};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{after, counts, docker, planned, process};

/// Performs a whole plan.
fn perform(blueprint: &Blueprint, plan: &Plan, observed: &mut Observed) {
    for action in plan.actions() {
        observed.apply(blueprint, action).unwrap();
    }
}

fn brought_up(blueprint: &Blueprint) -> Observed {
    let mut observed = Observed::default();
    perform(blueprint, &diff(blueprint, &observed), &mut observed);
    observed
}

fn named(action: fn(String) -> Action, names: &[&str]) -> Vec<Action> {
    names.iter().map(|name| action((*name).into())).collect()
}

const CREATE: fn(String) -> Action = |node| Action::CreateNode { node };
const START: fn(String) -> Action = |node| Action::StartNode { node };
const VOLUME: fn(String) -> Action = |node| Action::CreateVolume { node };

#[test]
fn from_nothing_entry_nodes_start_while_others_are_made() {
    let blueprint = planned(&counts(3, 2), &docker());
    let all = ["bootstrap-0", "miner-0", "miner-1"];
    let (entry, others) = (&all[..1], &all[1..]);
    assert_eq!(
        diff(&blueprint, &Observed::default()).stages,
        [
            vec![Action::SaveState],
            [vec![Action::CreateNetwork], named(VOLUME, &all)].concat(),
            named(CREATE, entry),
            [named(START, entry), named(CREATE, others)].concat(),
            named(START, others),
        ]
    );
}

#[test]
fn up_twice_changes_nothing() {
    for input in [docker(), process()] {
        let blueprint = planned(&counts(3, 2), &input);
        let observed = brought_up(&blueprint);
        let again = planned(&counts(3, 2), &after(&blueprint, input));
        assert!(diff(&again, &observed).is_empty());
    }
}

#[test]
fn a_dead_node_is_brought_back_with_its_data() {
    let blueprint = planned(&counts(3, 2), &docker());
    let mut observed = brought_up(&blueprint);
    observed.nodes[1].state = NodeState::Exited;
    assert_eq!(
        diff(&blueprint, &observed).stages,
        [named(START, &["miner-0"])]
    );

    observed.nodes.remove(1);
    assert_eq!(
        diff(&blueprint, &observed).stages,
        [named(CREATE, &["miner-0"]), named(START, &["miner-0"])]
    );
}

#[test]
fn a_frozen_node_is_thawed() {
    let blueprint = planned(&counts(2, 1), &docker());
    let mut observed = brought_up(&blueprint);
    observed.nodes[0].state = NodeState::Paused;
    let node = observed.nodes[0].node.clone();
    assert_eq!(
        diff(&blueprint, &observed).stages,
        [[Action::UnpauseNode { node }]]
    );
}

#[test]
fn a_changed_node_is_made_anew_and_keeps_its_volume() {
    let blueprint = planned(&counts(2, 1), &docker());
    let mut observed = brought_up(&blueprint);
    observed.nodes[1].spec = "older".into();
    let (id, node) = (observed.nodes[1].id.clone(), observed.nodes[1].node.clone());
    assert_eq!(
        diff(&blueprint, &observed).stages,
        [
            vec![Action::RemoveNode {
                id,
                node,
                reason: Removal::Drifted
            }],
            named(CREATE, &["miner-0"]),
            named(START, &["miner-0"]),
        ]
    );
}

#[test]
fn a_new_miner_touches_nobody_else() {
    let first = planned(&counts(3, 2), &docker());
    let mut observed = brought_up(&first);
    let mut second = docker();
    second.previous = Some(Box::new(first));
    let second = planned(&counts(4, 3), &second);
    let plan = diff(&second, &observed);
    assert_eq!(
        plan.stages,
        [
            vec![Action::SaveState],
            named(VOLUME, &["miner-2"]),
            named(CREATE, &["miner-2"]),
            named(START, &["miner-2"]),
        ]
    );
    perform(&second, &plan, &mut observed);
    assert!(diff(&second, &observed).is_empty());
}

#[test]
fn leftovers_of_an_earlier_run_are_not_built_upon() {
    let blueprint = planned(&counts(1, 1), &docker());
    let observed = Observed {
        volumes: vec![ObservedVolume {
            name: volume_name("local", "miner-0"),
            run: "an earlier one".into(),
        }],
        ..Observed::default()
    };
    let actions = diff(&blueprint, &observed).stages.concat();
    assert!(actions.contains(&Action::RemoveVolume {
        volume: "devnet-local-miner-0".into()
    }));
    assert!(actions.contains(&Action::CreateVolume {
        node: "miner-0".into()
    }));
}

#[test]
fn down_of_nothing_is_nothing_and_of_a_folder_is_its_removal() {
    let empty = Blueprint::empty("local", EngineKind::Docker);
    assert!(diff(&empty, &Observed::default()).is_empty());
    let observed = Observed {
        state: Some(String::new()),
        ..Observed::default()
    };
    assert_eq!(diff(&empty, &observed).stages, [[Action::RemoveState]]);
}

#[test]
fn down_removes_nodes_then_their_ground_then_the_folder() {
    let blueprint = planned(&counts(2, 1), &docker());
    let observed = brought_up(&blueprint);
    let stages = diff(&Blueprint::empty("local", EngineKind::Docker), &observed).stages;
    assert_eq!(stages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3, 1]);
    assert_eq!(stages[2], [Action::RemoveState]);
}

#[test]
fn the_model_engine_refuses_actions_in_a_wrong_order() {
    let blueprint = planned(&counts(1, 1), &docker());
    let node = || "miner-0".to_owned();
    let refused = |observed: &mut Observed, action: Action| {
        observed.apply(&blueprint, &action).unwrap_err().why
    };
    let mut observed = Observed::default();
    assert_eq!(
        refused(&mut observed, CREATE(node())),
        "the network is missing"
    );
    observed.apply(&blueprint, &Action::CreateNetwork).unwrap();
    assert_eq!(
        refused(&mut observed, Action::CreateNetwork),
        "there is a network already"
    );
    assert_eq!(
        refused(&mut observed, CREATE(node())),
        "the volume is missing"
    );
    assert_eq!(
        refused(&mut observed, START(node())),
        "there is no such node"
    );
    let mut observed = brought_up(&blueprint);
    assert_eq!(
        refused(&mut observed, START(node())),
        "the node is in another state"
    );
    let volume = volume_name("local", "miner-0");
    let removal = Action::RemoveVolume { volume };
    assert_eq!(
        refused(&mut observed, removal),
        "a node still uses the volume"
    );
    let id = observed.networks[0].id.clone();
    let removal = Action::RemoveNetwork { id };
    assert_eq!(
        refused(&mut observed, removal),
        "nodes are still attached to the network"
    );
    assert_eq!(
        refused(&mut observed, START("x".into())),
        "there is no such node"
    );
    assert_eq!(
        refused(&mut observed, CREATE("x".into())),
        "the blueprint has no such node"
    );
}

const STRANGERS: [&str; 2] = ["ghost-0", "miner-77"];

fn any_blueprint() -> impl Strategy<Value = Blueprint> {
    (1_u32..6, 0_u32..6, any::<bool>()).prop_map(|(nodes, miners, in_containers)| {
        let input = if in_containers { docker() } else { process() };
        planned(&counts(nodes, miners.min(nodes)), &input)
    })
}

fn any_state() -> impl Strategy<Value = NodeState> {
    use NodeState::{Created, Dead, Exited, Paused, Running};
    select(vec![Created, Running, Running, Paused, Exited, Dead])
}

/// Anything that may exist under the blueprint's name: right, wrong, twice.
fn any_observed(blueprint: &Blueprint) -> impl Strategy<Value = Observed> + use<> {
    let network_spec = blueprint
        .network
        .as_ref()
        .map(|network| network.spec.clone());
    let network_max = if network_spec.is_some() { 4 } else { 1 };
    let spec = select(vec![
        network_spec.unwrap_or_default(),
        "other".into(),
        String::new(),
    ]);
    let networks = prop::collection::vec(spec, 0..network_max);
    let run = select(vec![
        blueprint.run_id.clone(),
        blueprint.run_id.clone(),
        "old".to_owned(),
    ]);
    let mut known: Vec<(String, String)> = blueprint
        .nodes
        .iter()
        .map(|node| (node.name.clone(), node.spec.clone()))
        .collect();
    known.extend(STRANGERS.map(|name| (name.to_owned(), "stranger".to_owned())));
    let names: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
    let network = blueprint.name.clone();
    let volumes =
        prop::collection::btree_map(select(names), run.clone(), 0..8).prop_map(move |volumes| {
            let volume = |(node, run): (String, String)| ObservedVolume {
                name: volume_name(&network, &node),
                run,
            };
            volumes.into_iter().map(volume).collect::<Vec<_>>()
        });
    let node = (select(known), prop::bool::weighted(0.8), run, any_state());
    let nodes = prop::collection::vec(node, 0..9);
    let state = select(vec![None, Some(String::new()), Some(blueprint.digest())]);
    (networks, volumes, nodes, state).prop_map(|(networks, volumes, nodes, state)| {
        let network = |(at, spec): (usize, String)| ObservedNetwork {
            id: format!("net-{at}"),
            spec,
        };
        let node = |(at, ((node, spec), is_current, run, state))| ObservedNode {
            id: format!("node-{at}"),
            node,
            spec: if is_current { spec } else { "drifted".into() },
            run,
            state,
        };
        Observed {
            networks: networks.into_iter().enumerate().map(network).collect(),
            volumes,
            nodes: nodes.into_iter().enumerate().map(node).collect(),
            state,
        }
    })
}

fn any_case() -> impl Strategy<Value = (Blueprint, Observed)> {
    any_blueprint().prop_flat_map(|blueprint| {
        let observed = any_observed(&blueprint);
        (Just(blueprint), observed)
    })
}

/// Exactly what is planned, and all of it running.
fn assert_as_planned(blueprint: &Blueprint, observed: &Observed) {
    let planned: Vec<_> = blueprint
        .nodes
        .iter()
        .map(|node| (&node.name, &node.spec))
        .collect();
    let mut running: Vec<_> = observed
        .nodes
        .iter()
        .map(|node| (&node.node, &node.spec))
        .collect();
    running.sort();
    let mut sorted = planned.clone();
    sorted.sort();
    assert_eq!(running, sorted);
    assert!(
        observed
            .nodes
            .iter()
            .all(|node| node.state == NodeState::Running)
    );
    assert!(
        observed
            .nodes
            .iter()
            .all(|node| node.run == blueprint.run_id)
    );
    let specs: Vec<&String> = observed
        .networks
        .iter()
        .map(|network| &network.spec)
        .collect();
    let expected: Vec<&String> = blueprint
        .network
        .iter()
        .map(|network| &network.spec)
        .collect();
    assert_eq!(specs, expected);
    assert_eq!(observed.volumes.len(), blueprint.nodes.len());
    assert!(
        observed
            .volumes
            .iter()
            .all(|volume| volume.run == blueprint.run_id)
    );
    assert_eq!(observed.state, Some(blueprint.digest()));
    assert_eq!(diff(blueprint, observed), Plan::default());
}

proptest! {
    #[test]
    fn up_reaches_the_blueprint_from_anywhere((blueprint, mut observed) in any_case()) {
        perform(&blueprint, &diff(&blueprint, &observed), &mut observed);
        assert_as_planned(&blueprint, &observed);
    }

    #[test]
    fn down_leaves_nothing_from_anywhere((blueprint, mut observed) in any_case()) {
        let empty = Blueprint::empty(&blueprint.name, blueprint.engine);
        perform(&empty, &diff(&empty, &observed), &mut observed);
        prop_assert!(observed.is_empty(), "{observed:?}");
    }

    /// Actions of one stage do not build on each other.
    #[test]
    fn the_order_within_a_stage_does_not_matter(
        (blueprint, mut observed) in any_case(), keys in prop::collection::vec(any::<u64>(), 40),
    ) {
        for stage in diff(&blueprint, &observed).stages {
            let mut shuffled: Vec<_> = stage.iter().zip(keys.iter().cycle()).collect();
            shuffled.sort_by_key(|(_, key)| **key);
            for (action, _) in shuffled {
                observed.apply(&blueprint, action).unwrap();
            }
        }
        assert_as_planned(&blueprint, &observed);
    }

    /// Killed after any action, the next call finishes the work, up or down.
    #[test]
    fn an_interrupted_run_can_be_finished_or_undone(
        (blueprint, mut observed) in any_case(), performed in 0_usize..40,
    ) {
        for action in diff(&blueprint, &observed).actions().take(performed) {
            observed.apply(&blueprint, action).unwrap();
        }
        let mut undone = observed.clone();
        perform(&blueprint, &diff(&blueprint, &observed), &mut observed);
        assert_as_planned(&blueprint, &observed);
        let empty = Blueprint::empty(&blueprint.name, blueprint.engine);
        perform(&empty, &diff(&empty, &undone), &mut undone);
        prop_assert!(undone.is_empty(), "{undone:?}");
    }

    /// What is right already is left alone.
    #[test]
    fn nothing_that_fits_is_removed((blueprint, observed) in any_case()) {
        let removed: Vec<String> = diff(&blueprint, &observed)
            .actions()
            .filter_map(|action| match action {
                Action::RemoveNode { id, reason, .. } if *reason != Removal::Duplicate => {
                    Some(id.clone())
                }
                _ => None,
            })
            .collect();
        let has_network = blueprint.network.as_ref().is_none_or(|plan| {
            observed.networks.iter().any(|network| network.spec == plan.spec)
        });
        for node in &observed.nodes {
            let volume = volume_name(&blueprint.name, &node.node);
            let fits = blueprint.node(&node.node).is_some_and(|plan| plan.spec == node.spec)
                && node.run == blueprint.run_id
                && node.state != NodeState::Dead
                && has_network
                && observed.volumes.iter().any(|known| {
                    known.name == volume && known.run == blueprint.run_id
                });
            prop_assert_eq!(!fits, removed.contains(&node.id), "{:?}", node);
        }
    }
}
