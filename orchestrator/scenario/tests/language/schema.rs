//! The schema tells every word of the language.

use devnet_scenario::schema;
use serde_json::Value;

#[test]
fn every_reference_leads_to_a_definition() {
    let schema = schema::scenario(&schemars::json_schema!({ "type": "object" }));
    let root = schema.as_value();
    let mut references = Vec::new();
    collect(root, &mut references);
    assert!(references.len() > 40);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(
            root.pointer(pointer).is_some_and(Value::is_object),
            "{reference}"
        );
    }
}

#[test]
fn the_topologys_definitions_move_in() {
    let topology = schemars::json_schema!({
        "$schema": "x",
        "type": "object",
        "$defs": { "Group": { "type": "object" } },
    });
    let schema = schema::scenario(&topology);
    assert!(schema.as_value().pointer("/$defs/Group").is_some());
    assert_eq!(schema.as_value().pointer("/$defs/Topology/$schema"), None);
}

fn collect<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(object) => {
            into.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| collect(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}
