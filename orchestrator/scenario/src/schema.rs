//! The JSON Schema of scenario files, for editors, made from the same tables
//! that the parser reads by.

use schemars::Schema;
use serde_json::{Map, Value, json};

use crate::form::{BARE, EXPECTATION, Field, Form, SCENARIO, STEP, Shape};

/// Any scalar may be a parameter instead.
const PARAMETER: &str = r"^\s*\$\{[a-z][a-z0-9_]*\}\s*$";
const TIME: &str = r"^\s*[0-9][0-9_.]*\s*(ms|s|m|min|h|blocks?)\s*$";
const MICROS: &str = r"^\s*[0-9][0-9_.]*\s*(us|ms|s|m|min)\s*$";
const OFFSET: &str = r"^\s*[+-]?[0-9][0-9_.]*\s*(ms|s|m|min|h)\s*$";
const SHARE: &str = r"^\s*[0-9][0-9_.]*\s*%?\s*$";
const RATE: &str = r"^\s*[0-9][0-9_.]*\s*([kKMG]i?[bB]?|[kMG]?bit|B)?(/s)?\s*$";
const SIZE: &str = r"^\s*[0-9][0-9_.]*\s*([kKMG]i?[bB]?|B)?\s*$";
const COINS: &str = r"^\s*[0-9]+(\.[0-9]{1,8})?\s*$";
const COMPARISON: &str =
    r"^\s*(==|!=|<=|>=|<|>|=)?\s*(\$[a-z][a-z0-9_]*\s*([+-]\s*[0-9].*)?|\$\{.*|-?[0-9].*)$";

/// The schema of a scenario, with `topology` as the schema of a topology
/// written within one. Definitions of the topology's schema keep their names.
pub fn scenario(topology: &Schema) -> Schema {
    let mut definitions = Map::new();
    let mut topology = topology.as_value().clone();
    if let Some(object) = topology.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(inner)) = object.remove("$defs") {
            definitions.extend(inner);
        }
    }
    definitions.insert("Topology".into(), topology);
    let mut root = form(&SCENARIO, &mut definitions);
    if let Some(object) = root.as_object_mut() {
        let draft = "https://json-schema.org/draft/2020-12/schema";
        object.insert("$schema".into(), draft.into());
        object.insert("title".into(), "Scenario".into());
        object.insert("$defs".into(), Value::Object(definitions));
    }
    match root {
        Value::Object(object) => object.into(),
        _ => Schema::default(),
    }
}

/// A reference to a form's definition, which is made where it is new.
fn reference(of: &'static Form, definitions: &mut Map<String, Value>) -> Value {
    if !definitions.contains_key(of.name) {
        // A placeholder first: forms contain each other.
        definitions.insert(of.name.into(), Value::Null);
        let made = form(of, definitions);
        definitions.insert(of.name.into(), made);
    }
    json!({ "$ref": format!("#/$defs/{}", of.name) })
}

fn form(of: &Form, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for Field {
        key, doc, shape, ..
    } in of.keys
    {
        let mut schema = shape_schema(shape, definitions);
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".into(), (*doc).into());
        }
        properties.insert((*key).into(), schema);
    }
    let required: Vec<&str> = of
        .keys
        .iter()
        .filter(|field| field.is_required)
        .map(|field| field.key)
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": of.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if of.is_choice {
        let mains = of.keys.iter().filter(|field| of.is_main(field.key));
        let one: Vec<Value> = mains
            .map(|field| json!({ "required": [field.key] }))
            .collect();
        schema["oneOf"] = one.into();
    }
    schema
}

fn shape_schema(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Nothing => json!({ "type": "null" }),
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Switch => or_parameter(&json!({ "type": "boolean" })),
        Shape::Number => or_parameter(&json!({ "type": "number", "minimum": 0 })),
        Shape::Count(min, max) => {
            or_parameter(&json!({ "type": "integer", "minimum": min, "maximum": max }))
        }
        Shape::Time => pattern(TIME),
        Shape::Micros => pattern(MICROS),
        Shape::Offset => pattern(OFFSET),
        Shape::Share => number_or(
            SHARE,
            &json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        ),
        Shape::Rate => number_or(RATE, &json!({ "type": "number", "exclusiveMinimum": 0 })),
        Shape::Size => number_or(SIZE, &json!({ "type": "number", "minimum": 0 })),
        Shape::Coins => number_or(COINS, &json!({ "type": "number", "exclusiveMinimum": 0 })),
        Shape::Comparison => number_or(COMPARISON, &json!({ "type": "number" })),
        Shape::Words(words) => or_parameter(&json!({ "enum": words })),
        Shape::Nodes => nodes(definitions),
        Shape::List(of) => {
            let items = shape_schema(of, definitions);
            json!({ "type": "array", "minItems": 1, "items": items })
        }
        Shape::Pair(of) => {
            let items = shape_schema(of, definitions);
            json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": items })
        }
        Shape::Form(of) => reference(of, definitions),
        Shape::Named(of) => {
            let value = shape_schema(of, definitions);
            json!({
                "type": "object",
                "propertyNames": { "pattern": "^[a-z][a-z0-9_]{0,39}$" },
                "additionalProperties": value,
            })
        }
        Shape::Any(shapes) => {
            let schemas: Vec<Value> = shapes
                .iter()
                .map(|shape| shape_schema(shape, definitions))
                .collect();
            json!({ "anyOf": schemas })
        }
        Shape::Steps => {
            let step = reference(&STEP, definitions);
            let items = json!({ "anyOf": [step, { "const": "heal" }] });
            json!({ "type": "array", "minItems": 1, "items": items })
        }
        Shape::Claims => {
            let claim =
                json!({ "anyOf": [reference(&EXPECTATION, definitions), { "enum": BARE }] });
            json!({ "anyOf": [claim, { "type": "array", "minItems": 1, "items": claim }] })
        }
        Shape::Topology => json!({ "$ref": "#/$defs/Topology" }),
    }
}

fn nodes(definitions: &mut Map<String, Value>) -> Value {
    let draw = reference(&crate::form::RANDOM, definitions);
    let one = json!({ "anyOf": [{ "type": "string", "minLength": 1 }, draw] });
    definitions.entry("Nodes").or_insert_with(|| {
        json!({
            "description": "Nodes: a name, a group, `all`, names with commas, a list, or a draw.",
            "anyOf": [one, { "type": "array", "minItems": 1, "items": one }],
        })
    });
    json!({ "$ref": "#/$defs/Nodes" })
}

fn pattern(pattern: &str) -> Value {
    or_parameter(&json!({ "type": "string", "pattern": pattern }))
}

fn number_or(text: &str, number: &Value) -> Value {
    json!({ "anyOf": [number, { "type": "string", "pattern": text }, parameter()] })
}

fn or_parameter(schema: &Value) -> Value {
    json!({ "anyOf": [schema, parameter()] })
}

fn parameter() -> Value {
    json!({ "type": "string", "pattern": PARAMETER })
}
