//! AssumeRole and GetCallerIdentity of STS, over its Query protocol (STS API reference, version 2011-06-15).

use super::operations::Caller;
use super::world::{Fault, Session, World};

/// The secret key that a role lends.
pub const ROLE_SECRET: &str = "secret-key-that-a-role-lends";
/// The session token that belongs to it.
pub const ROLE_SESSION: &str = "session-token-that-a-role-lends";

/// How long a session lasts if nobody says, in seconds.
const SESSION_SECONDS: i64 = 3600;

/// Answers a form; a status and XML.
pub(super) fn answer(world: &mut World, caller: &Caller, form: &[(String, String)]) -> (u16, String) {
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let action = field("Action").unwrap_or_default();
    if let Some(Fault::Error(status, code)) = world.note(action) {
        return (status, refused(&code, "planned"));
    }
    match action {
        "AssumeRole" => {
            let arn = field("RoleArn").unwrap_or_default();
            let expected = world.roles.get(arn);
            let right = expected.is_some_and(|id| id.is_none() || id.as_deref() == field("ExternalId"));
            if !right {
                let who = &caller.account;
                let message = format!(
                    "User: arn:aws:iam::{who}:user/u is not authorized to perform: sts:AssumeRole on resource: {arn}"
                );
                return (403, refused("AccessDenied", &message));
            }
            let seconds =
                field("DurationSeconds").and_then(|text| text.parse().ok()).unwrap_or(SESSION_SECONDS);
            let name = field("RoleSessionName").unwrap_or_default();
            (200, assumed(world, arn, name, seconds))
        }
        "GetCallerIdentity" => {
            let account = &caller.account;
            let body = format!(
                "<Arn>arn:aws:iam::{account}:user/u</Arn><UserId>AIDAEXAMPLE</UserId><Account>{account}</Account>"
            );
            (200, wrapped("GetCallerIdentity", &body))
        }
        other => (400, refused("InvalidAction", &format!("Could not find operation {other}"))),
    }
}

fn assumed(world: &mut World, arn: &str, session: &str, seconds: i64) -> String {
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let key = format!("ASIA{account}{:04}", world.next_serial());
    let expires = world.now() + seconds;
    world.sessions.insert(key.clone(), Session { account: account.clone(), expires });
    let date = time::OffsetDateTime::from_unix_timestamp(expires).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let date = date.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    let role = arn.rsplit('/').next().unwrap_or_default();
    wrapped(
        "AssumeRole",
        &format!(
            "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{ROLE_SECRET}</SecretAccessKey>\
             <SessionToken>{ROLE_SESSION}</SessionToken><Expiration>{date}</Expiration></Credentials>\
             <AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:{session}</AssumedRoleId>\
             <Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>"
        ),
    )
}

fn wrapped(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn refused(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>fake</RequestId></ErrorResponse>"
    )
}
