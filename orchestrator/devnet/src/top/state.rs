//! What the screen is drawn from: the network as it was seen last, the last
//! lines of log, and where the user is.

use std::collections::{BTreeSet, VecDeque};

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::NodeName;

use super::seen::{Life, Node, Seen};
use crate::engine::LogLine;

/// Lines of log kept.
const LINES_MAX: usize = 500;
/// Bytes kept of each; no screen is wider.
const LINE_BYTES_MAX: usize = 2_048;

/// Everything that is drawn.
#[derive(Clone, Debug)]
pub struct State {
    /// Name of the network.
    pub network: String,
    /// What carries it.
    pub engine: EngineKind,
    /// What was seen last.
    pub seen: Seen,
    /// The last lines of log, oldest first.
    pub lines: VecDeque<LogLine>,
    /// Why there may be no lines.
    pub log_trouble: Option<String>,
    /// The node under the cursor, by its place.
    pub cursor: usize,
    /// Nodes that were marked.
    pub marked: BTreeSet<NodeName>,
    /// Whether only the log of the node under the cursor is shown.
    pub is_log_of_one: bool,
    /// Whether the keys are explained.
    pub is_help: bool,
    /// What waits for a yes.
    pub asked: Option<Order>,
    /// What is being done, in words.
    pub acting: Option<String>,
    /// Whether the user wants to leave in the midst of it.
    pub is_leaving: bool,
    /// What is to be told.
    pub message: Option<Message>,
    /// Whether lines came that are not drawn yet.
    pub is_dirty: bool,
}

/// Something done to the network by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Cuts these nodes off from the others.
    Partition(Vec<NodeName>),
    /// Takes everything out.
    Heal,
    /// Kills nodes.
    Kill(Vec<NodeName>),
    /// Starts nodes.
    Start(Vec<NodeName>),
    /// Freezes nodes.
    Pause(Vec<NodeName>),
    /// Thaws nodes.
    Unpause(Vec<NodeName>),
}

/// A line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether it is good news.
    pub tone: Tone,
    /// The words.
    pub text: String,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Done, and proven.
    Good,
    /// It did not work.
    Bad,
    /// Neither.
    Plain,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The order in words.
    pub order: String,
    /// What was measured, or why it did not work.
    pub result: Result<String, String>,
}

impl State {
    /// Nothing was seen yet.
    pub fn new(network: &str, engine: EngineKind) -> Self {
        Self {
            network: network.to_owned(),
            engine,
            seen: Seen::default(),
            lines: VecDeque::new(),
            log_trouble: None,
            cursor: 0,
            marked: BTreeSet::new(),
            is_log_of_one: false,
            is_help: false,
            asked: None,
            acting: None,
            is_leaving: false,
            message: None,
            is_dirty: false,
        }
    }

    /// Takes in what a look saw. The cursor stays with its node.
    pub fn see(&mut self, seen: Seen) {
        let under = self.under_cursor().map(|node| node.name.clone());
        let known = |name: &NodeName| seen.nodes.iter().any(|node| node.name == *name);
        self.marked.retain(known);
        let found = seen
            .nodes
            .iter()
            .position(|node| Some(&node.name) == under.as_ref());
        let last = seen.nodes.len().saturating_sub(1);
        self.cursor = found.unwrap_or(self.cursor).min(last);
        self.seen = seen;
    }

