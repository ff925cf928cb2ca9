//! What the sides of a fault have mined, and where they part, for people.

use comfy_table::Cell;
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::history::short;
use devnet_scenario::parting::{Aftermath, Parting};

use super::super::report::{format_table, plain_table};
use crate::console::{Colour, Console};

/// Sides, one a row, then the fork; `aftermath` where the fault is out.
pub fn text(console: &Console, parting: &Parting, aftermath: Option<&Aftermath>) -> String {
    let titles = ["SIDE", "BEFORE", "NOW", "GAINED", "ALONE", "TIP", "NODES"];
    let mut table = plain_table(console, &titles);
    let is_one = parting.sides.len() == 1;
    for side in &parting.sides {
        let height = |mark: &Option<TipMark>| {
            let height = mark.as_ref().map(|mark| mark.height.to_string());
            height.unwrap_or_else(|| "silent".to_owned())
        };
        let tip = side
            .now
            .as_ref()
            .map_or_else(String::new, |now| short(&now.tip));
        table.add_row([
            Cell::new(if is_one { "all" } else { &side.label }),
            Cell::new(height(&side.before)),
            Cell::new(height(&side.now)),
            Cell::new(
                side.gained
                    .map_or_else(String::new, |gained| format!("{gained:+}")),
            ),
            Cell::new(
                side.alone
                    .map_or_else(String::new, |alone| alone.to_string()),
            ),
            Cell::new(tip),
            Cell::new(side.nodes.join(", ")),
        ]);
    }
    let mut lines = vec![format_table(table)];
    if !parting.between.is_empty() {
        let between = parting.between.join(", ");
        lines.push(format!(
            "Between the sides, reaching all of them: {between}"
        ));
    }
    lines.extend(fork(console, parting));
    lines.extend(aftermath.map(|aftermath| aftermath.spell(parting)));
    lines.join("\n")
}

fn fork(console: &Console, parting: &Parting) -> Option<String> {
    let Some(fork) = &parting.fork else {
        let silent = parting.sides.iter().any(|side| side.now.is_none());
        let text = match (parting.differs(), silent) {
            (true, _) => "Their last common block could not be found: a node did not answer.",
            (false, true) => "Not forked as far as nodes answer.",
            (false, false) => "Not forked: all sides have the same tip.",
        };
        return (parting.sides.len() > 1).then(|| text.to_owned());
    };
    let mut text = fork.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(match fork.is_fork {
        true => console.paint(Colour::Yellow, &format!("{text}.")),
        false => format!("{text}."),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use devnet_scenario::fault::{Cut, CutShape, Fault};
    use devnet_scenario::parting::Tips;

    use super::*;

    const PLAIN: Console = Console {
        json: false,
        verbose: false,
        is_terminal: false,
        colour: false,
        mute: false,
    };

    fn mark(tip: &str, height: u32) -> TipMark {
        TipMark {
            tip: format!("{tip:0>64}"),
            height,
            work: format!("{height:064x}"),
        }
    }

    fn parting(now: &[(&str, &str, u32)]) -> Parting {
        let roster: Vec<String> = ["bootstrap-0", "miner-0", "miner-1", "observer-0"]
            .map(str::to_owned)
            .into();
        let cut = Cut::new(CutShape::halves(&roster), &roster).expect("a sound shape");
        let before: Tips = roster
            .iter()
            .map(|node| (node.clone(), mark("c", 41)))
            .collect();
        let now = now
            .iter()
            .map(|(node, tip, height)| ((*node).to_owned(), mark(tip, *height)));
        Parting::new(&Fault::Cut(cut), &roster, &before, &now.collect()).expect("of links")
    }

    #[test]
    fn a_fork_is_told_with_both_sides_and_who_won() {
        let mut parting = parting(&[
            ("bootstrap-0", "a", 47),
            ("miner-0", "a", 48),
            ("miner-1", "b", 44),
            ("observer-0", "b", 44),
        ]);
        parting.part_at(41, &format!("00ab12cd34ef{:052}", 0));
        insta::assert_snapshot!(text(&PLAIN, &parting, None));
        let everyone = ["bootstrap-0", "miner-0", "miner-1", "observer-0"];
        let followers = BTreeMap::from([("A".to_owned(), everyone.map(str::to_owned).into())]);
        let aftermath = parting.aftermath(followers, 4);
        insta::assert_snapshot!(text(&PLAIN, &parting, aftermath.as_ref()));
    }

    #[test]
    fn sides_that_have_not_parted_yet_say_so() {
        let same = parting(&[("miner-0", "c", 41), ("miner-1", "c", 41)]);
        insta::assert_snapshot!(text(&PLAIN, &same, None));
        let mut ahead = parting(&[("miner-0", "a", 42), ("miner-1", "c", 41)]);
        ahead.part_at(41, &format!("{:0>64}", "c"));
        insta::assert_snapshot!(text(&PLAIN, &ahead, None));
    }

    #[test]
    fn a_silent_side_is_told_as_silent() {
        let silent = parting(&[("miner-0", "a", 42)]);
        insta::assert_snapshot!(text(&PLAIN, &silent, None));
    }
}
