//! Inputs shared by all tests.

use std::collections::BTreeMap;

use devnet_blueprint::{
    Blueprint, DockerInput, EngineInput, PlanInput, ProcessInput, Topology, plan,
};

/// Input of a Docker plan with room for 30 nodes.
pub fn docker() -> PlanInput {
    PlanInput {
        seed: 42,
        created_at_s: 1_800_000_000,
        run_id: "run-1".into(),
        owner: "ada".into(),
        rpc_password: "correct-horse".into(),
        engine: EngineInput::Docker(DockerInput {
            subnet: "172.30.5.0/24".parse().unwrap(),
            host_ports: (20_000..20_060).collect(),
            image: "minichain:0123abcd".into(),
            images: BTreeMap::new(),
        }),
        previous: None,
    }
}

/// Input of a process plan.
pub fn process() -> PlanInput {
    PlanInput {
        engine: EngineInput::Process(ProcessInput {
            block: "127.77.3.0/24".parse().unwrap(),
            state_dir: "/home/ada/.local/state/devnet/local".into(),
            binary: "/usr/local/bin/minichain".into(),
        }),
        ..docker()
    }
}

/// The same input, continuing an earlier plan.
pub fn after(previous: &Blueprint, input: PlanInput) -> PlanInput {
    PlanInput {
        previous: Some(Box::new(previous.clone())),
        ..input
    }
}

/// So many nodes, of which so many mine.
pub fn counts(nodes: u32, miners: u32) -> Topology {
    Topology::from_counts(nodes, miners).unwrap()
}

/// The plan of a topology that has one.
pub fn planned(topology: &Topology, input: &PlanInput) -> Blueprint {
    plan(topology, input).unwrap()
}

/// Reads a topology.
pub fn yaml(text: &str) -> Topology {
    serde_yaml::from_str(text).unwrap()
}
