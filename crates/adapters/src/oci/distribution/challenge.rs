//! What a registry demands of one who asks without proof (RFC 9110, section 11.6.1; Distribution token specification).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// A demand that can be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user and a password with each request.
    Basic,
    /// A token out of a service.
    Bearer {
        /// The address of the service.
        realm: String,
        /// The name of the registry there.
        service: Option<String>,
    },
}

impl Challenge {
    /// The best demand of an answer that can be met: a token before a password.
    ///
    /// # Errors
    /// Names the schemes that were demanded where none can be met.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let demands: Vec<Demand> = values.flat_map(demands).collect();
        let named = |name: &str| demands.iter().find(|demand| demand.scheme.eq_ignore_ascii_case(name));
        if let Some(bearer) = named("Bearer")
            && let Some(realm) = bearer.parameter("realm")
        {
            return Ok(Self::Bearer { realm, service: bearer.parameter("service") });
        }
        if named("Basic").is_some() {
            return Ok(Self::Basic);
        }
        let schemes: Vec<&str> = demands.iter().map(|demand| demand.scheme.as_str()).collect();
        Err(if schemes.is_empty() {
            "it demands credentials without saying of which kind".to_owned()
        } else {
            format!("it demands {}; Basic and Bearer are spoken", schemes.join(", "))
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Demand {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Demand {
    fn parameter(&self, name: &str) -> Option<String> {
        let found = self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

/// Splits `Scheme key="value", key=value, Scheme …`: a word without `=` begins a demand.
fn demands(value: &str) -> Vec<Demand> {
    let mut found: Vec<Demand> = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        match after.strip_prefix('=') {
            Some(after) => {
                let (text, after) = parameter(after);
                if let Some(demand) = found.last_mut() {
                    demand.parameters.push((word.to_owned(), text));
                }
                rest = after;
            }
            None => {
                found.push(Demand { scheme: word.to_owned(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

/// The value of a parameter, quoted or not, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(values: &[&str]) -> Result<Challenge, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Result<Challenge, String> {
        Ok(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn demands_are_read_as_registries_write_them() {
        for (values, expected) in [
            (
                vec![
                    r#"Bearer realm="https://a.example/token",service="r",scope="repository:a/b:pull,push""#,
                ],
                bearer("https://a.example/token", Some("r")),
            ),
            (
                vec![r#"bearer realm="https://a.example/t?x=\"1\"""#],
                bearer("https://a.example/t?x=\"1\"", None),
            ),
            (vec!["Bearer realm=https://a.example/t, service=r"], bearer("https://a.example/t", Some("r"))),
            (vec![r#"Basic realm="x, y", Bearer realm="https://a""#], bearer("https://a", None)),
            (vec!["Basic realm=\"a\"", "Bearer realm=\"https://b\""], bearer("https://b", None)),
            (vec!["BASIC"], Ok(Challenge::Basic)),
            (vec![r#"Bearer realm="""#, "Basic"], Ok(Challenge::Basic)),
        ] {
            assert_eq!(challenge(&values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_demand_that_cannot_be_met_is_named_and_garbage_ends() {
        assert!(challenge(&["Negotiate", "NTLM x=\"y\""]).unwrap_err().contains("Negotiate, NTLM"));
        assert!(challenge(&[]).unwrap_err().contains("without saying"));
        for garbage in [",,,", "=", "=\"", "Bearer realm=\"unclosed \\", "a=b"] {
            // Whatever it is taken for, reading it ends and nothing panics.
            let _ = challenge(&[garbage]);
        }
    }
}
