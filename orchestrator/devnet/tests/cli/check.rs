//! Scenario files are checked before anything starts.

use crate::support::Devnet;

const BROKEN: &str = "\
name: broken
topology: { nodes: 3 }
steps:
  - kill: minr-0
  - wait: 90000 blocks
  - expect: diverged
";

#[test]
fn every_problem_of_a_file_is_shown_at_its_place() {
    let devnet = Devnet::new();
    let path = devnet.write("broken.yaml", BROKEN);
    let outcome = devnet.run(&["check", &path.to_string_lossy()]);
    assert_eq!(outcome.code, 2);
    assert_eq!(outcome.stdout, "");
    let shown = outcome
        .stderr
        .replace(&*path.to_string_lossy(), "broken.yaml");
    insta::assert_snapshot!("check_of_a_broken_scenario", shown);
}

#[test]
fn problems_are_data_too() {
    let devnet = Devnet::new();
    let path = devnet.write("broken.yaml", BROKEN);
    let outcome = devnet.run(&["check", "--json", &path.to_string_lossy()]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (2, ""));
    let answer: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    assert_eq!(answer["valid"], false);
    let problems = answer["files"][0]["problems"].as_array().expect("a list");
    assert_eq!(problems.len(), 3);
    assert_eq!(
        (&problems[0]["line"], &problems[0]["column"]),
        (&4.into(), &11.into())
    );
    assert_eq!(problems[0]["severity"], "error");
}

#[test]
fn parameters_can_be_set_and_nothing_is_touched() {
    let devnet = Devnet::new();
    let text = "name: fine\ntopology: { nodes: \"${n}\" }\nparameters: { n: 3 }\n\
                steps:\n  - expect: converged\n";
    let path = devnet.write("fine.yaml", text);
    let outcome = devnet.ok(&["check", &path.to_string_lossy(), "--set", "n=5"]);
    assert!(outcome.stdout.ends_with("fine can be run, on 5 nodes\n"));
    let outcome = devnet.run(&["check", &path.to_string_lossy(), "--set", "m=5"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("did you mean `n`?"),
        "{}",
        outcome.stderr
    );
    assert!(!devnet.folder().exists());
}

#[test]
fn schemas_are_json() {
    let devnet = Devnet::new();
    for kind in ["scenario", "topology"] {
        let outcome = devnet.ok(&["schema", kind]);
        let schema: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
        assert!(schema["properties"].is_object(), "{kind}");
    }
}
