//! The schema, as the ordered list of steps that lead to it.

/// What makes the file ours: SQLite's `application_id`, `ecvm` in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x6563_766d;

/// The migrations in order: the one at index N leads from schema version N to N + 1, `user_version` counts those that
/// are done. What has been released is never edited: a change is one more migration.
pub(super) const MIGRATIONS: &[&str] =
    &[EVENTS_QUEUE_INDEX_BODIES, SCANNER_RECORDS, SCANNER_ECOSYSTEMS, RECORDS_APART];

/// Events with their heads, bodies, the queue with its dead letters, the layer index.
///
/// * `events.seq` is the order of all appends. Events are never deleted, so it has no gaps that are filled later.
/// * `queue.deliveries = 0` is a message that waits; a greater number with `seq` names the lease, which lasts until
///   `visible_at`. Each question of `receive` has a partial index of its own: a backlog of any length costs it nothing.
/// * Keys and images of the layer index are interned: a row is two small integers. A key that is a SHA-256 digest is
///   stored as its 32 bytes, any other as text.
const EVENTS_QUEUE_INDEX_BODIES: &str = "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE heads (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    due_kind INTEGER,
    due_at INTEGER,
    body BLOB NOT NULL
);
CREATE INDEX heads_due ON heads (due_kind, due_at, stream) WHERE due_kind IS NOT NULL;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES heads (id),
    version INTEGER NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX events_place ON events (stream, version);

CREATE TABLE bodies (
    digest TEXT PRIMARY KEY,
    put_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    coding INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX bodies_age ON bodies (put_at, digest);

CREATE TABLE queue (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    request TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL DEFAULT 0,
    deliveries INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX queue_waiting ON queue (lane, seq) WHERE deliveries = 0;
CREATE INDEX queue_same ON queue (lane, request) WHERE deliveries = 0;
CREATE INDEX queue_leased ON queue (lane, visible_at) WHERE deliveries > 0;

CREATE TABLE dead_letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX dead_letters_age ON dead_letters (at);

CREATE TABLE layer_keys (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE
);
CREATE TABLE layer_images (
    id INTEGER PRIMARY KEY,
    image TEXT NOT NULL UNIQUE
);
CREATE TABLE layer_index (
    key INTEGER NOT NULL,
    image INTEGER NOT NULL,
    PRIMARY KEY (key, image)
) WITHOUT ROWID;
";

/// What the embedded scanner keeps of layers and images.
///
/// * `scanner_layers.record` is the layer's record as JSON in one zstd frame, `record_bytes` its length as JSON. A
///   layer that no registry holds (`fetched = 0`) has a record that says so. The inventory of an SBOM lies beside them,
///   under a digest that no layer has.
/// * `scanner_postings` lists the layers in which a package was ever found: a superset, nothing is taken out of it.
/// * `scanner_images.layers` are the numbers of an image's layers, base first, eight bytes each, lowest first. The
///   digest of a manifest fixes its layers, so that one row serves every repository that holds it. What an SBOM says of
///   an image in one place lies under a digest of that place.
const SCANNER_RECORDS: &str = "
CREATE TABLE scanner_layers (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    format INTEGER NOT NULL,
    extractor TEXT NOT NULL,
    fetched INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL,
    record BLOB NOT NULL
);

CREATE TABLE scanner_packages (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
);
CREATE TABLE scanner_postings (
    package INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    PRIMARY KEY (package, layer)
) WITHOUT ROWID;

CREATE TABLE scanner_images (
    manifest BLOB PRIMARY KEY,
    layers BLOB NOT NULL
) WITHOUT ROWID;
";

/// Which ecosystems any image needs advisories for that was ever assessed, by the names of their exports. Nothing is
/// taken out of it.
const SCANNER_ECOSYSTEMS: &str = "
CREATE TABLE scanner_ecosystems (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
";

/// Records in a table of their own: what a change may affect is told by numbers and digests alone, and a page of those
/// holds ninety layers where one with their records holds five.
const RECORDS_APART: &str = "
CREATE TABLE scanner_records (
    layer INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL,
    record BLOB NOT NULL
);
INSERT INTO scanner_records (layer, bytes, record) SELECT id, record_bytes, record FROM scanner_layers;
ALTER TABLE scanner_layers DROP COLUMN record;
ALTER TABLE scanner_layers DROP COLUMN record_bytes;
";
