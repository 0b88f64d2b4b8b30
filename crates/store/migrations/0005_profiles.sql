-- What the watch remembers of each account: sums over its exchanges and what was seen at its looks.
CREATE TABLE profiles (
    account TEXT PRIMARY KEY,
    state   BLOB NOT NULL
);
-- The latest statistic of each account that has had a look, in millionths: the unlabelled fleet.
CREATE TABLE latest_looks (
    account   TEXT PRIMARY KEY,
    look      BIGINT NOT NULL,
    statistic BIGINT NOT NULL
);
CREATE INDEX latest_looks_statistic ON latest_looks (statistic);
CREATE TABLE findings (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    at      BIGINT NOT NULL,
    json    TEXT NOT NULL
);
CREATE INDEX findings_account ON findings (account, at);
-- One row: every journal record before `seq` is in the profiles, each once.
CREATE TABLE watched (
    id  BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL
);
