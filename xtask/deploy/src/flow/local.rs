//! What reaches no further than this machine: images and archives in files.

use std::path::Path;

use crate::image::archive::{self, Entry};
use crate::image::{Variant, digest, layout, programs};
use crate::{Outcome, Programs};

use super::deploy::{make, tag};

/// What an archive for people has beside the programs.
const DOCUMENTS: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "THIRD-PARTY.md"];
/// The programs that people run by themselves.
const PROGRAMS: [&str; 4] = ["cve-monitor", "ingest", "notifier", "reconciler"];

/// Makes an image.
pub(crate) fn image(root: &Path, all_in_one: bool, given: &Programs, out: &Path) -> Result<Outcome, String> {
    let variant = if all_in_one { Variant::AllInOne } else { Variant::Workers };
    let image = make(root, given, &given.target(), variant)?;
    let name = if all_in_one { "cve-monitor" } else { "cve-monitor-workers" };
    let (folder, file) = (out.join(name), out.join(format!("{name}.oci.tar")));
    layout::write_folder(&image, &folder, &tag(&image))?;
    layout::write_archive(&image, &file, &tag(&image))?;
    println!(
        "{}\n  {}, {} MB to pull\n  {}\n  {}",
        image.digest(),
        image.architecture,
        image.size().div_ceil(1_000_000),
        folder.display(),
        file.display()
    );
    Ok(Outcome::Done)
}

/// Makes an archive of the programs, and its checksum.
pub(crate) fn dist(root: &Path, given: &Programs, out: &Path) -> Result<Outcome, String> {
    let target = given.target();
    let folder = match &given.binaries {
        Some(folder) => folder.clone(),
        None => programs::build(root, &target, &PROGRAMS)?,
    };
    let name = format!("cve-monitor-{}-{}", env!("CARGO_PKG_VERSION"), target.triple);
    let mut entries = Vec::new();
    for program in programs::read(&folder, &PROGRAMS, &target)? {
        entries.push(Entry::file(&format!("{name}/{}", program.name), 0o755, program.bytes));
    }
    for document in DOCUMENTS {
        let bytes = std::fs::read(root.join(document)).map_err(|error| format!("{document}: {error}"))?;
        entries.push(Entry::file(&format!("{name}/{document}"), 0o644, bytes));
    }
    let bytes = archive::gzip(&archive::tar(entries)?)?;
    let sum = digest(&bytes);
    let line = format!("{}  {name}.tar.gz\n", sum.trim_start_matches("sha256:"));
    let told = |error: std::io::Error| format!("{} cannot be written: {error}", out.display());
    std::fs::create_dir_all(out).map_err(told)?;
    std::fs::write(out.join(format!("{name}.tar.gz")), &bytes).map_err(told)?;
    std::fs::write(out.join(format!("{name}.tar.gz.sha256")), &line).map_err(told)?;
    print!("{line}");
    Ok(Outcome::Done)
}
