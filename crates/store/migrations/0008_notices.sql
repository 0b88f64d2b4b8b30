-- What lists of cases show: made of a case's steps in the transaction of its last one, and made anew
-- at the start where the version or the number of steps differs.
CREATE TABLE case_summaries (
    case_id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    steps   BIGINT NOT NULL,
    closed  BIGINT NOT NULL,
    awaits  TEXT NOT NULL,   -- what somebody is to do next
    due     BIGINT NOT NULL, -- by when; where there is no such day, since when
    json    TEXT NOT NULL
);
CREATE INDEX case_summaries_due ON case_summaries (due, case_id);
CREATE INDEX case_summaries_awaits ON case_summaries (awaits, due, case_id);
CREATE TABLE case_accounts (
    account TEXT NOT NULL,
    case_id TEXT NOT NULL,
    PRIMARY KEY (account, case_id)
);
-- Which cases would not stand without which.
CREATE TABLE case_rests (
    on_case TEXT NOT NULL,
    case_id TEXT NOT NULL,
    PRIMARY KEY (on_case, case_id)
);
-- Who works on a case now; nothing of it is evidence.
CREATE TABLE case_claims (
    case_id TEXT PRIMARY KEY,
    person  TEXT NOT NULL,
    until   BIGINT NOT NULL
);
-- Steps that people decided on and may still take back: nothing of them is recorded yet.
CREATE TABLE held_steps (
    id         TEXT PRIMARY KEY,
    case_id    TEXT NOT NULL,
    person     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    json       TEXT NOT NULL,
    refused    TEXT
);
CREATE INDEX held_steps_case ON held_steps (case_id);
-- Files that came with answers of the accused, each sealed under a key of the account that sent it.
CREATE TABLE case_files (
    case_id    TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    account    TEXT NOT NULL,
    commitment BLOB NOT NULL,
    key_id     BIGINT NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (case_id, sha256)
);

-- Where notices go: a customer's, or with an empty account the house's own.
CREATE TABLE endpoints (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    target     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE INDEX endpoints_account ON endpoints (account);
-- Notices that are to leave, written with the step that they tell of.
CREATE TABLE outbox (
    id           TEXT NOT NULL, -- the event's, the same for every endpoint and every try
    endpoint     TEXT NOT NULL,
    account      TEXT NOT NULL,
    case_id      TEXT NOT NULL,
    event        TEXT NOT NULL,
    at           BIGINT NOT NULL,
    not_before   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    state        TEXT NOT NULL, -- queued, delivered or dead
    error        TEXT,
    delivered_at BIGINT,
    payload      TEXT NOT NULL,
    PRIMARY KEY (id, endpoint)
);
CREATE INDEX outbox_due ON outbox (not_before, id) WHERE state = 'queued';
CREATE INDEX outbox_case ON outbox (case_id);

-- What detection found last: gatherings of accounts, for pages.
CREATE TABLE clusters (
    id   TEXT PRIMARY KEY,
    at   BIGINT NOT NULL,
    json TEXT NOT NULL
);

-- What the audit log lists, newest first.
CREATE INDEX journal_audit ON journal (seq) WHERE kind IN ('body_read', 'case_step', 'directory', 'erased', 'expired');
