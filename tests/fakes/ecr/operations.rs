//! The operations of the ECR API, over AWS JSON 1.1 (ECR API reference, version 2015-09-21).

use axum::body::Bytes;
use serde_json::{Value, json};

use super::store;
use super::world::{Fault, Place, Repository, Status, World, digest_of, hex, refusal};

/// The entries of a page if nobody says, and at most.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1000;
/// The most images that one call names.
const MAX_IDS: usize = 100;

/// A status and a body.
pub(super) type Answer = (u16, Value);

/// Who asks, where.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) region: String,
}

pub(super) fn error(code: &str, message: &str) -> Answer {
    (400, refusal(code, message))
}

/// Answers an operation. `store` is the address of the layer store.
pub(super) fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    input: &Value,
    store: &str,
) -> Answer {
    let fault = world.note(operation);
    if let Some(Fault::Error(status, code)) = &fault {
        return (*status, refusal(code, "Rate exceeded, or so it was planned"));
    }
    let account = input["registryId"].as_str().unwrap_or(&caller.account);
    if account != caller.account || world.denied.contains(&caller.account) {
        let who = &caller.account;
        let message = format!(
            "User: arn:aws:iam::{who}:user/u is not authorized to perform: ecr:{operation} on registry {account}"
        );
        return error("AccessDeniedException", &message);
    }
    if operation == "GetAuthorizationToken" {
        return token(world, caller);
    }
    if operation == "DescribeRepositories" {
        return describe_repositories(world, caller, input);
    }
    let name = input["repositoryName"].as_str().unwrap_or_default();
    let place = Place::new(account, &caller.region, name);
    if !world.repositories.contains_key(&place) {
        let message =
            format!("The repository with name '{name}' does not exist in the registry with id '{account}'");
        return error("RepositoryNotFoundException", &message);
    }
    match operation {
        "ListImages" => list_images(&world.repositories[&place], input),
        "DescribeImages" => describe_images(&world.repositories[&place], &place, input),
        "BatchGetImage" => batch_get_image(world, &place, input, fault.as_ref()),
        "BatchCheckLayerAvailability" => check_layers(world, &place, input),
        "GetDownloadUrlForLayer" => download_url(world, &place, input, store),
        _ => error("UnknownOperationException", operation),
    }
}

fn token(world: &mut World, caller: &Caller) -> Answer {
    use base64::Engine as _;
    let (password, expires) = world.issue_token(&caller.account);
    let token = base64::engine::general_purpose::STANDARD.encode(format!("AWS:{password}"));
    let endpoint = format!("https://{}.dkr.ecr.{}.amazonaws.com", caller.account, caller.region);
    let data = json!([{ "authorizationToken": token, "expiresAt": expires, "proxyEndpoint": endpoint }]);
    (200, json!({ "authorizationData": data }))
}

/// A page of keys that are in order, and the token of the next.
fn page(mut keys: Vec<String>, input: &Value) -> Result<(Vec<String>, Option<String>), Answer> {
    let invalid = |what: &str| error("InvalidParameterException", &format!("Invalid parameter: {what}"));
    let limit = match input["maxResults"].as_u64() {
        None if input["maxResults"].is_null() => PAGE,
        Some(limit @ 1..) if limit <= MAX_PAGE as u64 => usize::try_from(limit).unwrap_or(MAX_PAGE),
        _ => return Err(invalid("maxResults")),
    };
    if let Some(token) = input["nextToken"].as_str() {
        let after = token.strip_prefix("after-").ok_or_else(|| invalid("nextToken"))?;
        keys.retain(|key| hex(key.as_bytes()).as_str() > after);
    }
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|last| format!("after-{}", hex(last.as_bytes())));
    Ok((keys, next))
}

fn with_next(mut body: Value, next: Option<String>) -> Answer {
    if let Some(next) = next {
        body["nextToken"] = json!(next);
    }
    (200, body)
}

