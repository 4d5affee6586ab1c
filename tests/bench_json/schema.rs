//! Validation against a JSON schema: the part of draft 2020-12 that `benches/record/schema.json` uses. A keyword that is not known
//! here panics, so the schema cannot ask for what nobody checks.

use serde_json::Value;

/// The first thing in which `value` does not follow the schema.
pub(crate) fn check(root: &Value, value: &Value) -> Result<(), String> {
    validate(root, root, value, "")
}

fn validate(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Bool(false) => return Err(format!("{at}: is not allowed")),
        Value::Object(schema) => schema,
        other => panic!("{other} is no schema"),
    };
    schema.iter().try_for_each(|(keyword, wanted)| keyword_holds(root, (keyword, wanted), schema, value, at))
}

fn keyword_holds(
    root: &Value,
    (keyword, wanted): (&String, &Value),
    schema: &serde_json::Map<String, Value>,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let list = || wanted.as_array().unwrap_or_else(|| panic!("{keyword} takes a list"));
    let number = || wanted.as_f64().unwrap_or_else(|| panic!("{keyword} takes a number"));
    let need = |holds: bool| if holds { Ok(()) } else { Err(format!("{at}: {keyword} {wanted} does not hold")) };
    match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" => Ok(()),
        "$ref" => {
            let path = wanted.as_str().and_then(|path| path.strip_prefix('#')).expect("a reference is to this schema");
            let target = root.pointer(path).unwrap_or_else(|| panic!("there is no {path} in the schema"));
            validate(root, target, value, at)
        }
        "const" => need(value == wanted),
        "enum" => need(list().contains(value)),
        "type" => match wanted {
            Value::Array(types) => need(types.iter().any(|ty| is(ty, value))),
            ty => need(is(ty, value)),
        },
        // These say nothing of values of another type.
        "minimum" => need(value.as_f64().is_none_or(|x| x >= number())),
        "exclusiveMinimum" => need(value.as_f64().is_none_or(|x| x > number())),
        "exclusiveMaximum" => need(value.as_f64().is_none_or(|x| x < number())),
        "minLength" => need(value.as_str().is_none_or(|text| text.chars().count() as f64 >= number())),
        "minItems" => need(value.as_array().is_none_or(|items| items.len() as f64 >= number())),
        "pattern" => {
            let start = wanted.as_str().and_then(|pattern| pattern.strip_prefix('^')).expect("a pattern is a beginning");
            assert!(start.chars().all(|c| c.is_alphanumeric() || c == ':'), "{start} is more than a beginning");
            need(value.as_str().is_none_or(|text| text.starts_with(start)))
        }
        "required" => {
            let lacks =
                |key: &&Value| value.as_object().is_some_and(|o| !o.contains_key(key.as_str().expect("keys are strings")));
            list().iter().find(lacks).map_or(Ok(()), |key| Err(format!("{at}: {key} is missing")))
        }
        "properties" => {
            let wanted = wanted.as_object().expect("properties are an object");
            let mut present = wanted.iter().filter_map(|(key, schema)| Some((key, schema, value.get(key)?)));
            present.try_for_each(|(key, schema, value)| validate(root, schema, value, &format!("{at}/{key}")))
        }
        "additionalProperties" => {
            let named = |key: &String| schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
            let mut others = value.as_object().into_iter().flatten().filter(|(key, _)| !named(key));
            others.try_for_each(|(key, value)| validate(root, wanted, value, &format!("{at}/{key}")))
        }
        "items" => {
            let mut items = value.as_array().into_iter().flatten().enumerate();
            items.try_for_each(|(i, item)| validate(root, wanted, item, &format!("{at}/{i}")))
        }
        "anyOf" => {
            let tried: Vec<_> = list().iter().map(|schema| validate(root, schema, value, at)).collect();
            let errors: Option<Vec<String>> = tried.into_iter().map(Result::err).collect();
            errors.map_or(Ok(()), |errors| Err(format!("{at}: none of these: {}", errors.join(" | "))))
        }
        "not" => match validate(root, wanted, value, at) {
            Ok(()) => Err(format!("{at}: {wanted} holds, and must not")),
            Err(_) => Ok(()),
        },
        unknown => panic!("the schema's keyword {unknown} is not checked by anybody"),
    }
}

fn is(ty: &Value, value: &Value) -> bool {
    match ty.as_str().expect("a type is a name") {
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other} is no type that is checked here"),
    }
}
