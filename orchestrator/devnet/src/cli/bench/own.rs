//! A network of a benchmark's own, made and removed as the verbs do it, with
//! nobody told of the steps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use devnet_blueprint::{EngineKind, Topology};

use super::super::interrupts::Interrupts;
use super::super::up::bring_up::{Brought, bring_up, take_back};
use super::super::up::{self, condition_links};
use super::super::wait::{Patience, until_healthy};
use super::super::{NameArgs, OutputArgs, down};
use super::HowArgs;
use crate::console::Console;
use crate::exit::Failure;
use crate::faults::Live;
use crate::health::Wish;
use crate::prepare::Birth;
use crate::world::{EngineChoice, World};

/// Letters of the drawn part of a name.
const TAG_LETTERS: usize = 6;
/// Between two looks at whether something is so.
const POLL: Duration = Duration::from_millis(100);

/// Where a benchmark makes its networks.
pub struct Ground {
    /// As the verb's, but mute.
    world: World,
    how: HowArgs,
    /// What carries the networks.
    pub kind: EngineKind,
    tag: String,
}

/// A network that is to be made, or was.
pub struct Own<'a> {
    world: &'a World,
    args: up::Args,
}

/// How work on a network ended.
pub enum Ended<T> {
    /// It came through.
    Done(T),
    /// The user did not want to wait; nothing is left.
    Interrupted,
}

impl Ground {
    /// Chooses engine and names.
    ///
    /// # Errors
    /// The engine that was asked for does not answer.
    pub async fn new(world: &World, how: &HowArgs) -> Result<Self, Failure> {
        let kind = world.engine(how.engine).await?.kind();
        let birth = Birth::draw(how.seed)?;
        let tag = birth.run_id().chars().take(TAG_LETTERS).collect();
        let world = World {
            console: Console::SILENT,
            ..world.clone()
        };
        Ok(Self {
            world,
            how: how.clone(),
            kind,
            tag,
        })
    }

    /// A network of that topology.
    pub fn network(&self, what: &str, mut topology: Topology) -> Own<'_> {
        let name = format!("bench-{}-{what}", self.tag);
        name.clone_into(&mut topology.name);
        Own {
            world: &self.world,
            args: up::Args::from(up::Own {
                name,
                topology,
                engine: EngineChoice::of(self.kind),
                image: self.how.image.clone(),
                binary: self.how.binary.clone(),
                seed: self.how.seed,
                timeout: self.how.timeout,
            }),
        }
    }

    /// Time each step may take.
    pub const fn patience(&self) -> Duration {
        self.how.timeout
    }
}

impl Own<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.args.network.name
    }

    /// The world it is in; says nothing to anybody.
    pub const fn world(&self) -> &World {
        self.world
    }

    /// Brings it up until it is healthy.
    ///
    /// # Errors
    /// As `devnet up`.
    pub async fn up(&self) -> Result<Arc<Live>, Failure> {
        let (world, name) = (self.world, self.name());
        let _lock = world.states.network(name).lock()?;
        let Brought {
            engine, blueprint, ..
        } = bring_up(world, &self.args, name).await?;
        condition_links(world, &engine, &blueprint).await?;
        let live = Arc::new(Live::new(engine, blueprint));
        let stage = world.console.stage("health", "asking the nodes");
        let patience = Patience {
            timeout: self.args.timeout,
            wish: Wish::default(),
        };
        let nodes = live.layout().nodes.clone();
        until_healthy(world, live.engine(), name, &nodes, &patience, &stage).await?;
        Ok(live)
    }

    /// Removes it.
    ///
    /// # Errors
    /// As `devnet down`.
    pub async fn down(&self) -> Result<(), Failure> {
        let args = down::Args {
            network: NameArgs {
                name: self.name().to_owned(),
            },
            all: false,
            older_than: None,
            verbose: false,
            output: OutputArgs { json: false },
        };
        down::run(self.world, args).await.map(drop)
    }

    /// Does `work`, which removes the network at its end; where it does not come
    /// so far, the network is removed here.
    ///
    /// # Errors
    /// That of `work`; or something is left, which says how to remove it.
    pub async fn during<T>(
        &self,
        interrupts: &mut Interrupts,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Ended<T>, Failure> {
        let ended = tokio::select! {
            done = work => match done {
                Ok(done) => return Ok(Ended::Done(done)),
                Err(failure) => Err(failure),
            },
            () = interrupts.next() => Ok(Ended::Interrupted),
        };
        let name = self.name();
        let taken = tokio::select! {
            taken = take_back(self.world, &self.args, name) => taken,
            () = interrupts.next() => Err(Failure::failed("interrupted twice; something may be left")),
        };
        taken
            .map_err(|failure| failure.next(format!("`devnet down --name {name}` removes it.")))?;
        ended
    }
}

/// Waits until `is_so` answers with something.
///
/// # Errors
/// That of `is_so`; or it took longer than `limit`, while waiting for `what`.
pub async fn until<T, F>(
    what: &str,
    limit: Duration,
    mut is_so: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Option<T>, Failure>>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = is_so().await? {
            return Ok(found);
        }
        if began.elapsed() >= limit {
            let limit = crate::clock::spell_duration(limit);
            return Err(Failure::failed(format!("{what} took longer than {limit}")));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The user did not want to wait.
pub fn interrupted() -> Failure {
    Failure::failed("interrupted; nothing is left of the networks that were measured")
}

/// Processor time of all nodes so far; `None` where one does not tell.
///
/// # Errors
/// The engine does not answer.
pub async fn cpu_ms(live: &Live) -> Result<Option<u64>, Failure> {
    let vitals = live.engine().vitals(live.name()).await?;
    Ok(vitals.iter().map(|node| node.cpu_ms).sum())
}

/// Processors of this host.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
