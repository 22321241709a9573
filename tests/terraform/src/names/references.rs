//! References: what is named is declared, with the attributes that its type has, and what is declared is named somewhere.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Body;

use super::Kind;
use crate::Problem;
use crate::expression::{Reference, Step, literal, references};
use crate::module::{Module, attribute};
use crate::schema::Schema;

/// Names that are always there.
const BUILT_IN: [&str; 5] = ["count", "each", "path", "self", "terraform"];
/// Every attribute of a resource that all have, whatever the schema says.
const ID: &str = "id";

pub(super) fn check(module: &Module, modules: &BTreeMap<String, Module>, schema: &Schema) -> Vec<Problem> {
    let mut look = Look { module, modules, schema, used: BTreeSet::new(), found: vec![] };
    for declared in [&module.resources, &module.data, &module.ephemeral] {
        for ((kind, name), body) in declared {
            look.body(&body.it, &format!("{}: {kind}.{name}", body.file), &[]);
        }
    }
    for declared in [&module.variables, &module.outputs, &module.calls] {
        for (name, body) in declared {
            look.body(&body.it, &format!("{}: {name}", body.file), &[]);
        }
    }
    for provider in &module.providers {
        look.body(&provider.it, &format!("{}: provider", provider.file), &[]);
    }
    for (name, local) in &module.locals {
        look.expression(&local.it, &format!("{}: local.{name}", local.file), &[]);
    }
    look.unused();
    look.found
}

struct Look<'a> {
    module: &'a Module,
    modules: &'a BTreeMap<String, Module>,
    schema: &'a Schema,
    /// What was named: `var.x`, `local.x`, `data.x.y`.
    used: BTreeSet<String>,
    found: Vec<Problem>,
}

impl Look<'_> {
    fn body(&mut self, body: &Body, place: &str, bound: &[String]) {
        for attribute in body.attributes() {
            // Names of types, of providers, and of arguments: not of values.
            if !["type", "provider", "providers", "ignore_changes"].contains(&attribute.key.as_str()) {
                self.expression(&attribute.value, place, bound);
            } else if let Expression::StringTemplate(_) = &attribute.value {
                self.expression(&attribute.value, place, bound);
            }
        }
        for block in body.blocks() {
            let Some(label) = block.labels.first().filter(|_| block.ident.as_str() == "dynamic") else {
                self.body(&block.body, place, bound);
                continue;
            };
            let iterator = match attribute(&block.body, "iterator") {
                Some(Expression::Variable(name)) => name.to_string(),
                _ => label.as_str().to_owned(),
            };
            let inside: Vec<String> = bound.iter().cloned().chain([iterator]).collect();
            let items = attribute(&block.body, "for_each");
            items.into_iter().for_each(|items| self.expression(items, place, bound));
            block.body.blocks().for_each(|content| self.body(&content.body, place, &inside));
        }
    }

    fn expression(&mut self, expression: &Expression, place: &str, bound: &[String]) {
        for reference in references(expression, bound) {
            if let Err(problem) = self.reference(&reference) {
                self.found.push(Problem::new(place, problem));
            }
        }
    }

    fn reference(&mut self, reference: &Reference) -> Result<(), String> {
        let module = self.module;
        let root = reference.root.as_str();
        let (name, rest) = match reference.steps.split_first() {
            Some((Step::Name(name), rest)) => (name.as_str(), rest),
            _ if BUILT_IN.contains(&root) => return Ok(()),
            _ => return Err(format!("`{root}` is not declared")),
        };
        let undeclared = || format!("`{root}.{name}` is not declared");
        match root {
            "var" => {
                let variable = module.variables.get(name).ok_or_else(undeclared)?;
                self.used.insert(format!("var.{name}"));
                entry_of(attribute(&variable.it, "type"), rest, &format!("var.{name}"))
            }
            "local" => {
                let local = module.locals.get(name).ok_or_else(undeclared)?;
                self.used.insert(format!("local.{name}"));
                entry_of(Some(&local.it), rest, &format!("local.{name}"))
            }
            "module" => self.output(name, rest),
            "data" | "ephemeral" => {
                let Some((Step::Name(second), rest)) = rest.split_first() else { return Err(undeclared()) };
                self.used.insert(format!("{root}.{name}.{second}"));
                let kind = match root {
                    "data" => (&module.data, Some(&self.schema.data)),
                    _ => (&module.ephemeral, self.schema.ephemeral.as_ref()),
                };
                attribute_of(kind, name, second, rest)
            }
            _ if BUILT_IN.contains(&root) => Ok(()),
            kind => attribute_of((&module.resources, Some(&self.schema.resources)), kind, name, rest),
        }
    }

    fn output(&self, name: &str, rest: &[Step]) -> Result<(), String> {
        let call = self.module.calls.get(name).ok_or_else(|| format!("`module.{name}` is not declared"))?;
        let source = attribute(&call.it, "source").and_then(literal).unwrap_or_default();
        // A module that is not there is told of where it is called.
        let called = self.module.resolve(source).and_then(|folder| self.modules.get(&folder));
        match (called, rest.first()) {
            (Some(called), Some(Step::Name(output))) if !called.outputs.contains_key(output) => {
                Err(format!("{source} has no output `{output}`"))
            }
            _ => Ok(()),
        }
    }

    fn unused(&mut self) {
        let module = self.module;
        let all = module.variables.iter().map(|(name, it)| (format!("var.{name}"), &it.file));
        let all = all.chain(module.locals.iter().map(|(name, it)| (format!("local.{name}"), &it.file)));
        let data = module.data.iter().map(|((kind, name), it)| (format!("data.{kind}.{name}"), &it.file));
        for (name, file) in all.chain(data) {
            if !self.used.contains(&name) {
                self.found.push(Problem::new(file, format!("`{name}` is declared and used nowhere")));
            }
        }
    }
}

