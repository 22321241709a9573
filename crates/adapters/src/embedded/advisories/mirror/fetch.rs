//! One transfer: asked for on condition, written beside, taken over only when whole.

use std::fs::File;
use std::io::Write as _;

use cve_monitor_core::ports::Clock as _;
use cve_monitor_core::vocabulary::Digest;
use futures::StreamExt as _;
use reqwest::header::{
    CONTENT_LENGTH, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use reqwest::{Response, StatusCode};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::cache::{Cache, Validators};
use super::{Fetched, MirrorError, MirrorSettings, Progress};
use crate::http::client::cause;
use crate::http::outbound::Outbound;
use crate::system_clock::SystemClock;

/// How many redirects of a mirror are followed.
pub const MAX_MIRROR_REDIRECTS: usize = 5;

pub(super) async fn fetch(
    outbound: &Outbound,
    settings: &MirrorSettings,
    cache: &Cache,
    address: &Url,
    ecosystem: &str,
    progress: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Result<Fetched, MirrorError> {
    let known = cache.validators(address);
    let response = ask(outbound, address, known.as_ref()).await?;
    match (response.status(), &known) {
        (StatusCode::NOT_MODIFIED, Some(known)) => {
            let known = Validators { checked: SystemClock.now(), ..known.clone() };
            cache.confirm(&known).map_err(|error| MirrorError::io(&cache.archive, error))?;
            return Ok(known.kept(cache));
        }
        (StatusCode::OK, _) => {}
        (StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
            return Err(MirrorError::NotFound { address: address.to_string() });
        }
        (status, _) => {
            return Err(MirrorError::Refused { address: address.to_string(), problem: status.to_string() });
        }
    }
    let header = |name: HeaderName| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (etag, last_modified) = (header(ETAG), header(LAST_MODIFIED));
    let unfinished = |error| MirrorError::io(&cache.unfinished, error);
    let file = File::create(&cache.unfinished).map_err(unfinished)?;
    let transfer = Transfer { address, ecosystem, max_bytes: settings.max_export_bytes, progress };
    let (bytes, digest) = transfer.copy(response, &file).await.inspect_err(|_| remove(cache))?;
    check_archive(cache, address).inspect_err(|_| remove(cache))?;
    let (address, checked) = (address.to_string(), SystemClock.now());
    let validators = Validators { address, bytes, etag, last_modified, digest, checked };
    cache.keep(&file, &validators).map_err(unfinished)?;
    Ok(Fetched { transferred: true, ..validators.kept(cache) })
}

/// The answer, of the mirror or of where it redirects to.
async fn ask(outbound: &Outbound, mirror: &Url, known: Option<&Validators>) -> Result<Response, MirrorError> {
    let refused = |problem: String| MirrorError::Refused { address: mirror.to_string(), problem };
    let mut address = mirror.clone();
    for _ in 0..=MAX_MIRROR_REDIRECTS {
        let client = outbound.client_for(&address, [mirror]);
        let client = client.map_err(|error| refused(format!("it redirects to {error}")))?;
        let mut request = client.get(address.clone());
        if let Some(etag) = known.and_then(|known| known.etag.as_deref()) {
            request = request.header(IF_NONE_MATCH, etag);
        } else if let Some(date) = known.and_then(|known| known.last_modified.as_deref()) {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let answer = request.send().await.map_err(|error| refused(cause(error)))?;
        match leads_to(&address, &answer) {
            Some(next) => address = next,
            None => return Ok(answer),
        }
    }
    Err(refused(format!("more than {MAX_MIRROR_REDIRECTS} redirects")))
}

/// Where a redirect leads. "Not modified" and the like are none.
fn leads_to(from: &Url, answer: &Response) -> Option<Url> {
    let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let target = answer.headers().get(LOCATION).filter(|_| is_redirect)?;
    from.join(target.to_str().ok()?).ok()
}

struct Transfer<'a> {
    address: &'a Url,
    ecosystem: &'a str,
    max_bytes: u64,
    progress: &'a (dyn Fn(Progress<'_>) + Send + Sync),
}

impl Transfer<'_> {
    /// Answers how many bytes came, and their hash.
    async fn copy(&self, response: Response, mut file: &File) -> Result<(u64, Digest), MirrorError> {
        let total: Option<u64> =
            response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if total.is_some_and(|total| total > self.max_bytes) {
            return Err(self.too_large());
        }
        let broke_off = |bytes, problem| {
            let address = self.address.to_string();
            MirrorError::BrokeOff { address, bytes, problem }
        };
        let mut stream = response.bytes_stream();
        let (mut bytes, mut hash) = (0, Sha256::new());
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| broke_off(bytes, cause(error)))?;
            bytes += chunk.len() as u64;
            if bytes > self.max_bytes {
                return Err(self.too_large());
            }
            hash.update(&chunk);
            // To the page cache: a chunk of some KB does not hold the thread up.
            file.write_all(&chunk).map_err(|error| broke_off(bytes, error.to_string()))?;
            (self.progress)(Progress { ecosystem: self.ecosystem, bytes, total });
        }
        match total {
            Some(total) if total != bytes => Err(broke_off(bytes, format!("{total} bytes were announced"))),
            _ => Ok((bytes, Digest::from_hash(&hash.finalize()))),
        }
    }

    fn too_large(&self) -> MirrorError {
        MirrorError::TooLarge { address: self.address.to_string(), max_bytes: self.max_bytes }
    }
}

/// The directory of a zip archive stands at its end: an archive that was cut short has none.
fn check_archive(cache: &Cache, address: &Url) -> Result<(), MirrorError> {
    let no_archive = |problem: String| MirrorError::NoArchive { address: address.to_string(), problem };
    let file = File::open(&cache.unfinished).map_err(|error| MirrorError::io(&cache.unfinished, error))?;
    let archive =
        zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| no_archive(error.to_string()))?;
    if archive.is_empty() { Err(no_archive("it is empty".to_owned())) } else { Ok(()) }
}

fn remove(cache: &Cache) {
    // Where it cannot be removed, the next transfer writes over it.
    let _ = std::fs::remove_file(&cache.unfinished);
}
