//! `devnet logs`: what nodes say, merged in time order.

mod merge;

use std::time::Duration;

use serde_json::json;

use self::merge::Merge;
use super::{NameArgs, OutputArgs};
use crate::clock::{now_ms, parse_duration};
use crate::console::Colour;
use crate::engine::{LogLine, LogSource, LogWish};
use crate::exit::{Exit, Failure};
use crate::world::{Attached, World};
use devnet_blueprint::nearest::nearest;

const EXAMPLES: &str = "\
Examples:
  devnet logs                           the last lines of every node, in time order
  devnet logs miner-0 miner-1 -f        follow two nodes
  devnet logs --since 5m --tail all     all of the last five minutes
  devnet logs --json | jq .text         one JSON object a line";

/// Show what nodes say, several merged in time order
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Nodes to show; none: all
    #[arg(value_name = "NODE")]
    pub(super) nodes: Vec<String>,

    /// Go on as new lines come, until Ctrl-C
    #[arg(short, long)]
    pub(super) follow: bool,

    /// At most this many of each node's last lines, or `all`
    #[arg(long, value_name = "LINES", default_value = "200", value_parser = tail)]
    pub(super) tail: Tail,

    /// Only lines of this last time, such as 5m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) since: Option<Duration>,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// How many of the last lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail(Option<usize>);

fn tail(text: &str) -> Result<Tail, String> {
    if text == "all" {
        return Ok(Tail(None));
    }
    let lines = text
        .parse()
        .map_err(|_| format!("`{text}` is no number of lines, nor `all`"))?;
    Ok(Tail(Some(lines)))
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let name = &args.network.name;
    let attached = world.attach_or_fail(name).await?;
    check_nodes(&args.nodes, &attached)?;
    let since_ms = args
        .since
        .map(|span| now_ms().saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)));
    let wish = LogWish {
        nodes: args.nodes.clone(),
        since_ms,
        tail: args.tail.0,
        follow: args.follow,
    };
    let lines = attached.engine.logs(name, &wish).await?;
    let printer = Printer::new(world, &attached);
    let mut merge = Merge::new(lines, args.follow);
    let print = async {
        while let Some(line) = merge.next().await {
            printer.print(&line?)?;
        }
        Ok(Exit::Success)
    };
    tokio::select! {
        ended = print => ended,
        // Ctrl-C is how one stops following.
        _ = tokio::signal::ctrl_c() => Ok(Exit::Success),
    }
}

fn check_nodes(wished: &[String], attached: &Attached) -> Result<(), Failure> {
    let names = || {
        let planned = attached.nodes.iter().map(|node| node.name.as_str());
        planned.chain(
            attached
                .observed
                .nodes
                .iter()
                .map(|node| node.node.as_str()),
        )
    };
    let Some(unknown) = wished
        .iter()
        .find(|wish| !names().any(|name| name == wish.as_str()))
    else {
        return Ok(());
    };
    let failure = Failure::bad_input(format!("there is no node `{unknown}`"));
    Err(match nearest(unknown, names()) {
        Some(meant) => failure.next(format!("Did you mean `{meant}`?")),
        None => {
            let mut known: Vec<&str> = names().collect();
            known.sort_unstable();
            known.dedup();
            failure.next(format!("Nodes are: {}.", known.join(", ")))
        }
    })
}

/// Prints lines with their node's name before them.
struct Printer<'a> {
    world: &'a World,
    names: Vec<String>,
    width: usize,
}

impl<'a> Printer<'a> {
    fn new(world: &'a World, attached: &Attached) -> Self {
        let names: Vec<String> = attached
            .nodes
            .iter()
            .map(|node| node.name.clone())
            .collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        Self {
            world,
            names,
            width,
        }
    }

    fn print(&self, line: &LogLine) -> Result<(), Failure> {
        let LogLine {
            node,
            time_ms,
            source,
            text,
        } = line;
        let stream = if *source == LogSource::Stderr {
            "stderr"
        } else {
            "stdout"
        };
        self.world.console.answer_line(
            &json!({ "node": node, "time_ms": time_ms, "stream": stream, "text": text }),
        )?;
        let index = self
            .names
            .iter()
            .position(|name| name == node)
            .unwrap_or(self.names.len());
        let prefix = format!("{node:<width$} |", width = self.width);
        let prefix = self.world.console.paint(Colour::Nth(index), &prefix);
        self.world.console.say(&format!("{prefix} {text}"));
        Ok(())
    }
}
