//! Keys of the scanner and of what it knows.

use super::{Key, Kind, NO, key};

pub(super) const KNOWLEDGE: &[Key] = &[
    key(
        "scanner.kind",
        Kind::Text,
        Some("\"embedded\""),
        "\"embedded\" (the scanner inside, with the advisories below), \"clair-v4\" or \"clair-v2\" (a server; see clair.*).",
    ),
    key(
        "scanner.lock_files",
        Kind::Flag,
        NO,
        "The scanner inside: read lock files as well (npm, yarn, pnpm, Poetry, uv, Pipenv, Cargo, Bundler, Composer, go.mod). They name what is meant to be installed, which need not be. Layers are read again where this changes.",
    ),
    key(
        "clair.url",
        Kind::Text,
        None,
        "Where Clair is reached: scheme, host and port. Version 4: the indexer, and the matcher where it has no address of its own. Required with such a scanner.",
    ),
    key(
        "clair.matcher_url",
        Kind::Text,
        None,
        "Version 4: where the matcher is reached if not at clair.url.",
    ),
    key(
        "clair.insecure",
        Kind::Flag,
        NO,
        "Allow plain HTTP to another machine: what the registry needs to give out layers goes that way.",
    ),
    key(
        "clair.ca_file",
        Kind::Path,
        None,
        "A file of PEM certificates that are trusted besides those of the system.",
    ),
    key(
        "clair.psk_file",
        Kind::Path,
        None,
        "Version 4: a file that holds the key of its auth.psk, in base64 as there. Requests are signed with it, and bells must be.",
    ),
    key(
        "clair.issuer",
        Kind::Text,
        Some("\"cve-monitor\""),
        "Version 4: the issuer in signed requests; it has to stand in Clair's auth.psk.iss.",
    ),
    key("clair.poll", Kind::Duration, Some("\"60s\""), "How often Clair is asked what it has learnt."),
    key(
        "clair.settle",
        Kind::Duration,
        Some("\"2m\""),
        "Version 4: how long an update is left alone after it was first seen: Clair's answers follow its updates with a delay.",
    ),
    key(
        "clair.updaters",
        Kind::List,
        Some("[]"),
        "Version 4: the updaters without which its data is not complete, as update_operation names them. Those seen during its first load if not given.",
    ),
    key(
        "clair.period",
        Kind::Duration,
        Some("\"6h\""),
        "Version 4: its matcher.period: the first load is over once no updater has been new for so long.",
    ),
    key(
        "clair.loading_deadline",
        Kind::Duration,
        Some("\"6h\""),
        "Version 4: how long an updater of the first load is waited for; then reports name it as missing, and are partial.",
    ),
    key(
        "clair.index_timeout",
        Kind::Duration,
        Some("\"30m\""),
        "How long Clair may take to read the layers of one image.",
    ),
    key(
        "clair.layer_generation",
        Kind::Count,
        Some("1"),
        "Version 2: raised by one, every layer is read again under a new name.",
    ),
    key(
        "clair.assume_ready",
        Kind::Flag,
        NO,
        "Version 2: your word that its first load is complete. Else its metrics have to show a whole round without an error.",
    ),
    key(
        "clair.webhook_path",
        Kind::Text,
        Some("\"/webhooks/clair\""),
        "Where Clair's notifications are received, on watch.listen.",
    ),
    key(
        "clair.webhook_unsigned",
        Kind::Flag,
        NO,
        "Version 4: let bells in that no key proves. They only wake the notifier. Version 2 cannot sign: its are let in always.",
    ),
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
        Some("[]"),
        "Which ecosystems are taken from a mirror, as in [\"Debian\", \"npm\"]. Those that the images have if none is named.",
    ),
    key(
        "advisories.offline",
        Kind::Flag,
        NO,
        "Ask no mirror: what was fetched or imported before is used as it is, and nothing else will come.",
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
    key(
        "advisories.allow_private",
        Kind::Flag,
        NO,
        "Follow redirects of a mirror to networks that are not public. The mirror itself may be in one always.",
    ),
    key(
        "advisories.ca_file",
        Kind::Path,
        None,
        "Mirrors: a file of PEM certificates that are trusted besides those of the system.",
    ),
];
