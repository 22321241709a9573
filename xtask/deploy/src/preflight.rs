//! What is looked at before anything is touched. Every problem is found, not the first alone.

use std::path::Path;
use std::time::Duration;

use crate::aws::{Aws, Identity};
use crate::image::programs::{self, Target};
use crate::problem::Problem;
use crate::settings::{Settings, State};
use crate::terraform::{MIRROR, SECRETS, Terraform};

/// The oldest terraform with write-only arguments, by which secrets stay out of the state.
const TERRAFORM: (u32, u32) = (1, 11);
/// Where terraform fetches providers.
const REGISTRY: &str = "https://registry.terraform.io/.well-known/terraform.json";
/// How long that may take to answer.
const REGISTRY_TIMEOUT: Duration = Duration::from_secs(10);
/// What tasks run on, as terraform/modules/service says it.
const ARCHITECTURE: &str = "amd64";
/// Terraform's own settings.
const CLI_CONFIG: &str = "TF_CLI_CONFIG_FILE";

/// What is about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Intent<'a> {
    /// Where programs are built for; none where nothing is built.
    pub(crate) builds_for: Option<&'a Target>,
    /// Programs that were built before.
    pub(crate) binaries: Option<&'a Path>,
    pub(crate) destroys: bool,
}

/// What preflight found out.
pub(crate) struct Ready {
    pub(crate) aws: Aws,
    pub(crate) identity: Identity,
}

/// Looks at everything.
pub(crate) async fn check(
    settings: Result<Settings, Vec<Problem>>,
    intent: Intent<'_>,
) -> Result<(Settings, Ready), Vec<Problem>> {
    let (settings, mut problems) = match settings {
        Ok(settings) => (Some(settings), vec![]),
        Err(problems) => (None, problems),
    };
    problems.extend(terraform());
    problems.extend(provider().await);
    problems.extend(image(intent));
    // Without a file that can be read, credentials are looked for all the same: the region hardly matters for them.
    let region = settings.as_ref().map_or("us-east-1", |settings| &settings.region);
    let account = account(region).await;
    if let (Some(settings), Ok(ready)) = (&settings, &account) {
        problems.extend(of_the_account(settings, ready).await);
    }
    if let Some(settings) = &settings {
        problems.extend(of_the_file(settings, intent));
    }
    match (settings, account, problems) {
        (Some(settings), Ok(ready), problems) if problems.is_empty() => Ok((settings, ready)),
        (_, account, mut problems) => {
            problems.extend(account.err());
            Err(problems)
        }
    }
}

fn terraform() -> Vec<Problem> {
    let remedy = "install 1.11 or newer: https://developer.hashicorp.com/terraform/install";
    let mut problems = Vec::new();
    // Where it is wrong, terraform goes to the network instead, and warns with each call.
    let config = std::env::var_os(CLI_CONFIG).filter(|path| !path.is_empty());
    if let Some(path) = config.filter(|path| !Path::new(path).is_file()) {
        let what = format!("{CLI_CONFIG} names {}, which is not there", path.display());
        problems.push(Problem::new(what, format!("unset {CLI_CONFIG}, or let it name a file")));
    }
    match Terraform::version() {
        Err(problem) => problems.push(Problem::new(problem, remedy)),
        Ok(version) if !is_new_enough(&version) => {
            problems.push(Problem::new(format!("terraform is `{version}`, too old"), remedy));
        }
        Ok(_) => {}
    }
    problems
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= TERRAFORM
}

/// Where the AWS provider comes from: a mirror that is named, or the registry.
async fn provider() -> Option<Problem> {
    if let Some(mirror) = std::env::var_os(MIRROR) {
        let there = Path::new(&mirror).join("registry.terraform.io/hashicorp/aws").is_dir();
        let what =
            format!("{MIRROR} names {}, which has no registry.terraform.io/hashicorp/aws", mirror.display());
        return (!there)
            .then(|| Problem::new(what, format!("unset {MIRROR}, or let it name a filesystem mirror")));
    }
    // A mirror may also stand in terraform's own settings; then it is terraform's business.
    if std::env::var_os(CLI_CONFIG).is_some_and(|path| !path.is_empty()) {
        return None;
    }
    let client = reqwest::Client::builder().timeout(REGISTRY_TIMEOUT).build().ok()?;
    let answer = client.get(REGISTRY).send().await.and_then(reqwest::Response::error_for_status);
    answer.err().map(|error| {
        let what = format!(
            "registry.terraform.io, where the AWS provider comes from, does not answer: {}",
            error.without_url()
        );
        Problem::new(
            what,
            format!("let HTTPS_PROXY name the way out, or {MIRROR} a filesystem mirror with the provider"),
        )
    })
}

