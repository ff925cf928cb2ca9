//! Seeds, searched for schedules that break a network.

use std::sync::atomic::AtomicBool;

use devnet::simworld::explore::{self, Came, Case, Explored, Failed, Ranges, Search};
use minichain_sim::setup::Planted;
use tempfile::TempDir;

use crate::{answer, devnet, program, words};

/// Seeds that are explored; a failing one is printed with its replay line.
const SEEDS: (u64, u64) = (0, 200);
/// Nobody interrupts.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Known seeds: small networks, and what is drawn where nothing is asked for.
fn search(seeds: (u64, u64), planted: Option<Planted>) -> Search {
    Search {
        seeds,
        ranges: Ranges::default(),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        planted,
    }
}

fn explored(search: &Search) -> Option<(Case, Failed)> {
    let seeds = search.seeds;
    let explored = explore::explore(search, &NEVER, &|| {});
    let explored = explored.unwrap_or_else(|why| panic!("{why}"));
    let invalid = &explored.invalid;
    let most = usize::try_from((seeds.1 - seeds.0) / 10).unwrap_or_default();
    assert!(
        invalid.len() < most.max(2),
        "{} cases prove nothing: {invalid:#?}",
        invalid.len()
    );
    explored.failed
}

fn assert_holds(case: &Case) {
    let came = explore::run(case, None, &NEVER);
    assert!(
        matches!(came, Ok(Came::Well(_))),
        "{came:?}\n{}",
        case.yaml()
    );
}

#[test]
fn explored_networks_are_safe_and_live() {
    assert_well(&search(SEEDS, None));
}

/// A node begins anew, and the next fault damages its store at once.
#[test]
fn a_store_that_is_damaged_before_its_first_write_proves_something_too() {
    let ranges = Ranges {
        is_wide: true,
        ..Ranges::default()
    };
    assert_holds(&Case::draw(90, ranges));
}

#[test]
fn what_was_explored_is_told_by_its_faults() {
    let arguments = ["sim", "explore", "--seeds", "0..40"];
    let out = devnet(program(), &[&arguments[..], &["--json"]].concat());
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
    let answer = answer(&out);
    let (held, invalid) = (&answer["held"], answer["invalid"].as_object());
    let count = |value: &serde_json::Value| value.as_u64().unwrap_or_else(|| panic!("{held}"));
    let invalid = invalid.map_or(0, |invalid| invalid.len() as u64);
    assert_eq!(count(&held["networks"]), 40 - invalid);
    let drawn = (0..40).map(|seed| Case::draw(seed, Ranges::default()).yaml());
    let drawn: Vec<String> = drawn.collect();
    let asking = |verb: &str| drawn.iter().filter(|text| text.contains(verb)).count() as u64;
    let tears = count(&held["by_fault"]["corrupt_store"]);
    assert!(
        tears + invalid >= asking("- corrupt_store:") && tears > 0,
        "{held}"
    );
    let storage = &held["storage"];
    assert_eq!(count(&storage["torn_write"]), tears);
    for kind in ["lost_unflushed", "torn_write", "refused_store", "full_disk"] {
        let networks = count(&storage[kind]);
        assert!(
            networks > 0 && networks <= count(&storage["networks"]),
            "{kind}: {held}"
        );
    }
    assert!(count(&storage["networks"]) < 40, "some have none: {held}");
    let plain = devnet(program(), &arguments);
    let said = format!(
        "Of the {} that held, {} had storage faults: in {} a crash lost what was not flushed, in \
         {tears} a write was torn",
        held["networks"], storage["networks"], storage["lost_unflushed"]
    );
    assert!(words(&plain).contains(&said), "{said}\n{}", words(&plain));
    let kills = format!("kill {}", held["by_fault"]["kill"]);
    assert!(words(&plain).contains(&kills), "{}", words(&plain));
}

