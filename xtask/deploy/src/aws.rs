//! The few calls that are made to AWS here, signed and sent as they are: what terraform does not do.

pub(crate) mod ecr;
pub(crate) mod ecs;

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::{Method, Response};
use serde_json::Value;

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Calls of one kind until it is given up, where AWS is slow or throttles.
const ATTEMPTS: u32 = 4;
/// The wait after the first of them; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// AWS' own word, or nothing where it did not answer.
    pub(crate) code: String,
    message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code.as_str() {
            "" => f.write_str(&self.message),
            code => write!(f, "{code}: {}", self.message),
        }
    }
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        refusal.to_string()
    }
}

/// An account in a region.
pub(crate) struct Aws {
    http: reqwest::Client,
    credentials: Credentials,
    pub(crate) region: String,
    /// One for every service, where something stands in for AWS.
    endpoint: Option<String>,
}

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) account: String,
    pub(crate) arn: String,
}

struct Call<'a> {
    service: &'a str,
    host: String,
    method: Method,
    path: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Aws {
    /// Takes the credentials that the SDKs and terraform would take.
    pub(crate) async fn connect(region: &str) -> Result<Self, String> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .load()
            .await;
        let provider = config.credentials_provider().ok_or("no credentials")?;
        let credentials = provider.provide_credentials().await.map_err(|error| describe(&error))?;
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| error.to_string())?;
        let endpoint = config.endpoint_url().map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { http, credentials, region: region.to_owned(), endpoint })
    }

    /// What hosts of AWS end in, in this region's partition.
    pub(crate) fn suffix(&self) -> &'static str {
        if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    /// Whether something stands in for AWS.
    pub(crate) fn is_emulated(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Who we are.
    pub(crate) async fn identity(&self) -> Result<Identity, Refusal> {
        let body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
        let form = vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        let host = format!("sts.{}.{}", self.region, self.suffix());
        let call = Call { service: "sts", host, method: Method::POST, path: "/", headers: form, body };
        let answer = self.send(&call).await?;
        let good = answer.status().is_success();
        let text = answer.text().await.unwrap_or_default();
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(rest.split_once("</")?.0.to_owned())
        };
        match (good, element("Account"), element("Arn")) {
            (true, Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(Refusal {
                code: element("Code").unwrap_or_default(),
                message: element("Message").unwrap_or_else(|| "STS does not say who we are".to_owned()),
            }),
        }
    }

    /// The status by which S3 answers whether a bucket is there: 200, 403, 404, or 301 for another region.
    pub(crate) async fn bucket_status(&self, bucket: &str) -> Result<u16, Refusal> {
        let host = format!("s3.{}.{}", self.region, self.suffix());
        let path = format!("/{bucket}");
        let call =
            Call { service: "s3", host, method: Method::HEAD, path: &path, headers: vec![], body: vec![] };
        Ok(self.send(&call).await?.status().as_u16())
    }

    /// A call of AWS' JSON protocol; `target` is its `X-Amz-Target`.
    async fn json(&self, service: &str, host: &str, target: &str, input: &Value) -> Result<Value, Refusal> {
        let call = Call {
            service,
            host: format!("{host}.{}.{}", self.region, self.suffix()),
            method: Method::POST,
            path: "/",
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", target.to_owned()),
            ],
            body: input.to_string().into_bytes(),
        };
        let answer = self.send(&call).await?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let code = body["__type"].as_str().unwrap_or_default();
        let message = body["message"].as_str().or(body["Message"].as_str());
        Err(Refusal {
            code: code.rsplit('#').next().unwrap_or_default().to_owned(),
            message: message.map_or_else(|| format!("{target} is answered with {status}"), str::to_owned),
        })
    }

    /// Sends a call, and once more where AWS is overloaded or did not answer: none of ours does harm twice.
    async fn send(&self, call: &Call<'_>) -> Result<Response, Refusal> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            let answer = self.attempt(call).await;
            let status = answer.as_ref().map(Response::status);
            if status.is_ok_and(|status| status.as_u16() != 429 && !status.is_server_error()) {
                return answer;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        self.attempt(call).await
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Response, Refusal> {
        let failed = |message: String| Refusal { code: String::new(), message };
        let base = self.endpoint.clone().unwrap_or_else(|| format!("https://{}", call.host));
        let url = format!("{base}{}", call.path);
        let identity = self.credentials.clone().into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(call.service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable =
            SignableRequest::new(call.method.as_str(), &url, headers, SignableBody::Bytes(&call.body))
                .map_err(|error| failed(error.to_string()))?;
        let signed = sign(signable, &parameters.into()).map_err(|error| failed(error.to_string()))?;
        let mut request = self.http.request(call.method.clone(), &url).body(call.body.clone());
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        for (name, value) in signed.output().headers() {
            request = request.header(name, value);
        }
        let host = if self.is_emulated() { base } else { call.host.clone() };
        request
            .send()
            .await
            .map_err(|error| failed(format!("{host} does not answer: {}", error.without_url())))
    }
}

/// The last cause is what helps.
fn describe(error: &dyn std::error::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    causes.join(": ")
}
