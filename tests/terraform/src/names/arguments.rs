//! Arguments and blocks of bodies, and of calls of modules.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;

use crate::Problem;
use crate::expression::{list, literal};
use crate::module::{Module, attribute};
use crate::schema::{Argument, Block};

/// What every resource may hold, whatever its type.
const META: [&str; 8] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "providers", "provisioner"];
/// What a call of a module holds apart from the module's variables.
const META_OF_CALLS: [&str; 6] = ["count", "depends_on", "for_each", "providers", "source", "version"];

/// A resource or data source.
pub(super) fn of_body(body: &Body, schema: &Block, place: &str, found: &mut Vec<Problem>) {
    let is_meta = |name: &str| META.contains(&name);
    block(body, schema, place, &is_meta, found);
    let ignored = body.blocks().filter(|block| block.ident.as_str() == "lifecycle");
    let ignored = ignored.filter_map(|block| attribute(&block.body, "ignore_changes"));
    for name in ignored.flat_map(bare_names) {
        if !schema.arguments.contains_key(&name) && !schema.blocks.contains_key(&name) {
            found.push(Problem::new(place, format!("ignore_changes: there is no `{name}`")));
        }
    }
}

/// The names of a list such as `[desired_count]`.
fn bare_names(names: &Expression) -> Vec<String> {
    let name = |item: &Expression| match item {
        Expression::Variable(name) => Some(name.to_string()),
        _ => None,
    };
    list(names).into_iter().flatten().filter_map(name).collect()
}

fn block(body: &Body, schema: &Block, place: &str, is_meta: &dyn Fn(&str) -> bool, found: &mut Vec<Problem>) {
    let mut say = |message: String| found.push(Problem::new(place, message));
    for attribute in body.attributes().filter(|attribute| !is_meta(attribute.key.as_str())) {
        let key = attribute.key.as_str();
        match schema.arguments.get(key) {
            Some(argument) => {
                if argument.deprecated {
                    say(format!("`{key}` is deprecated"));
                }
                if !fits(argument, &attribute.value) {
                    say(format!("`{key}` is of the type {}", argument.kind));
                }
            }
            None if schema.blocks.contains_key(key) => say(format!("`{key}` is a block: {key} {{ … }}")),
            None if schema.computed.contains(key) => say(format!("`{key}` can be read and not be set")),
            None => say(format!("there is no argument `{key}`")),
        }
    }
    for (name, argument) in &schema.arguments {
        if argument.required && attribute(body, name).is_none() {
            say(format!("the argument `{name}` is missing"));
        }
    }
    let mut times: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    let mut inner = vec![];
    for block in body.blocks().filter(|block| !is_meta(block.ident.as_str())) {
        let label = block.labels.first().map(|label| label.as_str().to_owned());
        let (name, bodies, dynamic) = match (block.ident.as_str(), label) {
            ("dynamic", Some(name)) => {
                let contents = block.body.blocks().filter(|block| block.ident.as_str() == "content");
                (name, contents.map(|block| &block.body).collect(), true)
            }
            (name, _) => (name.to_owned(), vec![&block.body], false),
        };
        let counted = times.entry(name.clone()).or_default();
        *counted = (counted.0 + 1, counted.1 || dynamic);
        match schema.blocks.get(&name) {
            Some(nested) => inner.extend(bodies.into_iter().map(|body| (name.clone(), body, &nested.block))),
            None if schema.arguments.contains_key(&name) => {
                say(format!("`{name}` is an argument: {name} = …"));
            }
            None => say(format!("there is no block `{name}`")),
        }
    }
    for (name, nested) in &schema.blocks {
        let (count, dynamic) = times.get(name).copied().unwrap_or_default();
        if nested.min.is_some_and(|least| count < least) && !dynamic {
            say(format!("the block `{name}` is missing"));
        }
        if nested.max.is_some_and(|most| count > most) && !dynamic {
            say(format!("the block `{name}` stands there {count} times"));
        }
    }
    for (name, body, schema) in inner {
        self::block(body, schema, &format!("{place}.{name}"), &|_| false, found);
    }
}

/// Whether a literal is of the type; what is worked out is not known here.
fn fits(argument: &Argument, value: &Expression) -> bool {
    let is_composite = ["list", "set", "map"].iter().any(|kind| argument.kind.starts_with(kind));
    match value {
        Expression::Bool(_) | Expression::Number(_) if is_composite => false,
        Expression::String(_) if is_composite => false,
        Expression::Number(_) => argument.kind != "bool",
        Expression::Bool(_) => argument.kind != "number",
        Expression::String(text) => match argument.kind.as_str() {
            "number" => text.parse::<f64>().is_ok(),
            "bool" => ["true", "false"].contains(&text.as_str()),
            _ => true,
        },
        Expression::Array(_) => !argument.kind.starts_with("map") && !is_simple(&argument.kind),
        Expression::Object(_) => {
            !is_simple(&argument.kind) && !["list", "set"].iter().any(|kind| argument.kind.starts_with(kind))
        }
        _ => true,
    }
}

fn is_simple(kind: &str) -> bool {
    ["string", "number", "bool"].contains(&kind)
}

/// What calls of modules give, against the variables that those have.
pub(super) fn of_calls(module: &Module, modules: &BTreeMap<String, Module>) -> Vec<Problem> {
    let mut found = vec![];
    for (name, call) in &module.calls {
        let place = format!("{}: module.{name}", call.file);
        let source = attribute(&call.it, "source").and_then(literal).unwrap_or_default();
        let Some(called) = module.resolve(source).and_then(|folder| modules.get(&folder)) else {
            found.push(Problem::new(place, format!("there is no module at `{source}`")));
            continue;
        };
        for given in call.it.attributes().map(|attribute| attribute.key.as_str()) {
            if !META_OF_CALLS.contains(&given) && !called.variables.contains_key(given) {
                found.push(Problem::new(&place, format!("{source} has no variable `{given}`")));
            }
        }
        for (variable, declared) in &called.variables {
            let is_given = attribute(&call.it, variable).is_some();
            if !is_given && attribute(&declared.it, "default").is_none() {
                found.push(Problem::new(&place, format!("the variable `{variable}` of {source} is missing")));
            }
        }
    }
    found
}
