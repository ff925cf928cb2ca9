//! Bundles that are whole, broken, foreign, or no bundles.

use super::super::fixture::{BEGIN_MS, NODES, block, report, source};
use super::super::{Account, html};
use super::*;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a writable disk");
    fs::write(path, text).expect("a writable disk");
}

/// A bundle of a run of three blocks.
fn whole(folder: &Path) {
    let mut report = report();
    report.blocks = vec![
        block(0, None, 0),
        block(1, Some(0), 1),
        block(2, Some(1), 2),
    ];
    let text = serde_json::to_string(&report).expect("JSON");
    write(folder, "report.json", &text);
    write(
        folder,
        "run.json",
        r#"{"run":{"engine":"process","replay":"devnet run x.yaml","heal_to_converged_ms":[5]},
            "versions":{"devnet":"9.9.9","kernel":"6.18","processors":2,"programs":["p","q"]}}"#,
    );
    write(folder, "genesis.json", r#"{"difficulty":"asert"}"#);
    for node in NODES {
        let time = crate::clock::rfc3339(BEGIN_MS / 1_000 + 1);
        let tip = &report.blocks[1].fact.hash;
        let line = format!(
            "00:16:41.000 {time}  INFO minichain_node::observe::event: tip changed tip={tip} height=1\n"
        );
        write(
            folder,
            &format!("logs/{node}.log"),
            &format!("odd\u{0}line\n\n{line}"),
        );
        let samples = "# sampled at 1001000 ms since 1970\nprocess_resident_memory_bytes 5\n\n\
                       # sampled at 1006000 ms since 1970\nprocess_resident_memory_bytes 7\n";
        write(folder, &format!("metrics/{node}.prom"), samples);
    }
}

fn refusal(folder: &Path) -> String {
    let failure = bundle(folder).expect_err("no bundle");
    assert_eq!(failure.exit(), crate::exit::Exit::BadInput);
    failure.to_string()
}

#[test]
fn a_whole_bundle_is_read_from_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    whole(folder.path());
    let source = bundle(folder.path()).expect("a bundle");
    assert_eq!(source.remarks, Vec::<String>::new());
    let run = source.run.clone().expect("a run");
    assert_eq!((run.engine.as_str(), run.seed), ("process", 7));
    assert_eq!(run.heal_to_converged_ms, [5]);
    assert_eq!(source.book.of("a").len(), 1);
    let memory: Vec<_> = source.samples["b"].taken.iter().map(|x| x.memory).collect();
    assert_eq!(memory, [Some(5.0), Some(7.0)]);
    let has = |name: &str, value: &str| source.environment.contains(&(name.into(), value.into()));
    assert!(has("Program", "p, q") && has("Processors", "2") && has("Difficulty rule", "asert"));
    let page = html::page(&Account::of(&source));
    assert!(page.contains("devnet run x.yaml"));
}

#[test]
fn a_bundle_without_its_lesser_files_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    whole(folder.path());
    fs::remove_file(folder.path().join("run.json")).expect("a file");
    fs::remove_dir_all(folder.path().join("logs")).expect("a folder");
    write(folder.path(), "genesis.json", "{");
    let source = bundle(folder.path()).expect("a bundle");
    let told = source.remarks.join("\n");
    for part in [
        "run.json cannot be used",
        "genesis.json cannot be used",
        "logs cannot be used",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let account = Account::of(&source);
    assert!(account.propagation.nodes.is_empty());
    assert!(html::page(&account).contains("run.json cannot be used"));
}

#[test]
fn what_is_no_bundle_is_refused_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(refusal(&folder.path().join("none")).contains("there is no folder"));
    assert!(refusal(folder.path()).contains("holds no report.json"));
    whole(&folder.path().join("smoke-1"));
    let told = refusal(folder.path());
    assert!(
        told.contains("There are bundles in it") && told.contains("smoke-1"),
        "{told}"
    );
    let told = refusal(&folder.path().join("smoke-1/report.json"));
    assert!(told.contains("a bundle is a folder"), "{told}");
}

#[test]
fn a_report_that_is_not_understood_names_the_version_that_wrote_it() {
    let folder = tempfile::tempdir().expect("a folder");
    whole(folder.path());
    for text in ["", "{", "[]", "{\"name\":\"x\"}", "\u{0}"] {
        write(folder.path(), "report.json", text);
        let told = refusal(folder.path());
        assert!(told.contains("is not the report of a run"), "{told}");
        assert!(told.contains("devnet 9.9.9 wrote it"), "{told}");
    }
    fs::remove_file(folder.path().join("run.json")).expect("a file");
    assert!(refusal(folder.path()).contains("damaged"));
}

#[test]
fn names_and_links_do_not_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    whole(folder.path());
    let secret = folder.path().join("secret.log");
    fs::write(&secret, "x").expect("a writable disk");
    let link = folder.path().join("logs/d.log");
    std::os::unix::fs::symlink(&secret, link).expect("a link");
    let mut remarks = Vec::new();
    let found = files(&folder.path().join("logs"), ".log", &mut remarks);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn the_account_of_a_run_tells_its_figures() {
    let account = Account::of(&source());
    assert_eq!((account.stale.blocks, account.stale.stale), (41, 1));
    assert_eq!(account.intervals.summary.map(|x| x.median), Some(1_000.0));
    let quiet = account.propagation.nodes[2].quiet.expect("arrivals");
    assert_eq!((quiet.count, quiet.median, quiet.max), (40, 20.0, 20.0));
    assert_eq!(account.propagation.nodes[0].first, 40);
    assert_eq!(account.nodes[2].down_ms, 4_000);
    assert_eq!(account.lanes[0].tips.len(), 40);
    let text = super::super::text(&account);
    for part in ["PASS fixture", "41 found, 1 stale (2.4 %)", "1 side branch"] {
        assert!(text.contains(part), "{text}");
    }
}
