//! One run: a network, the runner on it, the verdict, the bundle, and nothing
//! left behind.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use devnet_scenario::report::{Report, Verdict};
use minichain_api::rpc::method::GET_NETWORK_INFO;
use serde_json::json;

use super::super::interrupts::Interrupts;
use super::Args;
use super::network::{self, Claim, Network};
use super::output::{Printer, Progress};
use super::scenario::Loaded;
use crate::exit::{Exit, Failure};
use crate::faults::Live;
use crate::prepare::Birth;
use crate::run::access::{Access, Http};
use crate::run::bundle::{self, Parts, Versions};
use crate::run::chronicle::Chronicle;
use crate::run::drive::drive;
use crate::run::faults::LiveFaults;
use crate::run::logs::LogTap;
use crate::run::metrics::MetricsTap;
use crate::run::payments::{Payments, funding_patience_ms};
use crate::run::record::RunRecord;
use crate::run::report::{self, Facts};
use crate::run::runner::Directing;
use crate::run::snapshot::Looker;
use crate::run::stage::{LiveStage, WorldClock};
use crate::world::World;

/// Where bundles go if nobody says.
const BUNDLES: &str = "devnet-bundle";
/// Why there was no first step, where the user did not want one.
const INTERRUPTED: &str = "interrupted before the first step";
/// Time a node may take to say what it is.
const VERSION_PATIENCE: Duration = Duration::from_secs(1);
/// Letters of a scenario's name in its network's.
const NAME_KEPT: usize = 24;

/// What is drawn for one run.
pub struct Plan {
    /// Where all random choices follow from.
    pub seed: u64,
    /// Name of the network.
    pub network: String,
}

/// What the runner left.
struct Played {
    report: Report,
    chronicle: Chronicle,
    start_ms: u64,
    logs: Arc<LogTap>,
    metrics: MetricsTap,
    problems: Vec<String>,
}

impl Plan {
    /// Draws what is random. A seed that was asked for is the same in every
    /// round.
    pub fn draw(args: &Args, loaded: &Loaded) -> Result<Self, Failure> {
        let birth = Birth::draw(args.seed)?;
        let (seed, tag) = (birth.seed(), birth.run_id());
        let kept: String = loaded.name().chars().take(NAME_KEPT).collect();
        // What happens in the simulator must not depend on what is drawn here.
        if args.world == super::WorldChoice::Sim {
            let network = format!("sim-{}", kept.trim_end_matches('-'));
            return Ok(Self { seed, network });
        }
        let own = || {
            format!(
                "run-{}-{}",
                kept.trim_end_matches('-'),
                &tag[..tag.len().min(8)]
            )
        };
        Ok(Self {
            seed,
            network: args.name.clone().unwrap_or_else(own),
        })
    }
}

/// Runs one scenario once.
///
/// # Errors
/// The user interrupted twice.
pub async fn run(
    world: &World,
    args: &Args,
    loaded: &Loaded,
    plan: &Plan,
    interrupts: &mut Interrupts,
) -> Result<RunRecord, Failure> {
    let facts = facts(args, loaded, plan);
    let claim = match Claim::new(world, args, loaded, plan) {
        Ok(claim) => claim,
        Err(failure) => return Ok(broke(&facts, &failure)),
    };
    let mut record = match ready(world, &claim, plan, interrupts).await? {
        Ok(network) => on_network(world, args, loaded, &network, facts, interrupts).await?,
        Err(failure) => broke(&facts, &failure),
    };
    if !claim.is_ours {
        return Ok(record);
    }
    if args.keep {
        world.console.remark(&format!(
            "  Network `{0}` stays up: devnet status --name {0} · devnet down --name {0}",
            plan.network
        ));
        return Ok(record);
    }
    let taken_down = tokio::select! {
        taken_down = network::take_down(world, &claim, plan) => taken_down,
        () = interrupts.next() => return Err(left(plan)),
    };
    if let Err(failure) = taken_down {
        world.console.remark(&failure.to_string());
        record.verdict = record.verdict.max(Verdict::Broken);
        if record.reason.is_empty() {
            failure.message().clone_into(&mut record.reason);
        }
    }
    Ok(record)
}

