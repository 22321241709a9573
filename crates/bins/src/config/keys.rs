//! Every key of the configuration, in the order in which they are explained; `docs/config.md` lists exactly these.

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A file or folder.
    Path,
    /// A duration: a whole number and `ms`, `s`, `m`, `h` or `d`.
    Duration,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
    /// A list of texts; in a variable they are divided by commas.
    List,
    /// An IP address and a port.
    Address,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its dotted name; `[]` stands for each entry of a list of tables.
    pub key: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// Its value where nobody gives one, as it would stand in the file; none where it has none or follows from others.
    pub initial: Option<&'static str>,
    /// What it is for.
    pub description: &'static str,
}

impl Key {
    /// The variable that overrides it: `CVE_MONITOR_<SECTION>_<KEY>`; entries of lists of tables have none.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        (!self.key.contains('['))
            .then(|| format!("CVE_MONITOR_{}", self.key.replace('.', "_").to_uppercase()))
    }
}

const fn key(key: &'static str, kind: Kind, initial: Option<&'static str>, description: &'static str) -> Key {
    Key { key, kind, initial, description }
}

/// `false`, as the file has it.
const NO: Option<&str> = Some(stringify!(false));

/// All keys.
pub const KEYS: &[Key] = &[
    key(
        "store.path",
        Kind::Path,
        None,
        "The SQLite file that holds everything; its folder is made where it is missing.",
    ),
    key("reports.folder", Kind::Path, None, "The folder that reports are delivered to."),
    key(
        "registry[].name",
        Kind::Text,
        None,
        "Required. The host (and port) by which its images are known; for a folder or file any name of that form.",
    ),
    key(
        "registry[].kind",
        Kind::Text,
        None,
        "\"distribution\" (the default), \"oci-layout\", \"oci-archive\" or \"docker-archive\".",
    ),
    key(
        "registry[].url",
        Kind::Text,
        None,
        "Distribution: where it is reached if not at its name: scheme, host and port.",
    ),
    key("registry[].path", Kind::Path, None, "Layout or archive: the folder or file. Required there."),
    key(
        "registry[].repository",
        Kind::Text,
        None,
        "Layout or archive: the repository of images that are named by a bare tag. It follows from the path if not given.",
    ),
    key(
        "registry[].repositories",
        Kind::List,
        None,
        "Distribution: names and patterns (* within a part of a name, ** across parts). The whole catalogue if not given.",
    ),
    key("registry[].insecure", Kind::Flag, NO, "Distribution: plain HTTP instead of HTTPS."),
    key(
        "registry[].ca_file",
        Kind::Path,
        None,
        "Distribution: a file of PEM certificates that are trusted besides those of the system.",
    ),
    key(
        "registry[].username",
        Kind::Text,
        None,
        "Distribution: the user; needs password_file or password_env.",
    ),
    key("registry[].password_file", Kind::Path, None, "Distribution: a file that holds the password."),
    key(
        "registry[].password_env",
        Kind::Text,
        None,
        "Distribution: the name of the variable that holds the password.",
    ),
    key(
        "registry[].docker_config",
        Kind::Flag,
        NO,
        "Distribution: use the credentials that docker login keeps.",
    ),
    key(
        "scope.newer_than",
        Kind::Duration,
        None,
        "Images pushed longer ago are passed over, where the registry tells the date. No limit if not given.",
    ),
    key(
        "scope.include[].registry",
        Kind::Text,
        None,
        "Pattern (* any text, ? one character): only images of such registries.",
    ),
    key("scope.include[].repository", Kind::Text, None, "Pattern: only images of such repositories."),
    key("scope.include[].tag", Kind::Text, None, "Pattern: only images with such a tag."),
    key(
        "scope.include[].platform",
        Kind::Text,
        None,
        "Pattern: only images for such platforms, as in linux/amd64*.",
    ),
    key(
        "scope.exclude[].registry",
        Kind::Text,
        None,
        "Pattern: no images of such registries. An exclusion wins over an inclusion.",
    ),
    key("scope.exclude[].repository", Kind::Text, None, "Pattern: no images of such repositories."),
    key("scope.exclude[].tag", Kind::Text, None, "Pattern: no images with such a tag."),
    key("scope.exclude[].platform", Kind::Text, None, "Pattern: no images for such platforms."),
    key("advisories.folder", Kind::Path, None, "The folder of the compiled advisory databases."),
    key(
        "advisories.sources",
        Kind::List,
        Some("[\"https://osv-vulnerabilities.storage.googleapis.com\"]"),
        "Where advisories in OSV form come from: a folder, a .zip, or the address of a mirror that has one ECOSYSTEM/all.zip for each of the ecosystems.",
    ),
    key(
        "advisories.ecosystems",
        Kind::List,
        Some("[\"Debian\", \"Ubuntu\", \"Alpine\"]"),
        "Which ecosystems are taken from a mirror.",
    ),
    key(
        "advisories.refresh",
        Kind::Duration,
        Some("\"1h\""),
        "How often the sources are looked at for changes.",
    ),
    key(
        "advisories.max_shrink_percent",
        Kind::Count,
        Some("20"),
        "A source that loses more than this share of its records at once is refused: the old data stays.",
    ),
    key(
        "advisories.accept_shrink",
        Kind::List,
        Some("[]"),
        "Sources or ecosystems that may shrink by more, once you have looked into it.",
    ),
    key("advisories.insecure", Kind::Flag, NO, "Allow plain HTTP addresses as sources."),
    key("ingest.concurrency", Kind::Count, Some("4"), "How many images are worked on at once."),
    key(
        "ingest.lease",
        Kind::Duration,
        Some("\"2m\""),
        "How long a message is kept from other workers before it is handed out again; it is extended while work goes on.",
    ),
    key("ingest.wait", Kind::Duration, Some("\"20s\""), "How long one look into an empty queue lasts."),
    key(
        "watch.listen",
        Kind::Address,
        Some("\"127.0.0.1:8080\""),
        "Where push notifications of registries are received.",
    ),
    key(
        "watch.poll",
        Kind::Duration,
        Some("\"60s\""),
        "How often the registries are looked at for what no notification announced.",
    ),
    key(
        "watch.webhook_token_file",
        Kind::Path,
        None,
        "A file that holds the bearer token that notifications must carry. Without it everyone who can connect may send them.",
    ),
    key(
        "reconcile.every",
        Kind::Duration,
        Some("\"6h\""),
        "How often the registries are compared with what is known.",
    ),
    key(
        "reconcile.sweep_after",
        Kind::Duration,
        Some("\"7d\""),
        "An image that nothing has verified for so long is assessed again.",
    ),
    key(
        "reconcile.lists_per_second",
        Kind::Count,
        Some("10"),
        "How many pages of listings are asked for in a second, at most.",
    ),
    key(
        "retention.report_bodies",
        Kind::Duration,
        Some("\"90d\""),
        "How long superseded report bodies are kept in the store; the latest of each image is always kept.",
    ),
    key(
        "retention.dead_letters",
        Kind::Duration,
        Some("\"30d\""),
        "How long requests that were given up are kept.",
    ),
    key(
        "health.listen",
        Kind::Address,
        None,
        "Where health and metrics are served. Not served if not given.",
    ),
    key("log.format", Kind::Text, Some("\"text\""), "\"text\" or \"json\"."),
    key(
        "log.level",
        Kind::Text,
        Some("\"info\""),
        "\"error\", \"warn\", \"info\", \"debug\", \"trace\", or directives as in \"info,cve_monitor_core=debug\".",
    ),
];
