//! Clock, hash rate and disk quota: set by the nodes' admin RPC, and read back.

use std::time::{Duration, Instant};

use devnet_blueprint::NodePlan;
use devnet_scenario::world::Outcome;
use futures::future::join_all;
use minichain_api::admin::{AdminInfo, DiskQuota, method};
use minichain_api::rpc::{self, BlockchainInfo, MiningInfo};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::acts::{Logs, Scene};
use super::{Finding, outcome, proof};
use crate::clock::now_ms;
use crate::exit::Failure;

/// One call may take so long.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// A changed hash rate is in force after this long; the same again is measured.
const RATE_SETTLES: Duration = Duration::from_millis(500);
const RATE_WINDOW: Duration = Duration::from_secs(2);
/// A miner within this factor of its rate does as told; more is not asked of a
/// machine that runs many of them.
const RATE_FACTOR_MAX: f64 = 2.0;
/// A full disk shows when the next blocks come: so many intervals are waited
/// for, and so long at most.
const FULL_INTERVALS: u32 = 5;
const FULL_TIMEOUT_MAX: Duration = Duration::from_secs(60);
const FULL_POLL: Duration = Duration::from_millis(200);
/// Blocks that may still be stored when the quota is set: those under way.
const BLOCKS_UNDER_WAY: u32 = 2;