/// Repositories come in no order that a name would tell: none is promised.
fn describe_repositories(world: &World, caller: &Caller, input: &Value) -> Answer {
    let mine = world
        .repositories
        .keys()
        .filter(|place| place.account == caller.account && place.region == caller.region);
    let mut keys: Vec<String> = mine
        .map(|place| format!("{} {}", digest_of(place.repository.as_bytes()), place.repository))
        .collect();
    keys.sort();
    let (keys, next) = match page(keys, input) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let (account, region) = (&caller.account, &caller.region);
    let described = keys.iter().filter_map(|key| key.split_once(' ')).map(|(_, name)| {
        json!({
            "registryId": account, "repositoryName": name,
            "repositoryArn": format!("arn:aws:ecr:{region}:{account}:repository/{name}"),
            "repositoryUri": format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}"),
        })
    });
    with_next(json!({ "repositories": described.collect::<Vec<_>>() }), next)
}

/// Whether the filter of a listing lets an image through: active ones alone if it does not say.
fn passes(repository: &Repository, digest: &str, filter: &Value) -> bool {
    let wanted = filter["imageStatus"].as_str().unwrap_or("ACTIVE");
    let tagged = !repository.tags_of(digest).is_empty();
    let by_tag = match filter["tagStatus"].as_str() {
        Some("TAGGED") => tagged,
        Some("UNTAGGED") => !tagged,
        _ => true,
    };
    by_tag && (wanted == "ANY" || repository.images[digest].status.word() == wanted)
}

fn list_images(repository: &Repository, input: &Value) -> Answer {
    let mut keys = vec![];
    for digest in repository.images.keys().filter(|digest| passes(repository, digest, &input["filter"])) {
        let tags = repository.tags_of(digest);
        if tags.is_empty() {
            keys.push(digest.clone());
        }
        keys.extend(tags.iter().map(|tag| format!("{digest} {tag}")));
    }
    match page(keys, input) {
        Err(answer) => answer,
        Ok((keys, next)) => {
            let ids = keys.iter().map(|key| match key.split_once(' ') {
                Some((digest, tag)) => json!({ "imageDigest": digest, "imageTag": tag }),
                None => json!({ "imageDigest": key }),
            });
            with_next(json!({ "imageIds": ids.collect::<Vec<_>>() }), next)
        }
    }
}

fn describe_images(repository: &Repository, place: &Place, input: &Value) -> Answer {
    let (digests, next) = match input["imageIds"].as_array() {
        Some(_) if !input["maxResults"].is_null() || !input["nextToken"].is_null() => {
            return error("InvalidParameterException", "paging cannot be used with imageIds");
        }
        Some(ids) if ids.len() > MAX_IDS => return error("InvalidParameterException", "too many imageIds"),
        Some(ids) => {
            let found: Option<Vec<String>> = ids.iter().map(|id| find(repository, id)).collect();
            let shown =
                found.filter(|digests| digests.iter().all(|d| passes(repository, d, &input["filter"])));
            let Some(digests) = shown else {
                return error("ImageNotFoundException", "The image requested does not exist");
            };
            (digests, None)
        }
        None => {
            let keys = repository.images.keys().filter(|digest| passes(repository, digest, &input["filter"]));
            match page(keys.cloned().collect(), input) {
                Ok(page) => page,
                Err(answer) => return answer,
            }
        }
    };
    let details = digests.iter().map(|digest| {
        let image = &repository.images[digest];
        let mut detail = json!({
            "registryId": place.account, "repositoryName": place.repository, "imageDigest": digest,
            "imagePushedAt": image.pushed, "imageSizeInBytes": image.manifest.len(),
            "imageManifestMediaType": image.media_type, "imageStatus": image.status.word(),
        });
        if let Some(kind) = &image.artifact_type {
            detail["artifactMediaType"] = json!(kind);
        }
        let tags = repository.tags_of(digest);
        if !tags.is_empty() {
            detail["imageTags"] = json!(tags);
        }
        detail
    });
    with_next(json!({ "imageDetails": details.collect::<Vec<_>>() }), next)
}

