//! Single fields out of JSON objects; everything else is passed over without being kept.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Picks the texts of named members out of an object; of members of one name, the last counts. A member that is
/// no text, or is not there, is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pick<const N: usize>(pub(crate) [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Pick<N> {
    type Value = [Option<String>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Pick<N> {
    type Value = [Option<String>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut picked = [const { None }; N];
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.0.iter().position(|name| *name == key) {
                Some(at) => picked[at] = map.next_value_seed(Text)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(picked)
    }
}

/// A text; none where anything else stands.
#[derive(Debug, Clone, Copy)]
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Picks the same members out of each object of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PickEach<const N: usize>(pub(crate) Pick<N>);

impl<'de, const N: usize> DeserializeSeed<'de> for PickEach<N> {
    type Value = Vec<[Option<String>; N]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for PickEach<N> {
    type Value = Vec<[Option<String>; N]>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut picked = Vec::new();
        while let Some(one) = seq.next_element_seed(self.0)? {
            picked.push(one);
        }
        Ok(picked)
    }
}

/// The value of one named member of an object, which has to be there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<S>(pub(crate) &'static str, pub(crate) S);

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for Member<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Member<S> {
    type Value = S::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut value = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == self.0 {
                value = Some(map.next_value_seed(self.1)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        value.ok_or_else(|| A::Error::missing_field(self.0))
    }
}

/// Reads a whole document. Bytes that are no UTF-8 are replaced, a byte order mark is passed over.
pub(crate) fn read<S: for<'de> DeserializeSeed<'de, Value = T>, T>(bytes: &[u8], seed: S) -> Option<T> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let value = seed.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(json: &str) -> Option<[Option<String>; 2]> {
        read(json.as_bytes(), Pick(["a", "b"]))
    }

    #[test]
    fn named_texts_are_picked_and_the_last_of_a_name_counts() {
        let both = Some([Some("1".to_owned()), Some("2".to_owned())]);
        assert_eq!(pick(r#"{"a":"1","x":{"a":"9"},"b":"2"}"#), both);
        assert_eq!(pick("\u{feff}{\"a\":\"0\",\"b\":\"2\",\"a\":\"1\"}"), both);
        assert_eq!(pick(r#"{"a":"\u0031","b":"2"}"#), both);
    }

    #[test]
    fn what_is_no_text_is_none() {
        for other in ["1", "-1", "1.5", "true", "null", "[1,[2]]", r#"{"c":{"d":1}}"#] {
            assert_eq!(pick(&format!(r#"{{"a":{other},"b":"2"}}"#)), Some([None, Some("2".to_owned())]));
        }
    }

    #[test]
    fn what_is_no_object_cannot_be_read() {
        for text in ["", "[]", "null", "{", r#"{"a":"1"} {"#, r#"{"a":"1",}"#] {
            assert_eq!(pick(text), None, "{text}");
        }
    }

    #[test]
    fn a_member_is_read_and_the_last_of_its_name_counts() {
        let list = Member("list", PickEach(Pick(["a"])));
        let read = |json: &str| read(json.as_bytes(), list);
        let json = r#"{"x":{"list":[]},"list":[],"list":[{"a":"1"},{"b":"2"}]}"#;
        assert_eq!(read(json), Some(vec![[Some("1".to_owned())], [None]]));
        for broken in ["{}", "[]", r#"{"list":{}}"#, r#"{"list":[1]}"#] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(r#"{{"x":{}{},"a":"1"}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pick(&deep), Some([Some("1".to_owned()), None]));
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pick(&deep), Some([None, None]));
    }
}
