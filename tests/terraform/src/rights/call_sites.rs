//! Where the adapters call AWS.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::code::Code;

/// The folder of everything that calls AWS.
pub(super) const FOLDER: &str = "crates/adapters/src/aws";
/// What is not compiled into the programs begins here.
const TESTS: &str = "#[cfg(test)]";
/// Who is asked for an operation: clients of the SDK have these names.
const CLIENTS: [&str; 2] = ["client", "patient"];
/// What is asked of clients that is no operation.
const NO_OPERATIONS: [&str; 3] = ["build", "clone", "config"];
/// What has rights of its own though it is no operation.
const BUILDERS: [&str; 3] = ["AssumeRoleProvider", "TransactGetItem", "TransactWriteItem"];
/// Where HTTP is spoken by other means than the SDK, and what is sent there is none of its calls.
const OTHER_HTTP: [&str; 1] = ["ecr_registry/layers.rs"];

/// How often each call stands in each file: by file and operation, as in `sqs_queue/calls.rs` and `send_message`.
pub(super) type CallSites = BTreeMap<(String, String), usize>;

/// Every call.
///
/// # Errors
/// Where a file is no Rust, or sends what no operation was found for.
pub(super) fn find(code: &Code) -> Result<CallSites, String> {
    let mut found = CallSites::new();
    for (path, text) in code.under(FOLDER, ".rs").filter(|(path, _)| !path.ends_with("tests.rs")) {
        let file = path.strip_prefix(FOLDER).unwrap_or(path).trim_start_matches('/');
        let text = text.split(TESTS).next().unwrap_or_default();
        let tokens: TokenStream = text.parse().map_err(|error| format!("{path}: {error}"))?;
        let mut calls = vec![];
        let mut sends = false;
        look(tokens, &mut calls, &mut sends);
        if sends && calls.is_empty() && !OTHER_HTTP.contains(&file) {
            return Err(format!("{path} sends, and none of {CLIENTS:?} is asked for an operation there"));
        }
        for call in calls {
            *found.entry((file.to_owned(), call)).or_default() += 1;
        }
    }
    Ok(found)
}

fn look(tokens: TokenStream, calls: &mut Vec<String>, sends: &mut bool) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for at in 0..tokens.len() {
        if let TokenTree::Group(group) = &tokens[at] {
            look(group.stream(), calls, sends);
        }
        let word = |ahead: usize| match tokens.get(at + ahead) {
            Some(TokenTree::Ident(word)) => word.to_string(),
            Some(TokenTree::Punct(mark)) => mark.as_char().to_string(),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                if group.stream().is_empty() { "()".to_owned() } else { "(…)".to_owned() }
            }
            _ => String::new(),
        };
        let here = word(0);
        *sends |= here == "." && word(1) == "send" && word(2) == "()";
        if CLIENTS.contains(&here.as_str()) && word(1) == "." && word(3) == "()" {
            let operation = word(2);
            if !NO_OPERATIONS.contains(&operation.as_str()) {
                calls.push(operation);
            }
        }
        // NAME :: builder ( ) . what
        if BUILDERS.contains(&here.as_str()) && (word(1), word(3)) == (":".to_owned(), "builder".to_owned()) {
            let what = match here.as_str() {
                "AssumeRoleProvider" => "builder".to_owned(),
                _ => word(6),
            };
            calls.push(format!("{here}::{what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_told_from_all_else_that_is_called() {
        let text = "async fn f(&self) {
            // client.scan() is none
            let call = self.client.query().table_name(x);
            let other = client
                .receive_message().send().await;
            self.client.get(url).send().await; client.clone(); url.query();
            TransactWriteItem::builder().put(put); AssumeRoleProvider::builder(&arn);
            map.entry(|x| { self.client.head_bucket() });
        }";
        let (mut calls, mut sends) = (vec![], false);
        look(text.parse().unwrap(), &mut calls, &mut sends);
        calls.sort();
        let expected = [
            "AssumeRoleProvider::builder",
            "TransactWriteItem::put",
            "head_bucket",
            "query",
            "receive_message",
        ];
        assert_eq!((calls, sends), (expected.map(str::to_owned).to_vec(), true));
    }
}
