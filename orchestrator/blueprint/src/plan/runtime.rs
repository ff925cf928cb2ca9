//! What a node runs as: a container or a process.

use std::path::{Path, PathBuf};

use minichain_api::config::{CONFIG_ENV, NodeConfig};

use super::address::Place;
use super::node::Context;
use super::{DockerInput, EngineInput, PlanError, ProcessInput, volume_name};
use crate::blueprint::{ContainerPlan, FilePlan, ProcessPlan, PublishedPort, Runtime};
use crate::topology::{DEFAULT_MEMORY, Member};

/// A process's data, in its folder.
pub const DATA_FOLDER: &str = "data";
const CONFIG_FILE: &str = "config.yaml";
const LOG_FILE: &str = "log";
const PID_FILE: &str = "pid";
/// Mount point of a container's volume.
const DATA_MOUNT: &str = "/data";
/// User and group in the container; the image's data folder belongs to them.
const CONTAINER_USER: &str = "65532:65532";
/// The one capability a node keeps: cutting its own network namespace off.
const CAPABILITY: &str = "NET_ADMIN";
/// Processes and threads of one node at most.
const PIDS_MAX: u32 = 512;
/// Log of one container: so many files of so many bytes.
const LOG_FILE_MAX_BYTES: u64 = 10 << 20;
const LOG_FILES_MAX: u32 = 3;
/// A node ends within 1 s; the rest is for a busy host.
const STOP_TIMEOUT_S: u32 = 5;
/// Linux takes at most 128 KiB in one environment variable, name and
/// terminator counted.
const ENV_BYTES_MAX: usize = 120 << 10;

/// Where the node keeps its data, as it sees it.
pub fn data_dir(engine: &EngineInput, node: &str) -> PathBuf {
    match engine {
        EngineInput::Docker(_) => PathBuf::from(DATA_MOUNT),
        EngineInput::Process(process) => node_folder(process, node).join(DATA_FOLDER),
    }
}

/// The container or process of a member.
pub fn runtime(
    context: &Context<'_>,
    member: &Member,
    place: &Place,
    config: &NodeConfig,
) -> Result<Runtime, PlanError> {
    match &context.input.engine {
        EngineInput::Docker(docker) => {
            container(context, docker, member, place, config).map(Runtime::Container)
        }
        EngineInput::Process(input) => process(input, member, config).map(Runtime::Process),
    }
}

fn container(
    context: &Context<'_>,
    docker: &DockerInput,
    member: &Member,
    place: &Place,
    config: &NodeConfig,
) -> Result<ContainerPlan, PlanError> {
    let text = config_text(config, Layout::Line);
    if text.len() > ENV_BYTES_MAX {
        return Err(PlanError::ConfigTooLong {
            node: member.name.clone(),
            bytes: text.len(),
            bytes_max: ENV_BYTES_MAX,
        });
    }
    let mut env = member.settings.env.clone();
    env.insert(CONFIG_ENV.into(), text);
    let publish = |inside: u16, host| PublishedPort {
        container_port: inside,
        host,
    };
    Ok(ContainerPlan {
        name: volume_name(&context.topology.name, &member.name),
        hostname: member.name.clone(),
        image: image(docker, member)?,
        command: vec!["run".into()],
        env,
        user: CONTAINER_USER.into(),
        data_mount: DATA_MOUNT.into(),
        published: vec![
            publish(place.inside.rpc.port(), place.host.rpc),
            publish(place.inside.metrics.port(), place.host.metrics),
        ],
        cap_drop: vec!["ALL".into()],
        cap_add: vec![CAPABILITY.into()],
        read_only_root: true,
        memory_max_bytes: member.settings.memory.unwrap_or(DEFAULT_MEMORY).bytes,
        pids_max: PIDS_MAX,
        log_file_max_bytes: LOG_FILE_MAX_BYTES,
        log_files_max: LOG_FILES_MAX,
        stop_timeout_s: STOP_TIMEOUT_S,
    })
}

fn image(docker: &DockerInput, member: &Member) -> Result<String, PlanError> {
    match (&member.settings.image, &member.settings.binary) {
        (Some(image), _) => Ok(image.clone()),
        (None, Some(binary)) => {
            docker
                .images
                .get(binary)
                .cloned()
                .ok_or_else(|| PlanError::NoImage {
                    node: member.name.clone(),
                    binary: binary.clone(),
                })
        }
        (None, None) => Ok(docker.image.clone()),
    }
}

fn process(
    input: &ProcessInput,
    member: &Member,
    config: &NodeConfig,
) -> Result<ProcessPlan, PlanError> {
    if let Some(image) = &member.settings.image {
        let (node, image) = (member.name.clone(), image.clone());
        return Err(PlanError::ImageWithoutContainers { node, image });
    }
    let folder = node_folder(input, &member.name);
    let config_file = folder.join(CONFIG_FILE);
    let binary = member
        .settings
        .binary
        .clone()
        .unwrap_or_else(|| path_text(&input.binary));
    Ok(ProcessPlan {
        command: vec![
            binary,
            "run".into(),
            "--config".into(),
            path_text(&config_file),
        ],
        env: member.settings.env.clone(),
        files: vec![FilePlan {
            path: config_file,
            text: config_text(config, Layout::Pretty),
        }],
        log_file: folder.join(LOG_FILE),
        pid_file: folder.join(PID_FILE),
        folder,
        stop_timeout_s: STOP_TIMEOUT_S,
    })
}

/// Moves a process to another folder; its configuration is yet to be written.
pub fn rehouse(process: &mut ProcessPlan, folder: PathBuf) {
    let config_file = folder.join(CONFIG_FILE);
    if let Some(argument) = process.command.last_mut() {
        *argument = path_text(&config_file);
    }
    process.files = vec![FilePlan {
        path: config_file,
        text: String::new(),
    }];
    process.log_file = folder.join(LOG_FILE);
    process.pid_file = folder.join(PID_FILE);
    process.folder = folder;
}

/// Puts the configuration where the container or process reads it from.
pub fn write_config(runtime: &mut Runtime, config: &NodeConfig) {
    match runtime {
        Runtime::Container(container) => {
            let text = config_text(config, Layout::Line);
            container.env.insert(CONFIG_ENV.into(), text);
        }
        Runtime::Process(process) => {
            let text = config_text(config, Layout::Pretty);
            if let Some(file) = process.files.first_mut() {
                file.text = text;
            }
        }
    }
}

fn node_folder(input: &ProcessInput, node: &str) -> PathBuf {
    input.state_dir.join("nodes").join(node)
}

/// The paths planned with were checked to be UTF-8, so nothing is lost here.
fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[derive(Clone, Copy)]
enum Layout {
    Line,
    Pretty,
}

/// The configuration as JSON, which the node reads as YAML.
fn config_text(config: &NodeConfig, layout: Layout) -> String {
    let text = match layout {
        Layout::Line => serde_json::to_string(config),
        Layout::Pretty => serde_json::to_string_pretty(config).map(|text| text + "\n"),
    };
    text.expect("a configuration is plain data and its paths were checked to be UTF-8")
}
