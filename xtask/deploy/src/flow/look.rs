//! What only looks.

use std::path::Path;

use serde_json::Value;

use crate::preflight::Intent;
use crate::terraform::{Aim, stack, state};
use crate::{Outcome, Place};

use super::{NO_IMAGE, Opened, open};

const LOOKS: Intent<'static> = Intent { builds_for: None, binaries: None, destroys: false };

/// Compares AWS with the file.
pub(crate) async fn drift(root: &Path, place: &Place) -> Result<Outcome, String> {
    let Opened { settings, terraform, state, .. } = match open(root, place, LOOKS).await? {
        Ok(opened) => opened,
        Err(problems) => return Ok(Outcome::NotBegun(problems)),
    };
    if state::is_empty(&state) {
        println!("nothing is deployed");
        return Ok(Outcome::Done);
    }
    // The image that would be built today is no drift; where a deployment broke off there may be none.
    let running = || state::deployed_image(&state).unwrap_or_else(|| NO_IMAGE.to_owned());
    let image = settings.image.clone().unwrap_or_else(running);
    stack::write_variables(&terraform, &settings, &image)?;
    // A whole plan: one that only refreshes tells of every attribute that AWS fills in by itself.
    let plan = terraform.plan(Aim::Apply)?;
    if plan.is_empty() {
        println!("no drift: AWS is as the file says");
        return Ok(Outcome::Done);
    }
    println!("\nto be again as the file says, this would change:\n{}", plan.table());
    Ok(Outcome::Changes)
}

/// Shows the outputs.
pub(crate) async fn outputs(root: &Path, place: &Place, json: bool) -> Result<Outcome, String> {
    let Opened { terraform, .. } = match open(root, place, LOOKS).await? {
        Ok(opened) => opened,
        Err(problems) => return Ok(Outcome::NotBegun(problems)),
    };
    let outputs = terraform.outputs()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&outputs).map_err(|error| error.to_string())?);
        return Ok(Outcome::Done);
    }
    for (name, output) in outputs.as_object().into_iter().flatten() {
        match &output["value"] {
            Value::Object(values) => {
                println!("{name}");
                for (key, value) in values {
                    println!("  {key:<16} {}", plain(value));
                }
            }
            Value::String(text) if text.contains('\n') => {
                println!("{name:<18} {} lines: --json has them", text.lines().count());
            }
            value => println!("{name:<18} {}", plain(value)),
        }
    }
    Ok(Outcome::Done)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