impl Scene<'_> {
    /// Sets the clocks off, and reads them back.
    pub async fn skew(&self, offset_ms: i64) -> Result<Outcome, Failure> {
        self.must_run().await?;
        let set = self.nodes.iter().map(|node| async move {
            let told: i64 = self
                .call(node, method::SET_CLOCK_OFFSET, json!([offset_ms]))
                .await?;
            let is: AdminInfo = self.call(node, method::GET_ADMIN_INFO, json!([])).await?;
            let is_so = told == offset_ms && is.clock_offset_ms == offset_ms;
            let found = is.clock_offset_ms;
            let objection = (!is_so)
                .then(|| format!("{node}: its clock is off by {found} ms, not {offset_ms}"));
            let said = format!("{node}: its clock is off by {found} ms, read back");
            Ok::<_, Failure>(Finding::of(said, objection))
        });
        let findings = all_of(set).await?;
        Ok(outcome(findings, now_ms()))
    }

    /// Sets hash rates, reads them back, and counts hashes for a while.
    pub async fn set_hash_rate(&self, rate: impl Fn(&NodePlan) -> f64) -> Result<Outcome, Failure> {
        self.must_run().await?;
        let mut miners = Vec::new();
        for node in self.nodes {
            match self.layout.blueprint.node(node) {
                Some(plan) if plan.config.mining.enabled => miners.push((node, rate(plan))),
                _ => {
                    return Err(Failure::bad_input(format!("{node} does not mine"))
                        .next("Only miners have a hash rate; `devnet status` shows the roles."));
                }
            }
        }
        let set = miners.iter().map(|(node, rate)| async move {
            let told: f64 = self
                .call(node, method::SET_HASH_RATE, json!([rate]))
                .await?;
            Ok::<_, Failure>(told)
        });
        let told = all_of(set).await?;
        let at_ms = now_ms();
        tokio::time::sleep(RATE_SETTLES).await;
        let measured = join_all(miners.iter().map(|(node, _)| self.measure_rate(node))).await;
        let mut findings = Vec::new();
        for (((node, rate), told), measured) in miners.into_iter().zip(told).zip(measured) {
            findings.push(rate_found(node, rate, told, measured));
        }
        Ok(outcome(findings, at_ms))
    }

    async fn measure_rate(&self, node: &str) -> Result<f64, String> {
        let hashes = || async {
            let ask = self.call::<MiningInfo>(node, rpc::method::GET_MINING_INFO, json!([]));
            let info = ask.await.map_err(|failure| failure.message().to_owned())?;
            Ok::<_, String>((info.hashes, Instant::now()))
        };
        let (before, began) = hashes().await?;
        tokio::time::sleep(RATE_WINDOW).await;
        let (after, ended) = hashes().await?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "hashes of two seconds stay far below 2^53"
        )]
        let count = after.saturating_sub(before) as f64;
        Ok(count / ended.duration_since(began).as_secs_f64())
    }

    /// Sets each quota to what is held now, and waits until the node stops
    /// storing blocks.
    pub async fn fill_disk(&self) -> Result<Outcome, Failure> {
        self.must_run().await?;
        let logs = self.logs().await;
        let fill = self.nodes.iter().map(|node| self.fill(node));
        let held = all_of(fill).await?;
        let at_ms = now_ms();
        let watched = self.nodes.iter().zip(held);
        let watch =
            watched.map(|(node, (quota, height))| self.watch_full(node, quota, height, &logs));
        let findings = all_of(watch).await?;
        Ok(outcome(findings, at_ms))
    }

    /// The quota set, with the node's height then.
    async fn fill(&self, node: &str) -> Result<(DiskQuota, u32), Failure> {
        let info: AdminInfo = self.call(node, method::GET_ADMIN_INFO, json!([])).await?;
        let used = info.disk.used_bytes;
        let quota = self
            .call(node, method::SET_DISK_QUOTA, json!([used]))
            .await?;
        let chain = self.chain(node).await?;
        Ok((quota, chain.blocks))
    }

    async fn watch_full(
        &self,
        node: &str,
        quota: DiskQuota,
        height: u32,
        logs: &Logs,
    ) -> Result<Finding, Failure> {
        let Some(bytes) = quota.quota_bytes else {
            let text = format!("{node} took no quota");
            return Ok(Finding::of(text.clone(), Some(text)));
        };
        let genesis = self.layout.blueprint.genesis.as_ref();
        let spacing_s = genesis.map_or(5, |genesis| genesis.spacing_s);
        let patience = Duration::from_secs(u64::from(FULL_INTERVALS * spacing_s));
        let patience = patience.clamp(Duration::from_secs(5), FULL_TIMEOUT_MAX);
        let began = Instant::now();
        while began.elapsed() < patience {
            if self.chain(node).await.is_err() {
                let signs = self.signs().await?;
                if !signs.get(node).is_some_and(proof::is_alive) {
                    let lines = self.lines_after(logs, node).await;
                    let last = lines.last().map_or("nothing", |line| line.trim());
                    return Ok(Finding::well(format!(
                        "{node} may hold {bytes} bytes, and ended: {last}"
                    )));
                }
            }
            tokio::time::sleep(FULL_POLL).await;
        }
        let now = self.chain(node).await.map(|chain| chain.blocks).ok();
        let goes_on = now.is_some_and(|now| now > height.saturating_add(BLOCKS_UNDER_WAY));
        let objection = goes_on.then(|| {
            let now = now.unwrap_or_default();
            format!("{node} goes on storing blocks: from height {height} to {now}")
        });
        let said =
            format!("{node} may hold {bytes} bytes, as it does; it stands at height {height}");
        Ok(Finding::of(said, objection))
    }

    /// Takes quotas away; who ended for want of space is started again.
    pub async fn free_disk(&self) -> Result<Outcome, Failure> {
        let started = self.start().await?;
        let free = self.nodes.iter().map(|node| async move {
            let quota: DiskQuota = self
                .call(node, method::SET_DISK_QUOTA, json!([Value::Null]))
                .await?;
            let left = quota.quota_bytes;
            let objection = left.map(|bytes| format!("{node} may still hold {bytes} bytes only"));
            let said = format!("{node}: its disk has no quota");
            Ok::<_, Failure>(Finding::of(said, objection))
        });
        // Only who answers can be told.
        let freed = match &started {
            Outcome::Done(_) => outcome(all_of(free).await?, now_ms()),
            _ => outcome(Vec::new(), now_ms()),
        };
        Ok(super::merged([started, freed]))
    }

    /// Sets clock, hash rate and quota back wherever they are not as planned.
    /// Nodes that do not answer are left to whoever looks at them.
    pub async fn reset_levers(&self) -> Result<Outcome, Failure> {
        let mut findings = Vec::new();
        for node in self.nodes {
            let ask = self.call::<AdminInfo>(node, method::GET_ADMIN_INFO, json!([]));
            let (Ok(info), Some(plan)) = (ask.await, self.layout.blueprint.node(node)) else {
                continue;
            };
            let planned = plan.config.mining.hash_rate;
            let mut orders = Vec::new();
            if info.clock_offset_ms != 0 {
                orders.push((method::SET_CLOCK_OFFSET, json!([0])));
            }
            if info.hashrate.is_some_and(|rate| differs(rate, planned)) {
                orders.push((method::SET_HASH_RATE, json!([planned])));
            }
            if info.disk.quota_bytes.is_some() {
                orders.push((method::SET_DISK_QUOTA, json!([Value::Null])));
            }
            if orders.is_empty() {
                continue;
            }
            for (method, params) in orders {
                self.call::<Value>(node, method, params).await?;
            }
            findings.push(self.is_reset(node, planned).await?);
        }
        Ok(outcome(findings, now_ms()))
    }

    async fn is_reset(&self, node: &str, planned: f64) -> Result<Finding, Failure> {
        let info: AdminInfo = self.call(node, method::GET_ADMIN_INFO, json!([])).await?;
        let is_so = info.clock_offset_ms == 0
            && info.disk.quota_bytes.is_none()
            && !info.hashrate.is_some_and(|rate| differs(rate, planned));
        let objection = (!is_so).then(|| format!("{node}: clock, rate or quota stay as they were"));
        let said = format!("{node}: clock, rate and quota are as planned");
        Ok(Finding::of(said, objection))
    }

    async fn chain(&self, node: &str) -> Result<BlockchainInfo, Failure> {
        self.call(node, rpc::method::GET_BLOCKCHAIN_INFO, json!([]))
            .await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        node: &str,
        method: &str,
        params: Value,
    ) -> Result<T, Failure> {
        let client = self.layout.client(node, CALL_TIMEOUT);
        let client =
            client.ok_or_else(|| Failure::world(format!("{node} has no known RPC address")))?;
        let answer = client.call(method, params).await;
        answer.map_err(|error| {
            Failure::world(format!("{node} {error}")).next(format!(
                "`devnet logs {node} --name {}` shows what it does.",
                self.live.name()
            ))
        })
    }
}

fn rate_found(node: &str, wanted: f64, told: f64, measured: Result<f64, String>) -> Finding {
    if differs(told, wanted) {
        let text = format!("{node} mines with {told} hashes a second, not {wanted}");
        return Finding::of(text.clone(), Some(text));
    }
    match measured {
        Err(why) => Finding::of(format!("{node}: {why}"), Some(format!("{node}: {why}"))),
        Ok(measured) => {
            let is_so = if wanted > 0.0 {
                measured > 0.0 && measured <= wanted * RATE_FACTOR_MAX
            } else {
                measured == 0.0
            };
            let said =
                format!("{node} mines with {wanted} hashes a second, measured {measured:.0}");
            Finding::of(said.clone(), (!is_so).then_some(said))
        }
    }
}

fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-9 * a.abs().max(b.abs())
}

/// Waits for all, then tells the first failure: a call in flight must not change
/// a node unseen.
async fn all_of<T>(
    work: impl Iterator<Item = impl Future<Output = Result<T, Failure>>>,
) -> Result<Vec<T>, Failure> {
    join_all(work).await.into_iter().collect()
}
