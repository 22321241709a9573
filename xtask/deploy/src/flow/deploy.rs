//! From a file to a system that runs.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::image::programs::{self, Target};
use crate::image::{Image, Variant};
use crate::preflight::Intent;
use crate::settings::Settings;
use crate::terraform::plan::Plan;
use crate::terraform::{Aim, stack, state};
use crate::{Outcome, Place, Programs, Word, rollout};

use super::{Opened, ask, open};

/// The resource by which a first deployment is told from a later one.
const FIRST: &str = "module.reconciler.aws_ecs_task_definition.this";
/// Digits of an image's hash in its tag: enough to tell a repository's images apart.
const TAG_DIGITS: usize = 12;
/// A file beside the plan, from the first deployment until its comparison was started or declined: that may take several runs.
const COMPARISON_DUE: &str = "first-comparison-is-due";

/// What was asked for.
pub(crate) struct Order {
    pub(crate) place: Place,
    pub(crate) word: Word,
    pub(crate) programs: Programs,
    pub(crate) target: Target,
    pub(crate) no_image: bool,
    pub(crate) no_wait: bool,
    pub(crate) reconcile: bool,
}

/// The image to deploy.
struct Chosen {
    reference: String,
    /// What is yet to be pushed.
    made: Option<Image>,
}

/// Deploys.
pub(crate) async fn run(root: &Path, order: Order) -> Result<Outcome, String> {
    // Whether the file names an image is known before anything else, since it decides what has to be there.
    let named = Settings::read(&order.place.file).is_ok_and(|settings| settings.image.is_some());
    let makes = !named && !order.no_image;
    let intent = Intent {
        builds_for: makes.then_some(&order.target),
        binaries: order.programs.binaries.as_deref().filter(|_| makes),
        destroys: false,
    };
    let opened = match open(root, &order.place, intent).await? {
        Ok(opened) => opened,
        Err(problems) => return Ok(Outcome::NotBegun(problems)),
    };
    let chosen = choose_image(root, &order, &opened)?;
    stack::write_variables(&opened.terraform, &opened.settings, &chosen.reference)?;
    println!("image {}\nplanning", chosen.reference);
    let plan = opened.terraform.plan(Aim::Apply)?;
    println!("\n{}", plan.table());
    if order.word.plan_only {
        return Ok(if plan.is_empty() { Outcome::Done } else { Outcome::Changes });
    }
    if !plan.is_empty() && !ask(&plan, &order.word.consent(), "Apply this?")? {
        return Ok(Outcome::Refused);
    }
    if let Some(image) = &chosen.made {
        push(&opened, image).await?;
    }
    if plan.creates(FIRST) {
        let due = comparison_due(&opened);
        std::fs::write(&due, "").map_err(|error| format!("{} cannot be written: {error}", due.display()))?;
    }
    if !plan.is_empty() {
        println!("\napplying");
        opened.terraform.apply(plan.steps())?;
    }
    afterwards(&order, &opened).await
}

fn choose_image(root: &Path, order: &Order, opened: &Opened) -> Result<Chosen, String> {
    let settings = &opened.settings;
    if let Some(image) = &settings.image {
        return Ok(Chosen { reference: image.clone(), made: None });
    }
    if order.no_image {
        let running = state::deployed_image(&opened.state);
        let reference =
            running.ok_or("nothing is deployed yet: name an `image` in the file, or leave --no-image out")?;
        return Ok(Chosen { reference, made: None });
    }
    let image = make(root, &order.programs, &order.target, Variant::Workers)?;
    let (account, aws) = (&opened.ready.identity.account, &opened.ready.aws);
    let (region, suffix, service) = (&settings.region, aws.suffix(), &settings.service);
    let reference = format!("{account}.dkr.ecr.{region}.{suffix}/{service}@{}", image.digest());
    Ok(Chosen { reference, made: Some(image) })
}

/// Builds what is to be built, and puts it together.
pub(super) fn make(
    root: &Path,
    given: &Programs,
    target: &Target,
    variant: Variant,
) -> Result<Image, String> {
    let folder = match &given.binaries {
        Some(folder) => folder.clone(),
        None => programs::build(root, target, variant.programs())?,
    };
    let programs = programs::read(&folder, variant.programs(), target)?;
    Image::assemble(variant, target.architecture, programs, programs::authorities()?)
}

async fn push(opened: &Opened, image: &Image) -> Result<(), String> {
    let (aws, name) = (&opened.ready.aws, &opened.settings.service);
    if aws.make_repository(name).await? {
        println!("\nmade the repository {name}; destroying the environment leaves it");
    }
    let repository = aws.open_repository(name).await?;
    let sent = repository.push(image, &tag(image)).await?;
    let megabytes = sent.bytes.div_ceil(1_000_000);
    println!(
        "\npushed the image as {name}:{}: {megabytes} MB sent, {} parts were there",
        tag(image),
        sent.there
    );
    Ok(())
}

/// The version, and enough of the digest: an image has one tag, which never moves.
pub(super) fn tag(image: &Image) -> String {
    let hash = image.digest().trim_start_matches("sha256:");
    format!("{}-{}", env!("CARGO_PKG_VERSION"), &hash[..TAG_DIGITS])
}

async fn afterwards(order: &Order, opened: &Opened) -> Result<Outcome, String> {
    let outputs = opened.terraform.outputs()?;
    let came_up = if order.no_wait { Ok(()) } else { bring_up(order, opened, &outputs).await };
    // Who has to find out why something did not come up needs this all the more.
    println!("{}", rollout::what_next(&outputs, &opened.settings, &order.place.file.display().to_string()));
    came_up.map(|()| Outcome::Done)
}

/// Waits for the services; then the first comparison.
async fn bring_up(order: &Order, opened: &Opened, outputs: &Value) -> Result<(), String> {
    let Opened { settings, ready, terraform, .. } = opened;
    let wanted = state::task_definitions(&terraform.state()?);
    rollout::wait_until_steady(&ready.aws, outputs, &wanted).await?;
    let due = comparison_due(opened);
    if !order.reconcile && !due.exists() {
        return Ok(());
    }
    let there = rollout::what_there_is(&ready.aws, settings, &ready.identity.account).await;
    println!("\nfirst comparison: {there}");
    let nothing_lost = Plan::default();
    if ask(&nothing_lost, &order.word.consent(), "Start it?")? {
        rollout::reconcile(&ready.aws, outputs).await?;
    } else {
        println!(
            "it starts by itself, as `reconcile_schedule` says; or with: cargo xtask deploy FILE --reconcile"
        );
    }
    // Where it stays, somebody is asked once more.
    let _ = std::fs::remove_file(due);
    Ok(())
}

fn comparison_due(opened: &Opened) -> PathBuf {
    opened.terraform.folder.join(COMPARISON_DUE)
}
