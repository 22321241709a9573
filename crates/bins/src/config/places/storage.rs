//! Where things are kept: the store, the queue, the reports.

use std::fmt;
use std::path::PathBuf;

use super::super::read::Reader;
use super::kinds::{QueueKind, ReportsKind, StoreKind};

/// The longest prefix of names, in characters: with what is added, the name of a queue has at most 80.
pub(in super::super) const MAX_PREFIX_CHARS: usize = 60;
/// Bounds of the length of a bucket's name, in characters ("General purpose bucket naming rules" of S3).
const BUCKET_CHARS: std::ops::RangeInclusive<usize> = 3..=63;
/// The longest name of a KMS key, in characters.
pub(in super::super) const MAX_KMS_KEY_CHARS: usize = 256;

/// Where events, the index of layers and the bodies of reports are kept.
#[derive(Debug, Clone)]
pub struct Store {
    /// Where.
    pub at: StoreAt,
    /// The SQLite file, of all who keep something in one: this store, the queue, the scanner inside.
    pub path: PathBuf,
    /// Whether all programs run on this machine, also where only a part of what they share is on AWS.
    pub one_machine: bool,
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAt {
    /// In the file.
    Sqlite,
    /// On AWS.
    DynamoDb {
        /// What the names of the tables begin with.
        table_prefix: String,
        /// Where the bodies of reports are.
        archive: Bucket,
    },
}

/// Where requests wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queue {
    /// In the file of the store.
    Sqlite,
    /// In queues of SQS.
    Sqs {
        /// What their names begin with.
        prefix: String,
    },
}

/// Where reports are delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reports {
    /// A folder.
    Folder(PathBuf),
    /// A bucket.
    S3(Bucket),
}

/// A bucket of S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The key of KMS that objects are encrypted with; the bucket's own setting where there is none.
    pub kms_key: Option<String>,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            StoreAt::Sqlite => self.path.display().fmt(f),
            StoreAt::DynamoDb { table_prefix, archive } => {
                write!(f, "DynamoDB {table_prefix}-* and s3://{}", archive.name)
            }
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("in the SQLite file"),
            Self::Sqs { prefix } => write!(f, "SQS {prefix}-*"),
        }
    }
}

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::S3(bucket) => write!(f, "s3://{}", bucket.name),
        }
    }
}

/// Reads `store`.
pub(in super::super) fn store(reader: &mut Reader<'_>) -> Option<Store> {
    let kind = reader.parsed("store.kind", StoreKind::read);
    let path = reader.path("store.path");
    let table_prefix = reader.parsed("store.table_prefix", prefix);
    let at = match kind? {
        StoreKind::Sqlite => {
            let keys = ["store.table_prefix", "store.archive_bucket", "store.kms_key"];
            reader.refuse_foreign(&keys, "store.kind = \"sqlite\"");
            StoreAt::Sqlite
        }
        StoreKind::DynamoDb => {
            let archive = bucket(reader, "store.archive_bucket", "store.kms_key");
            StoreAt::DynamoDb { table_prefix: table_prefix?, archive: archive? }
        }
    };
    let one_machine = reader.flag("store.one_machine");
    Some(Store { at, path: path?, one_machine })
}

/// Reads `queue`.
pub(in super::super) fn queue(reader: &mut Reader<'_>) -> Option<Queue> {
    let kind = reader.parsed("queue.kind", QueueKind::read);
    let prefix = reader.parsed("queue.prefix", prefix);
    match kind? {
        QueueKind::Sqlite => {
            reader.refuse_foreign(&["queue.prefix"], "queue.kind = \"sqlite\"");
            Some(Queue::Sqlite)
        }
        QueueKind::Sqs => Some(Queue::Sqs { prefix: prefix? }),
    }
}

/// Reads `reports`.
pub(in super::super) fn reports(reader: &mut Reader<'_>) -> Option<Reports> {
    let kind = reader.parsed("reports.kind", ReportsKind::read);
    let folder = reader.path("reports.folder");
    match kind? {
        ReportsKind::Folder => {
            reader.refuse_foreign(&["reports.bucket", "reports.kms_key"], "reports.kind = \"folder\"");
            folder.map(Reports::Folder)
        }
        ReportsKind::S3 => {
            reader.refuse_foreign(&["reports.folder"], "reports.kind = \"s3\"");
            bucket(reader, "reports.bucket", "reports.kms_key").map(Reports::S3)
        }
    }
}

fn bucket(reader: &mut Reader<'_>, name: &str, kms_key: &str) -> Option<Bucket> {
    reader.required(name, "name a bucket");
    let name = reader.parsed(name, bucket_name);
    let given = reader.is_given(kms_key);
    let kms_key = reader.parsed(kms_key, kms_key_name);
    // One that cannot be read must not become none.
    (given == kms_key.is_some()).then_some(())?;
    Some(Bucket { name: name?, kms_key })
}

fn prefix(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if text.chars().count() > MAX_PREFIX_CHARS || !text.chars().all(plain) {
        return Err(format!("expected letters, digits, - and _, at most {MAX_PREFIX_CHARS} of them"));
    }
    Ok(text.to_owned())
}

fn bucket_name(text: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let edges = edge(text.chars().next()) && edge(text.chars().next_back());
    if !BUCKET_CHARS.contains(&text.chars().count()) || !text.chars().all(inner) || !edges {
        let (least, most) = (BUCKET_CHARS.start(), BUCKET_CHARS.end());
        return Err(format!(
            "expected the name of a bucket, without s3://: {least} to {most} of a-z, 0-9, - and ., a letter or digit at both ends"
        ));
    }
    Ok(text.to_owned())
}

fn kms_key_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    if text.chars().count() > MAX_KMS_KEY_CHARS || !text.chars().all(plain) {
        return Err("expected the id, the ARN or the alias of a KMS key".to_owned());
    }
    Ok(text.to_owned())
}
