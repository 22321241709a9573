//! What tests and people do to a fake ECR that runs in another process: JSON posted to `/_control/WHAT`.
//!
//! | address | body |
//! |---|---|
//! | `create` | `account`, `region`, `repository` |
//! | `push` | the same, `tag`, and `layout` with `name`, or `seed`; answers `digest` and `events` |
//! | `list` | `account`, `region`, and `file`: a repository and a digest a line, of images without a manifest |
//! | `delete`, `archive`, `restore`, `activate` | the same, `digest`; answers `events` |
//! | `role` | `arn`, `external_id` |
//! | `deny` | `account`, `denied` (true if absent) |
//! | `fail` | `operation`, `times`, `status` and `code`, or `failure`, or `cut_after` |
//! | `damage`, `lose` | `digest` |
//! | `expire-urls`, `calls` | nothing; `calls` answers them by operation, with the bytes of layers |
//! | `advance`, `token-life` | `seconds` |
//!
//! With `queue` = {`endpoint`, `url`}, the events are sent there as well, each as one message.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::events;
use super::layout::Pushed;
use super::server::Shared;
use super::world::{Fault, Place, Status, World};

type Answer = Result<Value, String>;

pub(super) async fn serve(
    State(shared): State<Arc<Shared>>,
    Path(what): Path<String>,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let outcome = act(&shared, &what, &body).await;
    match outcome {
        Ok(answer) => (StatusCode::OK, Json(answer)),
        Err(message) => (StatusCode::BAD_REQUEST, Json(json!({ "message": message }))),
    }
}

async fn act(shared: &Shared, what: &str, body: &[u8]) -> Answer {
    let body = if body.is_empty() { b"{}" } else { body };
    let input: Value = serde_json::from_slice(body).map_err(|e| format!("the body is no JSON: {e}"))?;
    let pushed = if what == "push" { Some(pushed(&input)?) } else { None };
    let answer = change(&mut shared.world(), what, &input, pushed.as_ref())?;
    let (endpoint, url) = (input["queue"]["endpoint"].as_str(), input["queue"]["url"].as_str());
    if let (Some(endpoint), Some(url), Some(sent)) = (endpoint, url, answer["events"].as_array()) {
        let region = input["region"].as_str().unwrap_or_default();
        events::send(endpoint, url, region, sent).await?;
    }
    Ok(answer)
}

fn text<'a>(input: &'a Value, key: &str) -> Result<&'a str, String> {
    input[key].as_str().ok_or_else(|| format!("`{key}` is missing"))
}

fn number(input: &Value, key: &str) -> Result<i64, String> {
    input[key].as_i64().ok_or_else(|| format!("`{key}` is no number"))
}

fn pushed(input: &Value) -> Result<Pushed, String> {
    match input["layout"].as_str() {
        Some(layout) => Pushed::from_layout(FilePath::new(layout), text(input, "name")?),
        None => Ok(Pushed::of_seed(text(input, "seed")?)),
    }
}

fn change(world: &mut World, what: &str, input: &Value, pushed: Option<&Pushed>) -> Answer {
    let place = || -> Result<Place, String> {
        Ok(Place::new(text(input, "account")?, text(input, "region")?, text(input, "repository")?))
    };
    let digest = || text(input, "digest");
    let mut move_to = |status: Status| -> Answer {
        Ok(json!({ "events": [world.set_status(&place()?, digest()?, status)] }))
    };
    match (what, pushed) {
        ("push", Some(pushed)) => {
            let (digest, events) = world.push(&place()?, input["tag"].as_str(), pushed);
            return Ok(json!({ "digest": digest, "events": events }));
        }
        ("archive", _) => return move_to(Status::Archived),
        ("restore", _) => return move_to(Status::Active),
        ("activate", _) => return move_to(Status::Activating),
        ("delete", _) => return Ok(json!({ "events": [world.delete(&place()?, digest()?)] })),
        ("calls", _) => {
            return Ok(json!({ "calls": world.calls(), "layer_bytes": world.layer_bytes() }));
        }
        ("create", _) => world.create_repository(&place()?),
        ("list", _) => {
            let (account, region) = (text(input, "account")?, text(input, "region")?);
            let file = std::fs::read_to_string(text(input, "file")?).map_err(|e| e.to_string())?;
            for (repository, digest) in file.lines().filter_map(|line| line.split_once(' ')) {
                world.list(&Place::new(account, region, repository), digest);
            }
        }
        ("role", _) => world.add_role(text(input, "arn")?, input["external_id"].as_str()),
        ("deny", _) => world.deny(text(input, "account")?, input["denied"].as_bool().unwrap_or(true)),
        ("fail", _) => {
            let times = usize::try_from(number(input, "times")?).map_err(|e| e.to_string())?;
            world.fail(text(input, "operation")?, times, fault(input)?);
        }
        ("damage", _) => world.damage(digest()?),
        ("lose", _) => world.lose(digest()?),
        ("expire-urls", _) => world.expire_urls(),
        ("advance", _) => world.advance(number(input, "seconds")?),
        ("token-life", _) => world.set_token_seconds(number(input, "seconds")?),
        _ => return Err(format!("there is no control `{what}`")),
    }
    Ok(json!({}))
}

fn fault(input: &Value) -> Result<Fault, String> {
    if let Some(code) = input["failure"].as_str() {
        return Ok(Fault::Failure(code.to_owned()));
    }
    if let Some(bytes) = input["cut_after"].as_u64() {
        return Ok(Fault::CutAfter(usize::try_from(bytes).map_err(|e| e.to_string())?));
    }
    let status = u16::try_from(number(input, "status")?).map_err(|e| e.to_string())?;
    Ok(Fault::Error(status, text(input, "code")?.to_owned()))
}
