-- Keys of whom requests name (subjects), wrapped under the KEK; a body opens with its subject's
-- key only. A key that was destroyed leaves its row without the key: rows of this table are never
-- deleted and never grow, so that SQLite never moves one and leaves a copy behind.
CREATE TABLE subject_keys (
    id           BIGINT PRIMARY KEY,
    account      TEXT NOT NULL,
    month        TEXT NOT NULL,
    format       BIGINT NOT NULL,
    subject      BLOB NOT NULL,
    kek          BLOB NOT NULL,
    wrapped      BLOB NOT NULL,
    destroyed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX subject_keys_of ON subject_keys (account, subject, month, format) WHERE destroyed_at = 0;

-- None: sealed before keys had subjects, until the next start takes it into custody.
ALTER TABLE bodies ADD COLUMN key_id BIGINT;
CREATE INDEX bodies_key ON bodies (key_id, seq);

-- An empty subject stands for the whole account.
CREATE TABLE legal_holds (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    subject     BLOB NOT NULL,
    placed_at   BIGINT NOT NULL,
    placed_by   TEXT NOT NULL,
    reason      TEXT NOT NULL,
    until       BIGINT,
    released_at BIGINT,
    released_by TEXT
);

-- Work that a crash may cut short and that the next start takes up again.
CREATE TABLE unfinished (
    what  TEXT PRIMARY KEY,
    since BIGINT NOT NULL
);
