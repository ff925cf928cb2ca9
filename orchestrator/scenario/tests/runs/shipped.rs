//! The scenarios that ship, on a toy network.

use super::*;

/// Every scenario that ships, with the roster its topology makes.
fn shipped() -> Vec<(String, Document, Roster)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scenarios");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    files
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let document = parse(&text, &[]).unwrap();
            let roster = roster_of(&document.scenario.topology);
            (path.display().to_string(), document, roster)
        })
        .collect()
}

#[derive(serde::Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(serde::Deserialize)]
struct Group {
    name: String,
    role: Option<String>,
    count: Option<usize>,
    zone: Option<String>,
}

fn roster_of(topology: &TopologySource) -> Roster {
    let group = |name: &str, count: usize| Group {
        name: name.into(),
        role: None,
        count: Some(count),
        zone: None,
    };
    let groups = match topology {
        TopologySource::Counts(counts) => {
            let miners = counts.miners.unwrap() as usize;
            let rest = counts.nodes as usize - miners - 1;
            vec![
                group("bootstrap", 1),
                group("miner", miners),
                group("observer", rest),
            ]
        }
        TopologySource::Inline(tree) => tree.read::<Groups>().unwrap().groups,
        TopologySource::File(path) => panic!("{path}: a file of its own"),
    };
    let members = groups.iter().flat_map(|group| {
        (0..group.count.unwrap_or(1)).map(|index| Member {
            name: format!("{}-{index}", group.name),
            group: group.name.clone(),
            role: group.role.clone().unwrap_or_else(|| group.name.clone()),
            zone: group.zone.clone(),
        })
    });
    Roster {
        nodes: members.collect(),
        ..roster(&[])
    }
}

#[test]
fn every_shipped_scenario_passes_on_a_healthy_toy() {
    for (path, document, roster) in shipped() {
        let miners = roster.nodes.iter().filter(|x| x.role == "miner").count() as u64;
        for seed in 0..8 {
            // Rates differ, so that branches differ in work.
            let every_ms = |index: usize| 900 * miners + (150 * seed + 70) * index as u64;
            let mut toy = Toy::of(&roster, Tricks::default(), every_ms);
            let mut runner = Runner::new(document.scenario.clone(), roster.clone(), seed);
            toy.run(&mut runner);
            let report = runner.report();
            let told = story(report).map(|story| story.to_string());
            let told = told.unwrap_or_default();
            assert_eq!(report.verdict, Verdict::Pass, "{path} with {seed}\n{told}");
        }
    }
}

#[test]
fn a_healthy_network_that_should_stand_still_is_a_failure() {
    let text = include_str!("../../../../tests/scenarios/bad/wrong-expectation.yaml");
    let document = parse(text, &[]).unwrap();
    let roster = roster_of(&document.scenario.topology);
    let mut toy = Toy::of(&roster, Tricks::default(), |_| 1_000);
    let mut runner = Runner::new(document.scenario, roster, 1);
    toy.run(&mut runner);
    assert_verdict(runner.report(), Verdict::Fail);
    assert!(
        runner
            .report()
            .failure
            .as_ref()
            .unwrap()
            .found
            .contains("grew from")
    );
}