/// The network, unless the user interrupts before it is there.
async fn ready(
    world: &World,
    claim: &Claim,
    plan: &Plan,
    interrupts: &mut Interrupts,
) -> Result<Result<Network, Failure>, Failure> {
    let interrupted = interrupts.next();
    Ok(tokio::select! {
        network = network::ready(world, claim, plan) => network,
        () = interrupted => Err(Failure::failed(INTERRUPTED)),
    })
}

async fn on_network(
    world: &World,
    args: &Args,
    loaded: &Loaded,
    network: &Network,
    mut facts: Facts,
    interrupts: &mut Interrupts,
) -> Result<RunRecord, Failure> {
    facts.engine = network.live.engine().kind().to_string();
    if let Err(failure) = loaded.fits(&network.live.layout()) {
        return Ok(broke(&facts, &failure));
    }
    let played = match play(world, loaded, network, facts.seed, interrupts).await? {
        Ok(played) => played,
        Err(failure) => return Ok(broke(&facts, &failure)),
    };
    for problem in &played.problems {
        world
            .console
            .remark(&format!("  after a restart: {problem}"));
    }
    let mut record = report::record(&facts, &played.report, &loaded.tree);
    if record.verdict != Verdict::Pass || args.bundle.is_some() {
        let folder = bundle_folder(args, &record);
        let versions = versions(&network.live).await;
        write_bundle(
            world,
            &folder,
            loaded,
            network,
            &played,
            versions,
            &mut record,
        );
    }
    Ok(record)
}

/// Lets the runner play its scenario; then nothing of it is at work any more,
/// but the network is still there.
async fn play(
    world: &World,
    loaded: &Loaded,
    network: &Network,
    seed: u64,
    interrupts: &mut Interrupts,
) -> Result<Result<Played, Failure>, Failure> {
    let live = network.live.clone();
    let access: Arc<dyn Access> = Arc::new(Http);
    let spool = world.states.network(live.name()).path().join("run");
    let logs = Arc::new(LogTap::start(live.clone(), &spool.join("logs")));
    let metrics = MetricsTap::start(live.clone(), access.clone(), &spool.join("metrics"));
    let payments = Payments::new(live.clone(), access.clone());
    let accounts = loaded.payers();
    if !accounts.is_empty() {
        let patience = funding_patience_ms(loaded.file.roster.block_interval_ms);
        let stage = world
            .console
            .stage("coins", "splitting coins for the loads");
        let funded = tokio::select! {
            funded = payments.prefund(&accounts, Duration::from_millis(patience)) => funded,
            () = interrupts.next() => {
                stage.failed("interrupted");
                return Ok(Err(Failure::failed(INTERRUPTED)));
            }
        };
        match funded {
            Ok(()) => stage.done(&format!("every node has coins of {}", accounts.join(", "))),
            Err(why) => {
                stage.failed(&why);
                return Ok(Err(Failure::world(why)));
            }
        }
    }
    let clock = WorldClock::start();
    let faults = Rc::new(LiveFaults::new(world, live.clone()));
    let looker = Looker::new(live.clone(), access, Some(logs.clone())).watching_engine();
    let stage = Rc::new(LiveStage::new(clock, faults, payments, looker));
    let mut director = Directing::new(
        loaded.file.scenario.clone(),
        loaded.file.roster.clone(),
        seed,
    );
    let start_ms = clock.now_ms();
    let progress = Progress::new(world.states.network(network.live.name()), loaded);
    let mut printer = Printer::new(world, start_ms, director.news()).telling(progress);
    let mut next = || interrupts.next();
    let driven = drive(&mut director, stage.clone(), &mut printer, &mut next).await;
    printer.conclude(director.report().verdict);
    let mut chronicle = printer.finish();
    for gap in stage.gaps() {
        chronicle.gap(&gap);
    }
    if driven.is_err() {
        return Err(left_named(live.name()));
    }
    Ok(Ok(Played {
        report: director.report().clone(),
        chronicle,
        start_ms,
        logs,
        metrics,
        problems: stage.problems(),
    }))
}

