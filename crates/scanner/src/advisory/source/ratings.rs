//! What is said of CVEs beside the advisories: how likely each is to be exploited (FIRST's EPSS) and whether it has been
//! (CISA's catalogue of known exploited vulnerabilities).

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::{SourceError, SourceLocation, unreadable};

/// CISA's catalogue, under the name by which it is published.
const CATALOGUE: &str = "known_exploited_vulnerabilities.json";
/// What the names of FIRST's lists begin with: `epss_scores-current.csv.gz`, `epss_scores-2026-01-31.csv`.
const SCORES: &str = "epss_scores-";
/// Bytes of a list, decompressed.
pub const MAX_RATINGS_BYTES: u64 = 256 << 20;

/// What is said of a CVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rating {
    /// The probability that it is exploited within 30 days, as FIRST writes it: `0.00043`.
    Epss(String),
    /// It is known to have been exploited.
    KnownExploited,
}

/// Whether a file is one of the lists, and no record.
pub(super) fn is_list(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == CATALOGUE || name.starts_with(SCORES) && (name.ends_with(".csv") || name.ends_with(".csv.gz"))
}

/// Calls `each` with every CVE that a list in the source's folder speaks of. Lists lie in the folder itself.
///
/// # Errors
///
/// The first list that cannot be read, and an error of `each`, end it.
pub fn for_each_rating<E: From<SourceError>>(
    location: &SourceLocation,
    mut each: impl FnMut(&str, Rating) -> Result<(), E>,
) -> Result<(), E> {
    let SourceLocation::Folder(folder) = location else { return Ok(()) };
    let mut lists: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        lists.push(entry.map_err(|source| unreadable(folder, source))?.path());
    }
    lists.retain(|path| is_list(path));
    lists.sort();
    for path in lists {
        let file = BufReader::new(File::open(&path).map_err(|source| unreadable(&path, source))?);
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("json") => catalogue(file, &path, MAX_RATINGS_BYTES, &mut each)?,
            Some("gz") => scores(MultiGzDecoder::new(file), &path, MAX_RATINGS_BYTES, &mut each)?,
            _ => scores(file, &path, MAX_RATINGS_BYTES, &mut each)?,
        }
    }
    Ok(())
}

fn catalogue<E: From<SourceError>>(
    content: impl Read,
    path: &Path,
    max_bytes: u64,
    each: &mut impl FnMut(&str, Rating) -> Result<(), E>,
) -> Result<(), E> {
    #[derive(Deserialize)]
    struct Catalogue {
        vulnerabilities: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(rename = "cveID")]
        cve: String,
    }
    let mut content = content.take(max_bytes + 1);
    let catalogue = serde_json::from_reader::<_, Catalogue>(&mut content);
    if content.limit() == 0 {
        return Err(too_long(path, max_bytes).into());
    }
    let catalogue = catalogue.map_err(|error| broken(path, &error.to_string()))?;
    catalogue.vulnerabilities.iter().try_for_each(|entry| each(&entry.cve, Rating::KnownExploited))
}

/// A line of comment, the names of the columns, then `cve,epss,percentile`.
fn scores<E: From<SourceError>>(
    content: impl Read,
    path: &Path,
    max_bytes: u64,
    each: &mut impl FnMut(&str, Rating) -> Result<(), E>,
) -> Result<(), E> {
    let mut any = false;
    let mut content = BufReader::new(content.take(max_bytes + 1));
    for line in content.by_ref().lines() {
        let line = line.map_err(|source| unreadable(path, source))?;
        if line.starts_with('#') || line.starts_with("cve,") || line.trim().is_empty() {
            continue;
        }
        let mut fields = line.split(',');
        let (cve, score) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default().trim());
        let is_probability = score.parse().is_ok_and(|score: f64| (0.0..=1.0).contains(&score));
        if !is_probability {
            return Err(broken(path, &format!("{line:?} gives no probability")).into());
        }
        each(cve.trim(), Rating::Epss(score.to_owned()))?;
        any = true;
    }
    if content.get_ref().limit() == 0 {
        return Err(too_long(path, max_bytes).into());
    }
    if any { Ok(()) } else { Err(broken(path, "it names no CVE").into()) }
}

fn too_long(path: &Path, max_bytes: u64) -> SourceError {
    broken(path, &format!("it is longer than {max_bytes} bytes"))
}

fn broken(path: &Path, reason: &str) -> SourceError {
    SourceError::BrokenRatings { file: path.display().to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn ratings(files: &[(&str, &[u8])]) -> Result<Vec<(String, Rating)>, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let mut found = Vec::new();
        for_each_rating(&SourceLocation::Folder(folder.path().to_owned()), |cve, rating| {
            found.push((cve.to_owned(), rating));
            Ok::<_, SourceError>(())
        })?;
        Ok(found)
    }

    const CSV: &[u8] = b"#model_version:v2025.03.14,score_date:2026-01-01\ncve,epss,percentile\n\
        CVE-1999-0001,0.01141,0.77685\nCVE-2024-3094,0.9,0.99\n";

    #[test]
    fn scores_are_read_plain_and_compressed() {
        let expected = vec![
            ("CVE-1999-0001".to_owned(), Rating::Epss("0.01141".into())),
            ("CVE-2024-3094".to_owned(), Rating::Epss("0.9".into())),
        ];
        assert_eq!(ratings(&[("epss_scores-2026-01-01.csv", CSV)]).unwrap(), expected);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(CSV).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(ratings(&[("epss_scores-current.csv.gz", &gzip)]).unwrap(), expected);
        assert!(ratings(&[("epss_scores-current.csv.gz", &gzip[..gzip.len() - 9])]).is_err());
    }

    #[test]
    fn a_list_may_be_as_long_as_the_limit_and_no_longer() {
        let length = CSV.len() as u64;
        let read = |limit| scores(CSV, Path::new("x.csv"), limit, &mut |_, _| Ok::<_, SourceError>(()));
        assert!(read(length).is_ok() && read(length - 1).is_err());
        let json = br#"{"vulnerabilities":[{"cveID":"CVE-2024-3094"}]} "#;
        let length = json.len() as u64;
        let read = |limit| catalogue(&json[..], Path::new("x"), limit, &mut |_, _| Ok::<_, SourceError>(()));
        assert!(read(length).is_ok());
        assert!(read(length - 1).unwrap_err().to_string().contains("it is longer than 47 bytes"));
        assert!(length < MAX_RATINGS_BYTES, "what is read in earnest is bounded far above");
    }

    #[test]
    fn the_catalogue_names_what_is_exploited() {
        let json =
            br#"{"title":"CISA","count":1,"vulnerabilities":[{"cveID":"CVE-2024-3094","product":"xz"}]}"#;
        let found = ratings(&[(CATALOGUE, json), ("other.json", b"{}"), ("notes.csv", b"x")]).unwrap();
        assert_eq!(found, [("CVE-2024-3094".to_owned(), Rating::KnownExploited)]);
    }

    #[test]
    fn a_list_that_is_none_is_refused_by_name() {
        let files: [(&str, &[u8]); 4] = [
            ("epss_scores-a.csv", b"CVE-2024-1,high,1\n"),
            ("epss_scores-a.csv", b"CVE-2024-1,1.5,1\n"),
            ("epss_scores-a.csv", b"#nothing\n"),
            (CATALOGUE, b"[]"),
        ];
        for (name, content) in files {
            let error = ratings(&[(name, content)]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
