//! The schema describes what the reader reads.

use std::path::PathBuf;

use serde_json::{Value, json};
use vpclab_import::schema;

#[test]
fn every_example_fits_the_schema() {
    let schema = schema();
    for name in ["nat-instance.yaml", "prefix-lists.yaml", "shop.yaml", "two-tier.yaml"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        let text = std::fs::read_to_string(path).expect("the example exists");
        let lab: Value = serde_saphyr::from_str(&text).expect("the example is YAML");
        let misfits = misfits(&lab, &schema, &schema, name);
        assert!(misfits.is_empty(), "{misfits:#?}");
    }
}

#[test]
fn what_the_reader_refuses_for_its_shape_does_not_fit() {
    let schema = schema();
    let bad = [
        json!({ "lab": "t", "vpc": {} }),
        json!({ "vpcs": {} }),
        json!({ "lab": 5 }),
        json!({ "lab": "t", "account": 123_456_789_012_u64 }),
        json!({ "lab": "t", "vpcs": { "a": { "cidr": "10.0.0.0/16" } } }),
        json!({ "lab": "t", "vpcs": { "a": {} } }),
        json!({ "lab": "t", "settings": { "limits": { "sessions": -1 } } }),
        json!({ "lab": "t", "settings": { "sg": { "related_icmp": "drop" } } }),
    ];
    for lab in bad {
        assert!(!misfits(&lab, &schema, &schema, "").is_empty(), "{lab}");
        let text = serde_json::to_string(&lab).expect("JSON");
        assert!(vpclab_import::load("t", &text).is_err(), "JSON is YAML, and this is refused: {text}");
    }
}

#[test]
fn every_key_is_described() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    assert!(definitions.len() > 30, "{}", definitions.len());
    for (name, definition) in definitions {
        for (key, property) in definition["properties"].as_object().expect("an object has properties") {
            let text = property["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.') && text.len() > 5, "{name}.{key}: {text:?}");
        }
    }
}

/// Where `value` does not fit `shape`, for the words of JSON Schema that our schema uses.
fn misfits(value: &Value, shape: &Value, root: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(reference) = shape["$ref"].as_str() {
        let definition =
            root.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
        found.extend(misfits(value, definition, root, at));
    }
    if let Some(any) = shape["anyOf"].as_array()
        && any.iter().all(|s| !misfits(value, s, root, at).is_empty())
    {
        found.push(format!("{at}: {value} fits none"));
    }
    if let Some(words) = shape["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    if let Some(types) = shape.get("type")
        && !is_type(value, types)
    {
        found.push(format!("{at}: {value} is not of type {types}"));
    }
    if let (Some(least), Some(number)) = (shape["minimum"].as_i64(), value.as_i64())
        && number < least
    {
        found.push(format!("{at}: {number} is below {least}"));
    }
    for item in value.as_array().into_iter().flatten().filter(|_| shape.get("items").is_some()) {
        found.extend(misfits(item, &shape["items"], root, at));
    }
    found.extend(misfit_keys(value, shape, root, at));
    found
}

fn misfit_keys(value: &Value, shape: &Value, root: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let required = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    found.extend(required.filter(|k| value.get(k).is_none()).map(|k| format!("{at}: {k} is missing")));
    for (key, item) in value.as_object().into_iter().flatten() {
        let inner = format!("{at}/{key}");
        match (&shape["properties"][key], &shape["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{inner} is unknown")),
            (Value::Null, Value::Null) => {}
            (Value::Null, rest) => found.extend(misfits(item, rest, root, &inner)),
            (property, _) => found.extend(misfits(item, property, root, &inner)),
        }
    }
    found
}

fn is_type(value: &Value, types: &Value) -> bool {
    let is = |name: &str| match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("our schema has no type {other}"),
    };
    types
        .as_str()
        .map_or_else(|| types.as_array().is_some_and(|t| t.iter().filter_map(Value::as_str).any(is)), is)
}