/// What nodes and engine say they are.
async fn versions(live: &Live) -> Versions {
    let layout = live.layout();
    let asked = layout.nodes.iter().map(|node| async {
        let answer = Http.call(node, GET_NETWORK_INFO, json!([]), VERSION_PATIENCE);
        let told = answer.await.ok()?["subversion"].as_str()?.to_owned();
        Some(told)
    });
    let told = futures::future::join_all(asked).await;
    let checks = live.engine().checks().await.unwrap_or_default();
    let engine = checks.into_iter().next().map(|check| check.detail);
    Versions {
        node: told.into_iter().flatten().next().unwrap_or_default(),
        engine: engine.unwrap_or_default(),
    }
}

/// Writes the bundle; what cannot be written is told, and changes no verdict.
fn write_bundle(
    world: &World,
    folder: &Path,
    loaded: &Loaded,
    network: &Network,
    played: &Played,
    versions: Versions,
    record: &mut RunRecord,
) {
    record.bundle = Some(folder.to_owned());
    let layout = network.live.layout();
    let parts = Parts {
        record,
        chronicle: &played.chronicle,
        start_ms: played.start_ms,
        scenario: &loaded.file.text,
        topology: network.topology.as_ref(),
        blueprint: &layout.blueprint,
        logs: played.logs.files(),
        metrics: Some(played.metrics.folder().to_owned()),
        report: &played.report,
        versions,
    };
    incomplete(world, &bundle::write(folder, &parts));
}

/// Tells what is missing in a bundle, which changes no verdict.
pub(super) fn incomplete(world: &World, problems: &[String]) {
    for problem in problems {
        world
            .console
            .remark(&format!("  the bundle is not complete: {problem}"));
    }
}

pub(super) fn bundle_folder(args: &Args, record: &RunRecord) -> PathBuf {
    let base = args
        .bundle
        .clone()
        .unwrap_or_else(|| PathBuf::from(BUNDLES));
    let folder = base.join(format!("{}-{}", record.scenario, record.seed));
    if !folder.exists() {
        return folder;
    }
    // The same seed again: each run keeps its own.
    base.join(format!(
        "{}-{}-{}",
        record.scenario, record.seed, record.network
    ))
}

pub(super) fn facts(args: &Args, loaded: &Loaded, plan: &Plan) -> Facts {
    Facts {
        scenario: loaded.name().to_owned(),
        file: loaded.file.path.clone(),
        seed: plan.seed,
        engine: String::new(),
        network: plan.network.clone(),
        sets: args.sets.clone(),
        image: args.image.clone(),
        binary: args.binary.clone(),
    }
}

pub(super) fn broke(facts: &Facts, failure: &Failure) -> RunRecord {
    let verdict = match failure.exit() {
        Exit::Failed if failure.message() == INTERRUPTED => Verdict::Interrupted,
        _ => Verdict::Broken,
    };
    RunRecord {
        story: failure.to_string(),
        is_bad_input: failure.exit() == Exit::BadInput,
        ..report::without_report(facts, verdict, failure.message())
    }
}

/// What is known of a run that the user left at once.
pub fn left_early(args: &Args, loaded: &Loaded, plan: &Plan, failure: &Failure) -> RunRecord {
    RunRecord {
        story: failure.to_string(),
        ..report::without_report(
            &facts(args, loaded, plan),
            Verdict::Interrupted,
            failure.message(),
        )
    }
}

fn left(plan: &Plan) -> Failure {
    left_named(&plan.network)
}

fn left_named(network: &str) -> Failure {
    Failure::failed("interrupted twice; the network was left as it stood").next(format!(
        "`devnet down --name {network}` removes it, faults included."
    ))
}
