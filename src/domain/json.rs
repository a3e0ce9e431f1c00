//! Canonical JSON: one text for one value, so that its digest means something.
//!
//! It is RFC 8785 without fractions: members stand in the order of their names' UTF-16 units, there is no white space, and
//! numbers are integers. A decimal number is written as a string, so that no reader's floating point can change it.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use std::io::{Result, Write};

/// The canonical text of a value.
///
/// # Panics
/// If the value cannot be JSON (a map with keys that are no strings) or holds a floating-point number: both are
/// mistakes in Scorebook, not in data.
pub fn canonical(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut text, Sorted::default()));
    written.expect("every stored type is plain JSON");
    String::from_utf8(text).expect("JSON is text")
}

/// Writes members in the order of their keys: each object's are held until it ends, and nothing else is.
#[derive(Default)]
struct Sorted {
    open: Vec<Object>,
}

#[derive(Default)]
struct Object {
    members: Vec<Member>,
    in_key: bool,
}

#[derive(Default)]
struct Member {
    /// As it reads, for the order.
    name: Vec<u8>,
    /// As it is written, quotes included.
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Where the innermost open object's present member takes bytes; the writer itself if no object is open.
enum Sink<'a, W: ?Sized> {
    Member(&'a mut Vec<u8>),
    Writer(&'a mut W),
}

impl<W: ?Sized + Write> Write for Sink<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Sink::Member(member) => member.write(bytes),
            Sink::Writer(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Sorted {
    fn sink<'a, W: ?Sized + Write>(&'a mut self, writer: &'a mut W) -> Sink<'a, W> {
        match self.open.last_mut() {
            Some(Object { members, in_key }) => match (members.last_mut(), *in_key) {
                (Some(member), true) => Sink::Member(&mut member.key),
                (Some(member), false) => Sink::Member(&mut member.value),
                (None, _) => Sink::Writer(writer),
            },
            None => Sink::Writer(writer),
        }
    }

    /// The name that is being written, if a key is.
    fn name(&mut self) -> Option<&mut Vec<u8>> {
        let object = self.open.last_mut().filter(|object| object.in_key)?;
        object.members.last_mut().map(|member| &mut member.name)
    }
}

/// Passes events to the plain formatter, into the present member.
macro_rules! passed {
    ($($method:ident($($value:ident: $type:ty)?);)*) => {
        $(fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $value: $type)?) -> Result<()> {
            CompactFormatter.$method(&mut self.sink(writer) $(, $value)?)
        })*
    };
}

impl Formatter for Sorted {
    passed! {
        write_null();
        write_bool(value: bool);
        write_i8(value: i8);
        write_i16(value: i16);
        write_i32(value: i32);
        write_i64(value: i64);
        write_i128(value: i128);
        write_u8(value: u8);
        write_u16(value: u16);
        write_u32(value: u32);
        write_u64(value: u64);
        write_u128(value: u128);
        begin_string();
        end_string();
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> Result<()> {
        self.write_f64(writer, f64::from(value))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, _: &mut W, value: f64) -> Result<()> {
        panic!("{value} is a floating-point number: store decimals as strings")
    }

    fn write_number_str<W: ?Sized + Write>(&mut self, writer: &mut W, value: &str) -> Result<()> {
        assert!(!value.contains(['.', 'e', 'E']), "{value} is a floating-point number: store decimals as strings");
        CompactFormatter.write_number_str(&mut self.sink(writer), value)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> Result<()> {
        if let Some(name) = self.name() {
            name.extend_from_slice(fragment.as_bytes());
        }
        self.sink(writer).write_all(fragment.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> Result<()> {
        let read = match escape {
            CharEscape::Quote => b'"',
            CharEscape::ReverseSolidus => b'\\',
            CharEscape::Solidus => b'/',
            CharEscape::Backspace => 8,
            CharEscape::FormFeed => 12,
            CharEscape::LineFeed => b'\n',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::Tab => b'\t',
            CharEscape::AsciiControl(byte) => byte,
        };
        if let Some(name) = self.name() {
            name.push(read);
        }
        CompactFormatter.write_char_escape(&mut self.sink(writer), escape)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.open.push(Object::default());
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, _: &mut W, _: bool) -> Result<()> {
        if let Some(object) = self.open.last_mut() {
            object.members.push(Member::default());
            object.in_key = true;
        }
        Ok(())
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        if let Some(object) = self.open.last_mut() {
            object.in_key = false;
        }
        Ok(())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        let mut members = self.open.pop().unwrap_or_default().members;
        members.sort_by(|a, b| in_utf16(&a.name).cmp(in_utf16(&b.name)));
        let mut sink = self.sink(writer);
        sink.write_all(b"{")?;
        for (i, member) in members.into_iter().enumerate() {
            if i > 0 {
                sink.write_all(b",")?;
            }
            sink.write_all(&member.key)?;
            sink.write_all(b":")?;
            sink.write_all(&member.value)?;
        }
        sink.write_all(b"}")
    }
}

/// A name in the units by which RFC 8785 sorts.
fn in_utf16(name: &[u8]) -> impl Iterator<Item = u16> {
    std::str::from_utf8(name).unwrap_or_default().encode_utf16()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn members_stand_in_the_order_of_their_names() {
        let value = json!({ "b": [1, { "z": null, "a": "x\"\n\u{1}é" }], "a\"": true, "a!": -7, "a": {}, "": [] });
        let text = r#"{"":[],"a":{},"a!":-7,"a\"":true,"b":[1,{"a":"x\"\n\u0001é","z":null}]}"#;
        assert_eq!(canonical(&value), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
    }

    /// The example of RFC 8785, section 3.2.3: by code points the last two would change places.
    #[test]
    fn names_are_sorted_as_rfc_8785_says() {
        let names = ["\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
        let value = Value::Object(names.iter().rev().map(|name| ((*name).to_owned(), Value::Null)).collect());
        let members: Vec<String> = names.map(|name| format!("{}:null", Value::from(name))).to_vec();
        assert_eq!(canonical(&value), format!("{{{}}}", members.join(",")));
    }

    #[test]
    #[should_panic(expected = "floating-point")]
    fn a_floating_point_number_is_a_mistake() {
        canonical(&json!({ "a": [0.5] }));
    }
}
