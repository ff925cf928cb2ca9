//! The JSON Schema of a topology file, for editors: derived where the types say
//! it all, written out where they read texts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Peers, Topology};
use crate::quantity::{BlockTime, ByteSize, Coins};
use crate::subnet::Subnet;

impl Topology {
    /// The JSON Schema of a topology file.
    pub fn schema() -> Schema {
        SchemaGenerator::default().into_root_schema_for::<Self>()
    }
}

macro_rules! written_as_text {
    ($($type:ty, $name:literal: $schema:tt;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

written_as_text! {
    BlockTime, "BlockTime": {
        "description": "Target time between blocks, whole seconds, such as 5s.",
        "anyOf": [
            { "type": "string", "pattern": r"^\s*[0-9][0-9_.]*\s*(ms|s|m|min|h)?\s*$" },
            { "type": "integer", "minimum": 1, "maximum": 86_400 },
        ],
    };
    ByteSize, "ByteSize": {
        "description": "A size, such as 256MiB.",
        "anyOf": [
            { "type": "string", "pattern": r"^\s*[0-9][0-9_.]*\s*([kKmMgG]([iI]?[bB]?)|[bB])?\s*$" },
            { "type": "integer", "minimum": 0 },
        ],
    };
    Coins, "Coins": {
        "description": "Coins, exact to 8 places, such as 1000 or 0.5.",
        "anyOf": [
            { "type": "string", "pattern": r"^\s*[0-9][0-9_]*(\.[0-9_]{1,8})?\s*$" },
            { "type": "number", "minimum": 0, "maximum": 21_000_000 },
        ],
    };
    Subnet, "Subnet": {
        "description": "An IPv4 network, such as 172.30.5.0/24.",
        "type": "string",
        "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$",
    };
}

impl JsonSchema for Peers {
    fn schema_name() -> Cow<'static, str> {
        "Peers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let edges = json_schema!({
            "type": "array",
            "items": {
                "type": "array",
                "items": { "type": "string" },
                "minItems": 2,
                "maxItems": 2,
            },
        });
        json_schema!({
            "anyOf": [
                { "const": "mesh", "description": "All find each other." },
                {
                    "type": "object",
                    "description": "Exactly these connections; the first of a pair dials.",
                    "properties": { "edges": edges },
                    "required": ["edges"],
                    "additionalProperties": false,
                },
                // What is left of `!edges [...]`, since a schema sees no tags.
                edges,
            ],
        })
    }
}

/// Of [`minichain_api::genesis::DifficultyRule`], whose room derives no schema.
pub(super) fn difficulty(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "How difficulty follows from the past.",
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "rule": { "const": "asert" },
                    "half_life_s": { "type": ["integer", "null"], "minimum": 0 },
                },
                "required": ["rule"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {
                    "rule": { "const": "lwma" },
                    "window": { "type": "integer", "minimum": 0 },
                },
                "required": ["rule"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": { "rule": { "const": "fixed" } },
                "required": ["rule"],
                "additionalProperties": false,
            },
            { "type": "null" },
        ],
    })
}
