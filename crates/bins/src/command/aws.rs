//! `aws`: makes what the configuration names there.

use crate::cli::{AwsAction, EXIT_ERROR, EXIT_OK};
use crate::config::Loaded;
use crate::runtime::Failure;
use crate::wiring::Resources;

pub(super) async fn aws(loaded: &Loaded, asked: &AwsAction) -> Result<u8, Failure> {
    let AwsAction::Init { dry_run } = asked;
    let resources = Resources::of(&loaded.config);
    let names = resources.names();
    if names.is_empty() {
        return Err(Failure::usage(
            "there is nothing to create: set store.kind = \"dynamodb\", queue.kind = \"sqs\" or reports.kind = \"s3\"",
        ));
    }
    if *dry_run {
        for (kind, name) in names {
            println!("{kind} {name}: would be created unless it is there");
        }
        return Ok(EXIT_OK);
    }
    let mut code = EXIT_OK;
    for made in resources.make().await? {
        match made.made {
            Ok(all) => {
                for one in all {
                    let what = if one.existed { "was there" } else { "created" };
                    println!("{} {}: {what}", made.kind, one.name);
                }
            }
            Err(problem) => {
                eprintln!("error: {}: {problem}", made.kind);
                code = EXIT_ERROR;
            }
        }
    }
    Ok(code)
}
