//! The kinds of each part, by the names that the file has for them.

/// A closed list of kinds: the same list is what is read, what an error offers, and what a test goes through.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident is a kind of $what:literal { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As the file has it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads one.
            ///
            /// # Errors
            /// Names the kinds that there are.
            pub(in super::super) fn read(text: &str) -> Result<Self, String> {
                let known = Self::ALL.iter().find(|kind| kind.as_str() == text);
                known.copied().ok_or_else(|| {
                    let names: Vec<String> = Self::ALL.iter().map(|kind| format!("\"{}\"", kind.as_str())).collect();
                    let (last, others) = names.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
                    format!("`{text}` is no kind of {}: expected {} or {last}", $what, others.join(", "))
                })
            }
        }
    };
}

kinds! {
    /// Where events, the index of layers and the bodies of reports are kept.
    StoreKind is a kind of "store" {
        /// In a file.
        Sqlite = "sqlite",
        /// In tables of DynamoDB, the bodies in a bucket of S3.
        DynamoDb = "dynamodb",
    }
}

kinds! {
    /// Where requests wait.
    QueueKind is a kind of "queue" {
        /// In a file.
        Sqlite = "sqlite",
        /// In queues of SQS.
        Sqs = "sqs",
    }
}

kinds! {
    /// Where reports are delivered to.
    ReportsKind is a kind of "place for reports" {
        /// A folder.
        Folder = "folder",
        /// A bucket of S3.
        S3 = "s3",
    }
}

kinds! {
    /// Who looks into images.
    ScannerKind is a kind of "scanner" {
        /// The scanner inside.
        Embedded = "embedded",
        /// A Clair of version 4.
        ClairV4 = "clair-v4",
        /// A Clair of version 2.
        ClairV2 = "clair-v2",
    }
}

kinds! {
    /// What is watched.
    RegistryKind is a kind of "registry" {
        /// A server of the Distribution protocol.
        Distribution = "distribution",
        /// A registry of ECR: one account in one region.
        Ecr = "ecr",
        /// An OCI layout in a folder.
        OciLayout = "oci-layout",
        /// An OCI archive.
        OciArchive = "oci-archive",
        /// An archive as `docker save` writes it.
        DockerArchive = "docker-archive",
    }
}
