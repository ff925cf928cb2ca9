//! A network to hold scenarios against, and short words for refusals.

use devnet_scenario::check::check;
use devnet_scenario::model::{Member, Roster};
use devnet_scenario::parse::{Document, Problem, Severity, parse};

/// `bootstrap-0`, `miner-0` and `miner-1` in zone eu, `observer-0` in zone us.
pub fn roster() -> Roster {
    let member = |name: &str, group: &str, zone: &str| Member {
        name: name.into(),
        group: group.into(),
        role: group.into(),
        zone: Some(zone.into()),
    };
    Roster {
        nodes: vec![
            member("bootstrap-0", "bootstrap", "eu"),
            member("miner-0", "miner", "eu"),
            member("miner-1", "miner", "eu"),
            member("observer-0", "observer", "us"),
        ],
        block_interval_ms: 1_000,
        accounts: vec!["alice".into(), "bob".into()],
    }
}

/// A file with these steps, each line given without its indent.
pub fn with_steps(steps: &str) -> String {
    let indented: Vec<String> = steps.lines().map(|line| format!("  {line}")).collect();
    format!(
        "name: a\ntopology: {{ nodes: 4 }}\nsteps:\n{}\n",
        indented.join("\n")
    )
}

/// The scenario with these steps.
pub fn read(steps: &str) -> Document {
    parse(&with_steps(steps), &[]).unwrap_or_else(|problems| panic!("{steps}\n{problems:?}"))
}

/// Every problem as `line:column what`; warnings marked.
pub fn spell(problems: &[Problem]) -> Vec<String> {
    let spell_one = |problem: &Problem| {
        let mark = match problem.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        match problem.place {
            Some(place) => format!("{}:{} {mark}{}", place.line, place.column, problem.what),
            None => format!("{mark}{}", problem.what),
        }
    };
    problems.iter().map(spell_one).collect()
}

/// What is wrong with a file of these steps, as it is read.
pub fn unreadable(steps: &str) -> Vec<String> {
    spell(&parse(&with_steps(steps), &[]).expect_err(steps))
}

/// What is wrong with these steps on the network; the steps begin at line 4 of
/// the file, column 3.
pub fn refused(steps: &str) -> Vec<String> {
    let problems = check(&read(steps), &roster());
    let errors: Vec<Problem> = problems.into_iter().filter(Problem::is_error).collect();
    spell(&errors)
}
