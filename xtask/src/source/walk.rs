//! One walk over the tokens of a file.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{Declaration, Function, Literal, PathUse, Source, uses};

/// Adds what stands in `tokens`, which are part of `module`.
pub(super) fn walk(tokens: TokenStream, module: &mut Vec<String>, source: &mut Source) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        at = step(&trees, at, module, source);
    }
}

/// Reads what begins at `at`; answers where to go on.
fn step(trees: &[TokenTree], at: usize, module: &mut Vec<String>, source: &mut Source) -> usize {
    let next = trees.get(at + 1);
    match &trees[at] {
        TokenTree::Group(group) => walk(group.stream(), module, source),
        TokenTree::Literal(literal) => {
            let spelt = literal.to_string();
            let text = unquoted(&spelt).map(str::to_owned);
            source.literals.extend(text.map(|text| Literal { line: literal.span().start().line, text }));
        }
        TokenTree::Punct(punct) if punct.as_char() == '#' => return attribute(trees, at, module, source),
        TokenTree::Punct(_) => {}
        TokenTree::Ident(ident) => match ident.to_string().as_str() {
            // `use<'a>` is a bound, not an import.
            "use" if !is_punct(next, '<') => return uses::read(trees, at, module, source),
            "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (next, trees.get(at + 2))
                {
                    module.push(name.to_string());
                    walk(body.stream(), module, source);
                    module.pop();
                    return at + 3;
                }
            }
            "fn" => source.functions.extend(function(trees, at)),
            "struct" | "enum" | "trait" => source.declarations.extend(declaration(trees, at)),
            _ => return inline_path(trees, at, module, source),
        },
    }
    at + 1
}

/// Notes an `allow`, and passes over documentation.
fn attribute(trees: &[TokenTree], at: usize, module: &mut Vec<String>, source: &mut Source) -> usize {
    let body = if is_punct(trees.get(at + 1), '!') { at + 2 } else { at + 1 };
    let Some(TokenTree::Group(group)) = trees.get(body) else { return at + 1 };
    let first = group.stream().into_iter().next().map(|tree| tree.to_string());
    if group.delimiter() != Delimiter::Bracket || first.as_deref() == Some("doc") {
        return body + 1;
    }
    if allows(group) {
        source.allows.push(group.span_open().start().line);
    }
    if matches!(first.as_deref(), Some("arg" | "clap")) && reads_environment(group) {
        source.environment_options.push(group.span_open().start().line);
    }
    walk(group.stream(), module, source);
    body + 1
}

/// `#[arg(long, env)]`, `#[arg(env = "…")]`: clap reads the environment.
fn reads_environment(group: &Group) -> bool {
    let options = group.stream().into_iter().filter_map(|tree| match tree {
        TokenTree::Group(options) => Some(options.stream()),
        _ => None,
    });
    options.flatten().any(|tree| matches!(tree, TokenTree::Ident(ident) if ident == "env"))
}

fn allows(group: &Group) -> bool {
    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
    inside.iter().enumerate().any(|(at, tree)| match tree {
        TokenTree::Ident(ident) => {
            ident == "allow" && matches!(inside.get(at + 1), Some(TokenTree::Group(_)))
        }
        TokenTree::Group(group) => allows(group),
        _ => false,
    })
}

fn function(trees: &[TokenTree], at: usize) -> Option<Function> {
    let Some(TokenTree::Ident(name)) = trees.get(at + 1) else { return None };
    let line = trees[at].span().start().line;
    let body = trees[at..].iter().find_map(|tree| match tree {
        TokenTree::Punct(punct) if punct.as_char() == ';' => Some(None),
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(Some(group)),
        _ => None,
    })??;
    let lines = body.span_close().end().line + 1 - line;
    Some(Function { name: name.to_string(), line, lines })
}

fn declaration(trees: &[TokenTree], at: usize) -> Option<Declaration> {
    let Some(TokenTree::Ident(name)) = trees.get(at + 1) else { return None };
    let is_enum = trees[at].to_string() == "enum";
    let body = trees[at..].iter().find_map(|tree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    });
    let variants = body.filter(|_| is_enum).map(variants).unwrap_or_default();
    Some(Declaration { name: name.to_string(), line: name.span().start().line, variants })
}

/// The identifier that follows each comma: attributes come before it, fields after it.
fn variants(body: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut wanted = true;
    for tree in body {
        match tree {
            TokenTree::Ident(ident) if wanted => {
                names.push(ident.to_string());
                wanted = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => wanted = true,
            _ => {}
        }
    }
    names
}

fn inline_path(trees: &[TokenTree], at: usize, module: &[String], source: &mut Source) -> usize {
    let mut segments = vec![trees[at].to_string()];
    let mut end = at + 1;
    while is_punct(trees.get(end), ':') && is_punct(trees.get(end + 1), ':') {
        let Some(TokenTree::Ident(segment)) = trees.get(end + 2) else { break };
        segments.push(segment.to_string());
        end += 3;
    }
    if segments.len() > 1 {
        let line = trees[at].span().start().line;
        source.paths.push(PathUse { line, segments: absolute(segments, module) });
    }
    end
}

/// Resolves a leading `self` or run of `super`.
pub(super) fn absolute(segments: Vec<String>, module: &[String]) -> Vec<String> {
    let ups = segments.iter().take_while(|segment| *segment == "super").count();
    let rest = match segments.first().map(String::as_str) {
        Some("self") => 1,
        Some("super") => ups,
        _ => return segments,
    };
    let base = &module[..module.len().saturating_sub(ups)];
    std::iter::once("crate".to_owned())
        .chain(base.iter().cloned())
        .chain(segments[rest..].iter().cloned())
        .collect()
}

pub(super) fn is_punct(tree: Option<&TokenTree>, wanted: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Between the quotes of a string literal, raw or not.
fn unquoted(literal: &str) -> Option<&str> {
    let literal = literal.trim_start_matches(['b', 'c']);
    let literal = literal.strip_prefix('r').unwrap_or(literal).trim_matches('#');
    literal.strip_prefix('"')?.strip_suffix('"')
}
