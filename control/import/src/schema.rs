//! The JSON Schema of the lab file, from the table of keys.

use std::collections::BTreeMap;

use model::draft::Lab;
use serde_json::{Map, Value, json};

use crate::shape::{Need, Object, Read, Shape};

/// JSON Schema (draft 2020-12) of the lab file, for editors and other tools. It knows the shape of a lab, not its rules.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = BTreeMap::new();
    let root = value(&Lab::shape(), &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vpclab lab file",
        "$ref": root["$ref"],
        "$defs": definitions,
    })
}

fn value(shape: &Shape, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    match shape {
        Shape::Account => json!({ "type": "string", "pattern": "^[0-9]{12}$" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Either(shapes) => {
            let any: Vec<Value> = shapes.iter().map(|s| value(s, definitions)).collect();
            json!({ "anyOf": any })
        }
        Shape::Integer(i64::MIN) => json!({ "type": "integer" }),
        Shape::Integer(least) => json!({ "type": "integer", "minimum": least }),
        Shape::List(item) => json!({ "type": "array", "items": value(item, definitions) }),
        Shape::Names(item) => {
            json!({ "type": ["object", "null"], "additionalProperties": value(item, definitions) })
        }
        Shape::Object(object) => reference(object, definitions),
        Shape::Text => json!({ "type": "string" }),
    }
}

/// A reference to the definition of an object, which is made if it does not exist yet.
fn reference(object: &Object, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    if !definitions.contains_key(object.name) {
        let definition = definition(object, definitions);
        definitions.insert(object.name, definition);
    }
    json!({ "$ref": format!("#/$defs/{}", object.name) })
}

fn definition(object: &Object, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    let mut properties = Map::new();
    for key in &object.keys {
        let mut property = value(&key.shape, definitions);
        property["description"] = json!(key.about);
        properties.insert(key.name.to_owned(), property);
    }
    let required: Vec<&str> =
        object.keys.iter().filter(|k| k.need == Need::Required).map(|k| k.name).collect();
    let types = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    json!({
        "description": object.about,
        "type": types,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
