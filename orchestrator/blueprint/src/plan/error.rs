//! What keeps a checked wish from being planned.

use thiserror::Error;

use super::{EngineInput, PlanInput};
use crate::subnet::Subnet;
use crate::topology::{Problems, Topology};

/// Why there is no plan. Each message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The topology itself is at fault.
    #[error(transparent)]
    Topology(#[from] Problems),
    /// More nodes than the subnet has addresses for.
    #[error(
        "{nodes} nodes do not fit into {subnet}, which has room for {capacity}; \
         choose a larger subnet or fewer nodes"
    )]
    SubnetFull {
        /// The subnet or loopback block.
        subnet: Subnet,
        /// Nodes wished.
        nodes: usize,
        /// Nodes it holds.
        capacity: u32,
    },
    /// Processes were given addresses that are not loopback.
    #[error("{block} is not within 127.0.0.0/8; processes listen on loopback addresses only")]
    NotLoopback {
        /// The block given.
        block: Subnet,
    },
    /// Containers were given addresses that cannot be theirs.
    #[error(
        "{subnet} cannot be a container network; choose one from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
    )]
    NotPrivate {
        /// The subnet given.
        subnet: Subnet,
    },
    /// Not enough free host ports were found.
    #[error(
        "{needed} host ports are needed, {given} free ones were found; take down other networks or ask for fewer nodes"
    )]
    TooFewHostPorts {
        /// Ports needed for the new nodes.
        needed: usize,
        /// Ports given.
        given: usize,
    },
    /// The list of free ports is not one.
    #[error("host port {port} cannot be used: it is 0 or was offered twice")]
    BadHostPort {
        /// The port.
        port: u16,
    },
    /// A node asks for a binary of which no image was made.
    #[error("{node} asks for the binary {binary}, of which there is no image")]
    NoImage {
        /// Node name.
        node: String,
        /// Path as written in the topology.
        binary: String,
    },
    /// A node asks for an image, but nodes run as processes.
    #[error(
        "{node} asks for the image {image}, which the process engine cannot run; use `--engine docker` or give a `binary`"
    )]
    ImageWithoutContainers {
        /// Node name.
        node: String,
        /// The image.
        image: String,
    },
    /// A value of the input is malformed.
    #[error("the {what} `{value}` cannot be used: {rule}")]
    BadInput {
        /// Which value.
        what: &'static str,
        /// What it is; passwords are left out.
        value: String,
        /// What it has to be.
        rule: &'static str,
    },
    /// A configuration too long to hand to a container.
    #[error(
        "the configuration of {node} has {bytes} bytes, more than the {bytes_max} a container can be given; name fewer peers or accounts"
    )]
    ConfigTooLong {
        /// Node name.
        node: String,
        /// Its length.
        bytes: usize,
        /// What one environment variable holds.
        bytes_max: usize,
    },
    /// The network exists with other rules, which cannot change in its life.
    #[error(
        "the network `{name}` already exists with {what} {before}, not {wished}; run `devnet down --name {name}` first or choose another `--name`"
    )]
    OtherNetwork {
        /// Name of the network.
        name: String,
        /// What differs, as a fragment before its value.
        what: &'static str,
        /// As it is.
        before: String,
        /// As it is wished.
        wished: String,
    },
}

/// Refuses an input that no plan can be made with.
pub fn check_input(topology: &Topology, input: &PlanInput) -> Result<(), PlanError> {
    let run_id_fits = (1..=64).contains(&input.run_id.len())
        && input
            .run_id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !run_id_fits {
        let rule = "1 to 64 letters, digits or `-`";
        return Err(PlanError::BadInput {
            what: "run id",
            value: input.run_id.clone(),
            rule,
        });
    }
    if input.rpc_password.is_empty() || input.rpc_password.chars().any(char::is_control) {
        let rule = "it must not be empty or hold control characters";
        return Err(PlanError::BadInput {
            what: "RPC password",
            value: "***".into(),
            rule,
        });
    }
    match &input.engine {
        EngineInput::Docker(docker) if !docker.subnet.base().is_private() => {
            Err(PlanError::NotPrivate {
                subnet: docker.subnet,
            })
        }
        EngineInput::Docker(_) => Ok(()),
        EngineInput::Process(process) => {
            if !process.block.base().is_loopback() {
                return Err(PlanError::NotLoopback {
                    block: process.block,
                });
            }
            check_paths(topology, process)
        }
    }
}

fn check_paths(topology: &Topology, process: &super::ProcessInput) -> Result<(), PlanError> {
    for (what, path) in [
        ("state folder", &process.state_dir),
        ("binary", &process.binary),
    ] {
        let fault = if path.to_str().is_none() {
            Some("its path has to be UTF-8")
        } else if !path.is_absolute() {
            Some("its path has to be absolute")
        } else {
            None
        };
        if let Some(rule) = fault {
            return Err(PlanError::BadInput {
                what,
                value: path.display().to_string(),
                rule,
            });
        }
    }
    if let Some(binary) = topology
        .binaries()
        .into_iter()
        .find(|path| !path.starts_with('/'))
    {
        let rule = "its path has to be absolute";
        return Err(PlanError::BadInput {
            what: "binary",
            value: binary,
            rule,
        });
    }
    Ok(())
}
