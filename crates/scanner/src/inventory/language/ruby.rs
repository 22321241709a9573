//! Ruby gems: the specifications that RubyGems writes when it installs one.

use super::{LanguagePackage, Parsed};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::layer::path::file_name;

/// Reads specifications of installed gems.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Gem],
    places: Places::Anywhere,
    claims_path: is_gemspec,
    claims_content: no_content,
    reads: Reads::Beginning,
    max_bytes: MAX_GEMSPEC_BYTES,
    extract,
};

/// Bytes of a specification that are read: the name and the version stand at its beginning.
pub(crate) const MAX_GEMSPEC_BYTES: usize = 1 << 20;

/// Whether a path is that of an installed gem's specification.
pub(crate) fn is_gemspec(path: &str) -> bool {
    path.ends_with(".gemspec") && path.split('/').rev().skip(1).any(|part| part == "specifications")
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.path, file.content).report(PackageKind::Gem, MAX_GEMSPEC_BYTES, found);
}

/// Reads a specification: the comment `# stub: name version platform paths` that RubyGems itself reads, else
/// the assignments, else the file's name.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Parsed {
    let text = String::from_utf8_lossy(bytes);
    let stub = text.lines().take(8).find_map(|line| line.strip_prefix("# stub: "));
    if let Some(stub) = stub {
        let mut words = stub.split(' ');
        if let Some(package) =
            words.next().zip(words.next()).and_then(|(name, version)| LanguagePackage::new(name, version))
        {
            return Parsed::one(Some(package));
        }
    }
    let stem = file_name(path).trim_end_matches(".gemspec");
    let name = assigned(&text, "name");
    let version = assigned(&text, "version").or_else(|| version_of_stem(stem, name.as_deref()));
    let name = name.or_else(|| stem.rsplit_once('-').map(|(name, _)| name.to_owned()));
    Parsed::one(name.zip(version).and_then(|(name, version)| LanguagePackage::new(&name, &version)))
}

/// The literal that a line `s.field = "…"` assigns.
fn assigned(text: &str, field: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (receiver, value) = line.split_once('=')?;
        let (receiver, name) = receiver.trim().split_once('.')?;
        let is_receiver = receiver.chars().all(|one| one.is_alphanumeric() || one == '_');
        if name != field || !is_receiver {
            return None;
        }
        literal(value.trim())
    })
}

/// `"x"`, `'x'`, `"x".freeze`, `%q{x}` and `Gem::Version.new("x")`; whatever is computed has no literal.
fn literal(value: &str) -> Option<String> {
    let value =
        value.strip_prefix("Gem::Version.new").map_or(value, |rest| rest.trim_start_matches([' ', '(']));
    let mut characters = value.chars();
    let end = match characters.next()? {
        quote @ ('"' | '\'') => quote,
        '%' => match (characters.next()?, characters.next()?) {
            ('q' | 'Q', '{') => '}',
            ('q' | 'Q', '<') => '>',
            ('q' | 'Q', '(') => ')',
            _ => return None,
        },
        _ => return None,
    };
    let (inner, _) = characters.as_str().split_once(end)?;
    (!inner.is_empty() && !inner.contains("#{")).then(|| inner.to_owned())
}

/// `name-1.2.3` or `name-1.2.3-x86_64-linux`; a version has no `-` of its own.
fn version_of_stem(stem: &str, name: Option<&str>) -> Option<String> {
    let version = match name {
        Some(name) => stem.strip_prefix(name)?.strip_prefix('-')?.split('-').next()?,
        None => stem.rsplit_once('-')?.1,
    };
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::extractor::extract_from;

    fn one(path: &str, text: &str) -> (String, String) {
        let parsed = read(path, text.as_bytes());
        let [package] = &parsed.packages[..] else { panic!("{parsed:?}") };
        (package.name.clone(), package.version.clone())
    }

    fn pair(name: &str, version: &str) -> (String, String) {
        (name.to_owned(), version.to_owned())
    }

    #[test]
    fn specifications_of_installed_gems_lie_in_a_folder_of_that_name() {
        assert!(is_gemspec("usr/lib/ruby/gems/2.7.0/specifications/default/json-2.3.0.gemspec"));
        assert!(is_gemspec("usr/share/rubygems-integration/all/specifications/rack-2.1.4.gemspec"));
        assert!(!is_gemspec("usr/lib/ruby/gems/2.7.0/gems/rack-2.1.4/rack.gemspec"));
    }

    #[test]
    fn of_a_long_specification_so_much_is_read_and_what_it_names_counts() {
        let beginning = "# stub: rack 2.1.4 ruby lib\n";
        let bytes = format!("{beginning}{}", " ".repeat(MAX_GEMSPEC_BYTES + 1 - beginning.len()));
        assert_eq!((EXTRACTOR.max_bytes, EXTRACTOR.reads), (MAX_GEMSPEC_BYTES, Reads::Beginning));
        let content = &bytes.as_bytes()[..MAX_GEMSPEC_BYTES];
        let path = "specifications/rack-2.1.4.gemspec";
        let found = extract_from(&EXTRACTOR, path, content);
        assert_eq!((found.packages.len(), found.malformed_parts), (1, 0));
    }

    #[test]
    fn the_stub_comment_counts_most() {
        let text = "# -*- encoding: utf-8 -*-\n# stub: rack 2.1.4 ruby lib\n\nGem::Specification.new do |s|\n  \
                    s.name = \"no\".freeze\n  s.version = \"0\"\n";
        assert_eq!(one("specifications/rack-2.1.4.gemspec", text), pair("rack", "2.1.4"));
    }

    #[test]
    fn assignments_are_read_where_there_is_no_stub() {
        for (name, version) in [
            ("\"a\".freeze", "\"1.2\""),
            ("'a'", "'1.2'.freeze"),
            ("%q{a}.freeze", "Gem::Version.new(\"1.2\")"),
            ("%q<a>", "Gem::Version.new '1.2'"),
        ] {
            let text = format!(
                "Gem::Specification.new do |spec|\n  spec.name    = {name}\n  spec.version = {version}\nend\n"
            );
            assert_eq!(one("specifications/x.gemspec", &text), pair("a", "1.2"), "{text}");
        }
    }

    #[test]
    fn the_file_says_what_is_computed() {
        let text =
            "Gem::Specification.new do |s|\n s.name = 'net-http'\n s.version = Net::HTTP::VERSION\nend";
        assert_eq!(one("specifications/net-http-0.1.1.gemspec", text), pair("net-http", "0.1.1"));
        let native = "specifications/net-http-0.1.1-x86_64-linux.gemspec";
        assert_eq!(one(native, text), pair("net-http", "0.1.1"));
        assert_eq!(one("specifications/net-http-0.1.1.gemspec", ""), pair("net-http", "0.1.1"));
        let text = "s.name = \"#{prefix}-x\"\n s.version = \"#{V}\"";
        assert_eq!(one("specifications/a-x-2.gemspec", text), pair("a-x", "2"));
    }

    #[test]
    fn what_names_nothing_is_malformed() {
        assert_eq!(read("specifications/x.gemspec", b"s.name = NAME"), Parsed::malformed());
        assert_eq!(read("specifications/x.gemspec", b"\xff\xfe"), Parsed::malformed());
    }
}