fn assert_well(search: &Search) {
    if let Some((case, failed)) = explored(search) {
        let (seed, next, ranges) = (case.seed, case.seed + 1, search.ranges);
        panic!(
            "{failed:?}\nagain: devnet sim explore --seeds {seed}..{next}{ranges}\n{}",
            case.yaml()
        );
    }
}

#[test]
fn networks_of_wide_ranges_are_safe_and_live() {
    let ranges = Ranges {
        is_wide: true,
        ..Ranges::default()
    };
    assert_well(&Search {
        ranges,
        ..search((0, 60), None)
    });
}

#[test]
fn larger_networks_are_safe_and_live() {
    let ranges = Ranges {
        nodes: (20, 40),
        is_wide: false,
    };
    assert_well(&Search {
        ranges,
        ..search((0, 6), None)
    });
}

/// More nodes than each knows of all others.
#[test]
fn a_large_network_is_drawn_and_runs_the_same_in_two_processes() {
    let ranges = Ranges {
        nodes: (70, 70),
        is_wide: false,
    };
    let case = Case::draw(3, ranges);
    assert_eq!(case.count(), 70);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("large.yaml");
    std::fs::write(&path, case.yaml()).expect("a writable disk");
    let path = path.display().to_string();
    let arguments = ["run", &path, "--world", "sim", "--seed", "3"];
    let out = devnet(
        program(),
        &[&arguments[..], &["--check-determinism"]].concat(),
    );
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
}

#[test]
fn a_planted_mistake_is_found_and_shrunk() {
    let planted = Some(Planted::LastSeenWins);
    let found = explored(&search((0, 60), planted));
    let (case, failed) = found.expect("somebody finds it");
    assert_eq!(failed.kind, "unsafe: Work");
    let (small, still, tries) = explore::shrink(&case, &failed, planted, &NEVER, &|| {});
    let faults = small.links.len() + small.nodes.len();
    println!("{case:?}\nin {tries} runs to\n{small:?}\n{}", still.why);
    assert_eq!(still.kind, failed.kind);
    assert!(
        faults <= 1 && small.count() <= 3 && small.rate == 0,
        "{small:?}"
    );
    // It is the mistake that is found: without it the same schedule passes.
    assert_holds(&small);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("small.yaml");
    std::fs::write(&path, small.yaml()).expect("a writable disk");
    let path = path.display().to_string();
    let out = devnet(program(), &["check", &path]);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
}

#[test]
fn what_fails_in_a_large_network_is_shrunk_to_a_small_one() {
    let planted = Some(Planted::LastSeenWins);
    let ranges = Ranges {
        nodes: (30, 40),
        is_wide: true,
    };
    let found = explored(&Search {
        ranges,
        ..search((0, 60), planted)
    });
    let (case, failed) = found.expect("somebody finds it");
    assert!(case.count() >= 30, "{case:?}");
    let (small, still, tries) = explore::shrink(&case, &failed, planted, &NEVER, &|| {});
    println!("{case:?}\nin {tries} runs to\n{small:?}\n{}", still.why);
    assert_eq!(still.kind, failed.kind);
    let faults = small.links.len() + small.nodes.len();
    assert!(small.count() <= 4 && faults <= 2, "{small:?}");
    // What is left of the machines is what it needs, and it is the mistake.
    assert_holds(&small);
}

#[test]
fn jobs_find_what_one_finds_alone() {
    let planted = Some(Planted::LastSeenWins);
    let first = 15;
    let found = |jobs| {
        let search = search((first, 60), planted);
        explore::explore(&Search { jobs, ..search }, &NEVER, &|| {})
    };
    let alone = found(1).expect("every case is a scenario");
    let (case, _) = alone.failed.as_ref().expect("somebody finds it");
    // One by one, so every seed up to that one; some go well before.
    assert_eq!(alone.runs, case.seed - first + 1);
    assert!(alone.runs > 1, "{alone:?}");
    for jobs in [2, 7] {
        assert_eq!(found(jobs).as_ref(), Ok(&alone), "{jobs} jobs");
    }
}

