//! As much of JSON Schema as the schema of reports has, and the types that columns get from it.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Words that Athena's DDL keeps for itself ("Reserved keywords in Athena DDL statements") and that a field might be called:
/// inside of a struct they cannot be quoted.
const RESERVED: [&str; 24] = [
    "all",
    "as",
    "between",
    "by",
    "column",
    "current",
    "database",
    "date",
    "end",
    "exists",
    "from",
    "group",
    "in",
    "interval",
    "is",
    "order",
    "range",
    "row",
    "start",
    "table",
    "time",
    "timestamp",
    "to",
    "user",
];

/// The members of an object, in the order in which they stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Members<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

#[derive(Debug, Deserialize)]
struct Node {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    #[serde(rename = "enum", default)]
    words: Vec<String>,
    #[serde(rename = "oneOf", default)]
    one_of: Vec<Node>,
    properties: Option<Members<Node>>,
    items: Option<Box<Node>>,
    #[serde(rename = "$defs", default)]
    definitions: Members<Node>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Kind {
    One(String),
    Several(Vec<String>),
}

impl Kind {
    /// The kind that is not null: every column may be.
    fn word(&self) -> Option<&str> {
        match self {
            Self::One(word) => Some(word.as_str()),
            Self::Several(words) => {
                let mut words = words.iter().map(String::as_str).filter(|word| *word != "null");
                words.next().filter(|_| words.next().is_none())
            }
        }
    }
}

/// The type of a column.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// Several of one type.
    List(Box<Type>),
    /// Fields.
    Fields(Members<Type>),
}

impl Type {
    /// As Athena's DDL and the Glue catalog name it: the reader of JSON there has every name in small letters.
    pub(super) fn athena(&self) -> String {
        match self {
            Self::Text => "string".to_owned(),
            Self::Integer => "bigint".to_owned(),
            Self::Number => "double".to_owned(),
            Self::Flag => "boolean".to_owned(),
            Self::List(item) => format!("array<{}>", item.athena()),
            Self::Fields(fields) => {
                let field =
                    |(name, kind): &(String, Self)| format!("{}:{}", name.to_lowercase(), kind.athena());
                format!("struct<{}>", fields.0.iter().map(field).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// As DuckDB names it: there the names in JSON are looked for as they are written.
    pub(super) fn duckdb(&self) -> String {
        match self {
            Self::Text => "VARCHAR".to_owned(),
            Self::Integer => "BIGINT".to_owned(),
            Self::Number => "DOUBLE".to_owned(),
            Self::Flag => "BOOLEAN".to_owned(),
            Self::List(item) => format!("{}[]", item.duckdb()),
            Self::Fields(fields) => {
                let field = |(name, kind): &(String, Self)| format!("\"{name}\" {}", kind.duckdb());
                format!("STRUCT({})", fields.0.iter().map(field).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The columns: the properties of the schema.
pub(super) fn columns(schema: &str) -> Result<Members<Type>, String> {
    let root: Node = serde_json::from_str(schema).map_err(|error| error.to_string())?;
    match type_of(&root, &root, "")? {
        Type::Fields(columns) => Ok(columns),
        _ => Err("it describes no object".to_owned()),
    }
}

fn type_of(node: &Node, root: &Node, at: &str) -> Result<Type, String> {
    if let Some(reference) = &node.reference {
        let name = reference.strip_prefix("#/$defs/");
        let found = name.and_then(|name| root.definitions.0.iter().find(|(known, _)| known == name));
        let (_, found) = found.ok_or_else(|| format!("{at}: {reference} is not there"))?;
        return type_of(found, root, at);
    }
    if let Some(fields) = &node.properties {
        return fields_of(fields, root, at);
    }
    if let Some(items) = &node.items {
        return Ok(Type::List(Box::new(type_of(items, root, &format!("{at}[]"))?)));
    }
    let not_null = |one: &&Node| one.kind.as_ref().and_then(Kind::word) != Some("null");
    if let Some(one) = node.one_of.iter().find(not_null) {
        return type_of(one, root, at);
    }
    match node.kind.as_ref().and_then(Kind::word) {
        Some("string") => Ok(Type::Text),
        None if !node.words.is_empty() => Ok(Type::Text),
        Some("integer") => Ok(Type::Integer),
        Some("number") => Ok(Type::Number),
        Some("boolean") => Ok(Type::Flag),
        _ => Err(format!("{at}: no column can have this type")),
    }
}

fn fields_of(fields: &Members<Node>, root: &Node, at: &str) -> Result<Type, String> {
    let (mut typed, mut names) = (vec![], BTreeSet::new());
    for (name, node) in &fields.0 {
        let at = format!("{at}/{name}");
        let small = name.to_lowercase();
        if RESERVED.contains(&small.as_str()) {
            return Err(format!("{at}: Athena keeps that word for itself"));
        }
        if !small.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("{at}: no column can be called that"));
        }
        if !names.insert(small) {
            return Err(format!("{at}: without capitals it is called like another field"));
        }
        typed.push((name.clone(), type_of(node, root, &at)?));
    }
    Ok(Type::Fields(Members(typed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(properties: &str) -> Result<String, String> {
        let definitions = r##""$defs": { "word": { "enum": ["a", "b"] }, "words": { "type": "array", "items": { "$ref": "#/$defs/word" } } }"##;
        columns(&format!("{{ \"properties\": {properties}, {definitions} }}"))
            .map(|c| Type::Fields(c).athena())
    }

    #[test]
    fn every_shape_of_the_schema_is_a_type() {
        for (node, expected) in [
            (r#"{ "type": "string", "pattern": "x" }"#, "string"),
            (r#"{ "type": ["integer", "null"] }"#, "bigint"),
            (r#"{ "type": "number" }"#, "double"),
            (r#"{ "type": "boolean" }"#, "boolean"),
            (r#"{ "enum": ["x"] }"#, "string"),
            (r##"{ "$ref": "#/$defs/words", "items": { "const": "a" } }"##, "array<string>"),
            (r##"{ "oneOf": [{ "type": "null" }, { "$ref": "#/$defs/word" }] }"##, "string"),
            (
                r#"{ "type": "object", "properties": { "B": { "type": "string" }, "A": { "type": "boolean" } } }"#,
                "struct<b:string,a:boolean>",
            ),
        ] {
            assert_eq!(of(&format!("{{ \"X\": {node} }}")), Ok(format!("struct<x:{expected}>")), "{node}");
        }
    }

    #[test]
    fn what_can_be_no_column_is_told_with_its_place() {
        for (properties, part) in [
            (r#"{ "A": { "type": "string" }, "a": { "type": "string" } }"#, "/a: without capitals"),
            (r#"{ "Date": { "type": "string" } }"#, "/Date: Athena keeps"),
            (r#"{ "A-b": { "type": "string" } }"#, "/A-b: no column"),
            (r#"{ "A": { "type": ["string", "integer"] } }"#, "/A: no column"),
            (r##"{ "A": { "$ref": "#/$defs/none" } }"##, "is not there"),
            (r#"{ "A": { "type": "array", "items": { "properties": { "B": {} } } } }"#, "/A[]/B: no column"),
        ] {
            let problem = of(properties).err().unwrap_or_default();
            assert!(problem.contains(part), "{properties}: {problem}");
        }
    }
}
