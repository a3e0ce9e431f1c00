//! Canonical JSON: one text for one value, so that its digest means something.
//!
//! Object keys are sorted by their code points, there is no white space, and numbers are integers: a decimal
//! number is written as a string, so that no reader's floating point can change it.

use serde::Serialize;
use serde_json::Value;

/// The canonical text of a value.
///
/// # Panics
/// If the value cannot be JSON (a map with keys that are no strings) or holds a floating-point number: both are
/// mistakes in Scorebook, not in data.
pub fn canonical(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("every stored type is plain JSON");
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(member, text);
            }
            text.push('}');
        }
        Value::Number(number) => {
            assert!(!number.is_f64(), "{number} is a floating-point number: store decimals as strings");
            text.push_str(&number.to_string());
        }
        plain => text.push_str(&plain.to_string()),
    }
}
