//! The synthetic registry: what image N is made of follows from the seed and the number of images alone.

use std::error::Error;

use cve_monitor_core::vocabulary::{Digest, ImageId, RegistryName, RepositoryName};
use serde_json::json;

/// Any other seed is another registry.
const SEED: u64 = 0x5eed_0000_0001;
/// The name under which its images are known: one that the adapter for ECR reads as well.
pub(crate) const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
/// Images of one repository.
const IMAGES_A_REPOSITORY: u64 = 500;
/// Images for each base layer, on average; how popular one is follows Zipf's law.
const IMAGES_A_BASE: u64 = 1_000;
/// Images for each package of a language, on average.
const IMAGES_A_PACKAGE: u64 = 2;
/// Packages of the distribution, of which each base layer has some.
pub(crate) const SYSTEM_PACKAGES: u32 = 5_000;
/// Base layers have from 100 to 199 of them.
const SYSTEM_PACKAGES_LEAST: u64 = 100;
/// From 1 to 5 layers of its own has an image, 3 on average.
const OWN_LAYERS_MOST: u64 = 5;
/// From 1 to 19 packages of a language has such a layer, 10 on average.
const OWN_PACKAGES_MOST: u64 = 19;
const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\n";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

type Failure = Box<dyn Error + Send + Sync>;

/// What there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) images: u64,
    bases: Zipf,
    system: Zipf,
    language: Zipf,
    registry: RegistryName,
}

/// A manifest with what it names.
#[derive(Debug)]
pub(crate) struct Manifested {
    pub(crate) image: ImageId,
    pub(crate) config: Digest,
}

/// A layer's digest and its length.
pub(crate) type Blob = (Digest, usize);

impl World {
    pub(crate) fn new(images: u64) -> Result<Self, Failure> {
        Ok(Self {
            images,
            bases: Zipf::over((images / IMAGES_A_BASE).max(10)),
            system: Zipf::over(u64::from(SYSTEM_PACKAGES)),
            language: Zipf::over((images / IMAGES_A_PACKAGE).max(500)),
            registry: REGISTRY.parse()?,
        })
    }

    pub(crate) fn bases(&self) -> u64 {
        self.bases.number()
    }

    /// Packages of a language; their numbers follow those of the distribution.
    pub(crate) fn packages(&self) -> u32 {
        SYSTEM_PACKAGES + u32::try_from(self.language.number()).unwrap_or(u32::MAX - SYSTEM_PACKAGES)
    }

    /// The base layer of an image.
    pub(crate) fn base_of(&self, image: u64) -> u64 {
        self.bases.draw(&mut Random::of(&[1, image]))
    }

    /// How many layers of its own an image has.
    pub(crate) fn own_layers(image: u64) -> u64 {
        1 + Random::of(&[2, image]).below(OWN_LAYERS_MOST)
    }

    /// The numbers of a base layer's packages, ascending.
    pub(crate) fn base_packages(&self, base: u64) -> Vec<u32> {
        let mut random = Random::of(&[3, base]);
        let wanted = SYSTEM_PACKAGES_LEAST + random.below(100);
        distinct(wanted, || self.system.draw(&mut random))
    }

    /// The numbers of the packages of an image's own layer, ascending.
    pub(crate) fn own_packages(&self, image: u64, layer: u64) -> Vec<u32> {
        let mut random = Random::of(&[4, image, layer]);
        let wanted = 1 + random.below(OWN_PACKAGES_MOST);
        distinct(wanted, || u64::from(SYSTEM_PACKAGES) + self.language.draw(&mut random))
    }

    /// The bytes of a base layer.
    pub(crate) fn base_layer(&self, base: u64) -> Result<Vec<u8>, Failure> {
        let status: String = self
            .base_packages(base)
            .into_iter()
            .map(|number| {
                let name = package_name(number);
                format!(
                    "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n"
                )
            })
            .collect();
        let unique = base.to_string();
        tar_of(&[
            ("etc/os-release".to_owned(), OS_RELEASE.to_owned()),
            ("etc/base".to_owned(), unique),
            ("var/lib/dpkg/status".to_owned(), status),
        ])
    }