/// The image of a digest or a tag.
fn find(repository: &Repository, id: &Value) -> Option<String> {
    let digest = match id["imageDigest"].as_str() {
        Some(digest) => digest,
        None => repository.tags.get(id["imageTag"].as_str()?)?,
    };
    repository.images.contains_key(digest).then(|| digest.to_owned())
}

fn batch_get_image(world: &World, place: &Place, input: &Value, fault: Option<&Fault>) -> Answer {
    let repository = &world.repositories[place];
    let accepted = input["acceptedMediaTypes"].as_array();
    let (mut images, mut failures) = (vec![], vec![]);
    let ids = input["imageIds"].as_array().map(Vec::as_slice).unwrap_or_default();
    if ids.is_empty() || ids.len() > MAX_IDS {
        return error("InvalidParameterException", "imageIds must have 1 to 100 entries");
    }
    for id in ids {
        let mut fail = |code: &str| {
            failures.push(json!({ "imageId": id, "failureCode": code, "failureReason": "see the code" }));
        };
        if let Some(Fault::Failure(code)) = fault {
            fail(code);
            continue;
        }
        let Some(digest) = find(repository, id) else {
            fail("ImageNotFound");
            continue;
        };
        let image = &repository.images[&digest];
        if image.status != Status::Active {
            fail(world.archived_code.as_deref().unwrap_or("ImageNotFound"));
            continue;
        }
        let wanted = accepted.is_none_or(|types| types.iter().any(|t| t.as_str() == Some(&image.media_type)));
        if !wanted && id["imageDigest"].is_null() {
            fail("ImageNotFound");
            continue;
        }
        let bytes = world.bytes_as_served(&digest, &image.manifest);
        let mut named = json!({ "imageDigest": digest });
        if let Some(tag) = id["imageTag"].as_str() {
            named["imageTag"] = json!(tag);
        }
        images.push(json!({
            "registryId": place.account, "repositoryName": place.repository, "imageId": named,
            "imageManifest": String::from_utf8_lossy(&bytes), "imageManifestMediaType": image.media_type,
        }));
    }
    (200, json!({ "images": images, "failures": failures }))
}

/// What there is of a blob: `AVAILABLE`, `ARCHIVED`, `UNAVAILABLE`; none where no image here names it.
fn availability(world: &World, place: &Place, digest: &str) -> Option<&'static str> {
    let images = world.repositories.get(place)?.images.values();
    let naming: Vec<Status> =
        images.filter(|image| image.blobs.contains(digest)).map(|image| image.status).collect();
    if naming.is_empty() {
        None
    } else if !naming.contains(&Status::Active) {
        Some("ARCHIVED")
    } else if world.blobs.contains_key(digest) {
        Some("AVAILABLE")
    } else {
        Some("UNAVAILABLE")
    }
}

/// The bytes of a blob that can be had.
pub(super) fn available(world: &World, place: &Place, digest: &str) -> Option<Bytes> {
    let there = availability(world, place, digest) == Some("AVAILABLE");
    world.blobs.get(digest).filter(|_| there).map(|bytes| world.bytes_as_served(digest, bytes))
}

fn check_layers(world: &World, place: &Place, input: &Value) -> Answer {
    let asked = input["layerDigests"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let layers = asked.map(|digest| {
        let there = availability(world, place, digest).unwrap_or("UNAVAILABLE");
        json!({ "layerDigest": digest, "layerAvailability": there })
    });
    (200, json!({ "layers": layers.collect::<Vec<_>>(), "failures": [] }))
}

fn download_url(world: &mut World, place: &Place, input: &Value, store: &str) -> Answer {
    let digest = input["layerDigest"].as_str().unwrap_or_default();
    match availability(world, place, digest) {
        Some("AVAILABLE") => {
            let url = store::sign(world, store, place, digest);
            (200, json!({ "downloadUrl": url, "layerDigest": digest }))
        }
        Some("ARCHIVED") => error("LayerInaccessibleException", "The specified layer is not available"),
        _ => error("LayersNotFoundException", "The specified layers could not be found"),
    }
}