#[test]
fn the_last_seeds_there_are_end_the_search() {
    let seeds = (u64::MAX - 2, u64::MAX);
    let explored = explore::explore(&search(seeds, None), &NEVER, &|| {});
    assert_eq!(explored.map(|explored| explored.runs), Ok(2));
}

#[test]
fn what_nobody_waits_for_is_not_counted_nor_shrunk() {
    let stopped = AtomicBool::new(true);
    let explored = explore::explore(&search((0, 60), None), &stopped, &|| {});
    assert_eq!(explored, Ok(Explored::default()));
    let case = Case::draw(1, Ranges::default());
    assert_eq!(explore::run(&case, None, &stopped), Ok(Came::Unfinished));
    let failed = Failed {
        kind: "unsafe: Work".to_owned(),
        why: String::new(),
    };
    let (small, still, tries) = explore::shrink(&case, &failed, None, &stopped, &|| {});
    assert_eq!((small, still, tries), (case, failed, 0));
}

#[test]
fn bad_seeds_and_jobs_are_refused_with_a_way_to_write_them() {
    for (arguments, what) in [
        (["--seeds", "9..3"], "there is no seed in it"),
        (["--seeds", "3..3"], "there is no seed in it"),
        (["--seeds", "3"], "write it like 0..1000"),
        (["--seeds", "0..=5"], "write it like 0..1000"),
        (["--seeds", "-1..5"], "write it like 0..1000"),
        (
            ["--seeds", "0..99999999999999999999"],
            "write it like 0..1000",
        ),
        (["--nodes", "1"], "choose from 2..1001"),
        (["--nodes", "2..2000"], "choose from 2..1001"),
        (["--nodes", "9..3"], "there is no size in it"),
        (["--nodes", "many"], "write it like 2..50, or 200"),
        (["--jobs", "0"], "1..=1024"),
        (["--jobs", "many"], "invalid"),
        (["--plant", "nothing"], "last-seen-wins"),
    ] {
        let argument = format!("{}={}", arguments[0], arguments[1]);
        let out = devnet(program(), &["sim", "explore", &argument]);
        assert_eq!(out.status.code(), Some(2), "{argument}: {}", words(&out));
        assert!(words(&out).contains(what), "{argument}: {}", words(&out));
    }
    for verb in [["run"].as_slice(), &["sim", "play"]] {
        let arguments = [verb, &["a.yaml", "--seed=seven"]].concat();
        let out = devnet(program(), &arguments);
        assert_eq!(out.status.code(), Some(2), "{}", words(&out));
        assert!(words(&out).contains("--seed"), "{}", words(&out));
    }
}

/// As a user sees it: the seed, the line that runs it again, the file.
#[test]
fn a_failing_seed_is_told_with_the_line_that_runs_it_again() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("small case.yaml");
    let out_file = format!("--out={}", file.display());
    let plant = ["--plant", "last-seen-wins", "--seeds", "0..60"];
    let arguments = [&["sim", "explore", "--json", &out_file][..], &plant].concat();
    let out = devnet(program(), &arguments);
    assert_eq!(out.status.code(), Some(1), "{}", words(&out));
    let failed = &answer(&out)["failed"];
    let seed = failed["seed"].as_u64().expect("a seed");
    let again = format!("devnet sim explore --seeds {seed}..{}", seed + 1);
    assert_eq!(failed["again"], again);
    assert!(words(&out).contains(&again), "{}", words(&out));
    let replay = failed["replay"].as_str().expect("a line");
    let quoted = format!("devnet run '{}' --world sim --seed {seed}", file.display());
    assert_eq!(replay, quoted);
    // Nobody makes the mistake there, so it passes.
    let path = file.display().to_string();
    let seed = seed.to_string();
    let again = ["run", &path, "--world", "sim", "--seed", &seed];
    let out = devnet(program(), &again);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
}
