//! After the last change: services that come up, the first comparison, and where to look.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::aws::Aws;
use crate::aws::ecr::Counted;
use crate::aws::ecs::{Rollout, Service};
use crate::settings::Settings;

/// How long services may take: Clair's first start makes its tables, and images are pulled.
const STEADY_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);
/// Seconds that a task of Clair takes for an image; an estimate, and said to be one.
const SECONDS_PER_IMAGE: u64 = 20;
/// Repositories that are listed by name, at most.
const MAX_LISTED: usize = 20;
/// Tasks of Clair at most where nothing is said: terraform's default of `scaling.max_clair`.
const DEFAULT_MAX_CLAIR: u64 = 2;

/// Waits until every service runs as many tasks as it should, of the task definition that it was given (`wanted`, by the
/// service's name).
pub(crate) async fn wait_until_steady(
    aws: &Aws,
    outputs: &Value,
    wanted: &[(String, String)],
) -> Result<(), String> {
    let cluster = text(outputs, "cluster");
    let names: Vec<String> = outputs["services"]["value"]
        .as_object()
        .map(|services| services.values().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    println!("\nwaiting for {} services, {} min at most", names.len(), STEADY_LIMIT.as_secs() / 60);
    let (begun, mut told) = (Instant::now(), Vec::new());
    loop {
        let services = aws.services(&cluster, &names).await?;
        if services != told {
            for service in services.iter().filter(|service| !told.contains(service)) {
                println!("  {}: {} of {} tasks", service.name, service.running, service.desired);
            }
            told.clone_from(&services);
        }
        if let Some(failed) = services.iter().find(|service| service.rollout == Rollout::Failed) {
            return Err(format!(
                "{0} did not come up: {1}\n  its log: aws logs tail /ecs/{0} --region {2}",
                failed.name, failed.said, aws.region
            ));
        }
        // What does not come up is replaced by what ran before, which then is well.
        if let Some(back) = services.iter().find(|service| is_rolled_back(service, wanted)) {
            return Err(format!(
                "{0} did not come up, and ECS went back to what ran before: {1}\n  its log: aws logs tail /ecs/{0} \
                 --region {2}",
                back.name, back.said, aws.region
            ));
        }
        if services.len() == names.len() && services.iter().all(|service| service.rollout == Rollout::Done) {
            return Ok(());
        }
        if begun.elapsed() > STEADY_LIMIT {
            return Err(format!(
                "not steady after {} min: {}",
                STEADY_LIMIT.as_secs() / 60,
                unsteady(&services)
            ));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn is_rolled_back(service: &Service, wanted: &[(String, String)]) -> bool {
    let wanted = wanted.iter().find(|(name, _)| *name == service.name).map(|(_, task)| task);
    service.task.as_ref().zip(wanted).is_some_and(|(runs, wanted)| runs != wanted)
}

fn unsteady(services: &[Service]) -> String {
    let open = services.iter().filter(|service| service.rollout != Rollout::Done);
    let open: Vec<String> = open.map(|service| format!("{} ({})", service.name, service.said)).collect();
    open.join("; ")
}

/// What the first comparison will bring in, for a person to look at before it is started.
pub(crate) async fn what_there_is(aws: &Aws, settings: &Settings, account: &str) -> String {
    let registries = settings.registries();
    let is_own = |registry: &&Value| {
        let same = |key: &str, own: &str| registry[key].as_str().is_none_or(|named| named == own);
        same("account_id", account) && same("region", &settings.region)
    };
    let own = registries.iter().any(|registry| is_own(&registry));
    let counted = if own { aws.count_images().await } else { Ok(vec![]) };
    // It is for people: the reconciler has rights of its own.
    let counted = match counted {
        Ok(counted) => counted,
        Err(refusal) => return format!("how many images there are cannot be told: {refusal}"),
    };
    let others = registries.iter().filter(|registry| !is_own(registry)).count();
    let scaled = settings.number("scaling", "max_clair", DEFAULT_MAX_CLAIR);
    listing(&counted, others, settings.top_number("number_of_clair_instances").unwrap_or(scaled))
}

fn listing(counted: &[Counted], others: usize, clair: u64) -> String {
    let images: usize = counted.iter().map(|repository| repository.images).sum();
    let more = if counted.iter().any(|repository| repository.more) { "more than " } else { "" };
    let mut text =
        format!("{more}{images} images in {} repositories of this account and region\n", counted.len());
    for Counted { name, images, more } in counted.iter().take(MAX_LISTED) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:>7}  {name}", format!("{images}{}", if *more { "+" } else { "" }));
    }
    if counted.len() > MAX_LISTED {
        let _ = writeln!(text, "  and {} repositories more", counted.len() - MAX_LISTED);
    }
    if others > 0 {
        let _ = writeln!(text, "  and {others} registries elsewhere, which the reconciler lists by itself");
    }
    let minutes = (images as u64 * SECONDS_PER_IMAGE).div_ceil(clair.max(1) * 60);
    let _ = write!(
        text,
        "about {} for them, at {SECONDS_PER_IMAGE} s an image and {clair} tasks of Clair at most;\n\
         Clair first loads its data, which takes most of an hour",
        if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes.div_ceil(60)) }
    );
    text
}

