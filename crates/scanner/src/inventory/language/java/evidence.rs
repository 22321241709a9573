//! What names a Java archive: Maven's properties, the manifest, the name of the file.

use super::groups;
use crate::inventory::language::LanguagePackage;

/// The file that Maven puts into each archive that it builds.
pub(crate) const PROPERTIES: &str = "pom.properties";
/// The manifest of an archive.
pub(crate) const MANIFEST: &str = "META-INF/MANIFEST.MF";

/// The package of a `pom.properties`; none where one of its three values is missing or was never filled in.
pub(crate) fn of_properties(bytes: &[u8]) -> Option<LanguagePackage> {
    let text = String::from_utf8_lossy(bytes);
    let value = |wanted: &str| {
        text.lines().rev().find_map(|line| {
            let line = line.trim();
            if line.starts_with(['#', '!']) {
                return None;
            }
            let (name, value) = line.split_once(['=', ':'])?;
            (name.trim() == wanted).then(|| value.trim())
        })
    };
    coordinates(value("groupId")?, value("artifactId")?, value("version")?)
}

/// What the manifest and the file's name say together, where there is no `pom.properties`.
///
/// A name without a group is all that many archives have that Maven did not build: it has no `:`, and no
/// advisory is matched by it. The best known have their group from a table.
pub(crate) fn of_manifest_and_name(manifest: Option<&[u8]>, file_name: &str) -> Option<LanguagePackage> {
    let manifest = manifest.map(Manifest::read).unwrap_or_default();
    let (stem, _) = file_name.rsplit_once('.')?;
    let (artifact, version) = match split_stem(stem) {
        Some(named) => named,
        None => {
            let artifact = groups::artifact_of_stem(stem).or(manifest.title.as_deref())?;
            (artifact, manifest.version.as_deref()?)
        }
    };
    let symbolic_name = manifest.symbolic_name.as_deref();
    let group = symbolic_name
        .and_then(|name| group_in_symbolic_name(name, artifact))
        .or_else(|| groups::group_of(artifact, version));
    match group {
        Some(group) => coordinates(group, artifact, version),
        None if artifact.contains(':') => None,
        None => LanguagePackage::new(artifact, version),
    }
}

fn coordinates(group: &str, artifact: &str, version: &str) -> Option<LanguagePackage> {
    let is_plain = |text: &str| !text.is_empty() && !text.contains(['$', ':']);
    let plain = is_plain(group) && is_plain(artifact) && !version.contains('$');
    plain.then(|| LanguagePackage::new(&format!("{group}:{artifact}"), version))?
}

/// Whether a file's name tells an artifact and its version.
pub(crate) fn has_version(file_name: &str) -> bool {
    file_name.rsplit_once('.').is_some_and(|(stem, _)| split_stem(stem).is_some())
}

/// Whether a file is named after a package: `log4j-1.2-api-2.17.1.jar` is after `org.apache.logging.log4j:log4j-1.2-api`.
pub(crate) fn is_named_after(file_name: &str, package: &str) -> bool {
    let artifact = package.rsplit_once(':').map_or(package, |(_, artifact)| artifact);
    let version = file_name.strip_prefix(artifact).and_then(|rest| rest.strip_prefix('-'));
    version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
}

/// `commons-text-1.10.0` is `commons-text` in version `1.10.0`.
fn split_stem(stem: &str) -> Option<(&str, &str)> {
    let digit_follows = |at: &usize| stem[at + 1..].starts_with(|next: char| next.is_ascii_digit());
    let at = stem.match_indices('-').map(|(at, _)| at).filter(|at| *at > 0).find(digit_follows)?;
    Some((&stem[..at], &stem[at + 1..]))
}

/// The group in an OSGi name that ends with the artifact.
///
/// Build tools write `<group>.<artifact>`, but leave out what the two have in common (`com.google.guava` is
/// `com.google.guava:guava`). Only an artifact of several words, all of which are there, is beyond doubt.
fn group_in_symbolic_name<'a>(symbolic_name: &'a str, artifact: &str) -> Option<&'a str> {
    let group = symbolic_name.strip_suffix(artifact)?.strip_suffix('.')?;
    (artifact.contains('-') && group.contains('.')).then_some(group)
}

#[derive(Debug, Default)]
struct Manifest {
    title: Option<String>,
    version: Option<String>,
    symbolic_name: Option<String>,
}

