//! What the rules want to know of a Rust file: its tokens, not its comments.

mod uses;
mod walk;

use proc_macro2::TokenStream;

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`, from 1.
    pub(crate) line: usize,
    /// From `fn` to the closing brace, in lines.
    pub(crate) lines: usize,
}

/// A path of at least two segments, named in code or in a `use`; `self` and `super` are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathUse {
    /// Where.
    pub(crate) line: usize,
    /// Its segments; the first is `crate` for this crate's own.
    pub(crate) segments: Vec<String>,
}

impl PathUse {
    /// Whether it begins with these segments.
    pub(crate) fn begins(&self, start: &[&str]) -> bool {
        self.segments.len() >= start.len() && self.segments.iter().zip(start).all(|(a, b)| a == b)
    }

    /// Whether it ends with these segments.
    pub(crate) fn ends(&self, end: &[&str]) -> bool {
        self.segments.len() >= end.len()
            && self.segments.iter().rev().zip(end.iter().rev()).all(|(a, b)| a == b)
    }

    /// As it is spelt.
    pub(crate) fn spelt(&self) -> String {
        self.segments.join("::")
    }
}

/// A struct, an enum or a trait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declaration {
    /// Its name.
    pub(crate) name: String,
    /// Where.
    pub(crate) line: usize,
    /// The variants of an enum.
    pub(crate) variants: Vec<String>,
}

/// The text of a string literal that is not documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    /// Where.
    pub(crate) line: usize,
    /// Between its quotes, escapes as written.
    pub(crate) text: String,
}

/// A Rust file.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Functions, nested ones too.
    pub(crate) functions: Vec<Function>,
    /// Paths.
    pub(crate) paths: Vec<PathUse>,
    /// Structs, enums, traits.
    pub(crate) declarations: Vec<Declaration>,
    /// String literals.
    pub(crate) literals: Vec<Literal>,
    /// Lines of `#[allow(…)]`.
    pub(crate) allows: Vec<usize>,
    /// Lines of options that clap takes out of the environment.
    pub(crate) environment_options: Vec<usize>,
}

impl Source {
    /// Reads a file that is the module `module`.
    pub(crate) fn parse(text: &str, module: &[String]) -> Result<Self, String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
        let mut source = Self::default();
        walk::walk(tokens, &mut module.to_vec(), &mut source);
        Ok(source)
    }

    /// The declaration of a type.
    pub(crate) fn declaration(&self, name: &str) -> Option<&Declaration> {
        self.declarations.iter().find(|declaration| declaration.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Source {
        Source::parse(text, &["scan".to_owned(), "event".to_owned()]).unwrap_or_else(|e| panic!("{e}"))
    }

    fn spelt(text: &str) -> Vec<String> {
        parse(text).paths.iter().map(PathUse::spelt).collect()
    }

    #[test]
    fn a_tree_of_uses_is_spelt_out() {
        assert_eq!(
            spelt("use crate::{ports::Cursor, vocabulary::{Digest as D, Tag}}; use std::env;"),
            ["crate::ports::Cursor", "crate::vocabulary::Digest", "crate::vocabulary::Tag", "std::env"]
        );
    }

    #[test]
    fn relative_paths_are_resolved_inside_inline_modules_too() {
        assert_eq!(spelt("use super::Due;"), ["crate::scan::Due"]);
        assert_eq!(
            spelt("mod tests { use super::super::Due; use self::a::B; }"),
            ["crate::scan::Due", "crate::scan::event::tests::a::B"]
        );
    }

    #[test]
    fn paths_are_seen_in_code_and_macros_but_not_in_comments_and_strings() {
        let text = "/// std::env::var\nfn f() { // std::fs\n let _ = format!(\"{:?} std::net\", std::time::Instant::now()); }";
        assert_eq!(spelt(text), ["std::time::Instant::now"]);
    }

    #[test]
    fn a_function_is_measured_from_its_fn_to_its_brace() {
        let text = "trait T { fn none(&self); }\nfn one() -> fn(u8) -> bool {\n  |_| true\n}\n";
        let source = parse(text);
        assert_eq!(source.functions, [Function { name: "one".into(), line: 2, lines: 3 }]);
    }

    #[test]
    fn variants_are_named_without_their_fields_and_attributes() {
        let source = parse("enum E { #[serde(default)] A { x: u8 }, B(Vec<(u8, C)>), D = 3 }");
        let variants = source.declaration("E").map(|declaration| declaration.variants.clone());
        assert_eq!(variants.unwrap_or_default(), ["A", "B", "D"]);
    }

    #[test]
    fn allowing_is_seen_and_expecting_is_not() {
        let source = parse(
            "#![allow(dead_code)]\n#[expect(dead_code, reason = \"r\")]\nfn allow() {}\n#[cfg_attr(test, allow(unused))]\nfn f() {}",
        );
        assert_eq!(source.allows, [1, 4]);
    }

    #[test]
    fn literals_are_read_and_documentation_is_not() {
        let source = parse("/// \"Q1\"\nconst A: &str = \"Q2\"; const B: &str = r#\"Q3\"#;");
        let texts: Vec<&str> = source.literals.iter().map(|literal| literal.text.as_str()).collect();
        assert_eq!(texts, ["Q2", "Q3"]);
    }
}
