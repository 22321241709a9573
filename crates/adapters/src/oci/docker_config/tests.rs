//! Every form in which docker writes credentials, and what goes wrong with them.

use std::fs;

use super::helper::MAX_ANSWER_BYTES;
use super::*;

fn config(json: &str) -> (tempfile::TempDir, DockerConfig) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    fs::write(&file, json).unwrap();
    let path = format!("{}:/bin:/usr/bin", folder.path().display());
    (folder, DockerConfig { file, environment: vec![("PATH".to_owned(), path)] })
}

fn helper(folder: &tempfile::TempDir, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.path().join(format!("docker-credential-{name}"));
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn basic(user: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::basic(user, password))
}

#[tokio::test]
async fn every_form_of_an_entry_is_read() {
    // `dTpwOnc=` is `u:p:w`: only the first colon divides.
    let (_folder, config) = config(
        r#"{"auths": {
            "a.example": {"auth": "dTpwOnc="},
            "https://b.example/v1/": {"username": "u", "password": "p"},
            "c.example:5000": {"auth": "dTpw", "identitytoken": "t"},
            "https://index.docker.io/v1/": {"auth": "aDpw"},
            "empty.example": {}
        }}"#,
    );
    let token = Some(Credentials::IdentityToken(Secret::new("t".to_owned())));
    for (host, expected) in [
        ("a.example", basic("u", "p:w")),
        ("b.example", basic("u", "p")),
        ("c.example:5000", token),
        ("c.example", None),
        ("docker.io", basic("h", "p")),
        ("empty.example", None),
        ("nobody.example", None),
    ] {
        assert_eq!(config.credentials(host).await, Ok(expected), "{host}");
    }
}

#[tokio::test]
async fn no_file_means_no_credentials() {
    let config = DockerConfig { file: "/nowhere/config.json".into(), environment: vec![] };
    assert_eq!(config.credentials("a.example").await, Ok(None));
}

#[tokio::test]
async fn errors_name_the_place_and_never_the_secret() {
    for (json, expected) in [
        (r#"{"auths": {"a.example": {"auth": "s3cr%t"}}}"#, "not base64"),
        (r#"{"auths": {"a.example": {"auth": "czNjcmV0"}}}"#, "without a colon"),
        (r#"{"auths": {"a.example": {"auth": s3cr}}}"#, "line 1"),
        (r#"{"auths": "s3cr"}"#, "line 1"),
    ] {
        let (_folder, config) = config(json);
        let error = config.credentials("a.example").await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("config.json"), "{error}");
        assert!(!error.contains("s3cr") && !error.contains("czNj"), "{error}");
    }
}

#[tokio::test]
async fn a_file_at_the_bound_is_read_and_one_byte_more_is_refused() {
    let json = |len: u64| format!("{{}}{}", " ".repeat(usize::try_from(len).unwrap() - 2));
    let (_folder, at) = config(&json(MAX_CONFIG_BYTES));
    assert_eq!(at.credentials("a.example").await, Ok(None));
    let (_folder, over) = config(&json(MAX_CONFIG_BYTES + 1));
    assert!(matches!(over.credentials("a.example").await, Err(CredentialError::Unreadable { .. })));
}

#[tokio::test]
async fn a_helper_of_the_host_comes_before_the_store_and_the_file() {
    let (folder, config) = config(
        r#"{"credsStore": "all", "credHelpers": {"a.example": "one"}, "auths": {"c.example": {"auth": "ZjpmCg=="}}}"#,
    );
    helper(
        &folder,
        "one",
        r#"read host; printf '{"ServerURL":"%s","Username":"one-%s","Secret":"s"}' $host $host"#,
    );
    helper(
        &folder,
        "all",
        r#"read host
case $host in
  b.example) printf '{"ServerURL":"b","Username":"<token>","Secret":"it"}' ;;
  *) echo "credentials not found in native keychain"; exit 1 ;;
esac"#,
    );
    assert_eq!(config.credentials("a.example").await, Ok(basic("one-a.example", "s")));
    let token = Some(Credentials::IdentityToken(Secret::new("it".to_owned())));
    assert_eq!(config.credentials("b.example").await, Ok(token));
    assert_eq!(config.credentials("c.example").await, Ok(basic("f", "f\n")));
    assert_eq!(config.credentials("d.example").await, Ok(None));
}

#[tokio::test]
async fn a_helper_that_fails_is_named_without_what_it_printed() {
    let (folder, config) = config(
        r#"{"credHelpers": {"a.example": "bad", "b.example": "gone", "c.example": "../bad", "d.example": "prose"}}"#,
    );
    helper(&folder, "bad", "echo s3cret; echo s3cret >&2; exit 3");
    helper(&folder, "prose", "echo s3cret");
    for (host, expected) in [
        ("a.example", "failed"),
        ("b.example", "not in the PATH"),
        ("c.example", "has a name"),
        ("d.example", "than JSON"),
    ] {
        let error = config.credentials(host).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("docker-credential-"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_helper_sees_the_given_environment_and_nothing_else() {
    let (folder, mut config) = config(r#"{"credsStore": "env"}"#);
    helper(
        &folder,
        "env",
        r#"printf '{"Username":"%s","Secret":"%s"}' "$REGION" "${CARGO_MANIFEST_DIR:-none}""#,
    );
    config.environment.push(("REGION".to_owned(), "eu".to_owned()));
    assert_eq!(config.credentials("a.example").await, Ok(basic("eu", "none")));
    assert!(!format!("{config:?}").contains("REGION"));
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_never_answers_is_given_up() {
    let (folder, config) = config(r#"{"credsStore": "slow"}"#);
    helper(&folder, "slow", "exec sleep 600");
    let error = config.credentials("a.example").await.unwrap_err().to_string();
    assert!(error.contains("did not answer within 30 s"), "{error}");
}

#[tokio::test]
async fn a_helper_may_print_so_many_bytes_and_no_more() {
    let answer = r#"{"Username":"u","Secret":"s3cr"}"#;
    for (more, expected) in [("", Ok(basic("u", "s3cr"))), ("x", Err(())), ("; cat /dev/zero", Err(()))] {
        let (folder, config) = config(r#"{"credsStore": "long"}"#);
        let spaces = MAX_ANSWER_BYTES as usize - answer.len();
        let more = if more.len() == 1 { format!("; printf {more}") } else { more.to_owned() };
        helper(&folder, "long", &format!("printf '%s%{spaces}s' '{answer}' ''{more}"));
        let answered = config.credentials("a.example").await;
        if let Err(error) = &answered {
            let told = error.to_string();
            assert!(told.contains("printed more than 65536 bytes") && !told.contains("s3cr"), "{told}");
        }
        assert_eq!(answered.map_err(drop), expected, "{more}");
    }
}