impl Manifest {
    /// Reads the main section: a line that begins with a space goes on with the one above.
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
        let main = text.split("\n\n").next().unwrap_or_default().replace("\n ", "");
        let value = |wanted: &str| {
            main.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        let symbolic_name = value("Bundle-SymbolicName");
        let symbolic_name = symbolic_name.and_then(|name| Some(name.split(';').next()?.trim().to_owned()));
        Self {
            title: value("Implementation-Title"),
            version: value("Implementation-Version").or_else(|| value("Bundle-Version")),
            symbolic_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(package: Option<LanguagePackage>) -> Option<(String, String)> {
        package.map(|package| (package.name, package.version))
    }

    fn some(name: &str, version: &str) -> Option<(String, String)> {
        Some((name.to_owned(), version.to_owned()))
    }

    #[test]
    fn properties_have_three_values_in_any_order() {
        let text = b"#Generated by Maven\r\n#version=9\r\nversion = 2.6\r\ngroupId: commons-io\r\nartifactId=commons-io\r\n";
        assert_eq!(pair(of_properties(text)), some("commons-io:commons-io", "2.6"));
        for broken in [
            "groupId=a\nartifactId=b\n",
            "groupId=a\nartifactId=b\nversion=${project.version}\n",
            "groupId=\nartifactId=b\nversion=1\n",
            "",
        ] {
            assert_eq!(of_properties(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn a_file_is_named_after_the_artifact_that_its_version_follows() {
        assert!(is_named_after("log4j-1.2-api-2.17.1.jar", "org.apache.logging.log4j:log4j-1.2-api"));
        assert!(!is_named_after("netty-all-4.1.9.jar", "io.netty:netty"));
        assert!(!is_named_after("netty.jar", "io.netty:netty"));
        assert!(has_version("netty-all-4.1.9.jar") && !has_version("netty.jar") && !has_version("netty-1"));
    }

    #[test]
    fn the_files_name_gives_an_artifact_without_a_group() {
        for (file, artifact, version) in [
            ("commons-beanutils-1.9.3.jar", "commons-beanutils", "1.9.3"),
            ("log4j-1.2-1.2.17.jar", "log4j", "1.2-1.2.17"),
            ("guava-29.0-jre.jar", "guava", "29.0-jre"),
        ] {
            assert_eq!(pair(of_manifest_and_name(None, file)), some(artifact, version));
        }
        for file in ["app.jar", "-1.jar", "x-.jar", "noextension", "catalina.jar"] {
            assert_eq!(of_manifest_and_name(None, file), None, "{file}");
        }
    }

    #[test]
    fn the_manifest_names_what_the_file_does_not() {
        let manifest = b"Manifest-Version: 1.0\r\nImplementation-Title: spring-core\r\nimplementation-version: 5.3.\r\n 17\r\n\r\nName: x\r\nImplementation-Version: 9\r\n";
        let named = some("org.springframework:spring-core", "5.3.17");
        assert_eq!(pair(of_manifest_and_name(Some(manifest), "core.jar")), named);
        // A title in words is no artifact.
        let manifest = b"Implementation-Title: Spring Core\nImplementation-Version: 5\n";
        assert_eq!(of_manifest_and_name(Some(manifest), "core.jar"), None);
    }

    #[test]
    fn well_known_archives_have_their_group_and_take_their_version_from_the_manifest() {
        let named = some("org.springframework:spring-web", "5.3.17");
        assert_eq!(pair(of_manifest_and_name(None, "spring-web-5.3.17.jar")), named);
        let manifest = b"Implementation-Title: Apache Tomcat\nImplementation-Version: 9.0.58\n";
        let named = some("org.apache.tomcat:tomcat-catalina", "9.0.58");
        assert_eq!(pair(of_manifest_and_name(Some(manifest), "catalina.jar")), named);
    }

    #[test]
    fn a_group_is_taken_only_where_it_is_beyond_doubt() {
        let name = |symbolic: &str, file: &str| {
            let manifest =
                format!("Manifest-Version: 1.0\nBundle-SymbolicName: {symbolic};singleton:=true\n");
            of_manifest_and_name(Some(manifest.as_bytes()), file).unwrap().name
        };
        let jackson = name("com.fasterxml.jackson.core.jackson-databind", "jackson-databind-2.9.8.jar");
        assert_eq!(jackson, "com.fasterxml.jackson.core:jackson-databind");
        assert_eq!(name("com.google.guava", "guava-29.0-jre.jar"), "guava");
        assert_eq!(
            name("org.apache.commons.collections", "commons-collections-3.2.2.jar"),
            "commons-collections"
        );
    }
}
