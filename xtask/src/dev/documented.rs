//! The commands that the documentation shows, to be held against what a program takes.

use std::path::Path;

use clap::{Arg, Command};

/// Folders without documentation of ours.
const PASSED_OVER: [&str; 4] = ["target", "fixtures", ".git", "node_modules"];

/// A command on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The page, from the root of the repository.
    pub page: String,
    /// What follows the program's name.
    pub words: Vec<String>,
}

/// The commands of a program, as in `cargo xtask`, on the pages of a repository: in blocks of code, and in code within sentences.
///
/// # Errors
/// Where a page cannot be read.
pub fn shown(root: &Path, program: &str) -> std::io::Result<Vec<Shown>> {
    let mut pages = vec![];
    read_pages(root, root, &mut pages)?;
    pages.sort();
    let found = pages.iter().flat_map(|(page, text)| {
        let words = commands(text, program).into_iter();
        words.map(|words| Shown { page: page.clone(), words })
    });
    Ok(found.collect())
}

fn read_pages(root: &Path, folder: &Path, pages: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let (path, name) =
            (entry.as_ref().map(|entry| entry.path()), entry.as_ref().map(|entry| entry.file_name()));
        let (Ok(path), Ok(name)) = (path, name) else { continue };
        let name = name.to_string_lossy();
        if path.is_dir() && !PASSED_OVER.contains(&&*name) {
            read_pages(root, &path, pages)?;
        } else if name.ends_with(".md") {
            let page = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            pages.push((page, std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// The words after the program's name, of each of its commands on a page.
fn commands(page: &str, program: &str) -> Vec<Vec<String>> {
    let (mut found, mut prose, mut fenced) = (vec![], String::new(), false);
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let code = line.split(" #").next().unwrap_or_default();
            found.extend(code.split(['|', ';', '&']).filter_map(|code| words(code, program)));
        } else if line.trim().is_empty() {
            found.extend(spans(&prose, program));
            prose.clear();
        } else {
            prose = prose + line + " ";
        }
    }
    found.extend(spans(&prose, program));
    found
}

/// Code within a paragraph: every other part between backticks.
fn spans(paragraph: &str, program: &str) -> Vec<Vec<String>> {
    paragraph.split('`').skip(1).step_by(2).filter_map(|code| words(code, program)).collect()
}

fn words(code: &str, program: &str) -> Option<Vec<String>> {
    let is_before = |word: &&str| {
        matches!(*word, "$" | "sudo")
            || word
                .split_once('=')
                .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    };
    let mut all = code.split_whitespace().skip_while(is_before);
    let named = program.split(' ').all(|word| all.next() == Some(word));
    named.then(|| all.map(|word| word.trim_matches(['"', '\'', '[', ']']).replace("\\|", "|")).collect())
}

/// What is wrong with a command; none where the program takes it. Words in capitals, and `…`, stand for something.
#[must_use]
pub fn problem(program: &Command, words: &[String]) -> Option<String> {
    let mut program = program.clone();
    program.build();
    let (mut at, mut is_value) = (&program, false);
    for word in words {
        if std::mem::take(&mut is_value) || stands_for_something(word) {
            continue;
        }
        if at.get_arguments().any(Arg::is_allow_hyphen_values_set) {
            // Whatever follows is another program's.
            return None;
        }
        if word.starts_with('-') && word.len() > 1 {
            let (name, value) =
                word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let Some(option) = at.get_arguments().find(|option| is_called(option, name)) else {
                return Some(format!("`{}` has no {name}", at.get_name()));
            };
            is_value = value.is_none() && option.get_action().takes_values();
        } else if at.has_subcommands() && at.get_positionals().next().is_none() {
            // `one|other` are two commands.
            let mut named = word.split('|').filter(|name| !stands_for_something(name));
            if let Some(unknown) = named.find(|name| at.find_subcommand(name).is_none()) {
                return Some(format!("`{}` has no command `{unknown}`", at.get_name()));
            }
            at = word.split('|').find_map(|name| at.find_subcommand(name)).unwrap_or(at);
        } else if at.get_positionals().next().is_none() {
            return Some(format!("`{}` takes no `{word}`", at.get_name()));
        }
    }
    None
}

fn stands_for_something(word: &str) -> bool {
    word.is_empty()
        || word.contains('…')
        || word.chars().all(|c| c.is_ascii_uppercase() || "-_.<>/".contains(c) && c != '-')
}

fn is_called(option: &Arg, name: &str) -> bool {
    match name.strip_prefix("--") {
        Some(long) => option.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long)),
        None => option.get_short().is_some_and(|short| name[1..].chars().all(|c| c == short)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Say `tool run FILE` or,\nelsewhere, `tool\n--loud stop`; not `toolbox x`.\n\n```\n$ tool run a | less   # tool no\n\
                        X=1 sudo tool stop && tool 'run' [--fast]\n```\n`tool run\\|stop`\n";

    fn tool() -> Command {
        let run = Command::new("run").arg(Arg::new("file")).arg(Arg::new("speed").long("speed"));
        let rest = Arg::new("rest").num_args(0..).allow_hyphen_values(true);
        let loud = Arg::new("loud").long("loud").short('l').global(true).action(clap::ArgAction::Count);
        Command::new("tool").arg(loud).subcommands([
            run,
            Command::new("stop"),
            Command::new("hand-on").arg(rest),
        ])
    }

    fn problem_of(words: &str) -> Option<String> {
        problem(&tool(), &words.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences() {
        let found: Vec<String> = commands(PAGE, "tool").iter().map(|words| words.join(" ")).collect();
        assert_eq!(found, ["run FILE", "--loud stop", "run a", "stop", "run --fast", "run|stop"]);
    }

    #[test]
    fn what_a_program_takes_is_right() {
        for right in [
            "run a --speed 3 -ll",
            "--loud stop",
            "run --speed=x FILE",
            "run|stop",
            "hand-on --x y",
            "…",
            "run …",
        ] {
            assert_eq!(problem_of(right), None, "{right}");
        }
    }

    #[test]
    fn what_it_does_not_take_is_named() {
        for (wrong, told) in [
            ("walk", "`tool` has no command `walk`"),
            ("run|walk", "`tool` has no command `walk`"),
            ("run --fast", "`run` has no --fast"),
            ("stop now", "`stop` takes no `now`"),
            ("run -x", "`run` has no -x"),
        ] {
            assert_eq!(problem_of(wrong).as_deref(), Some(told));
        }
    }
}
