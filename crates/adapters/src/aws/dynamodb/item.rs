//! The attributes of items.

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;

use super::failure::Failure;

/// An item, or its key.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A text as an attribute.
pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number as an attribute.
pub(super) fn number(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// An item of these attributes.
pub(super) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The text that an attribute holds.
pub(super) fn text_of<'a>(item: &'a Item, name: &str) -> Result<&'a str, Failure> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| lacks(item, name))
}

/// The whole number that an attribute holds.
pub(super) fn number_of<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, Failure> {
    let written = item.get(name).and_then(|value| value.as_n().ok());
    written.and_then(|written| written.parse().ok()).ok_or_else(|| lacks(item, name))
}

/// An item is named by what identifies it in any of the tables.
fn lacks(item: &Item, name: &str) -> Failure {
    let mut keys: Vec<_> = ["stream", "first", "partition", "rest", "key", "image"]
        .into_iter()
        .filter_map(|key| match item.get(key)? {
            AttributeValue::S(value) | AttributeValue::N(value) => Some(format!("{key} {value}")),
            _ => None,
        })
        .collect();
    if keys.is_empty() {
        keys.push("without a key".to_owned());
    }
    Failure::Damaged(format!("the item {} lacks a readable `{name}`", keys.join(", ")))
}
