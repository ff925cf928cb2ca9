//! What steps, acts and claims are called in reports.

use crate::fault::Heal;
use crate::history::faults::describe;
use crate::model::{
    Claim, Comparison, Expectation, Lines, MetricMode, Step, TipRef, TransactionState, Verb, Wait,
};
use crate::world::Act;

/// The step's title, else what it does in a few words.
pub(super) fn title(step: &Step) -> String {
    if let Some(title) = &step.title {
        return title.clone();
    }
    let word = step.verb.word();
    let doing = match &step.verb {
        Verb::Partition(wish) => format!("partition {wish}"),
        Verb::Heal(heal, None) => describe_heal(heal),
        Verb::Heal(_, Some(nodes)) => format!("heal {nodes}"),
        Verb::Condition(wish) => wish.to_string(),
        Verb::Kill(on)
        | Verb::Stop(on)
        | Verb::Start(on)
        | Verb::Restart(on)
        | Verb::Pause(on)
        | Verb::Unpause(on)
        | Verb::Wipe(on)
        | Verb::CorruptStore(on)
        | Verb::FillDisk(on)
        | Verb::Remove(on) => format!("{} {on}", word.replace('_', " ")),
        Verb::ClockSkew(wish) => format!("clock of {} off by {} ms", wish.on, wish.by.ms),
        Verb::HashRate(wish) => format!("{} hashes/s on {}", wish.to, wish.on),
        Verb::Add(wish) => format!("add {} to {}", wish.count, wish.group),
        Verb::Upgrade(wish) => format!("upgrade {} to {}", wish.on, wish.to),
        Verb::Wait(wait) => describe_wait(wait),
        Verb::Load(wish) => format!("load {} at {} tx/s", wish.name, wish.rate),
        Verb::StopLoad(name) => format!("stop load {name}"),
        Verb::Transfer(wish) => format!("transfer from {} to {}", wish.from, wish.to),
        Verb::Record(values) => {
            let names: Vec<&str> = values.keys().map(String::as_str).collect();
            format!("record {}", names.join(", "))
        }
        Verb::Expect(all) | Verb::Always(crate::model::AlwaysWish { expect: all, .. }) => {
            let words: Vec<&str> = all.iter().map(|x| x.claim.word()).collect();
            format!("{word} {}", words.join(", "))
        }
        Verb::Repeat(wish) => format!("repeat {} times", wish.count),
        Verb::Parallel(_) | Verb::Sequence(_) => word.to_owned(),
    };
    match step.lasts {
        Some(time) => format!("{doing} for {time}"),
        None => doing,
    }
}

pub(super) fn describe_act(act: &Act) -> String {
    match act {
        Act::Inflict(fault) => describe(fault),
        Act::Heal(heal) => describe_heal(heal),
        Act::Lift { fault, .. } => format!("lift {}", describe(fault)),
        Act::StartLoad(load) => format!("load {} at {} tx/s", load.name, load.rate),
        Act::StopLoad { name } => format!("stop load {name}"),
        Act::Transfer(x) => format!("transfer of {} from {} to {}", x.sats, x.from, x.to),
    }
}

/// What is expected, in one line.
pub(super) fn describe_claim(expectation: &Expectation) -> String {
    let mut text = claim(&expectation.claim);
    if let Some(on) = &expectation.on {
        text.push_str(&format!(" on {on}"));
    }
    if !expectation.except.is_empty() {
        text.push_str(&format!(" except {}", expectation.except.join(",")));
    }
    if expectation.allow.get() > 0.0 {
        text.push_str(&format!(", {} may break it", expectation.allow));
    }
    if let Some(within) = expectation.within {
        text.push_str(&format!(", within {within}"));
    }
    text
}

fn claim(claim: &Claim) -> String {
    let word = claim.word().replace('_', " ");
    match claim {
        Claim::Converged { max_lag, fresh } => {
            format!("converged (at most {max_lag} blocks between nodes, {fresh} fresh blocks)")
        }
        Claim::Diverged { advance } => {
            format!("diverged (each side mines {advance} blocks alone)")
        }
        Claim::Progress { blocks } => format!("progress by {blocks} blocks"),
        Claim::NoProgress { during } => format!("no progress during {during}"),
        Claim::TipOf { of, contains } => {
            let what = if *contains {
                "chain contains"
            } else {
                "tip is"
            };
            match of {
                TipRef::Node(name) => format!("{what} the tip of {name}"),
                TipRef::Record(name) => format!("{what} ${name}"),
            }
        }
        Claim::Height(is)
        | Claim::ReorgDepth(is)
        | Claim::ForkCount(is)
        | Claim::StaleRate(is)
        | Claim::Peers(is)
        | Claim::Restarts(is)
        | Claim::Memory(is) => format!("{word} {is}"),
        Claim::BlockInterval(bounds) => {
            let mean = bounds.mean.iter().map(|is| format!("mean {is}"));
            let others = bounds
                .percentiles
                .iter()
                .map(|(p, is)| format!("p{p} {is}"));
            let all: Vec<String> = mean.chain(others).collect();
            format!("block interval {}", all.join(", "))
        }
        Claim::Winner { side: Some(side) } => format!("the branch of {side} had most work and won"),
        Claim::Winner { side: None } => "the branch with most work won".into(),
        Claim::Supply => "the coins sum up to what was issued".into(),
        Claim::Transaction(claim) => match claim.is {
            TransactionState::Confirmed => format!("{} confirmed everywhere", claim.name),
            TransactionState::ConfirmedOrWaiting => {
                format!("{} confirmed or waiting everywhere", claim.name)
            }
        },
        Claim::Metric(claim) => metric(&claim.selector.text, claim.mode, &claim.is),
        Claim::Log(claim) => format!("log lines {} {}", lines(&claim.lines), claim.count),
        Claim::NoErrorLogs { .. } => "no error in the logs".into(),
    }
}

pub(super) fn describe_wait(wait: &Wait) -> String {
    let (what, on) = match wait {
        Wait::For(time) => return format!("wait {time}"),
        Wait::Height { height, on } => (format!("wait for height {height}"), on),
        Wait::Blocks { blocks, on } => (format!("wait for {blocks} more blocks"), on),
        Wait::Peers { peers, on } => (format!("wait for {peers} peers"), on),
        Wait::Log { lines: wanted, on } => (format!("wait for log lines {}", lines(wanted)), on),
    };
    on.as_ref()
        .map_or(what.clone(), |on| format!("{what} on {on}"))
}

fn metric(selector: &str, mode: MetricMode, is: &Comparison) -> String {
    match mode {
        MetricMode::Value => format!("{selector} {is}"),
        MetricMode::Delta => format!("change of {selector} {is}"),
        MetricMode::Rate => format!("{selector} a second {is}"),
    }
}

fn lines(lines: &Lines) -> String {
    match lines {
        Lines::Containing(text) => format!("containing `{text}`"),
        Lines::Matching(pattern) => format!("matching `{pattern}`"),
    }
}

fn describe_heal(heal: &Heal) -> String {
    match heal {
        Heal::All => "heal everything".into(),
        Heal::Cuts => "heal cuts".into(),
        Heal::Conditions => "heal link conditions".into(),
        Heal::Nodes(nodes) => format!("heal {}", nodes.join(",")),
    }
}
