//! Commands and answers: one JSON value a line, each bounded.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

/// A longer line is refused, with its end.
pub const LINE_BYTES_MAX: usize = 1 << 18;

/// Senders that rules may name at most; the kernel takes a change as one
/// message of bounded size.
pub const SENDERS_MAX: usize = 512;

/// Probes of one command at most.
pub const PROBES_MAX: usize = 1024;

/// Neighbours that one command may name at most: what a bridge has ports for.
pub const NEIGHBOURS_MAX: usize = 1023;

/// The longest time a probe may take, in milliseconds.
pub const PROBE_MS_MAX: u64 = 30_000;

/// Without a command for so long, in seconds, the helper ends. It waits while
/// the helpers of all other nodes are started, which takes a busy engine with
/// hundreds of containers more than half a minute.
pub const IDLE_S_MAX: u64 = 300;

/// Said to the helper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Put these rules in force in place of all of ours, in one step. Without
    /// any rule our table goes. Answered by [`Reply::Applied`].
    Apply(Rules),
    /// Open TCP connections, side by side. Answered by [`Reply::Probed`].
    Probe(Probe),
    /// Answered by [`Reply::Read`].
    Read {},
    /// Know these neighbours for good, so that the kernel need not ask for them
    /// nor find room for the answer. Answered by [`Reply::Met`].
    Meet(Meeting),
}

/// Who is to be known. All have the hardware addresses of
/// [`crate::hardware_address`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meeting {
    /// Address of this node; where its hardware address is another, nothing is
    /// done, for then those of the others are not known either.
    pub own: Ipv4Addr,
    /// Addresses of others on the same bridge.
    pub others: Vec<Ipv4Addr>,
}

/// All that is filtered. What is not named passes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Share of arriving packets dropped, by sender: 0 to 1, in steps of a
    /// millionth; 1 is a cut.
    #[serde(default)]
    pub drops: BTreeMap<Ipv4Addr, f64>,
    /// Senders whose packets that get through are counted.
    #[serde(default)]
    pub counted: Vec<Ipv4Addr>,
}

/// Connections to try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Where to.
    pub targets: Vec<SocketAddrV4>,
    /// How long each may take.
    pub timeout_ms: u64,
}

/// Said by the helper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The rules are in force; this was read back from the kernel.
    Applied(State),
    /// What became of the probes, in the order of the targets.
    Probed(Vec<Probed>),
    /// What is in force.
    Read(State),
    /// The neighbours are known for good.
    Met,
    /// The command was not done; nothing has changed.
    Failed(Failure),
}

/// What the kernel holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Our rules; `None` where there is no table of ours.
    pub rules: Option<Rules>,
    /// Packets since the rules were set, by sender. What passed is known of
    /// counted senders only.
    pub packets: BTreeMap<Ipv4Addr, Packets>,
}

/// Packets from one sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packets {
    /// Let through.
    pub passed: u64,
    /// Dropped.
    pub dropped: u64,
}

/// What became of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probed {
    /// A connection came about, after so many microseconds.
    Connected {
        /// Time from SYN to its answer.
        rtt_us: u64,
    },
    /// The other end said no, which proves that it is reached.
    Refused {
        /// Time from SYN to its answer.
        rtt_us: u64,
    },
    /// Nothing came back.
    TimedOut,
    /// The system refused to send at all.
    Failed,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which sort of failure.
    pub why: Why,
    /// What happened, for people.
    pub detail: String,
}

/// Sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The capability NET_ADMIN is missing.
    NotPermitted,
    /// The kernel has no nf_tables, or lacks an expression we need.
    NoNfTables,
    /// The command cannot be understood or goes beyond a bound.
    BadCommand,
    /// Our table holds what we did not put there.
    Foreign,
    /// Whatever else the kernel said.
    Kernel,
}

impl Failure {
    /// A failure of that sort, with what happened.
    pub fn new(why: Why, detail: impl std::fmt::Display) -> Self {
        Self {
            why,
            detail: detail.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("plain data")
    }

    #[test]
    fn a_command_is_one_word_with_its_data() {
        let sender = Ipv4Addr::new(10, 0, 0, 2);
        let rules = Rules {
            drops: BTreeMap::from([(sender, 0.5)]),
            counted: vec![sender],
        };
        let apply = Command::Apply(rules);
        let line = r#"{"apply":{"drops":{"10.0.0.2":0.5},"counted":["10.0.0.2"]}}"#;
        assert_eq!(text(&apply), line);
        assert_eq!(serde_json::from_str::<Command>(line).unwrap(), apply);
        let read: Command = serde_json::from_str(r#"{"read":{}}"#).unwrap();
        assert_eq!(read, Command::Read {});
        let probe = r#"{"probe":{"targets":["10.0.0.2:9000"],"timeout_ms":300}}"#;
        assert!(serde_json::from_str::<Command>(probe).is_ok());
        let meet = r#"{"meet":{"own":"10.0.0.2","others":["10.0.0.3"]}}"#;
        assert!(serde_json::from_str::<Command>(meet).is_ok());
    }

    #[test]
    fn unknown_words_are_refused() {
        for line in [
            r#"{"flush":{}}"#,
            r#"{"apply":{"drop":{}}}"#,
            r#"{"probe":{"targets":[],"timeout_ms":-1}}"#,
        ] {
            assert!(serde_json::from_str::<Command>(line).is_err(), "{line}");
        }
    }

    #[test]
    fn an_answer_reads_back_as_it_was_written() {
        let state = State {
            rules: Some(Rules::default()),
            packets: BTreeMap::from([(Ipv4Addr::LOCALHOST, Packets::default())]),
        };
        let probed = vec![Probed::Connected { rtt_us: 7 }, Probed::TimedOut];
        let failure = Failure::new(Why::NoNfTables, "no such thing");
        for reply in [
            Reply::Applied(state.clone()),
            Reply::Read(state),
            Reply::Probed(probed),
            Reply::Met,
            Reply::Failed(failure),
        ] {
            assert_eq!(serde_json::from_str::<Reply>(&text(&reply)).unwrap(), reply);
        }
    }
}
