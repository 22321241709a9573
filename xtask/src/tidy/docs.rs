//! Links in the documentation lead somewhere, and `docs/config.md` lists exactly the keys of the configuration.

use std::collections::BTreeSet;

use super::Violation;
use crate::tree::Tree;

const CONFIG_PAGE: &str = "docs/config.md";
/// The folder of the files that hold the keys, and the beginning of the name of the file beside it.
const CONFIG_KEYS: &str = "crates/bins/src/config/keys";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let pages = tree.texts().filter(|(path, _)| path.ends_with(".md") && !path.contains("/fixtures/"));
    let mut found: Vec<Violation> = pages.flat_map(|(path, text)| links(tree, path, text)).collect();
    found.extend(config_keys(tree));
    found
}

fn links(tree: &Tree, path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, content) in prose(text) {
        for target in targets(content) {
            let (file, anchor) =
                target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let Some(file) = resolve(path, file) else {
                found.push(broken(path, line, target, "leaves the repository"));
                continue;
            };
            let headings = anchor.filter(|_| file.ends_with(".md")).zip(tree.text(&file));
            if !tree.has(&file) {
                found.push(broken(path, line, target, "leads nowhere"));
            } else if headings.is_some_and(|(anchor, page)| !has_heading(page, anchor)) {
                found.push(broken(path, line, target, "names no heading of that page"));
            }
        }
    }
    found
}

fn broken(path: &str, line: usize, target: &str, problem: &str) -> Violation {
    Violation::new("links", path, format!("`{target}` {problem}")).line(line).subject(target)
}

/// The lines outside of code fences, from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(line, content)| {
        let fence = content.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((line + 1, content))
    })
}

/// What `](…)`, `src="…"`, `srcset="…"` and `href="…"` name, where it is not on another host.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let forms = [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"'), ("href=\"", '"')];
    let named = forms.into_iter().flat_map(move |(open, close)| {
        line.match_indices(open).filter_map(move |(at, _)| Some(line[at + open.len()..].split_once(close)?.0))
    });
    named.filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

/// The file that a link on the page `from` names; none where it leaves the repository.
fn resolve(from: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(from.to_owned());
    }
    let mut segments: Vec<&str> = from.split('/').collect();
    segments.pop();
    for segment in file.trim_end_matches('/').split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop()?;
            }
            other => segments.push(other),
        }
    }
    Some(segments.join("/"))
}

/// Whether a heading's anchor, as code hosts make them, is this.
fn has_heading(page: &str, anchor: &str) -> bool {
    let headings = prose(page).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| line.trim_start_matches('#').trim()).any(|heading| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-") == anchor
    })
}

fn config_keys(tree: &Tree) -> Vec<Violation> {
    let sources: Vec<_> =
        tree.sources().filter(|(path, _)| path.starts_with(CONFIG_KEYS)).map(|(_, source)| source).collect();
    if sources.is_empty() {
        return vec![];
    }
    let Some(page) = tree.text(CONFIG_PAGE) else {
        return vec![Violation::new(
            "config-keys",
            CONFIG_PAGE,
            "is missing: list every key of the configuration",
        )];
    };
    let literals = sources.iter().flat_map(|source| &source.literals);
    let keys: BTreeSet<&str> =
        literals.map(|literal| literal.text.as_str()).filter(|text| is_key(text)).collect();
    let listed: BTreeSet<&str> = page.lines().filter_map(first_cell).filter(|text| is_key(text)).collect();
    let missing = keys.difference(&listed).map(|key| (CONFIG_PAGE, key, "is a key that is not listed"));
    let unknown = listed.difference(&keys).map(|key| (CONFIG_PAGE, key, "is listed and is no key"));
    let differing = missing.chain(unknown);
    differing
        .map(|(path, key, wrong)| {
            Violation::new("config-keys", path, format!("`{key}` {wrong}")).subject(*key)
        })
        .collect()
}

/// The code in the first cell of a row: "| `queue.lease` | …" is `queue.lease`.
fn first_cell(line: &str) -> Option<&str> {
    let cell = line.trim().strip_prefix('|')?.split('|').next()?.trim();
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// Dotted lower-case words: `scope.include[].tag`.
fn is_key(text: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '[' | ']' | '*' | '<' | '>')
    };
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|violation| violation.subject).collect()
    }

    #[test]
    fn relative_links_are_followed_from_their_page() {
        let page = "[a](../README.md) [b](config.md#keys) ![c](a.svg) [d](https://example.org/x)\n```\n[e](nowhere)\n```";
        let files =
            [("docs/page.md", page), ("README.md", ""), ("docs/config.md", "## Keys"), ("docs/a.svg", "")];
        assert!(subjects(&files).is_empty(), "{:?}", subjects(&files));
    }

    #[test]
    fn broken_links_are_found() {
        let page = "[a](nowhere.md) [b](README.md#no-such) <img src=\"no.svg\"> [c](../../x)";
        assert_eq!(
            subjects(&[("docs/page.md", page), ("docs/README.md", "# Such")]),
            ["nowhere.md", "README.md#no-such", "../../x", "no.svg"]
        );
    }

    #[test]
    fn the_page_of_the_configuration_lists_its_keys() {
        let keys = "//! K.\nconst KEYS: [(&str, &str); 2] = [(\"queue.lease\", \"How long.\"), (\"store.path\", \"A file.\")];";
        let page = "| key | what |\n|---|---|\n| `queue.lease` | How long |\n| `queue.gone` | x |";
        let files = [("docs/config.md", page), ("crates/bins/src/config/keys.rs", keys)];
        assert_eq!(subjects(&files), ["store.path", "queue.gone"]);
    }
}
