//! Licence expressions: `MIT OR (Apache-2.0 WITH LLVM-exception AND ISC)`.

/// Whether the licences on the list are enough to satisfy the expression.
pub(super) fn accepted(expression: &str, allowed: &[String]) -> Result<bool, String> {
    // Some old packages write a slash for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let accepted = reader.any();
    match (accepted, reader.words) {
        (Some(accepted), []) => Ok(accepted),
        _ => Err(format!("`{expression}` is not a licence expression")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.first().is_some_and(|first| first.eq_ignore_ascii_case(word));
        if is {
            self.words = &self.words[1..];
        }
        is
    }

    fn any(&mut self) -> Option<bool> {
        let mut accepted = self.all()?;
        while self.next_is("OR") {
            accepted |= self.all()?;
        }
        Some(accepted)
    }

    fn all(&mut self) -> Option<bool> {
        let mut accepted = self.one()?;
        while self.next_is("AND") {
            accepted &= self.one()?;
        }
        Some(accepted)
    }

    fn one(&mut self) -> Option<bool> {
        if self.next_is("(") {
            let accepted = self.any()?;
            return self.next_is(")").then_some(accepted);
        }
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        let licence = if self.next_is("WITH") {
            let (exception, rest) = self.words.split_first()?;
            self.words = rest;
            format!("{first} WITH {exception}")
        } else {
            (*first).to_owned()
        };
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(expression: &str) -> Result<bool, String> {
        accepted(
            expression,
            &["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()],
        )
    }

    #[test]
    fn one_of_several_is_enough_and_all_of_several_are_needed() {
        assert_eq!(is_accepted("MIT OR GPL-3.0"), Ok(true));
        assert_eq!(is_accepted("GPL-3.0/MIT"), Ok(true));
        assert_eq!(is_accepted("MIT AND GPL-3.0"), Ok(false));
        assert_eq!(is_accepted("(GPL-3.0 OR MIT) AND ISC"), Ok(true));
        assert_eq!(is_accepted("GPL-3.0 OR MIT AND GPL-3.0"), Ok(false));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert_eq!(is_accepted("Apache-2.0 WITH LLVM-exception"), Ok(true));
        assert_eq!(is_accepted("Apache-2.0"), Ok(false));
    }

    #[test]
    fn what_is_no_expression_is_an_error() {
        for expression in ["", "MIT OR", "(MIT", "MIT ISC", "MIT WITH"] {
            assert!(is_accepted(expression).is_err(), "{expression}");
        }
    }
}
