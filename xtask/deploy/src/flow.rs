//! The chores, each from beginning to end.

pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod local;
pub(crate) mod look;

use std::io::{stdin, stdout};
use std::path::Path;

use serde_json::Value;

use crate::Place;
use crate::confirm::{Consent, agreed};
use crate::preflight::{self, Intent, Ready};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::terraform::Terraform;
use crate::terraform::plan::Plan;
use crate::terraform::{stack, state};

/// An image's name for runs that need a valid one and deploy none.
const NO_IMAGE: &str = "none@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// An environment that everything was found to be right for, its code copied and its state open.
struct Opened {
    settings: Settings,
    ready: Ready,
    terraform: Terraform,
    /// What was deployed when it was opened.
    state: Value,
}

/// Opens an environment; or what stands in the way.
async fn open(
    root: &Path,
    place: &Place,
    intent: Intent<'_>,
) -> Result<Result<Opened, Vec<Problem>>, String> {
    let (settings, ready) = match preflight::check(Settings::read(&place.file), intent).await {
        Ok(found) => found,
        Err(problems) => return Ok(Err(problems)),
    };
    let emulated = if ready.aws.is_emulated() { ", where something stands in for AWS" } else { "" };
    // Beside the output, which may be JSON.
    eprintln!(
        "{} in account {}, {}{emulated}, as {}",
        settings.name(),
        ready.identity.account,
        settings.region,
        ready.identity.arn
    );
    let folder = place.folder.clone().unwrap_or_else(|| stack::default_folder(root, &settings.name()));
    let terraform = match stack::prepare(root, &folder, &settings) {
        Ok(terraform) => terraform,
        Err(problem) => return Ok(Err(vec![problem])),
    };
    terraform.init()?;
    let state = terraform.state()?;
    if let Some(problem) = state::elsewhere(&state, &ready.identity.account, &settings.region) {
        return Ok(Err(vec![problem]));
    }
    Ok(Ok(Opened { settings, ready, terraform, state }))
}

/// Asks on the terminal.
fn ask(plan: &Plan, consent: &Consent, question: &str) -> Result<bool, String> {
    agreed(plan, consent, question, &mut stdin().lock(), &mut stdout()).map_err(|error| error.to_string())
}