/// Starts the reconciler once.
pub(crate) async fn reconcile(aws: &Aws, outputs: &Value) -> Result<(), String> {
    let arn = aws.run_task(&outputs["reconcile_task"]["value"]).await?;
    println!("started: {arn}");
    Ok(())
}

/// Where reports are, and what to do next.
pub(crate) fn what_next(outputs: &Value, settings: &Settings, file: &str) -> String {
    let (name, bucket, region) = (settings.name(), text(outputs, "report_bucket"), &settings.region);
    let mut text = format!(
        "
reports       s3://{bucket}/year=…/month=…/day=…/, the first as soon as Clair has its data:
                aws s3 ls --recursive s3://{bucket}/ | tail -1
SQL           the Athena workgroup {name}, with queries to begin with: https://{region}.console.aws.amazon.com/athena
what happens  aws logs tail --follow /ecs/{name}-ingest --region {region}
dashboard     {}, in CloudWatch
again         cargo xtask drift {file}   shows what somebody changed by hand
              cargo xtask deploy {file}  brings changes of the file and of this repository",
        text(outputs, "dashboard")
    );
    match settings.emails() {
        0 => text.push_str("\nalarms        nobody gets them: add `alarm_emails` to the file"),
        several => {
            let _ = write!(
                text,
                "\nalarms        {several} addresses have to confirm the mail that AWS sent them"
            );
        }
    }
    text
}

fn text(outputs: &Value, name: &str) -> String {
    outputs[name]["value"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str, images: usize, more: bool) -> Counted {
        Counted { name: name.to_owned(), images, more }
    }

    #[test]
    fn the_list_says_how_much_there_is_and_how_long_it_takes() {
        let text = listing(&[repository("team/app", 90, false), repository("team/db", 30, false)], 0, 2);
        assert!(text.starts_with("120 images in 2 repositories"), "{text}");
        assert!(text.contains("     90  team/app") && text.contains("about 20 min"), "{text}");
        assert!(!text.contains("elsewhere"), "{text}");
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let many: Vec<_> = (0..=MAX_LISTED).map(|n| repository(&format!("r{n}"), 10_000, true)).collect();
        let text = listing(&many, 3, 0);
        assert!(text.starts_with("more than 210000 images in 21"), "{text}");
        assert!(
            text.contains("and 1 repositories more") && text.contains("3 registries elsewhere"),
            "{text}"
        );
        assert!(text.contains("about 1167 h"), "{text}");
        assert!(!text.contains(&format!("r{MAX_LISTED}\n")), "{text}");
    }
}
