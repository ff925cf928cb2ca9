//! A network's report, the same for `up` and `status`: a table for people, or
//! the same as data. Below it, the verb `report`.

mod live;
pub mod verb;

use std::collections::BTreeMap;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};
use devnet_blueprint::{EngineKind, NodeState, Observed};
use serde::Serialize;

use crate::clock::{now_s, spell_duration};
use crate::console::{Colour, Console};
use crate::engine::Vitals;
use crate::health::{Agreement, agreement, short_hash};
use crate::monitoring::stack::Links;
use crate::probe::{NodeAddress, NodeFacts, Round};
use crate::world::Attached;

/// Names told of one branch; more are counted.
const NAMES_MAX: usize = 8;

/// Everything about a network at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkReport {
    /// Name.
    pub name: String,
    /// What carries it.
    pub engine: EngineKind,
    /// Id of this run; `None` if the state folder is lost.
    pub run_id: Option<String>,
    /// Birth, in seconds since 1970; `None` if the state folder is lost.
    pub created_at_s: Option<u32>,
    /// What random things follow from; `None` if the state folder is lost.
    pub seed: Option<u64>,
    /// Genesis hash, if a node tells it.
    pub genesis: Option<String>,
    /// Whether the nodes are on one chain.
    pub agreement: AgreementReport,
    /// The nodes, in order.
    pub nodes: Vec<NodeReport>,
    /// How long the command took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// How much was done; 0: all was as wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<usize>,
    /// Where to look at it, if something watches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Links>,
}

/// What the nodes that answer have in common.
#[derive(Clone, Debug, Serialize)]
pub struct AgreementReport {
    /// The lowest tip, at which they are compared.
    pub height: Option<u32>,
    /// Whether every node answers.
    pub all_answer: bool,
    /// Whether all have the same block there; null if unknown.
    pub same_block: Option<bool>,
    /// Whether all have the same coins there; null if unknown or not asked.
    pub same_utxo: Option<bool>,
    /// Names of the nodes that share a block there, the most nodes first.
    pub branches: Vec<Vec<String>>,
}

/// One node at one moment. What only a living node can tell is null if it does
/// not answer.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
    /// What its container or process does; `missing` if there is none.
    pub state: String,
    /// The engine's id: of the container, or the folder of the process.
    pub id: Option<String>,
    /// Address in the network.
    pub ip: Option<String>,
    /// JSON-RPC.
    pub rpc_url: Option<String>,
    /// `user:password` of the JSON-RPC; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_auth: Option<String>,
    /// Prometheus metrics.
    pub metrics_url: Option<String>,
    /// Height of the tip.
    pub height: Option<u32>,
    /// Hash of the tip.
    pub tip: Option<String>,
    /// Age of the tip by its own time, in seconds.
    pub tip_age_s: Option<u64>,
    /// Work of its chain, 64 hexadecimal digits.
    pub chainwork: Option<String>,
    /// Peers connected.
    pub peers: Option<usize>,
    /// Transactions waiting.
    pub mempool: Option<u64>,
    /// Whether it mines, and how fast it may, in hashes a second.
    pub hash_rate: Option<f64>,
    /// Digest of its coins at the height of the agreement.
    pub utxo_muhash: Option<String>,
    /// Why it does not answer.
    pub problem: Option<String>,
}

impl NetworkReport {
    /// What is known of an attached network from its nodes' answers.
    pub fn new(name: &str, attached: &Attached, round: &Round) -> Self {
        let blueprint = attached.blueprint.as_ref();
        let of = |node: &NodeAddress| NodeReport::new(node, &attached.observed, round);
        let answers = || round.nodes.values().filter_map(|node| node.as_ref().ok());
        Self {
            name: name.to_owned(),
            engine: attached.engine.kind(),
            run_id: blueprint.map(|blueprint| blueprint.run_id.clone()),
            created_at_s: blueprint.map(|blueprint| blueprint.created_at_s),
            seed: blueprint.map(|blueprint| blueprint.seed),
            genesis: answers()
                .next()
                .map(|facts| facts.chain.genesishash.clone()),
            agreement: agreement(round).into(),
            nodes: attached.nodes.iter().map(of).collect(),
            elapsed_ms: None,
            actions: None,
            monitoring: None,
        }
    }