fn image(intent: Intent<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let makes_one = intent.builds_for.is_some() || intent.binaries.is_some();
    if makes_one && let Err(problem) = programs::authorities() {
        problems.push(Problem::new(
            problem,
            "install the package ca-certificates: the image takes them from here",
        ));
    }
    if let Some(folder) = intent.binaries.filter(|folder| !folder.is_dir()) {
        let what = format!("--binaries names {}, which is no folder", folder.display());
        problems.push(Problem::new(what, "name the folder of static programs, or leave the option out"));
    }
    if let Some(target) = intent.builds_for.filter(|target| target.architecture != ARCHITECTURE) {
        let what = format!("tasks run on x86-64, and the image would be for {}", target.triple);
        let remedy = "--target x86_64-unknown-linux-gnu, where a linker for it is installed, or with --binaries; or an \
                      `image` in the file";
        problems.push(Problem::new(what, remedy));
    }
    if let Some(target) = intent.builds_for.filter(|_| intent.binaries.is_none()) {
        if !target.is_installed() {
            let remedy = format!("rustup target add {}", target.triple);
            problems.push(Problem::new(format!("rustc has no target {}", target.triple), remedy));
        } else if !cfg!(target_os = "linux") {
            let remedy =
                "build on Linux, give --binaries a folder of static programs, or name an `image` in the file";
            problems.push(Problem::new("programs for Linux are not built on this system", remedy));
        }
    }
    problems
}

async fn account(region: &str) -> Result<Ready, Problem> {
    let remedy = "`aws configure`, AWS_PROFILE, or, with single sign-on, \
                  eval \"$(aws configure export-credentials --format env)\"";
    let aws = Aws::connect(region)
        .await
        .map_err(|problem| Problem::new(format!("there are no credentials for AWS: {problem}"), remedy))?;
    match aws.identity().await {
        Ok(identity) => Ok(Ready { aws, identity }),
        Err(refusal) => Err(Problem::new(format!("AWS does not take the credentials: {refusal}"), remedy)),
    }
}

async fn of_the_account(settings: &Settings, ready: &Ready) -> Vec<Problem> {
    let mut problems = Vec::new();
    let account = &ready.identity.account;
    if let Some(wanted) = settings.account_id.as_ref().filter(|wanted| *wanted != account) {
        let what = format!("the credentials are of account {account}, and the file is for {wanted}");
        problems.push(Problem::new(what, "take credentials of that account, or mend `account_id`"));
    }
    if let State::S3 { bucket, region, .. } = &settings.state {
        problems.extend(state_bucket(bucket, region).await);
    }
    problems
}

async fn state_bucket(bucket: &str, region: &str) -> Option<Problem> {
    let aws = Aws::connect(region).await.ok()?;
    let make = format!(
        "make it, with versions: aws s3api create-bucket --bucket {bucket} --region {region}{}; \
         aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
        if region == "us-east-1" {
            String::new()
        } else {
            format!(" --create-bucket-configuration LocationConstraint={region}")
        }
    );
    let (what, remedy) = match aws.bucket_status(bucket).await {
        Ok(200) => return None,
        Ok(404) => (format!("the bucket of the state, {bucket}, is not there"), make),
        Ok(301 | 400) => (
            format!("the bucket of the state, {bucket}, is not in {region}"),
            "give `region` in [state]".to_owned(),
        ),
        Ok(403) => (
            format!("the bucket of the state, {bucket}, is closed to these credentials"),
            "allow them to read and write it, or choose another name: it may be somebody else's".to_owned(),
        ),
        Ok(status) => {
            (format!("S3 answers {status} about the bucket of the state, {bucket}"), "try again".to_owned())
        }
        Err(refusal) => (format!("the bucket of the state, {bucket}: {refusal}"), "try again".to_owned()),
    };
    Some(Problem::new(what, remedy))
}

fn of_the_file(settings: &Settings, intent: Intent<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !settings.generate_secrets {
        let absent =
            SECRETS.iter().filter(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()));
        problems.extend(absent.map(|name| {
            let remedy = format!("export {name}, or leave `generate_secrets` out");
            Problem::new(format!("`generate_secrets` is off and {name} is not set"), remedy)
        }));
    }
    if intent.destroys && settings.protect_data {
        let remedy = "set `protect_data = false` in the file, `cargo xtask deploy` it, then destroy";
        problems.push(Problem::new(
            "`protect_data` is on: buckets, tables and the database refuse to go",
            remedy,
        ));
    }
    if matches!(settings.state, State::S3 { .. }) && settings.local_state.exists() {
        let there = settings.local_state.display();
        let what = format!("[state] names a bucket, and there is a state in {there}");
        let remedy =
            "bring it to the bucket (`terraform state push`), or move it away if nothing of it is left";
        problems.push(Problem::new(what, remedy));
    }
    if let State::Local(path) = &settings.state {
        let folder = path.parent().unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let what = format!("{}, where the state is to be kept, is no folder", folder.display());
            problems.push(Problem::new(what, "make it, or mend `path` in [state]"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_for_other_machines_than_the_tasks_is_refused() {
        let of = |triple: &str| {
            let target = Target::parse(triple).unwrap();
            // Programs that were built before: nothing is asked of this machine's toolchain.
            let intent =
                Intent { builds_for: Some(&target), binaries: Some(Path::new("/")), destroys: false };
            image(intent).iter().map(ToString::to_string).collect::<String>()
        };
        assert!(of("aarch64-unknown-linux-gnu").contains("tasks run on x86-64"));
        assert!(!of("x86_64-unknown-linux-musl").contains("tasks run on x86-64"));
    }

    #[test]
    fn versions_are_compared_by_numbers() {
        for (version, good) in [
            ("1.11.0", true),
            ("1.11.4", true),
            ("2.0.0", true),
            ("1.9.8", false),
            ("1.10.5", false),
            ("1.12.0-beta1", true),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), good, "{version}");
        }
    }
}
