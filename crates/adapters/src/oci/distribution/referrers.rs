//! What refers to a manifest (distribution-spec 1.1, "Listing Referrers"), and the tag under which clients keep that list
//! for registries that do not ("Referrers Tag Schema").

use cve_monitor_core::ports::{Registry, RegistryError};
use cve_monitor_core::vocabulary::{ImageId, MAX_MANIFEST_BYTES, MediaType, RawManifest, Referrer};
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, StatusCode};

use super::authorization::Scope;
use super::listing::follow;
use super::transport::{Ask, Transport};
use crate::http::{expect_success, read_bounded};

/// How many pages of one list are read.
pub const MAX_REFERRER_PAGES: usize = 16;

/// What the registry lists; none where it keeps no such list.
pub(super) async fn listed(
    transport: &Transport,
    image: &ImageId,
) -> Result<Option<Vec<Referrer>>, RegistryError> {
    let what = format!("what refers to {} of {}", image.digest, image.repository);
    let mut found = vec![];
    let mut next = Some(format!("/v2/{}/referrers/{}", image.repository, image.digest));
    let mut page = 0;
    while let Some(path) = next {
        if page == MAX_REFERRER_PAGES {
            return Err(RegistryError::Unsupported(format!("{what}: more than {MAX_REFERRER_PAGES} pages")));
        }
        let ask = Ask {
            method: Method::GET,
            path,
            scope: Scope::Pull(image.repository.clone()),
            headers: vec![(ACCEPT, HeaderValue::from_static(MediaType::OCI_INDEX))],
            what: what.clone(),
        };
        let answer = transport.send(&ask).await?;
        // "404: the registry does not support the referrers API", in whatever words: a manifest that nobody refers to,
        // or that is not there, has an empty list.
        let status = answer.response.status();
        if page == 0 && matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return Ok(None);
        }
        let response = expect_success(answer.response, &what).await?;
        next = follow(transport, &ask.path, &response, &what)?;
        let bytes = read_bounded(response, MAX_MANIFEST_BYTES).await?;
        drop(answer.permit);
        found.extend(read(bytes, &what)?);
        page += 1;
    }
    Ok(Some(found))
}

/// What the tag derived from the digest lists; nothing where there is none.
pub(super) async fn tagged(registry: &dyn Registry, image: &ImageId) -> Result<Vec<Referrer>, RegistryError> {
    let tag = format!("sha256-{}", image.digest.hex()).parse();
    let tag = tag.map_err(|_| RegistryError::Unsupported(format!("a tag derived from {}", image.digest)))?;
    let list = match registry.resolve(&image.repository, &tag).await {
        Ok(list) => registry.manifest(&image.sibling(list)).await?,
        Err(RegistryError::NotFound(_)) => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    read(list.bytes, &format!("tag {tag} of {}", image.repository))
}

fn read(bytes: Vec<u8>, what: &str) -> Result<Vec<Referrer>, RegistryError> {
    let list = RawManifest { media_type: None, bytes };
    list.referrers().map_err(|e| RegistryError::Unsupported(format!("{what}: no list of referrers: {e}")))
}
