//! Which images of an index are looked at.

use std::sync::atomic::{AtomicU64, Ordering};

use cve_monitor_core::pipeline::Ports;
use cve_monitor_core::vocabulary::{Cause, Child, ImageId, Manifest, Platform, RequestId, ScanRequest};

use crate::wiring::WiringError;

/// The requests for an image: itself; of an index, those of its images whose platform is wanted.
pub(super) async fn requests(
    ports: &Ports,
    image: &ImageId,
    wanted: &[Platform],
) -> Vec<Result<ScanRequest, WiringError>> {
    let Some(children) = children(ports, image).await else {
        return vec![Ok(request(image, Cause::Operator))];
    };
    match chosen(&children, wanted) {
        Ok(children) => children
            .into_iter()
            .map(|child| {
                let cause = Cause::IndexChild { parent: image.digest.clone() };
                Ok(request(&image.sibling(child.digest.clone()), cause))
            })
            .collect(),
        Err(problem) => vec![Err(WiringError::of(format!("{image}: {problem}")))],
    }
}

/// The children of an index; none where it is no index, or cannot be read: then the scan itself says why.
async fn children(ports: &Ports, image: &ImageId) -> Option<Vec<Child>> {
    let registry = ports.registries.get(&image.registry)?;
    match registry.manifest(image).await.ok()?.parse().ok()? {
        Manifest::Index(children) => Some(children),
        Manifest::Image(_) | Manifest::Artifact(_) => None,
    }
}

fn chosen<'a>(children: &'a [Child], wanted: &[Platform]) -> Result<Vec<&'a Child>, String> {
    let of = |platform: &Platform| -> Vec<&'a Child> {
        children
            .iter()
            .filter(|child| child.platform.as_ref().is_some_and(|has| fits(has, platform)))
            .collect()
    };
    if wanted.is_empty() {
        let own = host().map(|host| of(&host)).unwrap_or_default();
        // An index without an image for this machine is looked at as a whole, but for its attestations.
        let named: Vec<&Child> = children.iter().filter(|child| child.platform.is_some()).collect();
        return Ok(match (own.is_empty(), named.is_empty()) {
            (false, _) => own,
            (true, false) => named,
            (true, true) => children.iter().collect(),
        });
    }
    let mut chosen: Vec<&Child> = vec![];
    for platform in wanted {
        let found = of(platform);
        if found.is_empty() {
            let there: Vec<String> = children
                .iter()
                .filter_map(|child| child.platform.as_ref())
                .map(ToString::to_string)
                .collect();
            return Err(format!("the index names no image for {platform}; there are: {}", there.join(", ")));
        }
        chosen.extend(found);
    }
    Ok(chosen)
}

/// A platform without a variant means each variant of it.
fn fits(has: &Platform, wanted: &Platform) -> bool {
    has.os == wanted.os
        && has.architecture == wanted.architecture
        && (wanted.variant.is_none() || has.variant == wanted.variant)
}

/// The platform of containers on this machine, in the words of Go's GOARCH, which manifests use.
fn host() -> Option<Platform> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other @ ("arm" | "riscv64" | "s390x" | "loongarch64") => other,
        "powerpc64" => "ppc64le",
        _ => return None,
    };
    Some(Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None })
}

fn request(image: &ImageId, cause: Cause) -> ScanRequest {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    ScanRequest {
        id: RequestId::derived(&["scan", &number, &image.to_string()]),
        image: image.clone(),
        cause,
        at_least: None,
    }
}

#[cfg(test)]
mod tests {
    use cve_monitor_core::vocabulary::Digest;

    use super::*;

    fn platform(text: &str) -> Platform {
        let mut parts = text.split('/').map(str::to_owned);
        Platform { os: parts.next().unwrap(), architecture: parts.next().unwrap(), variant: parts.next() }
    }

    fn child(text: &str) -> Child {
        Child { digest: Digest::of(text.as_bytes()), platform: Some(platform(text)) }
    }

    #[test]
    fn a_platform_without_a_variant_means_each_and_a_missing_one_names_what_is_there() {
        let index = [child("linux/arm/v6"), child("linux/arm/v7"), child("linux/amd64")];
        let count = |wanted: &str| chosen(&index, &[platform(wanted)]).map(|found| found.len());
        assert_eq!(count("linux/arm"), Ok(2));
        assert_eq!(count("linux/arm/v7"), Ok(1));
        let error = count("windows/amd64").unwrap_err();
        assert!(error.contains("linux/arm/v6, linux/arm/v7, linux/amd64"), "{error}");
    }

    #[test]
    fn without_a_wish_the_platform_of_this_machine_counts_else_all() {
        let host = host().unwrap();
        let foreign = [child("plan9/mips"), child("windows/mips")];
        assert_eq!(chosen(&foreign, &[]).unwrap().len(), 2);
        let own = [child("plan9/mips"), Child { digest: Digest::of(b"own"), platform: Some(host) }];
        assert_eq!(chosen(&own, &[]).unwrap(), [&own[1]]);
    }
}
