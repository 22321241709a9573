//! Names and references: what a block may be called and hold, by the provider's schema; and that whatever is named is declared.

mod arguments;
mod references;

use std::collections::BTreeMap;

use hcl_edit::structure::Body;

use crate::Problem;
use crate::module::{Address, Declared, Module, Modules};
use crate::schema::{Block, Schema};

/// What is wrong by the schema of one version of the provider.
#[must_use]
pub fn check(modules: &Modules, schema: &Schema) -> Vec<Problem> {
    let mut found = vec![];
    for module in modules.0.values() {
        found.extend(module.wrong.iter().cloned());
        found.extend(bodies(module, schema));
        found.extend(arguments::of_calls(module, &modules.0));
        found.extend(references::check(module, &modules.0, schema));
    }
    found.sort();
    found.dedup();
    found
}

/// Every resource and data source against its type.
fn bodies(module: &Module, schema: &Schema) -> Vec<Problem> {
    let mut found = vec![];
    let ephemeral = schema.ephemeral.as_ref();
    let kinds = [
        (&module.resources, Some(&schema.resources), ""),
        (&module.data, Some(&schema.data), "data."),
        (&module.ephemeral, ephemeral, "ephemeral."),
    ];
    for (declared, types, before) in kinds {
        let Some(types) = types else { continue };
        for ((kind, name), body) in declared {
            let place = format!("{}: {before}{kind}.{name}", body.file);
            match types.get(kind) {
                Some(block) => arguments::of_body(&body.it, block, &place, &mut found),
                None => found.push(Problem::new(
                    place,
                    format!(
                        "provider {} has no type {kind}, or it is not in the reduced schema (terraform/README.md says how \
                         that is made)",
                        schema.version
                    ),
                )),
            }
        }
    }
    found
}

/// The declared things of one kind with their types.
type Kind<'a> = (&'a BTreeMap<Address, Declared<Body>>, Option<&'a BTreeMap<String, Block>>);
