//! Trees of imports, spelt out path by path.

use proc_macro2::{Delimiter, TokenTree};

use super::walk::{absolute, is_punct};
use super::{PathUse, Source};

/// Reads the `use` that stands at `at`; answers where to go on behind its semicolon.
pub(super) fn read(trees: &[TokenTree], at: usize, module: &[String], source: &mut Source) -> usize {
    let end = (at..trees.len()).find(|at| is_punct(trees.get(*at), ';')).unwrap_or(trees.len());
    expand(&trees[at + 1..end], &[], module, source);
    end + 1
}

fn expand(trees: &[TokenTree], prefix: &[String], module: &[String], source: &mut Source) {
    for branch in trees.split(|tree| is_punct(Some(tree), ',')) {
        let mut segments = prefix.to_vec();
        let mut line = 0;
        for tree in branch {
            match tree {
                // What it is called here does not matter.
                TokenTree::Ident(ident) if ident == "as" => break,
                TokenTree::Ident(ident) => {
                    line = ident.span().start().line;
                    segments.push(ident.to_string());
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    expand(&inside, &segments, module, source);
                    line = 0;
                }
                _ => {}
            }
        }
        // `a::{self}` is `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        if line > 0 {
            source.paths.push(PathUse { line, segments: absolute(segments, module) });
        }
    }
}
