-- One source for both engines; the store writes BLOB as BYTEA for PostgreSQL
-- and BIGINT PRIMARY KEY as INTEGER PRIMARY KEY (the row's own number) for SQLite.
CREATE TABLE journal (
    seq       BIGINT PRIMARY KEY,
    at        BIGINT NOT NULL,
    kind      TEXT NOT NULL,
    account   TEXT,
    exchange  TEXT,
    leaf      BLOB NOT NULL,
    leaf_hash BLOB NOT NULL
);
CREATE INDEX journal_exchange ON journal (exchange) WHERE exchange IS NOT NULL;
CREATE INDEX journal_account ON journal (account, seq) WHERE account IS NOT NULL;

CREATE TABLE open_intents (
    seq      BIGINT PRIMARY KEY,
    exchange TEXT NOT NULL,
    account  TEXT
);

CREATE TABLE bodies (
    seq   BIGINT NOT NULL,
    what  TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (seq, what)
);

CREATE TABLE organisations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE projects (
    id           TEXT PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    name         TEXT NOT NULL,
    purpose      TEXT,
    created_at   BIGINT NOT NULL
);
CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    project    TEXT NOT NULL REFERENCES projects (id),
    name       TEXT NOT NULL,
    standing   TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE access_keys (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL REFERENCES accounts (id),
    secret_sha256 BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    revoked_at    BIGINT
);
CREATE TABLE limits (
    scope TEXT NOT NULL,
    id    TEXT NOT NULL,
    json  TEXT NOT NULL,
    PRIMARY KEY (scope, id)
);

CREATE TABLE case_steps (
    case_id TEXT NOT NULL,
    n       BIGINT NOT NULL,
    json    TEXT NOT NULL,
    digest  BLOB NOT NULL,
    PRIMARY KEY (case_id, n)
);

CREATE TABLE spend (
    account   TEXT NOT NULL,
    key_id    TEXT NOT NULL,
    day       BIGINT NOT NULL,
    micro_usd BIGINT NOT NULL,
    tokens    BIGINT NOT NULL,
    requests  BIGINT NOT NULL,
    PRIMARY KEY (account, key_id, day)
);

CREATE TABLE imported (
    exchange      TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    at            BIGINT NOT NULL,
    model         TEXT,
    prompt        TEXT NOT NULL,
    response      TEXT,
    input_tokens  BIGINT,
    output_tokens BIGINT,
    estimated     BIGINT
);
CREATE INDEX imported_account ON imported (account, at, exchange);

CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY,
    root BLOB NOT NULL,
    note TEXT NOT NULL
);