    /// The bytes of a layer of an image's own.
    pub(crate) fn own_layer(&self, image: u64, layer: u64) -> Result<Vec<u8>, Failure> {
        let mut files = vec![("srv/app".to_owned(), format!("{image}/{layer}"))];
        for number in self.own_packages(image, layer) {
            let name = package_name(number);
            files.push((
                format!("usr/lib/python3/dist-packages/{name}-1.0.dist-info/METADATA"),
                format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"),
            ));
        }
        tar_of(&files)
    }

    pub(crate) fn repository(&self, image: u64) -> Result<RepositoryName, Failure> {
        let repositories = (self.images / IMAGES_A_REPOSITORY).max(4);
        let number = Random::of(&[5, image]).below(repositories);
        Ok(format!("team{}/app{number}", number % 97).parse()?)
    }

    /// The image of these layers, base first, as a registry in memory would write its manifest.
    pub(crate) fn manifested(&self, image: u64, layers: &[Blob]) -> Result<Manifested, Failure> {
        let diff_ids: Vec<&Digest> = layers.iter().map(|(digest, _)| digest).collect();
        let config = json!({
            "os": "linux", "architecture": "amd64",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        })
        .to_string();
        let config = (Digest::of(config.as_bytes()), config.len());
        let layers: Vec<_> = layers.iter().map(|layer| descriptor(LAYER_TYPE, layer)).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, &config), "layers": layers,
        });
        let digest = Digest::of(manifest.to_string().as_bytes());
        let image = ImageId { registry: self.registry.clone(), repository: self.repository(image)?, digest };
        Ok(Manifested { image, config: config.0 })
    }
}

/// The name of a package by its number; [`package_number`] reads it back.
pub(crate) fn package_name(number: u32) -> String {
    let kind = if number < SYSTEM_PACKAGES { "deb" } else { "py" };
    format!("made-up-{kind}-{number}")
}

pub(crate) fn package_number(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

fn descriptor(media_type: &str, (digest, size): &Blob) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": digest, "size": size })
}

fn tar_of(files: &[(String, String)]) -> Result<Vec<u8>, Failure> {
    let mut archive = tar::Builder::new(vec![]);
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, text.as_bytes())?;
    }
    Ok(archive.into_inner()?)
}

fn distinct(wanted: u64, mut draw: impl FnMut() -> u64) -> Vec<u32> {
    let mut drawn: Vec<u32> = vec![];
    // Popular ones are drawn again and again: a layer of fewer is as good.
    for _ in 0..2 * wanted {
        let number = u32::try_from(draw()).unwrap_or_default();
        if !drawn.contains(&number) {
            drawn.push(number);
        }
        if drawn.len() as u64 == wanted {
            break;
        }
    }
    drawn.sort_unstable();
    drawn
}

/// Text of so many bytes, of words that come again as those of people do.
pub(crate) fn words(bytes: usize) -> Vec<u8> {
    let (zipf, mut random) = (Zipf::over(50_000), Random::of(&[6]));
    let mut text = Vec::with_capacity(bytes + 16);
    while text.len() < bytes {
        let word = zipf.draw(&mut random).wrapping_mul(0x9e37_79b9);
        text.extend_from_slice(format!("{word:x}").as_bytes());
        text.push(b' ');
    }
    text.truncate(bytes);
    text
}

/// Numbers that look like chance and are not: splitmix64 (Steele, Lea, Flood, 2014).
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A sequence of its own for each list of parts.
    fn of(parts: &[u64]) -> Self {
        let mut random = Self(SEED);
        for part in parts {
            random.0 = random.next() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Numbers from 0, the one at rank r drawn in proportion to 1 / (r + 1).
#[derive(Debug)]
struct Zipf(Vec<f64>);

impl Zipf {
    fn over(number: u64) -> Self {
        let mut sum = 0.0;
        let cumulative = (1..=number).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self(cumulative.collect())
    }

    fn number(&self) -> u64 {
        self.0.len() as u64
    }

    fn draw(&self, random: &mut Random) -> u64 {
        let wanted = random.share() * self.0.last().copied().unwrap_or_default();
        let rank = self.0.partition_point(|sum| *sum <= wanted);
        (rank as u64).min(self.number() - 1)
    }
}
