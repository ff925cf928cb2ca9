//! The page that describes the language shows only what devnet accepts.

use devnet_scenario::check::check;
use devnet_scenario::parse::parse;
use devnet_scenario::schema::scenario;

use crate::support::{refused, roster, spell};

const PAGE: &str = include_str!("../../README.md");

/// The YAML blocks of the page.
fn blocks() -> Vec<&'static str> {
    let after_fence = PAGE.split("```yaml\n").skip(1);
    after_fence
        .map(|rest| rest.split_once("```").expect("each block ends").0)
        .collect()
}

#[test]
fn every_example_can_be_read_and_run() {
    let (files, steps): (Vec<&str>, Vec<&str>) = blocks()
        .into_iter()
        .partition(|text| text.starts_with("name:"));
    assert!(!files.is_empty() && steps.len() >= 5, "{files:?} {steps:?}");
    for text in files {
        let document = parse(text, &[]).unwrap();
        assert!(spell(&check(&document, &roster())).is_empty(), "{text}");
    }
    for text in steps {
        assert!(refused(text).is_empty(), "{text}\n{:#?}", refused(text));
    }
}

#[test]
fn every_verb_and_claim_has_an_example() {
    let schema = scenario(&schemars::json_schema!({ "type": "object" }));
    let shown = blocks().concat();
    for form in ["Step", "Expectation"] {
        let properties = schema.as_value()["$defs"][form]["properties"]
            .as_object()
            .unwrap();
        for key in properties
            .keys()
            .filter(|key| *key != "timeout" && *key != "title")
        {
            let is_shown =
                shown.contains(&format!("{key}:")) || shown.contains(&format!("- {key}"));
            assert!(is_shown, "the page shows no `{key}`");
        }
    }
}
