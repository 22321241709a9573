//! What the provider knows: types with their arguments, blocks and attributes, reduced to the types that are used.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::code::Code;
use crate::module::Modules;

/// The schemas that the code is held against, with the versions of the provider.
const KEPT: [(&str, &str); 2] = [
    ("5.100.0", include_str!("../schemas/aws-5.100.0.json")),
    ("6.25.0", include_str!("../schemas/aws-6.25.0.json")),
];

/// The types of one version.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// What it was made from.
    pub source: String,
    /// The provider's version.
    pub version: String,
    pub(crate) resources: BTreeMap<String, Block>,
    pub(crate) data: BTreeMap<String, Block>,
    /// None where the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ephemeral: Option<BTreeMap<String, Block>>,
}

/// A body: of a resource, or of a block in it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) arguments: BTreeMap<String, Argument>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) blocks: BTreeMap<String, Nested>,
    /// Attributes that can be read and not be set.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) computed: BTreeSet<String>,
}

/// A block, and how often it may stand.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Nested {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<u64>,
    #[serde(flatten)]
    pub(crate) block: Block,
}

/// An argument.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Argument {
    /// In terraform's words: `string`, `list(string)`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) deprecated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Schema {
    /// The schemas that are kept beside this code, oldest version first.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn kept() -> Result<Vec<Self>, String> {
        let read = |(version, text): (&str, &str)| {
            serde_json::from_str(text).map_err(|error| format!("the schema of {version}: {error}"))
        };
        KEPT.into_iter().map(read).collect()
    }

    /// Reduces what `terraform providers schema -json` prints to the types that the code uses. A type that the provider
    /// does not have is left out.
    ///
    /// # Errors
    /// Where the code cannot be parsed, or there is no AWS provider in `full`.
    pub fn reduced(full: &Value, version: &str, code: &Code) -> Result<Self, String> {
        let providers = full["provider_schemas"].as_object();
        let aws = providers.and_then(|all| all.iter().find(|(name, _)| name.ends_with("hashicorp/aws")));
        let (_, aws) =
            aws.ok_or("this is no output of `terraform providers schema -json` with hashicorp/aws")?;
        let modules = Modules::read(code).map_err(|problems| format!("{problems:?}"))?;
        let (mut resources, mut data, mut ephemeral) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for module in modules.0.values() {
            resources.extend(module.resources.keys().map(|(kind, _)| kind.as_str()));
            data.extend(module.data.keys().map(|(kind, _)| kind.as_str()));
            ephemeral.extend(module.ephemeral.keys().map(|(kind, _)| kind.as_str()));
        }
        let of = |schemas: &Value, used: BTreeSet<&str>| -> BTreeMap<String, Block> {
            let block = |kind: &str| Some((kind.to_owned(), block(schemas.get(kind)?.get("block")?)));
            used.into_iter().filter_map(block).collect()
        };
        Ok(Self {
            source: "terraform providers schema -json".to_owned(),
            version: version.to_owned(),
            resources: of(&aws["resource_schemas"], resources),
            data: of(&aws["data_source_schemas"], data),
            ephemeral: Some(of(&aws["ephemeral_resource_schemas"], ephemeral)),
        })
    }

    /// As the files are written: a line for each type, so that a change shows where it is.
    ///
    /// # Errors
    /// Never, for what [`Schema`] holds.
    pub fn written(&self) -> Result<String, serde_json::Error> {
        let mut text = format!(
            "{{\"source\":{},\n\"version\":{}",
            serde_json::to_string(&self.source)?,
            serde_json::to_string(&self.version)?
        );
        let ephemeral = self.ephemeral.iter().map(|types| ("ephemeral", types));
        for (kind, types) in
            [("resources", &self.resources), ("data", &self.data)].into_iter().chain(ephemeral)
        {
            let lines: Result<Vec<String>, serde_json::Error> = types
                .iter()
                .map(|(name, block)| Ok(format!("\"{name}\":{}", serde_json::to_string(block)?)))
                .collect();
            text += &format!(",\n\"{kind}\":{{\n{}\n}}", lines?.join(",\n"));
        }
        Ok(text + "}\n")
    }
}

fn block(full: &Value) -> Block {
    let mut block = Block::default();
    let entries = |key: &str| full[key].as_object().into_iter().flatten();
    for (name, attribute) in entries("attributes") {
        let is = |flag: &str| attribute[flag].as_bool().unwrap_or(false);
        if is("required") || is("optional") {
            let kind = kind(&attribute["type"]);
            let argument = Argument { kind, required: is("required"), deprecated: is("deprecated") };
            block.arguments.insert(name.clone(), argument);
        } else {
            block.computed.insert(name.clone());
        }
    }
    for (name, nested) in entries("block_types") {
        let bound = |key: &str| nested[key].as_u64().filter(|bound| *bound > 0);
        let nested =
            Nested { min: bound("min_items"), max: bound("max_items"), block: self::block(&nested["block"]) };
        block.blocks.insert(name.clone(), nested);
    }
    block
}

/// `["list", "string"]` is `list(string)`. Objects are not looked into.
fn kind(full: &Value) -> String {
    match full {
        Value::String(name) => name.clone(),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(name), of] if name != "object" => format!("{name}({})", kind(of)),
            _ => "object".to_owned(),
        },
        _ => "any".to_owned(),
    }
}