    /// Takes in a line of log, at its place in time.
    pub fn hear(&mut self, mut line: LogLine) {
        line.text
            .truncate(line.text.floor_char_boundary(LINE_BYTES_MAX));
        line.text.shrink_to_fit();
        let later = self
            .lines
            .iter()
            .rev()
            .take_while(|old| old.time_ms > line.time_ms);
        let at = self.lines.len() - later.count();
        self.lines.insert(at, line);
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// The node under the cursor.
    pub fn under_cursor(&self) -> Option<&Node> {
        self.seen.nodes.get(self.cursor)
    }

    /// Nodes that a key means: those that are marked, else the one under the
    /// cursor; in the plan's order.
    pub fn meant(&self) -> Vec<&Node> {
        if self.marked.is_empty() {
            return self.under_cursor().into_iter().collect();
        }
        let nodes = self.seen.nodes.iter();
        nodes
            .filter(|node| self.marked.contains(&node.name))
            .collect()
    }

    /// An order is on its way.
    pub fn begin(&mut self, order: &Order) {
        self.message = None;
        self.acting = Some(order.to_string());
    }

    /// The order on its way waits for that, or for nothing any more. After its
    /// end it hides no outcome.
    pub fn wait(&mut self, what: Option<String>) {
        if self.acting.is_none() {
            return;
        }
        self.message = what.map(|text| Message {
            tone: Tone::Plain,
            text,
        });
    }

    /// The order on its way has ended.
    pub fn end(&mut self, outcome: Outcome) {
        (self.acting, self.is_leaving) = (None, false);
        let (tone, result) = match outcome.result {
            Ok(result) => (Tone::Good, result),
            Err(why) => (Tone::Bad, why),
        };
        let text = format!("{}: {result}", outcome.order);
        self.message = Some(Message { tone, text });
    }

    /// Tells the user something.
    pub fn tell(&mut self, text: impl Into<String>) {
        let (tone, text) = (Tone::Plain, text.into());
        self.message = Some(Message { tone, text });
    }
}

impl Order {
    /// Whether it harms the network, so that it is asked for twice.
    pub const fn hurts(&self) -> bool {
        match self {
            Self::Partition(_) | Self::Kill(_) | Self::Pause(_) => true,
            Self::Heal | Self::Start(_) | Self::Unpause(_) => false,
        }
    }

    /// What it leads to and how it is undone, in a sentence.
    pub const fn consequence(&self) -> &'static str {
        match self {
            Self::Partition(_) => {
                "They cannot reach the others until `h` heals. It replaces any cut before it."
            }
            Self::Kill(_) => "As a crash does, at once. `k` starts them again.",
            Self::Pause(_) => "Their processes stand still until `z` thaws them.",
            Self::Heal => "All faults are taken out.",
            Self::Start(_) | Self::Unpause(_) => "They go on.",
        }
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, nodes) = match self {
            Self::Heal => return f.write_str("heal"),
            Self::Partition(nodes) => ("partition", nodes),
            Self::Kill(nodes) => ("kill", nodes),
            Self::Start(nodes) => ("start", nodes),
            Self::Pause(nodes) => ("pause", nodes),
            Self::Unpause(nodes) => ("unpause", nodes),
        };
        write!(f, "{word} {}", nodes.join(", "))?;
        match self {
            Self::Partition(_) => f.write_str(" | rest"),
            _ => Ok(()),
        }
    }
}

/// Whether a node may be killed: whether there is a process of it.
pub const fn is_up(node: &Node) -> bool {
    node.life.has_process()
}

/// Whether a node stands still.
pub const fn is_frozen(node: &Node) -> bool {
    matches!(node.life, Life::Paused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogSource;

    fn line(time_ms: u64, text: String) -> LogLine {
        LogLine {
            node: "a".into(),
            time_ms,
            source: LogSource::Stdout,
            text,
        }
    }

    #[test]
    fn lines_stand_in_order_of_time_and_of_equal_times_as_they_came() {
        let mut state = State::new("alpha", EngineKind::Process);
        for (time_ms, text) in [(5, "c"), (3, "a"), (5, "d"), (3, "b"), (9, "e")] {
            state.hear(line(time_ms, text.into()));
        }
        let texts: String = state.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, "abcde");
    }

    #[test]
    fn a_wait_is_told_while_it_lasts_and_hides_no_outcome() {
        let mut state = State::new("alpha", EngineKind::Process);
        let told = |state: &State| state.message.as_ref().map(|told| told.text.clone());
        state.begin(&Order::Heal);
        state.wait(Some("heal waits".into()));
        assert_eq!(told(&state).as_deref(), Some("heal waits"));
        state.wait(None);
        assert_eq!(told(&state), None);
        state.end(Outcome {
            order: "heal".into(),
            result: Err("it is gone".into()),
        });
        state.wait(None);
        assert_eq!(told(&state).as_deref(), Some("heal: it is gone"));
    }

    #[test]
    fn the_log_is_bounded_in_lines_and_bytes() {
        let mut state = State::new("alpha", EngineKind::Process);
        for time_ms in 0..2 * LINES_MAX as u64 {
            state.hear(line(time_ms, "ä".repeat(LINE_BYTES_MAX)));
        }
        assert_eq!(state.lines.len(), LINES_MAX);
        let held = state.lines.iter().map(|line| line.text.capacity()).max();
        assert!(held.is_some_and(|held| held <= LINE_BYTES_MAX), "{held:?}");
        assert_eq!(state.lines[0].time_ms, LINES_MAX as u64);
    }
}