    /// Also tells how to sign in at the nodes, which is secret.
    pub fn tell_credentials(&mut self, attached: &Attached) {
        for (report, node) in self.nodes.iter_mut().zip(&attached.nodes) {
            let known = node.credentials.as_ref();
            report.rpc_auth = known.map(|known| format!("{}:{}", known.user, known.password));
        }
    }

    /// Tells of nodes that have ended why, where the engine knows.
    pub fn tell_ends(&mut self, vitals: &[Vitals]) {
        for node in self.nodes.iter_mut().filter(|node| node.has_ended()) {
            let signs = vitals.iter().find(|signs| signs.node == node.name);
            if let Some(why) = signs.and_then(Vitals::why_ended) {
                node.problem = Some(format!("ended: {why}"));
            }
        }
    }

    /// Where to look, a line each, each behind a line end; empty if nothing
    /// watches the network.
    pub fn monitoring_lines(&self) -> String {
        let Some(links) = &self.monitoring else {
            return String::new();
        };
        let lines = [
            ("Grafana", links.grafana.as_ref()),
            ("Prometheus", links.prometheus.as_ref()),
            ("Exporter", Some(&links.exporter)),
        ];
        let lines = lines
            .iter()
            .filter_map(|(name, url)| Some((name, url.as_ref()?)));
        lines
            .map(|(name, url)| format!("\n{name}: {url}"))
            .collect()
    }

    /// Whether every node runs, answers, and none contradicts another.
    pub fn is_well(&self) -> bool {
        self.agreement.all_answer
            && self.agreement.same_block != Some(false)
            && self.agreement.same_utxo != Some(false)
            && self.nodes.iter().all(|node| node.state == "running")
    }

    /// The table of nodes.
    pub fn table(&self, console: &Console) -> String {
        let mut table = plain_table(
            console,
            &[
                "NODE", "ROLE", "STATE", "HEIGHT", "TIP", "AGE", "PEERS", "MEMPOOL", "RPC",
                "METRICS",
            ],
        );
        for node in &self.nodes {
            table.add_row(node.row());
        }
        for column in [3, 5, 6, 7] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format_table(table)
    }

    /// Whether the nodes are on one chain, in a sentence.
    pub fn agreement_line(&self, console: &Console) -> String {
        let AgreementReport {
            height,
            all_answer,
            same_block,
            same_utxo,
            ref branches,
        } = self.agreement;
        let Some(height) = height else {
            return console.paint(Colour::Red, "No node answers.");
        };
        let who = if all_answer {
            "All nodes"
        } else {
            "The nodes that answer"
        };
        match (same_block, same_utxo) {
            (Some(false), _) => {
                let count = branches.len();
                let names = spell_branches(branches);
                let text = format!("{who} are on {count} branches at height {height}: {names}.");
                console.paint(Colour::Red, &text)
            }
            (_, Some(false)) => {
                let text = format!("{who} hold different coins at height {height}: this is a bug.");
                console.paint(Colour::Red, &text)
            }
            (Some(true), Some(true)) => {
                let text =
                    format!("{who} have the same block and the same coins at height {height}.");
                let colour = if all_answer {
                    Colour::Green
                } else {
                    Colour::Yellow
                };
                console.paint(colour, &text)
            }
            (Some(true), None) => {
                let text = format!("{who} have the same block at height {height}.");
                console.paint(Colour::Green, &text)
            }
            (None, _) => {
                let text = format!("Not every node told its block at height {height}; look again.");
                console.paint(Colour::Yellow, &text)
            }
        }
    }
}

impl NodeReport {
    /// Whether its process has ended.
    pub fn has_ended(&self) -> bool {
        ["exited", "dead"].contains(&self.state.as_str())
    }

