//! What proves to a registry who asks: a password out of a file or a variable, or what `docker login` keeps.

use cve_monitor_adapters::oci::{CredentialSource, Credentials};

use super::super::read::Reader;
use super::super::{Environment, Secret, Variables};

pub(super) fn credentials(
    reader: &mut Reader<'_>,
    key: &dyn Fn(&str) -> String,
    variables: &Variables,
    environment: &Environment,
) -> CredentialSource {
    let docker = reader.flag(&key("docker_config"));
    let username = reader.text(&key("username"));
    let from_file = reader.secret_file(&key("password_file"));
    let variable = reader.text(&key("password_env"));
    let given = [reader.is_given(&key("password_file")), variable.is_some()];
    let from_variable = variable.and_then(|name| {
        let value = variables.get(name).map(|value| Secret::new(value.to_owned()));
        if value.is_none() {
            // Someone may have written the password itself: the name is not repeated.
            reader.refuse(&key("password_env"), "the variable that it names is not set");
        }
        value
    });
    match (docker, username, given) {
        (true, None, [false, false]) => match &environment.docker {
            Some(docker) => return CredentialSource::Docker(docker.clone()),
            None => reader.refuse(&key("docker_config"), "there is no home: set DOCKER_CONFIG or HOME"),
        },
        (true, ..) => {
            reader.refuse(&key("docker_config"), "it excludes username and password: remove one of them");
        }
        (_, None, [false, false]) => {}
        (_, None, _) => reader.refuse(&key("username"), "it is missing beside a password"),
        (_, Some(_), [true, true]) => {
            reader.refuse(&key("password_env"), "it excludes password_file: remove one of them");
        }
        (_, Some(_), [false, false]) => {
            reader.refuse(&key("username"), "its password is missing: give password_file or password_env");
        }
        (_, Some(username), _) => {
            if let Some(password) = from_file.or(from_variable) {
                return CredentialSource::Fixed(Credentials::basic(username, password.expose()));
            }
        }
    }
    CredentialSource::Anonymous
}