/// A resource or data source by its address, and its attribute where one is asked for.
fn attribute_of((declared, types): Kind<'_>, kind: &str, name: &str, rest: &[Step]) -> Result<(), String> {
    let address = (kind.to_owned(), name.to_owned());
    let body = declared.get(&address).ok_or_else(|| format!("`{kind}.{name}` is not declared"))?;
    let is_many = ["count", "for_each"].iter().any(|key| attribute(&body.it, key).is_some());
    let asked = match (is_many, rest) {
        (true, [Step::Name(_), ..]) => {
            return Err(format!("`{kind}.{name}` is many: say which with […]"));
        }
        (true, [Step::Into, asked, ..]) | (false, [Step::Into, asked, ..] | [asked, ..]) => asked,
        _ => return Ok(()),
    };
    let (Step::Name(asked), Some(block)) = (asked, types.and_then(|types| types.get(kind))) else {
        return Ok(());
    };
    let is_there = block.arguments.contains_key(asked)
        || block.computed.contains(asked)
        || block.blocks.contains_key(asked)
        || asked == ID;
    if is_there { Ok(()) } else { Err(format!("`{kind}` has no attribute `{asked}`")) }
}

/// An entry of an object that is written out, or of a type: `object({ a = … })`.
fn entry_of(written: Option<&Expression>, rest: &[Step], name: &str) -> Result<(), String> {
    let Some(Step::Name(asked)) = rest.first() else { return Ok(()) };
    let object = match written {
        Some(Expression::Object(object)) => Some(object),
        Some(Expression::FuncCall(call)) if call.name.name.as_str() == "object" => match call.args.get(0) {
            Some(Expression::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    };
    let Some(object) = object else { return Ok(()) };
    let mut is_open = false;
    let is_there = object.iter().any(|(key, _)| match key {
        ObjectKey::Ident(key) => key.as_str() == asked,
        ObjectKey::Expression(Expression::String(key)) => key.as_str() == asked,
        _ => {
            is_open = true;
            false
        }
    });
    if is_there || is_open { Ok(()) } else { Err(format!("`{name}` has no `{asked}`")) }
}
