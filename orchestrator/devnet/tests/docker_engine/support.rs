//! What the tests share: an engine or a loud skip, a stand-in node, a network
//! of its own for each test, and its removal whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::query_parameters::RemoveImageOptionsBuilder;
use devnet::engine::docker::DockerEngine;
use devnet::engine::{Engine, EngineError, ProgramWish, Silent, StateKeeper, perform_plan};
use devnet::prepare::free_ports;
use devnet_blueprint::{
    Blueprint, DockerInput, EngineInput, EngineKind, Observed, PlanInput, Subnet, Topology, diff,
    plan,
};

use crate::fresh::is_fresh;

/// Runs `test` with an engine, or says loudly that it did not.
pub fn with_docker<F: Future<Output = ()>>(test: impl FnOnce(DockerEngine) -> F) {
    let runtime = runtime();
    runtime.block_on(async {
        match DockerEngine::connect().await {
            Ok(engine) => test(engine).await,
            Err(error) if std::env::var_os("CI").is_some() => {
                panic!("these tests need a Docker engine in CI:\n{error}")
            }
            Err(error) => eprintln!("\nSKIPPED: no Docker engine here.\n{error}\n"),
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A network of one test; taken down when dropped.
pub struct Bench {
    pub engine: DockerEngine,
    pub name: String,
    pub state: Memory,
    pub folder: tempfile::TempDir,
    images: Mutex<Vec<String>>,
}

/// A state folder in memory.
#[derive(Default)]
pub struct Memory(pub Mutex<BTreeMap<String, Blueprint>>);

impl StateKeeper for Memory {
    fn save(&self, blueprint: &Blueprint) -> Result<(), EngineError> {
        self.0
            .lock()
            .unwrap()
            .insert(blueprint.name.clone(), blueprint.clone());
        Ok(())
    }

    fn remove(&self, network: &str) -> Result<(), EngineError> {
        self.0.lock().unwrap().remove(network);
        Ok(())
    }
}

impl Bench {
    pub fn new(engine: &DockerEngine, test: &str) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos();
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self {
            engine: engine.clone(),
            name: format!(
                "t-{test}-{}-{:x}{count}",
                std::process::id(),
                nanos % 0xfffff
            ),
            state: Memory::default(),
            folder: tempfile::tempdir().unwrap(),
            images: Mutex::default(),
        }
    }

    /// A stand-in node with this network's name inside, so that no two tests
    /// share an image.
    pub fn stand_in(&self, linking: Linking) -> PathBuf {
        compile(&self.folder.path().join("minichain"), &self.name, linking)
    }

    /// An image of a stand-in, with the helper that filters packets.
    pub async fn image(&self) -> String {
        build_helper();
        let binary = self.stand_in(Linking::Static);
        let wish = ProgramWish {
            binary: Some(binary),
            image: None,
        };
        let program = self.engine.prepare_program(&wish, &Silent).await.unwrap();
        self.will_remove(&program.reference);
        program.reference
    }

    pub fn will_remove(&self, image: &str) {
        self.images.lock().unwrap().push(image.to_owned());
    }

    pub async fn blueprint(&self, nodes: u32, miners: u32, image: &str) -> Blueprint {
        let subnet = self.free_subnet().await;
        self.blueprint_in(nodes, miners, image, subnet)
    }

    pub fn blueprint_in(&self, nodes: u32, miners: u32, image: &str, subnet: Subnet) -> Blueprint {
        let mut topology = Topology::from_counts(nodes, miners).unwrap();
        topology.name.clone_from(&self.name);
        // Free ports are free until they are used: no two tests are offered the same.
        static OFFERED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
        let mut offered = OFFERED.lock().unwrap();
        let host_ports = free_ports(&self.name, 2 * nodes as usize, &offered);
        offered.extend(&host_ports);
        drop(offered);
        let docker = DockerInput {
            subnet,
            host_ports,
            image: image.to_owned(),
            images: BTreeMap::new(),
        };
        let input = PlanInput {
            seed: 1,
            created_at_s: 1_700_000_000,
            run_id: format!("run-{}", self.name),
            owner: "tests".into(),
            rpc_password: "secret".into(),
            engine: EngineInput::Docker(docker),
            previous: None,
        };
        plan(&topology, &input).unwrap()
    }

    /// A small subnet nobody uses. No two tests of this process are offered the
    /// same one; those of another process begin elsewhere.
    pub async fn free_subnet(&self) -> Subnet {
        static OFFERED: AtomicU32 = AtomicU32::new(0);
        let used = self.engine.used_subnets().await.unwrap();
        let begin = std::process::id().wrapping_mul(977);
        (0..4096_u32)
            .map(|_| begin.wrapping_add(OFFERED.fetch_add(1, Ordering::Relaxed)) % 4096)
            .map(|slot| u32::from(Ipv4Addr::new(10, 231, 0, 0)) + slot * 16)
            .map(|base| Subnet::new(Ipv4Addr::from(base), 28).unwrap())
            .find(|subnet| !used.iter().any(|used| used.overlaps(*subnet)))
            .expect("4096 small subnets are not all taken")
    }

    pub async fn observe(&self) -> Observed {
        let state = self
            .state
            .0
            .lock()
            .unwrap()
            .get(&self.name)
            .map(Blueprint::digest);
        Observed {
            state,
            ..self.engine.observe(&self.name).await.unwrap()
        }
    }

    /// Performs what is left to do and returns the number of actions.
    pub async fn perform(&self, blueprint: &Blueprint) -> Result<usize, EngineError> {
        let plan = diff(blueprint, &self.observe().await);
        perform_plan(&self.engine, &self.state, blueprint, &plan, &Silent).await
    }

    pub async fn down(&self) -> Result<usize, EngineError> {
        self.perform(&Blueprint::empty(&self.name, EngineKind::Docker))
            .await
    }

    async fn clean(&self) {
        // What a cancelled request began may appear only now.
        for _ in 0..2 {
            if let Err(error) = self.down().await {
                eprintln!("LEFT BEHIND: {error}");
            }
        }
        let images = std::mem::take(&mut *self.images.lock().unwrap());
        for image in images {
            let options = RemoveImageOptionsBuilder::default().force(true).build();
            let removed = self
                .engine
                .client()
                .remove_image(&image, Some(options), None)
                .await;
            if let Err(error) = removed {
                eprintln!("image {image} stays: {error}");
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A runtime of its own: the test's is busy, or unwinding.
        std::thread::scope(|scope| {
            let cleaning = scope.spawn(|| runtime().block_on(self.clean()));
            if cleaning.join().is_err() {
                eprintln!("LEFT BEHIND: devnet {}", self.name);
            }
        });
    }
}

/// Has cargo build the helper beside this test, where images take it from, if
/// that is not fresh.
fn build_helper() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        if is_fresh(&profile.join("devnet-netfault")) {
            return;
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--quiet", "-p", "devnet-netfault"]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo
            .env("CARGO_TARGET_DIR", profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "cargo could not build the helper");
    });
}

/// How a stand-in is linked.
#[derive(Clone, Copy)]
pub enum Linking {
    Static,
    Dynamic,
}

/// Compiles the stand-in node; a C compiler is needed to build the node too.
pub fn compile(output: &Path, mark: &str, linking: Linking) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker_engine/stand_in.c");
    let mut command = Command::new("cc");
    command
        .arg("-O1")
        .arg("-s")
        .arg(format!("-DMARK=\"{mark}\""));
    if let Linking::Static = linking {
        command.arg("-static");
    }
    let done = command
        .arg("-o")
        .arg(output)
        .arg(source)
        .output()
        .expect("a C compiler");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    output.to_owned()
}

/// What the stand-in at this address says, tried for some seconds.
pub async fn greeting(address: SocketAddrV4) -> String {
    for _ in 0..100 {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let mut text = String::new();
            stream
                .set_read_timeout(Some(Duration::from_secs(2)))
                .unwrap();
            if stream.read_to_string(&mut text).is_ok() && !text.is_empty() {
                return text.trim().to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody answers at {address}");
}
