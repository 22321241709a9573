//! The way back.

use std::path::Path;

use crate::preflight::Intent;
use crate::problem::Problem;
use crate::terraform::Aim;
use crate::terraform::stack;
use crate::{Outcome, Place, Word};

use super::{NO_IMAGE, ask, open};

/// Destroys.
pub(crate) async fn run(root: &Path, place: &Place, word: &Word) -> Result<Outcome, String> {
    let intent = Intent { builds_for: None, binaries: None, destroys: true };
    let opened = match open(root, place, intent).await? {
        Ok(opened) => opened,
        Err(problems) => return Ok(Outcome::NotBegun(problems)),
    };
    stack::write_variables(&opened.terraform, &opened.settings, NO_IMAGE)?;
    println!("planning");
    let plan = opened.terraform.plan(Aim::Destroy)?;
    if plan.is_empty() {
        println!("nothing is deployed");
        return Ok(Outcome::Done);
    }
    println!("\n{}", plan.table());
    let protected = plan.protected();
    if !protected.is_empty() {
        // Everything else would go first.
        let what = format!("these refuse to go, as they were deployed: {}", protected.join(", "));
        let remedy = format!("`cargo xtask deploy {} --no-image` lifts the protection", place.file.display());
        return Ok(Outcome::NotBegun(vec![Problem::new(what, remedy)]));
    }
    if word.plan_only {
        return Ok(Outcome::Changes);
    }
    if !ask(&plan, &word.consent(), "Destroy all of this?")? {
        return Ok(Outcome::Refused);
    }
    println!("\ndestroying");
    opened.terraform.apply(plan.steps())?;
    let (service, region) = (&opened.settings.service, &opened.settings.region);
    println!(
        "\ndestroyed. Left, since other environments may use it: the repository of images\n  \
         aws ecr delete-repository --force --repository-name {service} --region {region}"
    );
    Ok(Outcome::Done)
}