    fn new(node: &NodeAddress, observed: &Observed, round: &Round) -> Self {
        let found = observed.node(&node.name);
        let state = found.map_or("missing", |node| state_word(node.state));
        let answer = round.nodes.get(&node.name);
        let facts = answer.and_then(|answer| answer.as_ref().ok());
        let chain = facts.map(|facts| &facts.chain);
        let url = |address: Option<std::net::SocketAddr>, path: &str| {
            address.map(|address| format!("http://{address}{path}"))
        };
        let rate = |facts: &NodeFacts| facts.mining.mining.then_some(facts.mining.hashrate);
        Self {
            name: node.name.clone(),
            role: node.role.clone(),
            state: state.to_owned(),
            id: found.map(|node| node.id.clone()),
            ip: node.ip.map(|ip| ip.to_string()),
            rpc_url: url(node.rpc, "/"),
            rpc_auth: None,
            metrics_url: url(node.metrics, "/metrics"),
            height: chain.map(|chain| chain.blocks),
            tip: chain.map(|chain| chain.bestblockhash.clone()),
            tip_age_s: chain.map(|chain| now_s().saturating_sub(chain.time.into())),
            chainwork: chain.map(|chain| chain.chainwork.clone()),
            peers: facts.map(|facts| facts.peers.len()),
            mempool: facts.map(|facts| facts.mempool.size),
            hash_rate: facts.and_then(rate),
            utxo_muhash: facts.and_then(|facts| facts.common_muhash.clone()),
            problem: answer.and_then(|answer| Some(answer.as_ref().err()?.0.clone())),
        }
    }

    fn row(&self) -> Vec<Cell> {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let number = |number: Option<u64>| or_dash(number.map(|number| number.to_string()));
        let age = self
            .tip_age_s
            .map(|age_s| spell_duration(std::time::Duration::from_secs(age_s)));
        vec![
            Cell::new(&self.name),
            Cell::new(&self.role),
            self.state_cell(),
            Cell::new(number(self.height.map(u64::from))),
            Cell::new(or_dash(self.tip.as_deref().map(short_hash))),
            Cell::new(or_dash(age)),
            Cell::new(number(self.peers.map(|peers| peers as u64))),
            Cell::new(number(self.mempool)),
            Cell::new(or_dash(self.rpc_url.clone())),
            Cell::new(or_dash(self.metrics_url.clone())),
        ]
    }

    fn state_cell(&self) -> Cell {
        match (self.state.as_str(), &self.problem) {
            ("running", None) => Cell::new("running").fg(Color::Green),
            ("running", Some(_)) => Cell::new("silent").fg(Color::Yellow),
            (state, _) => Cell::new(state).fg(Color::Red),
        }
    }
}

impl From<Agreement> for AgreementReport {
    fn from(agreement: Agreement) -> Self {
        Self {
            height: agreement.height,
            all_answer: agreement.is_everyone,
            same_block: agreement.same_block,
            same_utxo: agreement.same_coins,
            branches: agreement.branches,
        }
    }
}

/// Who is on which branch; of many nodes how many.
fn spell_branches(branches: &[Vec<String>]) -> String {
    let spell = |nodes: &Vec<String>| match nodes.len() {
        many if many > NAMES_MAX => format!("{many} nodes"),
        _ => nodes.join(", "),
    };
    let spelled: Vec<String> = branches.iter().map(spell).collect();
    spelled.join(" | ")
}

/// A table without lines; columns are as wide as they need to be.
pub fn plain_table(console: &Console, titles: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if console.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(
        titles
            .iter()
            .map(|title| Cell::new(title).fg(Color::DarkGrey)),
    );
    table
}

/// The table as text, its columns two spaces apart.
pub fn format_table(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// The state as one word.
pub const fn state_word(state: NodeState) -> &'static str {
    match state {
        NodeState::Created => "created",
        NodeState::Running => "running",
        NodeState::Paused => "paused",
        NodeState::Exited => "exited",
        NodeState::Dead => "dead",
    }
}

/// How many there are of each, such as `1 bootstrap, 2 miners`.
pub fn count_words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    let spelled = counts.iter().map(|(word, count)| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    });
    spelled.collect::<Vec<_>>().join(", ")
}
